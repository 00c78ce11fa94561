"""Where Outlook lets a meeting of a series go: never onto or past the day of the one before or after it.

https://learn.microsoft.com/graph/api/event-update, ErrorOccurrenceCrossingBoundary
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from integration.scheduling.models import Occurrence

LAST_INSTANT = timedelta(microseconds=1)


def crosses_a_neighbour(occurrence: Occurrence, *, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether a meeting at this time would be refused; days are those of the series' own wall."""
    zone = ZoneInfo(occurrence.series.time_zone)
    first, last = (at.astimezone(zone).date() for at in (starts_at, ends_at - LAST_INSTANT))
    for neighbour in _neighbours(occurrence):
        day = neighbour.starts_at.astimezone(zone).date()
        before = neighbour.number < occurrence.number
        if (before and first <= day) or (not before and last >= day):
            return True
    return False


def _neighbours(occurrence: Occurrence) -> list[Occurrence]:
    """The meetings just before and after, of those that take place."""
    others = [one for one in occurrence.series.occurrences if one.cancelled_at is None and one.id != occurrence.id]
    before = [one for one in others if one.number < occurrence.number]
    after = [one for one in others if one.number > occurrence.number]
    return [*before[-1:], *after[:1]]
