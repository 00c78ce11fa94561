"""Stretches of time: union, clipping, length, and when several people were there together. Pure; nothing is rounded
before the end, and the order in which stretches are given never matters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, order=True)
class Interval:
    """From ``starts_at`` until just before ``ends_at``, both aware; one that ends before it starts is empty."""

    starts_at: datetime
    ends_at: datetime

    @property
    def is_empty(self) -> bool:
        return self.ends_at <= self.starts_at

    def overlaps(self, other: Interval) -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same time without overlaps, in order: two devices at once are one presence."""
    merged: list[Interval] = []
    for interval in sorted(one for one in intervals if not one.is_empty):
        if merged and interval.starts_at <= merged[-1].ends_at:
            merged[-1] = Interval(merged[-1].starts_at, max(merged[-1].ends_at, interval.ends_at))
        else:
            merged.append(interval)
    return tuple(merged)


def clip(intervals: Iterable[Interval], window: Interval) -> tuple[Interval, ...]:
    """What of the intervals lies in the window."""
    parts = (Interval(max(one.starts_at, window.starts_at), min(one.ends_at, window.ends_at)) for one in intervals)
    return tuple(part for part in parts if not part.is_empty)


def length(intervals: Iterable[Interval]) -> timedelta:
    """How long the union of the intervals is."""
    return sum((one.ends_at - one.starts_at for one in union(intervals)), timedelta())


def seconds(intervals: Iterable[Interval]) -> int:
    """Whole seconds of the union, begun ones left out, as Teams counts them."""
    return whole_seconds(length(intervals))


def whole_seconds(of: timedelta) -> int:
    return of // timedelta(seconds=1)


def together(people: Iterable[Iterable[Interval]], *, n: int = 2) -> tuple[Interval, ...]:
    """When at least ``n`` people were there, each person given by their own intervals."""
    steps: list[tuple[datetime, int]] = []
    for intervals in people:
        for one in union(intervals):
            steps += [(one.starts_at, 1), (one.ends_at, -1)]
    return union(_enough(sorted(steps), n))


def _enough(steps: list[tuple[datetime, int]], n: int) -> list[Interval]:
    present, since, found = 0, None, []
    for at, step in steps:
        present += step
        if since is None and present >= n:
            since = at
        elif since is not None and present < n:
            found.append(Interval(since, at))
            since = None
    return found
