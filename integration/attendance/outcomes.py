"""Writing down who came: measured by a report, unknown, declared by a facilitator, or corrected by somebody.

How much is kept is decided here, by the program's ``attendance_detail``; what is not kept is never written at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import outbox
from integration.announcing.announcements import Event, announce
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
from integration.formats import day
from integration.language import Wording, lazy
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
    occurrence.held, occurrence.held_provenance = outcome.held, "measured"
    occurrence.guests = outcome.guests
    occurrence.together_seconds = whole_seconds(outcome.together) if detail == MINUTES else None
    _record_people(session, occurrence, outcome.people, detail=detail, provenance=provenance, at=at)
    if (occurrence.attended_count or 0) > came_before:
        outbox.add(session, Task.OCCURRENCE_ASK, occurrence.id)


def record_unknown(session: Session, occurrence: Occurrence, *, reason: Wording, at: datetime) -> None:
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
            lazy("The attendance of %(day)s was measured meanwhile.", day=day(occurrence.starts_at)),
            remedy=lazy("Nothing is left to answer; a wrong figure can be corrected person by person."),
        )
    session.add(MetDeclaration(occurrence_id=occurrence.id, declared_by_id=by.id, met=met, declared_at=at))
    occurrence.attendance = "unknown" if met else "declared"
    occurrence.attendance_reason = lazy("They met, as the facilitator says; who came is not known.") if met else None
    occurrence.attendance_known_at = None if met else at
    with announcing_held(session, occurrence):
        occurrence.held, occurrence.held_provenance = met, "declared"
    reason = occurrence.attendance_reason or lazy("The facilitator says that they did not meet.")
    attended = None if met else False
    people = (PersonOutcome(each.participant_id, attended, timedelta(), reason) for each in occurrence.invited)
    provenance = UNKNOWN if met else DECLARED
    _record_people(session, occurrence, people, detail=detail_of(occurrence), provenance=provenance, at=at)


def correct_attendance(
    session: Session, attendance: Attendance, *, attended: bool, by: Participant | str, why: str, at: datetime
) -> None:
    """Put one person's attendance right; what stood there before is kept, with who, when and why.

    ``by`` is an address where somebody from the office is in no roster.
    """
    session.add(
        AttendanceCorrection(
            attendance_id=attendance.id,
            earlier_attended=attendance.attended,
            earlier_seconds=attendance.seconds,
            earlier_provenance=attendance.provenance,
            earlier_reason=attendance.reason,
            attended=attended,
            corrected_by_id=None if isinstance(by, str) else by.id,
            corrected_by_mail=by if isinstance(by, str) else None,
            corrected_at=at,
            why=why,
        )
    )
    attendance.attended, attendance.provenance = attended, CORRECTED
    attendance.reason, attendance.known_at = why, at
    session.flush()
    count_people(session, attendance.occurrence)


def attendance_of(session: Session, occurrence: Occurrence, participant: Participant) -> Attendance:
    """Somebody's attendance; raises Conflict where none is kept for single people."""
    found = session.scalar(
        select(Attendance).where(
            Attendance.occurrence_id == occurrence.id, Attendance.participant_id == participant.id
        )
    )
    if found is None:
        raise Conflict(
            lazy("No attendance of single people is kept for %(day)s.", day=day(occurrence.starts_at)),
            remedy=lazy(
                "Either the program keeps counts only, or the person was not invited, or it is not known yet."
            ),
        )
    return found


def detail_of(occurrence: Occurrence) -> str:
    """How much is kept of this occurrence: "minutes", "present" or "counts only"."""
    return occurrence.series.pod.program.attendance_detail


def _nobody_knows(participant_id: int, reason: Wording) -> PersonOutcome:
    return PersonOutcome(participant_id, attended=None, present=timedelta(), reason=reason)


def record_unmatched(session: Session, occurrence: Occurrence, unmatched: Iterable[Unmatched]) -> None:
    """Write down who is unmatched now; what a coordinator has decided about stays, so that it can be undone."""
    detail = detail_of(occurrence)
    rows = session.scalars(select(UnmatchedRecord).where(UnmatchedRecord.occurrence_id == occurrence.id)).all()
    open_rows = {row.key: row for row in rows if row.verdict is None and row.key}
    kept = set()
    for one in _once(unmatched):
        key = None if detail == COUNTS_ONLY else one.key
        row = (open_rows.get(key) if key else None) or UnmatchedRecord(occurrence_id=occurrence.id, key=key)
        row.kind, row.traces = one.kind, [] if detail == COUNTS_ONLY else [list(each) for each in one.traces]
        row.name = None if detail == COUNTS_ONLY else one.name
        row.seconds = whole_seconds(one.present) if detail == MINUTES else None
        session.add(row)
        kept.add(row)
    for row in rows:
        if row.verdict is None and row not in kept:
            session.delete(row)


def _once(unmatched: Iterable[Unmatched]) -> Iterable[Unmatched]:
    """The same somebody in the calls of several sources once; who has no key is told apart by nothing."""
    found: dict[str | int, Unmatched] = {}
    for number, one in enumerate(unmatched):
        before = found.get(key := one.key or number)
        found[key] = one if before is None else replace(one, present=one.present + before.present)
    return found.values()


@contextmanager
def announcing_held(session: Session, occurrence: Occurrence) -> Iterator[None]:
    """Announce afterwards whether they met, if that is news.

    Not at each step: a report may say no before what people said about the same session is laid over it.
    """
    before = occurrence.held
    yield
    if occurrence.held is None or occurrence.held is before:
        return
    event = Event.OCCURRENCE_HELD if occurrence.held else Event.OCCURRENCE_NOT_HELD
    series = occurrence.series
    content = {"occurrence_id": occurrence.id, "series_id": series.id, "starts_at": occurrence.starts_at.isoformat()}
    announce(session, event, {**content, "pod_id": series.pod_id}, series.pod.program_id)


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
    count_people(session, occurrence)


def _new_row(session: Session, occurrence: Occurrence, participant_id: int) -> Attendance:
    row = Attendance(occurrence_id=occurrence.id, participant_id=participant_id, provenance=UNKNOWN)
    session.add(row)
    return row


def _write(row: Attendance, one: PersonOutcome, *, detail: str, provenance: str, at: datetime) -> None:
    was_seen = one.by is not None  # of somebody of whom nobody can say, what was seen is kept
    measured = detail == MINUTES and provenance != DECLARED and (one.attended is not None or was_seen)
    source = UNKNOWN if one.attended is None else DECLARED if one.is_declared else provenance
    found = (one.attended, whole_seconds(one.present) if measured else None, source, one.by, one.reason)
    if (row.attended, row.seconds, row.provenance, row.matched_by, row.reason) == found and row.known_at is not None:
        return  # looking again and finding the same does not make it known later
    row.attended, row.seconds, row.provenance, row.matched_by, row.reason = found
    row.known_at = at


def count_people(session: Session, occurrence: Occurrence) -> None:
    """Count the rows of an occurrence into its figures; there are no rows where the program keeps counts only."""
    rows = session.scalars(select(Attendance).where(Attendance.occurrence_id == occurrence.id)).all()
    occurrence.attended_count = sum(row.attended is True for row in rows)
    occurrence.unknown_count = sum(row.attended is None for row in rows)
    if occurrence.attendance == "unknown" and rows and not occurrence.unknown_count:
        # People put right every single row that nobody could measure: now it is known.
        occurrence.attendance, occurrence.attendance_reason = "declared", None
        occurrence.attendance_known_at = max(row.known_at for row in rows)
