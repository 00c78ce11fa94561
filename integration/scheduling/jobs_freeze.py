"""Who was invited, frozen at an occurrence's start: the denominator of the participation rate (docs: definitions)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from integration.asking import duty_to_ask
from integration.graph.resources import CalendarEvent, Schedule
from integration.log import get_logger
from integration.outbox import Task
from integration.scheduling.models import Invited, Occurrence, Series, SeriesAttendee
from integration.scheduling.reading import read_occurrence
from integration.scheduling.series import cancel_occurrence, move_occurrence
from integration.tools import Tools

log = get_logger(__name__)
AWAY = "oof"


def freeze_occurrence(tools: Tools, occurrence_id: int) -> None:
    """Pull the attendees of an occurrence that starts now and keep them; once only. Raises GraphError.

    A late pull is kept with its own instant in ``frozen_at``. A meeting that turns out to be moved or cancelled is
    recorded as that instead.
    """
    occurrence = read_occurrence(tools.database, occurrence_id)
    if occurrence is None or occurrence.frozen_at is not None or occurrence.cancelled_at is not None:
        return
    event, is_invited = None, occurrence.series.invited_at is not None and occurrence.event_id is not None
    if is_invited:
        event = tools.graph.calendar.find_event(occurrence.series.organizer, occurrence.event_id or "")
    away = _away(tools, occurrence, event) if event else frozenset[str]()
    now = tools.clock.now()
    with tools.database.transaction() as session:
        row = session.get_one(Occurrence, occurrence_id, with_for_update=True)
        if row.frozen_at is not None:
            return
        if is_invited and (event is None or event.is_cancelled):
            cancel_occurrence(row, at=now)
            return
        if event is not None:
            move_occurrence(row, starts_at=event.starts_at, ends_at=event.ends_at)
        if row.starts_at > now:
            return
        row.invited = _invited(row.series, event, away) if event else []
        row.frozen_at, row.freeze_due_at = now, None
    log.info("occurrence frozen", occurrence_id=occurrence_id)


def _away(tools: Tools, occurrence: Occurrence, event: CalendarEvent) -> frozenset[str]:
    """Addresses of those of ours whose calendar says out of office at the start."""
    addresses = [attendee.address for attendee in _ours(occurrence.series, event).values()]
    if not addresses:
        return frozenset()
    ends_at = max(event.ends_at, event.starts_at + timedelta(minutes=5))
    schedules = tools.graph.availability.schedules(occurrence.series.organizer, addresses, event.starts_at, ends_at)
    return frozenset(
        address.lower() for address in addresses if _is_away(schedules.get(address.lower()), at=event.starts_at)
    )


def _is_away(schedule: Schedule | None, *, at: datetime) -> bool:
    if schedule is None:
        return False
    return any(block.status == AWAY and block.starts_at <= at < block.ends_at for block in schedule.busy)


def _ours(series: Series, event: CalendarEvent) -> Mapping[str, SeriesAttendee]:
    """Those whom we invited and who are still on the event; whoever declined is, guests and rooms are not."""
    on_it = {attendee.address.lower() for attendee in event.attendees if attendee.kind != "resource"}
    return {
        attendee.address.lower(): attendee
        for attendee in series.attendees
        if attendee.participant_id is not None and attendee.is_wanted and attendee.address.lower() in on_it
    }


def _invited(series: Series, event: CalendarEvent, away: frozenset[str]) -> list[Invited]:
    answers = {attendee.address.lower(): attendee.response for attendee in event.attendees}
    return [
        Invited(participant_id=attendee.participant_id, response=answers[address], away=address in away)
        for address, attendee in _ours(series, event).items()
    ]


FREEZE_DUTY = duty_to_ask("freeze occurrences that start", Occurrence.freeze_due_at, Task.OCCURRENCE_FREEZE)
