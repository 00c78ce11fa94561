"""A series, ours to Graph: created silently, checked, and only then invited to, by one attendees-only PATCH.

Each step reads the rows, closes the transaction, talks to Graph and records what it saw. Whatever line a process dies
on, the next run finds the event by its key, compares and goes on: the same state, the same mails.
https://learn.microsoft.com/graph/api/event-update says who gets mail for what.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from integration.graph.errors import GraphError, NotFound
from integration.graph.resources import CalendarEvent, EventChanges, EventDraft, WeeklyRule
from integration.language import lazy, speaking
from integration.log import get_logger
from integration.scheduling import jobs_check, jobs_invite
from integration.scheduling.invitation import exchanged, hash_of, says_the_same, shared_language
from integration.scheduling.models import Series
from integration.scheduling.reading import read_series
from integration.scheduling.recurrence import instant
from integration.scheduling.troubles import SeriesTrouble, record_link, record_trouble
from integration.tools import Tools

log = get_logger(__name__)
CANCELLED_WORDS = lazy("These learning sessions were cancelled by the program.")


@dataclass(frozen=True)
class Step:
    """One step towards the invitation: due as long as the series does not show that it was done."""

    name: str
    is_due: Callable[[Series], bool]
    take: Callable[[Tools, Series], None]
    is_last: bool = False  # nothing can be left to do after it


def push_series(tools: Tools, series_id: int) -> None:
    """Bring Outlook to what the series' row wants. Raises SeriesTrouble or GraphError, recorded on the series too."""
    try:
        for step in STEPS:
            series = read_series(tools.database, series_id)
            if series is None or not _is_open(tools, series):
                return
            if not step.is_due(series):
                continue
            step.take(tools, series)
            log.info("series pushed", series_id=series_id, step=step.name)
            if step.is_last:
                break
    except (SeriesTrouble, GraphError) as error:
        if not error.passes_by_itself:
            record_trouble(tools.database, series_id, error.wording)
        raise
    record_trouble(tools.database, series_id, None)


def cancel_series(tools: Tools, series_id: int) -> None:
    """Take a series out of Outlook: cancelled with a mail where people were invited, else deleted without any.

    An event that is not there, or not any more, is what was wanted.
    """
    series = read_series(tools.database, series_id)
    if series is None or series.cancel_wanted_at is None or series.cancelled_at is not None:
        return
    event = _event_to_cancel(tools, series)
    if event is not None and event.attendees:
        with speaking(_language_of(series)):
            words = str(CANCELLED_WORDS)
        tools.graph.calendar.cancel_event(series.organizer, event.id, words)
    elif event is not None:
        tools.graph.calendar.delete_event(series.organizer, event.id)
    with tools.database.transaction() as session:
        row = session.get_one(Series, series_id)
        row.cancelled_at, row.trouble = tools.clock.now(), None
    log.info("series cancelled", series_id=series_id)


def transaction_id(series: Series) -> str:
    """The key under which Graph makes the event once only.

    The instant of the wish keeps a database that was set up anew from meeting the keys of its predecessor.
    """
    return f"pods-series-{series.id}-{series.generation}-{series.wanted_at:%Y%m%d%H%M%S%f}"


def _is_open(tools: Tools, series: Series) -> bool:
    """Whether there is still something to be done for it: an occurrence that has ended is history."""
    if series.cancel_wanted_at is not None or series.cancelled_at is not None:
        return False
    return any(occurrence.ends_at > tools.clock.now() for occurrence in series.occurrences)


def _create(tools: Tools, series: Series) -> None:
    """Make the event without attendees: nobody is told, everything can still be put right."""
    calendar = tools.graph.calendar
    event = calendar.create_event(series.organizer, _draft(series))
    changes = _differences(event, series)
    if changes is not None:  # an earlier try made it, from rows that have changed since
        event = calendar.update_event(series.organizer, event.id, changes)
    with tools.database.transaction() as session:
        row = session.get_one(Series, series.id)
        row.event_id, row.ical_uid = event.id, event.ical_uid
        row.body_hash = hash_of(series.invitation_html)
        row.created_at = tools.clock.now()
        record_link(row, event.join_url, now=tools.clock.now())


def _draft(series: Series) -> EventDraft:
    key = transaction_id(series)
    return EventDraft(
        subject=series.subject,
        body_html=series.invitation_html,
        starts_local=series.starts_local,
        length=timedelta(minutes=series.minutes),
        time_zone=series.time_zone,
        transaction_id=key,
        tag=key,
        weekly=WeeklyRule(starts_on=series.starts_local.date(), count=series.count),
    )


def _differences(event: CalendarEvent, series: Series) -> EventChanges | None:
    """What a PATCH has to put right in an event that came back; None when it is as wanted."""
    length = timedelta(minutes=series.minutes)
    moved = (event.starts_at, event.ends_at - event.starts_at) != (
        instant(series.starts_local, series.time_zone),
        length,
    )
    changes = EventChanges(
        subject=series.subject if event.subject != series.subject else None,
        body_html=_body(event, series),
        starts_local=series.starts_local if moved else None,
        length=length if moved else None,
        time_zone=series.time_zone if moved else None,
    )
    return None if changes == EventChanges() else changes


def _body(event: CalendarEvent, series: Series) -> str | None:
    """The body with our part exchanged, when it reads otherwise; None when nothing is to be written."""
    if says_the_same(event.body_html, series.invitation_html):
        return None
    return exchanged(event.body_html, series.invitation_html)


def _language_of(series: Series) -> str:
    """The language of the people who are on it, as in the invitation."""
    people = [one.participant.person for one in series.attendees if one.participant is not None]
    return shared_language(person.language for person in people if person is not None)


def _event_to_cancel(tools: Tools, series: Series) -> CalendarEvent | None:
    """The event as it is; also the one of a create whose answer we never saw."""
    calendar = tools.graph.calendar
    if series.event_id is not None:
        return calendar.find_event(series.organizer, series.event_id)
    try:
        return calendar.find_by_tag(series.organizer, transaction_id(series))
    except NotFound:  # the mailbox itself is gone
        return None


STEPS: tuple[Step, ...] = (
    Step("created", lambda series: series.created_at is None, _create),
    Step("checked", lambda series: series.checked_at is None, jobs_check.check),
    Step("invited", lambda series: series.invited_at is None, jobs_invite.invite, is_last=True),
    Step("updated", lambda _series: True, jobs_invite.update),
)
