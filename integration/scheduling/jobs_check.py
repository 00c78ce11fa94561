"""The check between the silent event and the invitation: link, meeting, and every date, one by one.

Windows zone names cover several IANA zones, and Outlook's tables can be older than ours: only a comparison of every
instance with our own expansion shows that everybody will come at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from integration.graph.resources import CalendarEvent, OnlineMeeting
from integration.language import lazy
from integration.scheduling.models import Occurrence, Series
from integration.scheduling.recurrence import WEEK, instant
from integration.scheduling.troubles import SeriesTrouble, record_link
from integration.tools import Tools

MARGIN = timedelta(days=2)


def check(tools: Tools, series: Series) -> None:
    """Compare, delete the holidays, record ids. Raises SeriesTrouble when Outlook has something else than we want."""
    event = _event(tools, series)
    organizer_id = series.organizer_id or tools.graph.directory.user(series.organizer).id
    meeting = _meeting(tools, event, organizer_id=organizer_id)
    instances = _instances(tools, series, event.id)
    _delete_holidays(tools, series, instances)
    by_start = _compared(series, instances)
    with tools.database.transaction() as session:
        row = session.get_one(Series, series.id)
        row.organizer_id = organizer_id
        record_link(row, event.join_url, now=tools.clock.now(), meeting_id=meeting.id)
        for occurrence in _in_the_event(row):
            occurrence.event_id = by_start[occurrence.original_start_at].id
        row.checked_at = tools.clock.now()


def _event(tools: Tools, series: Series) -> CalendarEvent:
    """The silent event. Raises SeriesTrouble when somebody deleted it: it is then made again, under a new key."""
    assert series.event_id is not None
    event = tools.graph.calendar.find_event(series.organizer, series.event_id)
    if event is not None:
        return event
    with tools.database.transaction() as session:
        row = session.get_one(Series, series.id)
        row.generation += 1
        row.event_id = row.ical_uid = row.body_hash = row.created_at = None
    raise SeriesTrouble(
        lazy("The event was deleted before anybody was invited."), remedy=lazy("It is made again at the next try.")
    )


def _meeting(tools: Tools, event: CalendarEvent, *, organizer_id: str) -> OnlineMeeting:
    if not event.join_url:
        raise SeriesTrouble(
            lazy("Outlook made the series without a Teams link."),
            remedy=lazy(
                "Check that its organizer has a Teams licence and that its calendar allows Teams meetings; then"
                " try again. Nobody has been invited."
            ),
        )
    return tools.graph.meetings.by_join_url(organizer_id, event.join_url)


def _instances(tools: Tools, series: Series, event_id: str) -> tuple[CalendarEvent, ...]:
    first = instant(series.starts_local, series.time_zone)
    return tools.graph.calendar.instances(
        series.organizer, event_id, first - MARGIN, first + series.count * WEEK + MARGIN
    )


def _delete_holidays(tools: Tools, series: Series, instances: Sequence[CalendarEvent]) -> None:
    holidays = _holidays(series)
    for one in instances:
        if one.starts_at in holidays:
            tools.graph.calendar.delete_event(series.organizer, one.id)


def _holidays(series: Series) -> set[datetime]:
    """Starts of the rule at which no occurrence of ours stands."""
    rule = {instant(series.starts_local + week * WEEK, series.time_zone) for week in range(series.count)}
    return rule - {occurrence.original_start_at for occurrence in _in_the_event(series)}


def _in_the_event(series: Series) -> list[Occurrence]:
    """The meetings that the event is to have; in one that was made anew not those before it, nor cancelled ones."""
    first = instant(series.starts_local, series.time_zone)
    return [one for one in series.occurrences if one.original_start_at >= first and one.cancelled_at is None]


def _compared(series: Series, instances: Sequence[CalendarEvent]) -> dict[datetime, CalendarEvent]:
    holidays = _holidays(series)
    found = {one.starts_at: one for one in instances if one.starts_at not in holidays}
    wanted = {occurrence.original_start_at for occurrence in _in_the_event(series)}
    if wanted - found.keys():
        raise _difference(series, min(wanted - found.keys()), sorted(found))
    if found.keys() - wanted:
        raise _difference(series, None, sorted(found.keys() - wanted))
    length = timedelta(minutes=series.minutes)
    wrong = [one for one in found.values() if one.ends_at - one.starts_at != length]
    if wrong:
        raise SeriesTrouble(
            lazy(
                "Outlook made a meeting of %(made)s minutes, wanted were %(wanted)s.",
                made=(wrong[0].ends_at - wrong[0].starts_at) // timedelta(minutes=1),
                wanted=series.minutes,
            ),
            remedy=lazy("Undo the plan and apply a new one. Nobody has been invited."),
        )
    return found


def _difference(series: Series, wanted: datetime | None, found: Sequence[datetime]) -> SeriesTrouble:
    zone = ZoneInfo(series.time_zone)
    near = min(found, key=lambda at: abs(at - wanted), default=None) if wanted else found[0]
    return SeriesTrouble(
        lazy(
            "Outlook's dates differ from ours in %(zone)s: wanted is %(wanted)s, Outlook has %(found)s.",
            zone=series.time_zone,
            wanted=wanted.astimezone(zone) if wanted else lazy("no meeting"),
            found=near.astimezone(zone) if near else lazy("no meeting"),
        ),
        remedy=lazy(
            "Choose a neighbouring time zone for the pod, or correct the event in the organizer's calendar, and"
            " try again. Nobody has been invited."
        ),
    )
