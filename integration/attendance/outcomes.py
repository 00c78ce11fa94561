"""Writing down who came: measured by a report, unknown, declared by a facilitator, or corrected by somebody.

How much is kept is decided here, by the program's ``attendance_detail``; what is not kept is never written at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from integration import outbox
from integration.attendance.definitions import Outcome, PersonOutcome, Unmatched
from integration.attendance.intervals import whole_seconds
from integration.attendance.models import (
    CORRECTED,
    DECLARED,
    MEASURED,
    UNKNOWN,
    Attendance,
    AttendanceCorrection,
    MetDeclaration,
    UnmatchedRecord,
)
from integration.errors import Conflict
from integration.outbox import Task
from integration.people.models import Participant
from integration.scheduling.models import Occurrence

MINUTES, COUNTS_ONLY = "minutes", "counts only"


def record_outcome(
    session: Session, occurrence: Occurrence, outcome: Outcome, *, at: datetime, provenance: str = MEASURED
) -> None:
    """Write down what the reports say, over what they said before; corrections by people stay.

    Asks for feedback when this is first known, and again when somebody turns out to have come after all (who was
    asked already is not asked twice).
    """
    detail = detail_of(occurrence)
    came_before = (occurrence.attended_count or 0) if occurrence.attendance == "measured" else -1
    occurrence.attendance = "measured"
    occurrence.attendance_reason = None
    occurrence.attendance_known_at = occurrence.attendance_known_at or at
    occurrence.held = outcome.held
    occurrence.held_provenance = "measured"
    occurrence.guests = outcome.guests
    occurrence.together_seconds = whole_seconds(outcome.together) if detail == MINUTES else None
    _record_unmatched(session, occurrence, outcome.unmatched, detail=detail)
    _record_people(session, occurrence, outcome.people, detail=detail, provenance=provenance, at=at)
    if (occurrence.attended_count or 0) > came_before:
        outbox.add(session, Task.OCCURRENCE_ASK, occurrence.id)


def record_unknown(session: Session, occurrence: Occurrence, *, reason: str, at: datetime) -> None:
    """Write down that nobody can say who came, and why; facts known already stay."""
    if occurrence.attendance in ("measured", "declared"):
        return
    occurrence.attendance = "unknown"
    occurrence.attendance_reason = reason
    nobody = (_nobody_knows(each.participant_id, reason) for each in occurrence.invited)
    _record_people(session, occurrence, nobody, detail=detail_of(occurrence), provenance=UNKNOWN, at=at)


def declare_met(session: Session, occurrence: Occurrence, *, met: bool, by: Participant, at: datetime) -> None:
    """Write down a facilitator's answer to "did you meet?"; answering again changes it.

    A no means that nobody came (0 of n, declared). A yes means held, declared; who came stays unknown. Raises
    Conflict once the attendance was measured: then there is nothing to declare.
    """
    if occurrence.attendance == "measured":
        raise Conflict(
            f"The attendance of {occurrence.starts_at:%d %B %Y} was measured meanwhile.",
            remedy="Nothing is left to answer; a wrong figure can be corrected person by person.",
        )
    session.add(MetDeclaration(occurrence_id=occurrence.id, declared_by_id=by.id, met=met, declared_at=at))
    occurrence.attendance = "unknown" if met else "declared"
    occurrence.attendance_reason = "They met, as the facilitator says; who came is not known." if met else None
    occurrence.attendance_known_at = None if met else at
    occurrence.held = met
    occurrence.held_provenance = "declared"
    reason = occurrence.attendance_reason or "The facilitator says that they did not meet."
    attended = None if met else False
    people = (PersonOutcome(each.participant_id, attended, timedelta(), reason) for each in occurrence.invited)
    provenance = UNKNOWN if met else DECLARED
    _record_people(session, occurrence, people, detail=detail_of(occurrence), provenance=provenance, at=at)


def correct_attendance(
    session: Session, attendance: Attendance, *, attended: bool, by: Participant, why: str, at: datetime
) -> None:
    """Put one person's attendance right; what stood there before is kept, with who, when and why."""
    session.add(
        AttendanceCorrection(
            attendance_id=attendance.id,
            earlier_attended=attendance.attended,
            earlier_seconds=attendance.seconds,
            earlier_provenance=attendance.provenance,
            earlier_reason=attendance.reason,
            attended=attended,
            corrected_by_id=by.id,
            corrected_at=at,
            why=why,
        )
    )
    attendance.attended, attendance.provenance = attended, CORRECTED
    attendance.reason, attendance.known_at = why, at
    session.flush()
    _count(session, attendance.occurrence)


def attendance_of(session: Session, occurrence: Occurrence, participant: Participant) -> Attendance:
    """Somebody's attendance; raises Conflict where none is kept for single people."""
    found = session.scalar(
        select(Attendance).where(
            Attendance.occurrence_id == occurrence.id, Attendance.participant_id == participant.id
        )
    )
    if found is None:
        raise Conflict(
            f"No attendance of single people is kept for {occurrence.starts_at:%d %B %Y}.",
            remedy="Either the program keeps counts only, or the person was not invited, or it is not known yet.",
        )
    return found


def detail_of(occurrence: Occurrence) -> str:
    """How much is kept of this occurrence: "minutes", "present" or "counts only"."""
    return occurrence.series.pod.program.attendance_detail


def _nobody_knows(participant_id: int, reason: str) -> PersonOutcome:
    return PersonOutcome(participant_id, attended=None, present=timedelta(), reason=reason)


def _record_unmatched(
    session: Session, occurrence: Occurrence, unmatched: Iterable[Unmatched], *, detail: str
) -> None:
    # Written anew at every look: nothing points to these rows, and without names nothing else would join them.
    session.execute(delete(UnmatchedRecord).where(UnmatchedRecord.occurrence_id == occurrence.id))
    session.add_all(
        UnmatchedRecord(
            occurrence_id=occurrence.id,
            kind=one.kind,
            name=None if detail == COUNTS_ONLY else one.name,
            seconds=whole_seconds(one.present) if detail == MINUTES else None,
        )
        for one in unmatched
    )


def _record_people(
    session: Session,
    occurrence: Occurrence,
    people: Iterable[PersonOutcome],
    *,
    detail: str,
    provenance: str,
    at: datetime,
) -> None:
    outcomes = tuple(people)
    if detail == COUNTS_ONLY:
        occurrence.attended_count = sum(one.attended is True for one in outcomes)
        occurrence.unknown_count = sum(one.attended is None for one in outcomes)
        return
    rows = session.scalars(select(Attendance).where(Attendance.occurrence_id == occurrence.id))
    known = {row.participant_id: row for row in rows}
    for one in outcomes:
        row = known.get(one.participant_id) or _new_row(session, occurrence, one.participant_id)
        if row.provenance != CORRECTED:
            _write(row, one, detail=detail, provenance=provenance, at=at)
    session.flush()
    _count(session, occurrence)


def _new_row(session: Session, occurrence: Occurrence, participant_id: int) -> Attendance:
    row = Attendance(occurrence_id=occurrence.id, participant_id=participant_id, provenance=UNKNOWN)
    session.add(row)
    return row


def _write(row: Attendance, one: PersonOutcome, *, detail: str, provenance: str, at: datetime) -> None:
    measured = detail == MINUTES and one.attended is not None and provenance != DECLARED
    source = UNKNOWN if one.attended is None else provenance
    found = (one.attended, whole_seconds(one.present) if measured else None, source, one.reason)
    if (row.attended, row.seconds, row.provenance, row.reason) == found and row.known_at is not None:
        return  # looking again and finding the same does not make it known later
    row.attended, row.seconds, row.provenance, row.reason = found
    row.known_at = at


def _count(session: Session, occurrence: Occurrence) -> None:
    rows = session.scalars(select(Attendance).where(Attendance.occurrence_id == occurrence.id)).all()
    occurrence.attended_count = sum(row.attended is True for row in rows)
    occurrence.unknown_count = sum(row.attended is None for row in rows)
    if occurrence.attendance == "unknown" and rows and not occurrence.unknown_count:
        # People put right every single row that nobody could measure: now it is known.
        occurrence.attendance, occurrence.attendance_reason = "declared", None
        occurrence.attendance_known_at = max(row.known_at for row in rows)
