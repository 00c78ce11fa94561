"""How the product is, and what can be done about it: messages, mails, what it needs, the check of permissions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration import formats, outbox
from integration.admin import checkups, health, views_settling
from integration.admin.audit import record
from integration.admin.door import needs, this_visitor
from integration.admin.inboxes import inboxes_shown
from integration.admin.models import Checkup
from integration.admin.permissions import Permission, programs_within_reach
from integration.admin.reach import Programs, about_mail, about_message, parked_messages
from integration.admin.refusal_words import refusal_words
from integration.admin.showing import NOTHING
from integration.admin.subjects import Subject, subjects_of, task_words
from integration.admin.tables import Column, page_of
from integration.clock import real_now
from integration.errors import Conflict, NotThere
from integration.language import gettext as _
from integration.language import lazy
from integration.mail.mails import release
from integration.mail.models import Mail
from integration.outbox import Message, State
from integration.readiness import Readiness
from integration.tools import Tools
from integration.webhooks.overview import overview

blueprint = Blueprint("health", __name__, url_prefix="/admin/health")
SETTLEMENT = "/mails/<int:mail_id>/settlement"
blueprint.add_url_rule(SETTLEMENT, "ask_to_settle", views_settling.ask, methods=["GET"])
blueprint.add_url_rule(SETTLEMENT, "settle_mail", views_settling.settle_mail, methods=["POST"])
LONGEST_REASON = 200


@blueprint.get("")
@needs(Permission.HEALTH_SEE)
def show() -> ResponseReturnValue:
    tools = _tools()
    reasons, programs = _readiness(tools).reasons(), _within_reach()
    with tools.database.reading() as session:
        parked = page_of(
            session,
            parked_messages(session, programs),
            _message_columns(),
            request.args,
            sort="age",
        )
        put_off = health.put_off(session, programs)
        return render_template(
            "health/show.html",
            reasons=reasons,
            workers=health.workers(session, tools),
            states=health.states(session),
            parked=parked,
            put_off=put_off,
            subjects=subjects_of(session, [*parked.rows, *put_off]),
            mails=health.mail_counts(session, programs),
            inboxes=inboxes_shown(session, tools.settings, now=tools.clock.now()),
            **_checkup(session),
            task_words=task_words,
            age=_age,
            **_notices(session, tools),
        )


@blueprint.get("/checkup")
@needs(Permission.HEALTH_SEE)
def checkup() -> ResponseReturnValue:
    """The fragment that the page asks for again and again while a check is under way."""
    with _tools().database.reading() as session:
        return render_template("health/_checkup.html", **_checkup(session), age=_age)


@blueprint.post("/checkup")
@needs(Permission.HEALTH_CHECK)
def check() -> ResponseReturnValue:
    visitor = this_visitor()
    with _tools().database.transaction() as session:
        asked = checkups.ask_for_checkup(session, by=visitor.mail)
        record(session, visitor, Permission.HEALTH_CHECK, thing="checkup", thing_id=asked.id)
    return redirect(url_for("health.show", _anchor="checkup"), code=303)


@blueprint.post("/messages/<int:message_id>/retry")
@needs(Permission.MESSAGE_RETRY, about=about_message)
def retry(message_id: int) -> ResponseReturnValue:
    visitor = this_visitor()
    try:
        with _tools().database.transaction() as session:
            before = _told(session, message_id)
            outbox.retry(session, message_id)
            record(session, visitor, Permission.MESSAGE_RETRY, thing="message", thing_id=message_id, before=before)
        flash(_("It is tried again now."), "good")
    except (NotThere, Conflict):  # a second click, or somebody else was first
        flash(_("This message is not parked any more. Nothing was changed."), "warning")
    return redirect(url_for("health.show"), code=303)


@blueprint.get("/messages/<int:message_id>/discard")
@needs(Permission.MESSAGE_DISCARD)
def ask_to_discard(message_id: int) -> ResponseReturnValue:
    return _discard_page(message_id)


@blueprint.post("/messages/<int:message_id>/discard")
@needs(Permission.MESSAGE_DISCARD)
def discard(message_id: int) -> ResponseReturnValue:
    visitor, reason = this_visitor(), " ".join(request.form.get("reason", "").split())
    if not 0 < len(reason) <= LONGEST_REASON:
        fault = _("Say why, in up to %(most)s characters: it is kept with the message.", most=LONGEST_REASON)
        return _discard_page(message_id, fault=fault), 400
    try:
        with _tools().database.transaction() as session:
            before = _told(session, message_id)
            outbox.discard(session, message_id, reason)
            told: dict[str, Any] = {"thing": "message", "thing_id": message_id}
            record(session, visitor, Permission.MESSAGE_DISCARD, **told, before=before, after={"reason": reason})
        flash(_("The message was given up."), "good")
    except (NotThere, Conflict):
        flash(_("This message is not parked any more. Nothing was changed."), "warning")
    return redirect(url_for("health.show"), code=303)


@blueprint.get("/mails")
@needs(Permission.HEALTH_SEE)
def mails() -> ResponseReturnValue:
    state = request.args.get("state", "")
    state = state if state in health.MAIL_STATES else health.MAIL_STATES[0]
    query, programs = {**request.args, "state": state}, _within_reach()
    with _tools().database.reading() as session:
        page = page_of(
            session, health.mails_in(state, programs), _mail_columns(), query, sort="-written", filters=("state",)
        )
        counts = health.mail_counts(session, programs)
        return render_template("health/mails.html", page=page, state=state, counts=counts)


@blueprint.get("/mails/<int:mail_id>/release")
@needs(Permission.MAIL_RELEASE, about=about_mail)
def ask_to_release(mail_id: int) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        mail = _mail(session, mail_id)
        return render_template(
            "confirm.html",
            title=_("Send this mail after all?"),
            sentence=_("“%(subject)s” was held back. It leaves with the next mails.", subject=mail.subject),
            mails=[(f"{mail.to_name} ({mail.to_address})", 1)],
            label=_("Release the mail"),
            back=url_for("health.mails"),
        )


@blueprint.post("/mails/<int:mail_id>/release")
@needs(Permission.MAIL_RELEASE, about=about_mail)
def release_mail(mail_id: int) -> ResponseReturnValue:
    visitor, tools = this_visitor(), _tools()
    try:
        with tools.database.transaction() as session:
            mail = _mail(session, mail_id, locked=True)
            before = {"state": mail.state}
            release(session, mail, now=tools.clock.now())
            after = {"state": mail.state}
            record(
                session, visitor, Permission.MAIL_RELEASE, thing="mail", thing_id=mail_id, before=before, after=after
            )
        flash(
            _("The mail is on its way. It is held again if MAIL_ALLOWLIST still does not name the address."), "good"
        )
    except Conflict:
        flash(_("This mail is not held any more. Nothing was changed."), "warning")
    return redirect(url_for("health.mails"), code=303)


def _within_reach() -> Programs:
    """The programs whose messages and mails the visitor can do something about."""
    return programs_within_reach(this_visitor(), Permission.MAIL_RELEASE)


def _tools() -> Tools:
    return current_app.extensions["tools"]


def _readiness(tools: Tools) -> Readiness:
    """One for the application, which remembers for a few seconds what it asked the outside."""
    return current_app.extensions.setdefault("readiness", Readiness(tools))


def _notices(session: Session, tools: Tools) -> dict[str, object]:
    """Subscriptions live and expire by the clock that can be moved."""
    now = tools.clock.now()
    return {
        "notices": overview(session, tools.settings, now=now),
        "refusal_words": refusal_words,
        "until": lambda at: formats.duration(at - now),
        "since": lambda at: formats.duration(now - at),
    }


def _checkup(session: Session) -> dict[str, Checkup | None]:
    return {"latest": checkups.latest(session), "ended": checkups.latest_ended(session)}


def _message_columns() -> list[Column]:
    return [
        Column("task", _("What"), Message.task),
        Column("subject", _("About")),
        Column("error", _("What went wrong, and what helps")),
        Column("attempts", _("Attempts"), Message.attempts, is_number=True),
        Column("age", _("Wanted since"), Message.first_asked_at),
    ]


def _mail_columns() -> list[Column]:
    return [
        Column("to", _("To"), Mail.to_name),
        Column("subject", _("Subject"), Mail.subject),
        Column("written", _("Written"), Mail.created_at),
    ]


def _discard_page(message_id: int, *, fault: str = "") -> str:
    with _tools().database.reading() as session:
        message = session.get(Message, message_id)
        if message is None:
            raise NotThere(lazy("message"), message_id)
        subject: Subject = subjects_of(session, [message])[message.id]
        return render_template(
            "health/discard.html",
            title=_("Give this message up?"),
            sentence=f"{task_words(message.task)}: {subject.label}",
            message=message,
            fault=fault,
            reason=request.form.get("reason", ""),
            most=LONGEST_REASON,
            danger=True,
            label=_("Give it up"),
            back=url_for("health.show"),
        )


def _told(session: Session, message_id: int) -> dict[str, Any]:
    """What the audit trail keeps of a parked message; raises Conflict for any other.

    SQLite may have given the number of a message that was tried again to the next one.
    """
    message = session.get(Message, message_id)
    if message is None:
        raise NotThere(lazy("message"), message_id)
    if message.state != State.PARKED:
        raise Conflict(
            lazy("Message %(message)s is not parked.", message=message_id),
            remedy=lazy("Only parked ones need a person."),
        )
    error = None if message.last_error is None else str(message.last_error)
    return {"task": message.task, "subject": message.subject, "state": message.state, "error": error}


def _mail(session: Session, mail_id: int, *, locked: bool = False) -> Mail:
    mail = session.get(Mail, mail_id, with_for_update=locked or None)
    if mail is None:
        raise NotThere(lazy("mail"), mail_id)
    return mail


def _age(at: datetime | None) -> str:
    """How long ago, in words: "3 hours"."""
    return formats.duration(real_now() - at) if at else NOTHING
