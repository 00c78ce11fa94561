"""What stands over the reports of Teams: uploads where a report is missing, confirmed check-ins, corrected counts.

A look at the reports writes anew what they say (`outcomes.py`), and these are laid over it again, so that it does not
matter in which order things become known. Corrections of single people need no layer: a report leaves them alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import outbox
from integration.attendance.definitions import Outcome, Unmatched
from integration.attendance.exports_calls import is_covered
from integration.attendance.exports_said import said_by
from integration.attendance.intervals import Interval, whole_seconds
from integration.attendance.models import (
    CORRECTED,
    DECLARED,
    UNKNOWN,
    UPLOADED,
    Attendance,
    AttendanceExport,
    CheckIn,
    CountCorrection,
)
from integration.attendance.outcomes import (
    COUNTS_ONLY,
    MINUTES,
    announcing_held,
    count_people,
    detail_of,
    record_unmatched,
)
from integration.language import Wording
from integration.outbox import Task
from integration.scheduling.models import Occurrence

STILL_ASKED = timedelta(days=14)  # a session that was longer ago is not asked about any more


@dataclass(frozen=True)
class Said:
    """What one source says about somebody.

    ``seconds`` None where no minutes are kept; ``by``: what they were found by.
    """

    attended: bool | None
    seconds: int | None
    reason: Wording | None = None
    by: str | None = field(default=None, compare=False)


def lay_over(
    session: Session,
    occurrence: Occurrence,
    *,
    calls: Sequence[Interval],
    at: datetime,
    unmatched: Sequence[Unmatched] = (),
) -> None:
    """Lay everything over what the reports of these calls say; ``unmatched``: whom they leave unidentified."""
    begun = [each.starts_at for each in calls]
    missing = [each for each in exports_of(session, occurrence) if not is_covered(each, begun)]
    more = _lay_exports(session, occurrence, missing, calls=calls, at=at)
    record_unmatched(session, occurrence, [*unmatched, *more])
    _lay_words(session, occurrence, at=at)


def lay_uploads(session: Session, occurrence: Occurrence, *, at: datetime) -> None:
    """Let uploads alone say who came, where Teams reported no call."""
    with announcing_held(session, occurrence):
        _forget(session, occurrence)
        unmatched = _lay_exports(session, occurrence, exports_of(session, occurrence), calls=(), at=at)
        record_unmatched(session, occurrence, unmatched)
        _lay_words(session, occurrence, at=at)


def lay_words(session: Session, occurrence: Occurrence, *, at: datetime) -> None:
    """Lay over what people say who were there: confirmed check-ins, and counts."""
    with announcing_held(session, occurrence):
        _lay_words(session, occurrence, at=at)


def exports_of(session: Session, occurrence: Occurrence) -> Sequence[AttendanceExport]:
    """The uploads of an occurrence, the first call first."""
    wanted = select(AttendanceExport).where(AttendanceExport.occurrence_id == occurrence.id)
    return session.scalars(wanted.order_by(AttendanceExport.starts_at, AttendanceExport.id)).all()


def both(one: Said, other: Said, *, threshold: timedelta, at_once: bool) -> Said:
    """What two sources say together, about calls one after another, or ``at_once`` under two links. Pure."""
    seconds = None
    if one.seconds is not None and other.seconds is not None:
        seconds = max(one.seconds, other.seconds) if at_once else one.seconds + other.seconds
    if one.attended or other.attended or (seconds is not None and seconds >= threshold.total_seconds()):
        return Said(True, seconds)
    doubtful = next((each for each in (one, other) if each.attended is None), None)
    return Said(None, None, doubtful.reason) if doubtful else Said(False, seconds)


def together_of(counts: tuple[int, int], more: tuple[int, int], *, invited: int) -> tuple[int, int]:
    """Attended and unknown of two calls whose people nobody knows by name: the same ones, or others. Pure."""
    surely = max(counts[0], more[0])
    at_most = min(invited, counts[0] + more[0] + max(counts[1], more[1]))
    return surely, at_most - surely


def _forget(session: Session, occurrence: Occurrence) -> None:
    """Begin anew: a later upload of the same call may say less than the earlier one."""
    occurrence.attended_count = occurrence.unknown_count = occurrence.together_seconds = occurrence.guests = None
    rows = session.scalars(select(Attendance).where(Attendance.occurrence_id == occurrence.id))
    for row in rows:
        if row.provenance != CORRECTED:
            session.delete(row)
    if occurrence.held_provenance == UPLOADED:
        occurrence.held = occurrence.held_provenance = None
    session.flush()


def _lay_exports(
    session: Session,
    occurrence: Occurrence,
    exports: Sequence[AttendanceExport],
    *,
    calls: Sequence[Interval],
    at: datetime,
) -> list[Unmatched]:
    """Returns whom these uploads leave unidentified."""
    if not exports:
        return []
    came_before = (occurrence.attended_count or 0) if occurrence.attendance == "measured" else -1
    laid, unmatched = list(calls), []
    for export in exports:
        call, said = (
            Interval(export.starts_at, export.ends_at or export.starts_at),
            said_by(session, occurrence, export),
        )
        _lay_export(session, occurrence, export, said, at_once=any(call.overlaps(each) for each in laid), at=at)
        laid.append(call)
        unmatched += said.unmatched
    occurrence.attendance, occurrence.attendance_reason = "measured", None
    occurrence.attendance_known_at = occurrence.attendance_known_at or at
    session.flush()
    if detail_of(occurrence) != COUNTS_ONLY:
        count_people(session, occurrence)
    if (occurrence.attended_count or 0) > came_before and at - occurrence.ends_at <= STILL_ASKED:
        outbox.add(session, Task.OCCURRENCE_ASK, occurrence.id)
    return unmatched


def _lay_export(
    session: Session,
    occurrence: Occurrence,
    export: AttendanceExport,
    said: Outcome,
    *,
    at_once: bool,
    at: datetime,
) -> None:
    if said.held and not occurrence.held:
        occurrence.held, occurrence.held_provenance = True, UPLOADED
    elif occurrence.held is None or (not occurrence.held and occurrence.held_provenance != "measured"):
        occurrence.held, occurrence.held_provenance = said.held, UPLOADED
    keeps_minutes = detail_of(occurrence) == MINUTES
    if keeps_minutes:
        before, more = occurrence.together_seconds or 0, whole_seconds(said.together)
        occurrence.together_seconds = max(before, more) if at_once else before + more
    occurrence.guests = max(occurrence.guests or 0, said.guests)
    if detail_of(occurrence) == COUNTS_ONLY:
        _lay_export_counts(occurrence, export)
        return
    rows = _rows(session, occurrence)
    threshold = occurrence.series.pod.program.attendance_threshold
    for one in said.people:
        seconds = whole_seconds(one.present) if keeps_minutes and one.attended is not None else None
        found = Said(one.attended, seconds, one.reason, one.by)
        _write(session, occurrence, rows, one.participant_id, found, threshold=threshold, at_once=at_once, at=at)


def _lay_export_counts(occurrence: Occurrence, export: AttendanceExport) -> None:
    more = (export.attended_count, export.unknown_count)
    if occurrence.attended_count is None:
        occurrence.attended_count, occurrence.unknown_count = more
        return
    counts = (occurrence.attended_count, occurrence.unknown_count or 0)
    found = together_of(counts, more, invited=len(occurrence.invited))
    occurrence.attended_count, occurrence.unknown_count = found


def _write(
    session: Session,
    occurrence: Occurrence,
    rows: dict[int, Attendance],
    participant_id: int,
    said: Said,
    *,
    threshold: timedelta,
    at_once: bool,
    at: datetime,
) -> None:
    row = rows.get(participant_id)
    if row is None:
        row = rows[participant_id] = Attendance(occurrence_id=occurrence.id, participant_id=participant_id)
        session.add(row)
        found = said
    elif row.provenance == CORRECTED:
        return
    else:
        found = both(Said(row.attended, row.seconds, row.reason), said, threshold=threshold, at_once=at_once)
        if found == Said(row.attended, row.seconds, row.reason):
            return
    row.attended, row.seconds, row.reason, row.known_at = found.attended, found.seconds, found.reason, at
    row.provenance = UNKNOWN if found.attended is None else UPLOADED
    row.matched_by = row.matched_by or (said.by if said.attended else None)


def _lay_words(session: Session, occurrence: Occurrence, *, at: datetime) -> None:
    _lay_check_ins(session, occurrence, at=at)
    _lay_counts(session, occurrence)


def _lay_check_ins(session: Session, occurrence: Occurrence, *, at: datetime) -> None:
    confirmed = select(CheckIn).where(CheckIn.occurrence_id == occurrence.id, CheckIn.confirmed_at.is_not(None))
    check_ins = session.scalars(confirmed).all()
    if not check_ins:
        return
    rows = _rows(session, occurrence)
    for each in check_ins:
        row = rows.get(each.participant_id)
        if row is None:
            row = Attendance(occurrence_id=occurrence.id, participant_id=each.participant_id, provenance=UNKNOWN)
            session.add(row)
        says_more = row.attended is None or (each.present and not row.attended)
        if row.provenance != CORRECTED and says_more:
            row.attended, row.seconds, row.provenance, row.reason = each.present, None, DECLARED, None
            row.known_at = each.confirmed_at or at
    _be_declared(occurrence, present=sum(each.present for each in check_ins), at=at)
    session.flush()
    count_people(session, occurrence)


def _lay_counts(session: Session, occurrence: Occurrence) -> None:
    of_it = select(CountCorrection).where(CountCorrection.occurrence_id == occurrence.id)
    latest = session.scalar(of_it.order_by(CountCorrection.id.desc()).limit(1))
    if latest is None:
        return
    _be_declared(occurrence, present=latest.attended, at=latest.corrected_at)
    occurrence.attended_count, occurrence.unknown_count = latest.attended, 0


def _be_declared(occurrence: Occurrence, *, present: int, at: datetime) -> None:
    """Somebody who was there said who came: with two or more of them they met."""
    if occurrence.attendance != "measured":
        occurrence.attendance, occurrence.attendance_reason = "declared", None
        occurrence.attendance_known_at = occurrence.attendance_known_at or at
    if not occurrence.held and (occurrence.attendance == "declared" or present >= 2):
        occurrence.held, occurrence.held_provenance = present >= 2, DECLARED


def _rows(session: Session, occurrence: Occurrence) -> dict[int, Attendance]:
    rows = session.scalars(select(Attendance).where(Attendance.occurrence_id == occurrence.id))
    return {row.participant_id: row for row in rows}
