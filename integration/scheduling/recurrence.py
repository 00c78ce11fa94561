"""Weekly wall-clock times as instants (pure).

A series hangs on a wall: the same local time every week, whatever the offset from UTC is that week (RFC 5545, 3.3.10
with DTSTART;TZID). We expand it ourselves and compare, before anybody is invited, with what Outlook made of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from integration.errors import InputRefused
from integration.language import Lazy, lazy

WEEK = timedelta(weeks=1)
LONGEST_RULE = 104  # weeks: more holidays than that are a mistake in the list


@dataclass(frozen=True)
class PlannedOccurrence:
    """One meeting of the rule. ``number`` counts from 1 and leaves skipped holidays out.

    ``note`` is set when the wall clock jumps that night: the time does not exist, or exists twice.
    """

    number: int
    starts_local: datetime
    starts_at: datetime
    ends_at: datetime
    note: Lazy | None = None


@dataclass(frozen=True)
class Expansion:
    """A weekly rule in full. ``weeks`` is the rule's count, holidays included; ``skipped`` are their starts."""

    occurrences: tuple[PlannedOccurrence, ...]
    skipped: tuple[datetime, ...]
    weeks: int


def expand(
    starts_local: datetime,
    *,
    time_zone: str,
    length: timedelta,
    sessions: int,
    holidays: Collection[date] = (),
) -> Expansion:
    """The rule with so many weeks that ``sessions`` meetings remain once the holidays are left out.

    ``starts_local`` is a naive wall clock in ``time_zone`` (IANA). Raises InputRefused when holidays leave no room.
    """
    occurrences: list[PlannedOccurrence] = []
    skipped: list[datetime] = []
    for week in range(LONGEST_RULE):
        wall = starts_local + week * WEEK
        if wall.date() in holidays:
            skipped.append(instant(wall, time_zone))
            continue
        occurrences.append(_occurrence(len(occurrences) + 1, wall, time_zone=time_zone, length=length))
        if len(occurrences) == sessions:
            return Expansion(tuple(occurrences), tuple(skipped), week + 1)
    raise InputRefused(
        lazy(
            "%(sessions)s meetings from %(day)s do not fit between the holidays.",
            sessions=sessions,
            day=starts_local.date(),
        ),
        remedy=lazy("Shorten the program's list of holidays or its number of weeks."),
    )


def instant(wall: datetime, time_zone: str) -> datetime:
    """A wall clock as an aware UTC instant.

    A time in the gap of a clock change counts from the offset before it; one that exists twice means the first
    (RFC 5545, 3.3.5), as Outlook takes them.
    """
    return wall.replace(tzinfo=ZoneInfo(time_zone), fold=0).astimezone(UTC)


def clock_note(wall: datetime, time_zone: str) -> Lazy | None:
    """In words, when the wall clock jumps over or repeats this time; else None."""
    zone = ZoneInfo(time_zone)
    before, after = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    if before.utcoffset() == after.utcoffset():
        return None
    back = before.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    if back != wall:
        return lazy(
            "%(day)s: %(time)s does not exist in %(zone)s; it is %(then)s then.",
            day=wall.date(),
            time=wall.time(),
            zone=time_zone,
            then=back.time(),
        )
    return lazy(
        "%(day)s: %(time)s comes twice in %(zone)s; the first one is meant.",
        day=wall.date(),
        time=wall.time(),
        zone=time_zone,
    )


def first_date(weekday: int, *, not_before: date) -> date:
    """The first date on ``weekday`` (Monday is 0) that is not before the given one."""
    return not_before + timedelta(days=(weekday - not_before.weekday()) % 7)


def parse_holidays(dates: Iterable[str]) -> frozenset[date]:
    """ISO dates of a program's list; raises InputRefused naming the one that is none."""
    return frozenset(_holiday(text) for text in dates)


def _occurrence(number: int, wall: datetime, *, time_zone: str, length: timedelta) -> PlannedOccurrence:
    starts_at = instant(wall, time_zone)
    return PlannedOccurrence(
        number=number,
        starts_local=wall,
        starts_at=starts_at,
        ends_at=starts_at + length,
        note=clock_note(wall, time_zone),
    )


def _holiday(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputRefused(
            lazy("The holiday %(text)s is no date.", text=repr(text)), remedy=lazy("Write it like 2026-12-25.")
        ) from error
