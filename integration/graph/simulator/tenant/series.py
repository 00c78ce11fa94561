"""Recurrence as Outlook expands it: wall-clock times of one zone, by python-dateutil's rules (RFC 5545)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import Literal

from dateutil import rrule

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
INDEXES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
PatternType = Literal["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"]
SHORTEST_MONTH = 28


@dataclass(frozen=True)
class Pattern:
    """Graph's recurrencePattern; fields its type has no use for keep the defaults that Graph echoes."""

    type: PatternType
    interval: int
    days_of_week: tuple[str, ...] = ()
    first_day_of_week: str = "sunday"
    day_of_month: int = 0
    month: int = 0
    index: str = "first"


@dataclass(frozen=True)
class Range:
    """Graph's recurrenceRange; dates are inclusive and local to the series."""

    type: Literal["endDate", "numbered", "noEnd"]
    start_date: date
    end_date: date | None = None
    number_of_occurrences: int = 0
    time_zone_name: str = ""


@dataclass(frozen=True)
class Recurrence:
    pattern: Pattern
    range: Range

    @property
    def endless(self) -> bool:
        return self.range.type == "noEnd"

    def starts_local(self, at: time, *, until: date) -> Iterator[datetime]:
        """Wall-clock starts in order, to the end of the range or, when it has none, to `until` (inclusive)."""
        starts = iter(self._rule(datetime.combine(self.range.start_date, at)))
        if not self.endless:
            return starts
        return takewhile(lambda start: start.date() <= until, starts)

    def days(self, at: time, *, until: date) -> tuple[date, ...]:
        """As starts_local, the days alone; every copy of one series asks for the same ones."""
        return _days(self, at, until if self.endless else date.max)

    def _rule(self, starts: datetime) -> rrule.rrule:
        ends, count = self.range.end_date, self.range.number_of_occurrences
        limit: dict[str, object] = {}
        if self.range.type == "endDate" and ends is not None:
            limit = {"until": datetime.combine(ends + timedelta(days=1), time()) - timedelta(microseconds=1)}
        if self.range.type == "numbered":
            limit = {"count": count}
        frequency, parts = _parts(self.pattern)
        return rrule.rrule(frequency, dtstart=starts, interval=self.pattern.interval, **parts, **limit)  # pyright: ignore[reportArgumentType]


@lru_cache(maxsize=4096)
def _days(recurrence: Recurrence, at: time, until: date) -> tuple[date, ...]:
    return tuple(start.date() for start in recurrence.starts_local(at, until=until))


def _parts(pattern: Pattern) -> tuple[Literal[0, 1, 2, 3], dict[str, object]]:
    weekdays = [DAYS.index(day) for day in pattern.days_of_week]
    if pattern.type == "daily":
        return rrule.DAILY, {}
    if pattern.type == "weekly":
        return rrule.WEEKLY, {"byweekday": weekdays, "wkst": DAYS.index(pattern.first_day_of_week)}
    months = {"bymonth": pattern.month} if pattern.type.endswith("Yearly") else {}
    frequency = rrule.YEARLY if months else rrule.MONTHLY
    if pattern.type.startswith("relative"):
        return frequency, {"byweekday": weekdays, "bysetpos": INDEXES[pattern.index], **months}
    return frequency, {**_day_of_month(pattern.day_of_month), **months}


def _day_of_month(day: int) -> dict[str, object]:
    """Outlook holds a series on the 31st on the last day of a shorter month; RFC 5545 would leave that out."""
    if day <= SHORTEST_MONTH:
        return {"bymonthday": day}
    return {"bymonthday": list(range(SHORTEST_MONTH, day + 1)), "bysetpos": -1}
