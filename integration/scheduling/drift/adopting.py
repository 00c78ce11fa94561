"""What Outlook has is right from now on: our rows want it, too.

Nobody is mailed, but for somebody who was taken off the series and is still on single sessions of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.scheduling.drift.kinds import Kind
from integration.scheduling.drift.models import Drift
from integration.scheduling.dues import collect_due, guide_due
from integration.scheduling.membership import leave_pod
from integration.scheduling.models import Occurrence, PodMember, Series, SeriesAttendee
from integration.scheduling.recurrence import instant
from integration.scheduling.series import want_cancelled


def adopt(session: Session, row: Drift, *, now: datetime) -> None:
    """Let our rows want what was found; of a kind whose facts are in the rows already, nothing is left to do."""
    step = STEPS.get(Kind(row.kind))
    if step is not None:
        step(session, row, now)


def take_back(row: Drift) -> None:
    """Want again what was wanted before this was adopted."""
    if row.kind == Kind.OCCURRENCE_MOVED and row.occurrence is not None:
        row.occurrence.wanted_starts_at = datetime.fromisoformat(row.wanted["starts_at"])
        row.occurrence.wanted_ends_at = datetime.fromisoformat(row.wanted["ends_at"])
    if row.kind == Kind.SERIES_EDITED and "subject" in row.wanted:
        row.series.subject = row.wanted["subject"]
    guest = _attendee(row.series, row.address) if row.kind == Kind.ATTENDEE_EXTRA else None
    if guest is not None and row.occurrence_id is None:
        guest.is_wanted, guest.invited_at = False, None


def _move(_session: Session, row: Drift, _now: datetime) -> None:
    if row.occurrence is None:
        return
    row.occurrence.wanted_starts_at = datetime.fromisoformat(row.found["starts_at"])
    row.occurrence.wanted_ends_at = datetime.fromisoformat(row.found["ends_at"])


def _move_series(_session: Session, row: Drift, now: datetime) -> None:
    series = row.series
    if "starts_local" in row.found:
        series.starts_local = datetime.fromisoformat(row.found["starts_local"])
        series.minutes = row.found["minutes"]
    series.time_zone = row.found["time_zone"]
    for occurrence in series.occurrences:
        if occurrence.ends_at > now and occurrence.wanted_starts_at is None:
            occurrence.original_start_at = occurrence.starts_at  # which follows Outlook already


def _move_as_proposed(_session: Session, row: Drift, now: datetime) -> None:
    """Outlook has it there already. What is to come hangs on the new wall; what is past stays where it was."""
    series, first = row.series, datetime.fromisoformat(row.found["starts_local"])
    step, zone = first - series.starts_local, ZoneInfo(series.time_zone)
    series.starts_local, series.minutes = first, row.found["minutes"]
    for occurrence in series.occurrences:
        if occurrence.ends_at > now:
            wall = occurrence.original_start_at.astimezone(zone).replace(tzinfo=None)
            occurrence.original_start_at = instant(wall + step, series.time_zone)


def _let_go(session: Session, row: Drift, now: datetime) -> None:
    want_cancelled(session, row.series, now=now)


def _add_meeting(session: Session, row: Drift, now: datetime) -> None:
    starts_at, ends_at = (datetime.fromisoformat(row.found[side]) for side in ("starts_at", "ends_at"))
    series, occurrence = row.series, row.occurrence
    if occurrence is None:
        number = max((one.number for one in series.occurrences), default=0) + 1
        occurrence = Occurrence(number=number, original_start_at=starts_at)
        series.occurrences.append(occurrence)
    occurrence.starts_at, occurrence.ends_at = starts_at, ends_at
    occurrence.event_id, occurrence.cancelled_at = row.found["event_id"], None
    by_rule = (occurrence.original_start_at, series.minutes * 60)
    if by_rule != (starts_at, (ends_at - starts_at).total_seconds()):
        occurrence.wanted_starts_at, occurrence.wanted_ends_at = starts_at, ends_at
    occurrence.guide_due_at = max(now, guide_due(starts_at, series.time_zone))
    occurrence.freeze_due_at, occurrence.collect_due_at = starts_at, collect_due(ends_at)


def _let_leave(session: Session, row: Drift, now: datetime) -> None:
    if row.occurrence_id is not None:
        return  # not at that one meeting; who was invited is read from it when it starts
    ours = _attendee(row.series, row.address)
    if ours is None:
        return
    member = session.scalar(
        select(PodMember).where(
            PodMember.pod_id == row.series.pod_id,
            PodMember.participant_id == ours.participant_id,
            PodMember.left_at.is_(None),
        )
    )
    if member is not None:
        leave_pod(session, member, at=now)  # sessions with a list of their own may still have them
    ours.is_wanted = False


def _welcome(_session: Session, row: Drift, _now: datetime) -> None:
    """A guest: shown and counted as one, never as invited."""
    if row.occurrence_id is not None or row.address is None:
        return
    known = _attendee(row.series, row.address)
    if known is None:
        row.series.attendees.append(SeriesAttendee(address=row.address))
    else:  # one of ours who had left and was put on it again by hand
        known.participant_id, known.is_wanted = None, True


def _rename(_session: Session, row: Drift, _now: datetime) -> None:
    if "subject" in row.found:
        row.series.subject = row.found["subject"]


def _attendee(series: Series, address: str | None) -> SeriesAttendee | None:
    return next((one for one in series.attendees if one.address == address), None)


STEPS: Mapping[Kind, Callable[[Session, Drift, datetime], None]] = {
    Kind.OCCURRENCE_MOVED: _move,
    Kind.OCCURRENCE_EXTRA: _add_meeting,
    Kind.SERIES_MOVED: _move_series,
    Kind.ZONE_DIFFERS: _move_series,
    Kind.SERIES_PROPOSED: _move_as_proposed,
    Kind.SERIES_DELETED: _let_go,
    Kind.SERIES_EDITED: _rename,
    Kind.ATTENDEE_MISSING: _let_leave,
    Kind.ATTENDEE_EXTRA: _welcome,
}
