"""The window of an occurrence: which part of a meeting's calls belongs to it (docs: definitions). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from integration.attendance.intervals import Interval

BEFORE_START = timedelta(minutes=15)  # people who come early
AFTER_END = timedelta(minutes=60)  # people who stay


def window_of(planned: Interval, neighbours: Iterable[Interval] = ()) -> Interval:
    """From 15 minutes before the start to 60 minutes after the end, cut half-way to the neighbours.

    ``planned`` and ``neighbours`` are the planned times of occurrences joined by the same link. Half-way lies between
    the end of the one and the start of the next. The planned time itself always stays in the window, even when
    neighbours overlap it.
    """
    starts_at, ends_at = planned.starts_at - BEFORE_START, planned.ends_at + AFTER_END
    for other in neighbours:
        if other.starts_at < planned.starts_at:
            starts_at = max(starts_at, min(planned.starts_at, _half_way(other, planned)))
        elif other.starts_at > planned.starts_at:
            ends_at = min(ends_at, max(planned.ends_at, _half_way(planned, other)))
    return Interval(starts_at, ends_at)


def _half_way(earlier: Interval, later: Interval) -> datetime:
    return earlier.ends_at + (later.starts_at - earlier.ends_at) / 2
