"""The page on which a person says what became of an unclear mail."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from integration.admin.audit import record
from integration.admin.door import needs, this_visitor
from integration.admin.permissions import Permission
from integration.admin.reach import about_mail
from integration.errors import Conflict, NotThere
from integration.language import gettext as _
from integration.language import lazy
from integration.mail.models import UNCLEAR, Mail
from integration.mail.settling import Settlement, settle
from integration.tools import Tools


@needs(Permission.MAIL_SETTLE, about=about_mail)
def ask(mail_id: int) -> ResponseReturnValue:
    return _page(mail_id)


@needs(Permission.MAIL_SETTLE, about=about_mail)
def settle_mail(mail_id: int) -> ResponseReturnValue:
    visitor, tools, wanted = this_visitor(), _tools(), request.form.get("settlement", "")
    if wanted not in set(Settlement):
        return _page(mail_id, fault=_("Choose one of the three.")), 400
    try:
        with tools.database.transaction() as session:
            mail = settle(session, mail_id, Settlement(wanted), now=tools.clock.now())
            after = {"settlement": wanted, "state": mail.state}
            told = {"thing": "mail", "thing_id": mail_id, "before": {"state": UNCLEAR}, "after": after}
            record(session, visitor, Permission.MAIL_SETTLE, **told)
        flash(_("It is written down."), "good")
    except Conflict as conflict:  # a second click, somebody else was first, or the person left
        flash(f"{conflict} {_('Nothing was changed.')}", "warning")
    return redirect(url_for("health.mails", state=UNCLEAR), code=303)


def _page(mail_id: int, *, fault: str = "") -> str:
    with _tools().database.reading() as session:
        mail = session.get(Mail, mail_id)
        if mail is None:
            raise NotThere(lazy("mail"), mail_id)
        person = mail.participant.person
        can_go_again = person is not None and person.is_here
        return render_template("health/settle.html", mail=mail, fault=fault, can_go_again=can_go_again)


def _tools() -> Tools:
    return current_app.extensions["tools"]
