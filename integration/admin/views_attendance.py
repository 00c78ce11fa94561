"""What a coordinator says about a session that is over: whose a record was, and "look again now"."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import outbox
from integration.admin.audit import record
from integration.admin.door import needs, this_visitor
from integration.admin.permissions import Permission, Thing
from integration.attendance.recognitions import revoke
from integration.attendance.unmatched import assign, record_of, set_aside, take_back
from integration.errors import Conflict, InputRefused, NotThere
from integration.language import gettext as _
from integration.language import lazy
from integration.outbox import Task
from integration.people.models import Participant
from integration.scheduling.models import Occurrence, Pod, Series
from integration.tools import Tools

attendance = Blueprint("attendance", __name__, url_prefix="/admin")
SESSION = "/pods/<int:pod_id>/sessions/<int:occurrence_id>"


def about_session(session: Session, pod_id: int, occurrence_id: int, **_parts: int) -> Thing:
    """The thing behind the address of a pod's session; raises NotThere."""
    wanted = select(Pod.program_id).join(Series, Series.pod_id == Pod.id).join(Occurrence)
    program_id = session.scalar(wanted.where(Pod.id == pod_id, Occurrence.id == occurrence_id))
    if program_id is None:
        raise NotThere(lazy("session"), occurrence_id)
    return Thing(program_id=program_id)


@attendance.post(f"{SESSION}/look")
@needs(Permission.ATTENDANCE_ASSIGN, about=about_session)
def look(pod_id: int, occurrence_id: int) -> ResponseReturnValue:
    """Ask for a look at the reports now; what is found changes only what more reports say."""
    tools = _tools()
    with tools.database.transaction() as session:
        occurrence = session.get_one(Occurrence, occurrence_id)
        if occurrence.cancelled_at is not None or occurrence.ends_at > tools.clock.now():
            raise Conflict(
                lazy("This session is not over, or was cancelled."),
                remedy=lazy("There are no reports before its end."),
            )
        outbox.add(session, Task.OCCURRENCE_COLLECT, occurrence_id)
    flash(_("The reports are looked at now. Load this page again in a minute."), "good")
    return _back(pod_id, occurrence_id)


@attendance.post(f"{SESSION}/records/<int:record_id>/assign")
@needs(Permission.ATTENDANCE_ASSIGN, about=about_session)
def assign_record(pod_id: int, occurrence_id: int, record_id: int) -> ResponseReturnValue:
    tools, visitor = _tools(), this_visitor()
    chosen = request.form.get("participant", type=int)
    with tools.database.transaction() as session:
        row = record_of(session, occurrence_id, record_id)
        participant = session.get(Participant, chosen) if chosen else None
        if participant is None:
            raise InputRefused(lazy("Nobody was chosen."), remedy=lazy("Choose one of the invited."))
        is_done = assign(session, row, participant, by=visitor.mail, at=tools.clock.now())
        _note(session, record_id, {"participant": participant.id})
    _tell(is_done)
    return _back(pod_id, occurrence_id)


@attendance.post(f"{SESSION}/records/<int:record_id>/set-aside")
@needs(Permission.ATTENDANCE_ASSIGN, about=about_session)
def set_record_aside(pod_id: int, occurrence_id: int, record_id: int) -> ResponseReturnValue:
    """It was none of ours."""
    tools, visitor = _tools(), this_visitor()
    with tools.database.transaction() as session:
        row = record_of(session, occurrence_id, record_id)
        is_done = set_aside(session, row, by=visitor.mail, at=tools.clock.now())
        _note(session, record_id, {"participant": None})
    _tell(is_done)
    return _back(pod_id, occurrence_id)


@attendance.post(f"{SESSION}/records/<int:record_id>/undo")
@needs(Permission.ATTENDANCE_ASSIGN, about=about_session)
def undo_record(pod_id: int, occurrence_id: int, record_id: int) -> ResponseReturnValue:
    tools = _tools()
    with tools.database.transaction() as session:
        is_done = take_back(session, record_of(session, occurrence_id, record_id), at=tools.clock.now())
        _note(session, record_id, None)
    _tell(is_done)
    return _back(pod_id, occurrence_id)


@attendance.post("/people/<int:person_id>/recognitions/<int:recognition_id>/revoke")
@needs(Permission.RECOGNITION_REVOKE)
def revoke_recognition(person_id: int, recognition_id: int) -> ResponseReturnValue:
    """Do not recognise somebody by this any more."""
    with _tools().database.transaction() as session:
        revoked = revoke(session, person_id, recognition_id)
        before = {"person": person_id, "kind": revoked.kind}
        record(
            session,
            this_visitor(),
            Permission.RECOGNITION_REVOKE,
            thing="recognition",
            thing_id=recognition_id,
            before=before,
        )
    flash(_("It is not recognised any more. Sessions of the past stay as they are."), "good")
    return redirect(url_for("people.show", person_id=person_id), code=303)


def _tools() -> Tools:
    return current_app.extensions["tools"]


def _note(session: Session, record_id: int, after: dict[str, object] | None) -> None:
    record(
        session,
        this_visitor(),
        Permission.ATTENDANCE_ASSIGN,
        thing="unmatched record",
        thing_id=record_id,
        after=after,
    )


def _tell(is_done: bool) -> None:
    if is_done:
        flash(_("Kept. The figures of the session are those below."), "good")
    else:
        flash(_("Kept. No minutes are kept here, so the reports are read again: load this page in a minute."), "good")


def _back(pod_id: int, occurrence_id: int) -> ResponseReturnValue:
    return redirect(url_for("pods.show", pod_id=pod_id, _anchor=f"session-{occurrence_id}"), code=303)
