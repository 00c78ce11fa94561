"""Correcting somebody's address: typed first, then shown with what follows, then done."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from integration.admin.addresses import about_address, correct_for
from integration.admin.door import needs, this_visitor
from integration.admin.permissions import Permission
from integration.errors import Conflict, InputRefused
from integration.language import gettext as _
from integration.people.models import Person
from integration.people.people import by_id
from integration.scheduling.readdressing import Correction, preview_correction
from integration.tools import Tools


@needs(Permission.PERSON_CORRECT, about=about_address)
def ask(person_id: int) -> ResponseReturnValue:
    """The form; with an address in the query, what would follow from it."""
    tools = _tools()
    with tools.database.reading() as session:
        person = by_id(session, person_id)
        if "mail" not in request.args:
            return _form(person, typed="")
        typed = request.args["mail"]
        try:
            correction = preview_correction(session, person, typed, settings=tools.settings, now=tools.clock.now())
        except InputRefused as refused:
            return _form(person, typed=typed, fault=str(refused)), 400
        return render_template(
            "people/correction.html", person=person, correction=correction, mails=_mails(correction)
        )


@needs(Permission.PERSON_CORRECT, about=about_address)
def correct(person_id: int) -> ResponseReturnValue:
    tools, typed = _tools(), request.form.get("mail", "")
    try:
        with tools.database.transaction() as session:
            before = request.form.get("before", "")
            done = correct_for(session, this_visitor(), tools, person_id, typed, before=before)
            name = by_id(session, person_id).name
    except (InputRefused, Conflict) as refused:
        with tools.database.reading() as session:
            status = 400 if isinstance(refused, InputRefused) else 409
            return _form(by_id(session, person_id), typed=typed, fault=str(refused)), status
    if done is None:
        flash(_("This is the address of %(name)s already. Nothing was changed.", name=name), "warning")
    else:
        flash(_("The address of %(name)s is %(mail)s now.", name=name, mail=done.new), "good")
    return redirect(url_for("people.show", person_id=person_id), code=303)


def _form(person: Person, *, typed: str, fault: str = "") -> str:
    return render_template("people/address.html", person=person, typed=typed, fault=fault)


def _mails(correction: Correction) -> list[tuple[str, int]]:
    """Who is mailed, and how often, as the page of confirmation lists it."""
    told = [
        (_("%(who)s: an invitation", who=correction.new), correction.invitations),
        (_("%(who)s: a mail that was held back", who=correction.new), correction.held),
        (_("%(who)s: a cancellation", who=correction.old), correction.cancellations),
    ]
    return [(who, count) for who, count in told if count]


def _tools() -> Tools:
    return current_app.extensions["tools"]
