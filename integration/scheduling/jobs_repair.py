"""Putting back what somebody decided to put back, and moving meetings to an agreed time: only what differs is sent.

Each step reads what Outlook has now and writes the difference, if there still is one; a worker that dies after the
write finds nothing left to write. A new ``recurrence`` takes every exception away: it is written only where there is
none.
https://learn.microsoft.com/graph/api/event-update says who gets mail for what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from integration import outbox
from integration.graph.errors import GraphError
from integration.graph.resources import CalendarEvent, EventChanges, WeeklyRule
from integration.graph.zones import same_zone
from integration.log import get_logger
from integration.outbox import Task
from integration.scheduling.drift.adopting import adopt
from integration.scheduling.drift.kinds import Kind
from integration.scheduling.drift.models import Drift
from integration.scheduling.invitation import exchanged, says_the_same
from integration.scheduling.models import Series
from integration.scheduling.proposals.models import TimeProposal
from integration.scheduling.reading import read_series
from integration.scheduling.recurrence import WEEK, instant
from integration.scheduling.series import move_occurrence
from integration.tools import Tools

log = get_logger(__name__)


def repair_series(tools: Tools, series_id: int) -> None:
    """Do what was decided about a series and not done yet; running twice writes nothing twice. Raises GraphError."""
    series = read_series(tools.database, series_id)
    if series is None or series.event_id is None or series.cancel_wanted_at is not None:
        return
    with tools.database.reading() as session:
        decided = Drift.decision.is_not(None), Drift.closed_at.is_(None), Drift.series_id == series_id
        rows = session.scalars(
            select(Drift).where(*decided).options(joinedload(Drift.occurrence)).order_by(Drift.id)
        ).all()
        proposals = _agreed_proposals(tools, series)
    steps = [partial(_put_back, tools, series, row) for row in rows]
    steps += [partial(_move_as_proposed, tools, series, proposal) for proposal in proposals]
    refused = _taken(steps)
    with tools.database.transaction() as session:
        outbox.add(session, Task.SERIES_PULL, series_id)  # the link is read again after every change
    if refused:
        raise refused[0]


def _taken(steps: Sequence[Callable[[], None]]) -> list[GraphError]:
    """Take each step, and return what Outlook refused: one that is refused keeps none of the others from being done.

    What passes by itself is raised at once, for all of them are tried again then.
    """
    refused: list[GraphError] = []
    for step in steps:
        try:
            step()
        except GraphError as error:
            if error.passes_by_itself:
                raise
            refused.append(error)
    return refused


def _put_back(tools: Tools, series: Series, row: Drift) -> None:
    repair = REPAIRS.get(Kind(row.kind))
    if repair is None:
        return  # the push does it
    repair(tools, series, row)
    _record_done(tools, row)
    log.info("put back", series_id=series.id, drift_id=row.id, kind=row.kind)


def _agreed_proposals(tools: Tools, series: Series) -> list[TimeProposal]:
    ours = [one.id for one in series.occurrences]
    is_agreed = TimeProposal.answer == "yes", TimeProposal.moved_at.is_(None), TimeProposal.withdrawn_at.is_(None)
    agreed = *is_agreed, TimeProposal.occurrence_id.in_(ours)
    with tools.database.reading() as session:
        wanted = select(TimeProposal).where(*agreed).options(joinedload(TimeProposal.occurrence))
        return list(session.scalars(wanted.order_by(TimeProposal.id)))


def _record_done(tools: Tools, row: Drift) -> None:
    now = tools.clock.now()
    with tools.database.transaction() as session:
        kept = session.get_one(Drift, row.id)
        if kept.decision is not None:
            kept.closed_at = kept.closed_at or now


def _move_as_proposed(tools: Tools, series: Series, proposal: TimeProposal) -> None:
    """One update to each attendee. A meeting that was cancelled or has begun meanwhile stays as it is."""
    occurrence, now = proposal.occurrence, tools.clock.now()
    is_open = occurrence.cancelled_at is None and occurrence.starts_at > now and occurrence.event_id is not None
    moved = is_open and _move(tools, series, occurrence.event_id or "", proposal.starts_at, proposal.ends_at)
    with tools.database.transaction() as session:
        kept = session.get_one(TimeProposal, proposal.id)
        if not moved:
            kept.withdrawn_at = kept.withdrawn_at or now
            return
        kept.moved_at = now
        row = kept.occurrence
        row.wanted_starts_at, row.wanted_ends_at = kept.starts_at, kept.ends_at
        move_occurrence(row, starts_at=kept.starts_at, ends_at=kept.ends_at)
    log.info("moved as proposed", occurrence_id=occurrence.id)


def _move(tools: Tools, series: Series, event_id: str, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether the meeting is there to be moved; it is written only where it is not at that time already."""
    event = tools.graph.calendar.find_event(series.organizer, event_id)
    if event is None or event.is_cancelled:
        return False
    if (event.starts_at, event.ends_at) != (starts_at, ends_at):
        local = starts_at.astimezone(ZoneInfo(series.time_zone)).replace(tzinfo=None)
        changes = EventChanges(starts_local=local, length=ends_at - starts_at, time_zone=series.time_zone)
        tools.graph.calendar.update_event(series.organizer, event.id, changes)
    return True


def _put_occurrence_back(tools: Tools, series: Series, row: Drift) -> None:
    starts_at, ends_at = (datetime.fromisoformat(row.wanted[side]) for side in ("starts_at", "ends_at"))
    if row.occurrence is not None and starts_at > tools.clock.now():
        _move(tools, series, row.occurrence.event_id or "", starts_at, ends_at)


def _put_series_back(tools: Tools, series: Series, row: Drift) -> None:
    _move_series(tools, series, row, to=series.starts_local, minutes=series.minutes)


def _move_series_as_proposed(tools: Tools, series: Series, row: Drift) -> None:
    to = datetime.fromisoformat(row.found["starts_local"])
    if _move_series(tools, series, row, to=to, minutes=row.found["minutes"]):
        with tools.database.transaction() as session:
            kept = session.get_one(Drift, row.id, with_for_update=True)
            if kept.closed_at is None:
                adopt(session, kept, now=tools.clock.now())
                kept.closed_at = tools.clock.now()


def _move_series(tools: Tools, series: Series, row: Drift, *, to: datetime, minutes: int) -> bool:
    """Whether the series is at this wall clock of its own zone now; to another day by its pattern.

    It is not where the event is gone, or where something stands in the way by now: then it is asked about anew.
    """
    event = _event(tools, series)
    if event is None:
        _ask_again(tools, row)
        return False
    length, starts_at = timedelta(minutes=minutes), instant(to, series.time_zone)
    as_wanted = (event.starts_at, event.ends_at - event.starts_at) == (starts_at, length)
    if as_wanted and same_zone(event.time_zone or series.time_zone, series.time_zone):
        return True
    weekly = None
    if event.starts_at.astimezone(ZoneInfo(series.time_zone)).date() != to.date():
        if any(one.type == "exception" for one in _instances(tools, series)):
            _ask_again(tools, row)
            return False
        weekly = WeeklyRule(starts_on=to.date(), count=series.count)
    changes = EventChanges(starts_local=to, length=length, time_zone=series.time_zone, weekly=weekly)
    tools.graph.calendar.update_event(series.organizer, event.id, changes)
    return True


def _ask_again(tools: Tools, row: Drift) -> None:
    """It is not as it was decided on: the event is gone, or a session that was answered since would be taken away."""
    with tools.database.transaction() as session:
        kept = session.get_one(Drift, row.id)
        kept.decision = kept.decided_at = kept.decided_by = None
    log.info("asked again", series_id=row.series_id, drift_id=row.id)


def _put_link_back(tools: Tools, series: Series, _row: Drift) -> None:
    event = _event(tools, series)
    if event is not None and not event.join_url:
        tools.graph.calendar.update_event(series.organizer, event.id, EventChanges(online=True))


def _put_words_back(tools: Tools, series: Series, row: Drift) -> None:
    event = _event(tools, series)
    if event is None:
        return
    subject = row.wanted.get("subject")
    body = None
    if "text" in row.found and not says_the_same(event.body_html, series.invitation_html):
        body = exchanged(event.body_html, series.invitation_html)
    changes = EventChanges(subject=subject if subject and event.subject != subject else None, body_html=body)
    if changes != EventChanges():
        tools.graph.calendar.update_event(series.organizer, event.id, changes)


def _put_subject_back(tools: Tools, series: Series, row: Drift) -> None:
    occurrence = row.occurrence
    event = tools.graph.calendar.find_event(series.organizer, (occurrence and occurrence.event_id) or "")
    subject = row.wanted["subject"]
    if event is not None and event.subject != subject:
        tools.graph.calendar.update_event(series.organizer, event.id, EventChanges(subject=subject))


def _delete_extra(tools: Tools, series: Series, row: Drift) -> None:
    tools.graph.calendar.cancel_event(series.organizer, row.found["event_id"])


def _take_off(tools: Tools, series: Series, row: Drift) -> None:
    """Take somebody off whom we did not invite: at one meeting, or of the series and every exception to come."""
    if row.occurrence is not None:
        targets = [tools.graph.calendar.find_event(series.organizer, row.occurrence.event_id or "")]
    else:
        targets = [_event(tools, series), *_exceptions(tools, series)]
    for event in targets:
        if event is None:
            continue
        left = tuple(one for one in event.attendees if one.address.lower() != row.address)
        if left != event.attendees:
            tools.graph.calendar.update_event(series.organizer, event.id, EventChanges(attendees=left))


def _event(tools: Tools, series: Series) -> CalendarEvent | None:
    return tools.graph.calendar.find_event(series.organizer, series.event_id or "")


def _exceptions(tools: Tools, series: Series) -> list[CalendarEvent]:
    """Those to come."""
    now = tools.clock.now()
    return [one for one in _instances(tools, series) if one.type == "exception" and one.ends_at > now]


def _instances(tools: Tools, series: Series) -> tuple[CalendarEvent, ...]:
    """All of the series, wherever they were moved to."""
    starts = [one.original_start_at for one in series.occurrences]
    window = min(starts) - WEEK, max(starts) + 2 * WEEK
    return tools.graph.calendar.instances(series.organizer, series.event_id or "", *window)


REPAIRS: Mapping[Kind, Callable[[Tools, Series, Drift], None]] = {
    Kind.OCCURRENCE_MOVED: _put_occurrence_back,
    Kind.OCCURRENCE_EXTRA: _delete_extra,
    Kind.OCCURRENCE_EDITED: _put_subject_back,
    Kind.SERIES_MOVED: _put_series_back,
    Kind.SERIES_PROPOSED: _move_series_as_proposed,
    Kind.ZONE_DIFFERS: _put_series_back,
    Kind.SERIES_EDITED: _put_words_back,
    Kind.LINK_MISSING: _put_link_back,
    Kind.ATTENDEE_EXTRA: _take_off,
}
