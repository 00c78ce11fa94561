"""Who came to a session: for coordinators, and for whoever facilitated it; and asking that one's own be put right."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.admin.audit import record
from integration.admin.door import needs, this_visitor
from integration.admin.permissions import Permission, Thing
from integration.attendance.checkins import check_ins_of, confirm, expected
from integration.attendance.corrections import (
    LONGEST_WHY,
    By,
    accept,
    ask_for_correction,
    correct_count,
    correct_person,
    corrections_of,
    open_request,
    refuse,
    request_to_decide,
    say_count,
)
from integration.attendance.models import Attendance, CorrectionRequest
from integration.attendance.outcomes import COUNTS_ONLY, detail_of
from integration.attendance.provenances import found_by_words, provenance_of, provenance_words
from integration.errors import Conflict, InputRefused, NotThere
from integration.language import gettext as _
from integration.language import lazy
from integration.people.models import Participant, Person
from integration.scheduling.check_in_link import CheckInTicket, check_in_path
from integration.scheduling.models import Invited, Occurrence, Pod, Series
from integration.tools import Tools

blueprint = Blueprint("sessions", __name__)


def about_occurrence(session: Session, occurrence_id: int) -> Thing:
    """The program of a session; raises NotThere."""
    of_it = select(Pod.program_id).join(Series, Series.pod_id == Pod.id).join(Occurrence)
    program_id = session.scalar(of_it.where(Occurrence.id == occurrence_id))
    if program_id is None:
        raise NotThere(lazy("occurrence"), occurrence_id)
    return Thing(program_id=program_id)


def about_request(session: Session, request_id: int) -> Thing:
    """The program of what somebody asked for; raises NotThere."""
    occurrence_id = session.scalar(select(CorrectionRequest.occurrence_id).where(CorrectionRequest.id == request_id))
    if occurrence_id is None:
        raise NotThere(lazy("request for a correction"), request_id)
    return about_occurrence(session, occurrence_id)


def own_turn(session: Session, occurrence_id: int) -> Thing:
    """The visitor's own, when they facilitate this session; otherwise it looks as if there were none."""
    person_id = this_visitor().person_id
    facilitator = select(Person.id).join(Occurrence, Occurrence.facilitator_id == Person.participant_id)
    if person_id is None or session.scalar(facilitator.where(Occurrence.id == occurrence_id)) != person_id:
        raise NotThere(lazy("occurrence"), occurrence_id)
    return Thing(person_id=person_id)


def own_session(session: Session, occurrence_id: int) -> Thing:
    """The visitor's own, when they were invited to this session; otherwise it looks as if there were none."""
    person_id = this_visitor().person_id
    mine = select(Invited.id).join(Person, Person.participant_id == Invited.participant_id)
    if not session.scalar(mine.where(Invited.occurrence_id == occurrence_id, Person.id == person_id)):
        raise NotThere(lazy("occurrence"), occurrence_id)
    return Thing(person_id=person_id)


def own_session_or_invitation(session: Session, occurrence_id: int) -> Thing:
    """The visitor's own, when they can check in to this session; otherwise it looks as if there were none."""
    person_id, occurrence = this_visitor().person_id, session.get(Occurrence, occurrence_id)
    person = session.get(Person, person_id) if person_id is not None else None
    if occurrence is None or person is None or person.participant_id not in expected(occurrence):
        raise NotThere(lazy("occurrence"), occurrence_id)
    return Thing(person_id=person_id)


@blueprint.get("/admin/occurrences/<int:occurrence_id>/attendance")
@needs(Permission.ATTENDANCE_CORRECT, about=about_occurrence)
def show(occurrence_id: int) -> ResponseReturnValue:
    return _page(occurrence_id, is_office=True)


@blueprint.post("/admin/occurrences/<int:occurrence_id>/attendance")
@needs(Permission.ATTENDANCE_CORRECT, about=about_occurrence)
def correct(occurrence_id: int) -> ResponseReturnValue:
    return _correct(occurrence_id, is_office=True)


@blueprint.get("/me/sessions/<int:occurrence_id>")
@needs(Permission.MY_PODS_SEE, about=own_turn)
def show_mine(occurrence_id: int) -> ResponseReturnValue:
    return _page(occurrence_id, is_office=False)


@blueprint.post("/me/sessions/<int:occurrence_id>")
@needs(Permission.MY_PODS_SEE, about=own_turn)
def correct_mine(occurrence_id: int) -> ResponseReturnValue:
    return _correct(occurrence_id, is_office=False)


@blueprint.post("/me/sessions/<int:occurrence_id>/check-ins")
@needs(Permission.MY_PODS_SEE, about=own_turn)
def confirm_mine(occurrence_id: int) -> ResponseReturnValue:
    return _confirm(occurrence_id, is_office=False)


@blueprint.post("/admin/occurrences/<int:occurrence_id>/check-ins")
@needs(Permission.ATTENDANCE_CORRECT, about=about_occurrence)
def confirm_check_ins(occurrence_id: int) -> ResponseReturnValue:
    return _confirm(occurrence_id, is_office=True)


@blueprint.get("/me/sessions/<int:occurrence_id>/correction")
@needs(Permission.MY_PODS_SEE, about=own_session)
def ask(occurrence_id: int) -> ResponseReturnValue:
    return _ask_page(occurrence_id)


@blueprint.post("/me/sessions/<int:occurrence_id>/correction")
@needs(Permission.MY_PODS_SEE, about=own_session)
def ask_now(occurrence_id: int) -> ResponseReturnValue:
    tools = _tools()
    try:
        with tools.database.transaction() as session:
            occurrence, me = session.get_one(Occurrence, occurrence_id), _by(session)
            if isinstance(me, str):
                raise NotThere(lazy("occurrence"), occurrence_id)
            attended = _yes_or_no()
            why = request.form.get("why", "")
            ask_for_correction(session, occurrence, me, attended=attended, why=why, at=tools.clock.now())
            pod_id = occurrence.series.pod_id
    except (InputRefused, Conflict) as refused:
        return _ask_page(occurrence_id, fault=str(refused)), 400
    flash(_("A coordinator sees what you asked for; you find the answer here."), "good")
    return redirect(url_for("portal.my_pod", pod_id=pod_id), 303)


@blueprint.post("/admin/corrections/<int:request_id>/accept")
@needs(Permission.ATTENDANCE_CORRECT, about=about_request)
def accept_request(request_id: int) -> ResponseReturnValue:
    _decide(request_id, lambda session, asked, by: accept(session, asked, by=by, at=_tools().clock.now()))
    flash(_("Corrected, as was asked for."), "good")
    return redirect(url_for("today.show"), 303)


@blueprint.get("/admin/corrections/<int:request_id>/refuse")
@needs(Permission.ATTENDANCE_CORRECT, about=about_request)
def ask_refusal(request_id: int) -> ResponseReturnValue:
    return _refusal_page(request_id)


@blueprint.post("/admin/corrections/<int:request_id>/refuse")
@needs(Permission.ATTENDANCE_CORRECT, about=about_request)
def refuse_request(request_id: int) -> ResponseReturnValue:
    why, now = request.form.get("why", ""), _tools().clock.now()
    try:
        _decide(request_id, lambda session, asked, by: refuse(session, asked, by=by, why=why, at=now))
    except InputRefused as refused:
        return _refusal_page(request_id, fault=str(refused)), 400
    flash(_("Refused; whoever asked sees your reason."), "good")
    return redirect(url_for("today.show"), 303)


def _decide(request_id: int, decide: Callable[[Session, CorrectionRequest, By], None]) -> None:
    with _tools().database.transaction() as session:
        asked = request_to_decide(session, request_id)
        decide(session, asked, _by(session))
        after = {"request": asked.id, "accepted": asked.accepted}
        record(
            session,
            this_visitor(),
            Permission.ATTENDANCE_CORRECT,
            thing="occurrence",
            thing_id=asked.occurrence_id,
            after=after,
        )


def _correct(occurrence_id: int, *, is_office: bool) -> ResponseReturnValue:
    tools = _tools()
    try:
        with tools.database.transaction() as session:
            occurrence = session.get_one(Occurrence, occurrence_id, with_for_update=True)
            _correct_one(session, occurrence)
            if is_office:
                _record(session, occurrence)
    except (InputRefused, Conflict) as refused:
        return _page(occurrence_id, is_office=is_office, fault=str(refused)), 400
    flash(_("Corrected. What stood there before is kept."), "good")
    return redirect(_address(occurrence_id, is_office=is_office), 303)


def _correct_one(session: Session, occurrence: Occurrence) -> None:
    by, why, now = _by(session), request.form.get("why", ""), _tools().clock.now()
    if detail_of(occurrence) == COUNTS_ONLY:
        correct_count(session, occurrence, _count(), by=by, why=why, at=now)
        return
    wanted = request.form.get("participant", "")
    participant = session.get(Participant, int(wanted)) if wanted.isdecimal() and len(wanted) < 10 else None
    if participant is None:
        raise InputRefused(lazy("Of whom is missing."), remedy=lazy("Choose somebody who was invited."))
    correct_person(session, occurrence, participant, attended=_yes_or_no(), by=by, why=why, at=now)


def _confirm(occurrence_id: int, *, is_office: bool) -> ResponseReturnValue:
    tools = _tools()
    try:
        with tools.database.transaction() as session:
            occurrence = session.get_one(Occurrence, occurrence_id, with_for_update=True)
            by, now = _by(session), tools.clock.now()
            if detail_of(occurrence) == COUNTS_ONLY:
                say_count(session, occurrence, _count(), by=by, at=now)
            else:
                ids = [int(each) for each in request.form.getlist("present") if each.isdecimal() and len(each) < 10]
                confirm(session, occurrence, ids, by=by, at=now)
            if is_office:
                _record(session, occurrence)
    except (InputRefused, Conflict) as refused:
        return _page(occurrence_id, is_office=is_office, fault=str(refused)), 400
    flash(_("Confirmed: the session now says who came."), "good")
    return redirect(_address(occurrence_id, is_office=is_office), 303)


def _record(session: Session, occurrence: Occurrence) -> None:
    after = {"attended": occurrence.attended_count}
    action = Permission.ATTENDANCE_CORRECT
    record(session, this_visitor(), action, thing="occurrence", thing_id=occurrence.id, after=after)


def _page(occurrence_id: int, *, is_office: bool, fault: str = "") -> str:
    now, key = _tools().clock.now(), _tools().settings.secret_key
    confirm_view = "confirm_check_ins" if is_office else "confirm_mine"
    with _tools().database.reading() as session:
        occurrence = session.get_one(Occurrence, occurrence_id)
        rows = session.scalars(select(Attendance).where(Attendance.occurrence_id == occurrence.id))
        known = {row.participant_id: row for row in rows}
        return render_template(
            "attendance/session.html",
            occurrence=occurrence,
            pod=occurrence.series.pod,
            people=[(each.participant, known.get(each.participant_id)) for each in occurrence.invited],
            earlier=corrections_of(session, occurrence),
            check_ins=check_ins_of(session, occurrence, now=now),
            counts_only=detail_of(occurrence) == COUNTS_ONLY,
            is_over=occurrence.ends_at <= now,
            is_begun=occurrence.starts_at <= now and occurrence.frozen_at is not None,
            confirm_at=url_for(f"sessions.{confirm_view}", occurrence_id=occurrence_id),
            code_page=f"{check_in_path(CheckInTicket(occurrence_id), secret_key=key)}/code",
            personal_links=_personal_links(occurrence),
            provenance=provenance_of(session, occurrence),
            longest=LONGEST_WHY,
            provenance_words=provenance_words,
            found_by_words=found_by_words(),
            **{"is_office": is_office, "fault": fault, "form": request.form, "said": _said},
        )


def _personal_links(occurrence: Occurrence) -> list[tuple[str, str]]:
    """The links of those who are expected, for whoever cannot sign in."""
    settings = _tools().settings
    links = [
        (each.name, check_in_path(CheckInTicket(occurrence.id, each.id), secret_key=settings.secret_key))
        for each in expected(occurrence).values()
    ]
    return [(name, f"{settings.public_url.rstrip('/')}{path}") for name, path in links]


def _said(value: bool | int | None) -> str:
    if value is None:
        return _("unknown")
    if isinstance(value, bool):
        return _("was there") if value else _("was not there")
    return str(value)


def _ask_page(occurrence_id: int, *, fault: str = "") -> str:
    with _tools().database.reading() as session:
        occurrence, me = session.get_one(Occurrence, occurrence_id), _by(session)
        asked = None if isinstance(me, str) else open_request(session, occurrence, me)
        return render_template(
            "attendance/ask.html",
            occurrence=occurrence,
            pod=occurrence.series.pod,
            **{"asked": asked, "fault": fault, "form": request.form, "longest": LONGEST_WHY},
        )


def _refusal_page(request_id: int, *, fault: str = "") -> str:
    with _tools().database.reading() as session:
        asked = session.get_one(CorrectionRequest, request_id)
        return render_template("attendance/refuse.html", asked=asked, fault=fault, longest=LONGEST_WHY)


def _address(occurrence_id: int, *, is_office: bool) -> str:
    return url_for("sessions.show" if is_office else "sessions.show_mine", occurrence_id=occurrence_id)


def _by(session: Session) -> By:
    """The visitor, as a participant where they are in the roster, else by their address."""
    visitor = this_visitor()
    person = session.get(Person, visitor.person_id) if visitor.person_id is not None else None
    return person.participant if person else visitor.mail


def _count() -> int:
    number = request.form.get("count", "")
    if not number.isdecimal() or len(number) > 4:
        raise InputRefused(_("How many came is missing."), remedy=_("Write a number."))
    return int(number)


def _yes_or_no() -> bool:
    answer = {"yes": True, "no": False}.get(request.form.get("attended", ""))
    if answer is None:
        raise InputRefused(lazy("Whether somebody came is missing."), remedy=lazy("Choose one of both."))
    return answer


def _tools() -> Tools:
    return current_app.extensions["tools"]
