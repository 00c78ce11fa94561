"""Behind the link and the code of a session in a room: saying "I am here".

A GET never writes: link scanners follow every link. A personal link proves who it is; behind the link of the session
that is whoever is signed in, and their post goes to their own pages, where a form is protected.
"""

from __future__ import annotations

import time

import segno
from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.admin.door import known_visitor, needs, this_visitor
from integration.admin.keyed_pages import keep_keyed
from integration.admin.permissions import Permission
from integration.attendance.checkins import Door, check_in, check_ins_of, expected
from integration.attendance.views_corrections import blueprint as sessions
from integration.attendance.views_corrections import own_session_or_invitation
from integration.errors import Conflict, NotThere
from integration.language import lazy, speak
from integration.pace import Pace
from integration.people.models import Participant, Person
from integration.scheduling.check_in_link import CheckInTicket, check_in_path, read_check_in
from integration.scheduling.models import Occurrence
from integration.tools import Tools

POSTS = Pace(limit=20, seconds=60)
LARGEST_FORM_BYTES = 4 * 1024

blueprint = Blueprint("check_in", __name__, url_prefix="/check-in")
keep_keyed(blueprint)


@blueprint.get("/<token>")
def show(token: str) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        ticket, occurrence = _opened(session, token)
        return _page(session, occurrence, ticket, token)


@blueprint.post("/<token>")
def say(token: str) -> ResponseReturnValue:
    """What somebody says behind their personal link."""
    if not POSTS.allows(token, at=time.monotonic()):
        return render_template("attendance/check_in_closed.html"), 429
    request.max_content_length = LARGEST_FORM_BYTES
    tools, present = _tools(), request.form.get("present") != "no"
    with tools.database.transaction() as session:
        ticket, occurrence = _opened(session, token)
        if ticket.participant_id is None:
            return redirect(url_for("check_in.show", token=token), 303)
        participant = session.get(Participant, ticket.participant_id)
        if participant is None or participant.person is None:
            raise NotThere(lazy("check-in"), token)
        try:
            check_in(session, occurrence, participant, present=present, at=tools.clock.now())
        except Conflict as conflict:
            session.rollback()
            return _page(session, occurrence, ticket, token, fault=str(conflict)), 409
    return redirect(url_for("check_in.show", token=token), 303)


@blueprint.get("/<token>/code")
def show_code(token: str) -> ResponseReturnValue:
    """The code of the session, to be shown in the room."""
    with _tools().database.reading() as session:
        ticket, occurrence = _opened(session, token)
        if ticket.participant_id is not None:
            raise NotThere(lazy("check-in"), token)
        address = code_address(occurrence.id, _tools())
        door = check_ins_of(session, occurrence, now=_tools().clock.now()).door
        return render_template(
            "attendance/code.html",
            occurrence=occurrence,
            address=address,
            code=code_of(address),
            door=door,
            Door=Door,
        )


@sessions.post("/me/sessions/<int:occurrence_id>/check-in")
@needs(Permission.MY_PODS_SEE, about=own_session_or_invitation)
def check_in_mine(occurrence_id: int) -> ResponseReturnValue:
    """What somebody says who is signed in."""
    tools, present = _tools(), request.form.get("present") != "no"
    token = code_address(occurrence_id, tools).rpartition("/")[2]
    with tools.database.transaction() as session:
        occurrence = session.get_one(Occurrence, occurrence_id)
        person = session.get_one(Person, this_visitor().person_id)
        try:
            check_in(session, occurrence, person.participant, present=present, at=tools.clock.now())
        except Conflict as conflict:
            session.rollback()
            return _page(session, occurrence, CheckInTicket(occurrence_id), token, fault=str(conflict)), 409
    return redirect(url_for("check_in.show", token=token), 303)


def code_address(occurrence_id: int, tools: Tools, participant_id: int | None = None) -> str:
    """The whole address behind a code or a personal link."""
    ticket = CheckInTicket(occurrence_id, participant_id)
    path = check_in_path(ticket, secret_key=tools.settings.secret_key)
    return f"{tools.settings.public_url.rstrip('/')}{path}"


def code_of(address: str) -> Markup:
    """A QR code as SVG, black on white whatever the page's colours are, so that telephones can read it."""
    picture = segno.make(address, error="m", micro=False)
    return Markup(picture.svg_inline(dark="#000000", light="#ffffff", border=4, omitsize=True, svgclass="qr"))


def _page(session: Session, occurrence: Occurrence, ticket: CheckInTicket, token: str, *, fault: str = "") -> str:
    tools = _tools()
    found = check_ins_of(session, occurrence, now=tools.clock.now())
    participant = _who(session, ticket)
    if participant is not None and participant.person and participant.person.language:
        speak(participant.person.language)
    is_expected = participant is not None and participant.id in expected(occurrence)
    return render_template(
        "attendance/check_in.html",
        occurrence=occurrence,
        pod=occurrence.series.pod,
        check_ins=found,
        said=found.said.get(participant.id) if participant else None,
        action=url_for("check_in.say", token=token)
        if ticket.participant_id is not None
        else url_for("sessions.check_in_mine", occurrence_id=occurrence.id),
        needs_token=ticket.participant_id is None,
        sign_in=url_for("auth.start", next=url_for("check_in.show", token=token)),
        **{
            "participant": participant if is_expected else None,
            "stranger": participant,
            "fault": fault,
            "Door": Door,
        },
    )


def _who(session: Session, ticket: CheckInTicket) -> Participant | None:
    if ticket.participant_id is not None:
        found = session.get(Participant, ticket.participant_id)
        return found if found is not None and found.person is not None else None
    visitor = known_visitor()
    if visitor is None or visitor.person_id is None:
        return None
    return session.scalar(select(Participant).join(Person).where(Person.id == visitor.person_id))


def _opened(session: Session, token: str) -> tuple[CheckInTicket, Occurrence]:
    ticket = read_check_in(token, secret_key=_tools().settings.secret_key)
    occurrence = session.get(Occurrence, ticket.occurrence_id) if ticket else None
    if ticket is None or occurrence is None:
        raise NotThere(lazy("check-in"), token)
    return ticket, occurrence


def _tools() -> Tools:
    return current_app.extensions["tools"]
