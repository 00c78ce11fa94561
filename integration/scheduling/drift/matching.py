"""Which instance in Outlook is which occurrence of ours (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from integration.graph.resources import CalendarEvent


class Known(Protocol):
    """An occurrence of ours: its id, its event's id, and where the weekly rule has it."""

    @property
    def id(self) -> int: ...
    @property
    def event_id(self) -> str | None: ...
    @property
    def by_rule_at(self) -> datetime: ...


K = TypeVar("K", bound=Known)


def matched(
    occurrences: Sequence[K], instances: Iterable[CalendarEvent], *, time_zone: str
) -> dict[int, CalendarEvent]:
    """Instances by the id of our occurrence: the same event, else the same original start, else the same week.

    The last one is for a series that was moved to another weekday: Outlook gives its instances new ids then.
    """
    left = [one for one in instances if not one.is_cancelled]
    found: dict[int, CalendarEvent] = {}
    for fits in (_same_event, _same_start, _same_week(time_zone)):
        for occurrence in occurrences:
            if occurrence.id in found:
                continue
            one = next((each for each in left if fits(occurrence, each)), None)
            if one is not None:
                found[occurrence.id] = one
                left.remove(one)
    return found


def pattern_start(instance: CalendarEvent) -> datetime:
    """Where Outlook's own pattern has an instance."""
    return instance.original_start_at or instance.starts_at


def week_of(at: datetime, time_zone: str) -> tuple[int, int]:
    """The ISO week (year, week) that an instant falls into on this wall."""
    year, week, _ = at.astimezone(ZoneInfo(time_zone)).isocalendar()
    return year, week


def _same_event(occurrence: Known, instance: CalendarEvent) -> bool:
    return occurrence.event_id == instance.id


def _same_start(occurrence: Known, instance: CalendarEvent) -> bool:
    return occurrence.by_rule_at == pattern_start(instance)


def _same_week(time_zone: str) -> Callable[[Known, CalendarEvent], bool]:
    def fits(occurrence: Known, instance: CalendarEvent) -> bool:
        return week_of(occurrence.by_rule_at, time_zone) == week_of(pattern_start(instance), time_zone)

    return fits
