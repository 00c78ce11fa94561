"""Dates, times and durations as exports write them: in the language and on the wall of whoever downloaded. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import reduce
from zoneinfo import ZoneInfo

from integration.attendance.exports_words import UNITS

WRITTEN = re.compile(
    r"""(?: (?P<a>\d{1,4}) \s?(?P<sep>[./-])\s? (?P<b>\d{1,2}) \s?(?P=sep)\s? (?P<c>\d{1,2}|\d{4})\.? (?:,\s?|\s|T) )?
        (?P<hour>\d{1,2}) : (?P<minute>\d{2}) (?: : (?P<second>\d{2}) )? \s? (?P<half>[ap]\.?\s?m\.?)?""",
    re.X | re.I,
)
CLOCK = re.compile(r"(\d{1,3}):(\d{2}):(\d{2})")
AMOUNT = re.compile(r"(\d+)\s*([^\W\d_]+)\.?", re.U)
INVISIBLE = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202c\ufeff"))  # browsers put them around dates


class Order(StrEnum):
    """In which order a date is written."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"
    YEAR_FIRST = "ymd"


@dataclass(frozen=True)
class Written:
    """A moment as it stands in the file; ``date`` is its three numbers, None when only a time of day is written."""

    date: tuple[int, int, int] | None
    separator: str
    clock: time

    def on(self, order: Order) -> datetime | None:
        """The moment on the wall; None when there is no such day, or no day at all."""
        if self.date is None:
            return None
        a, b, c = self.date
        year, month, day = {Order.DAY_FIRST: (c, b, a), Order.MONTH_FIRST: (c, a, b), Order.YEAR_FIRST: (a, b, c)}[
            order
        ]
        try:
            return datetime.combine(date(year + 2000 if year < 100 else year, month, day), self.clock)
        except ValueError:
            return None


def written(text: str) -> Written | None:
    """The moment that a cell holds: "15/11/22, 09:30:17", "15.11.2022 09:30", "11/15/22, 9:30:17 AM"; None: none."""
    match = WRITTEN.fullmatch(" ".join(text.translate(INVISIBLE).split()))
    if match is None or (match["c"] and len(match["c"]) == 1 and len(match["a"]) < 4):
        return None  # a single digit behind the other two is a day, never a year
    hour, half = int(match["hour"]), (match["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    try:
        clock = time(hour, int(match["minute"]), int(match["second"] or 0))
    except ValueError:
        return None
    numbers = (int(match["a"]), int(match["b"]), int(match["c"])) if match["a"] else None
    return Written(numbers, match["sep"] or "", clock)


def orders_of(moments: Iterable[Written]) -> frozenset[Order]:
    """In which orders all these dates can be read; dates that read alike in two orders do not tell them apart."""
    dated = [one for one in moments if one.date is not None]
    possible = reduce(frozenset.intersection, (_orders(one) for one in dated), frozenset(Order))
    if len(possible) > 1 and all(len({one.on(order) for order in possible}) == 1 for one in dated):
        return frozenset({min(possible)})
    return possible


def seconds_of(text: str) -> int | None:
    """How long: "1h 2m 3s", "1 Std. 2 Min. 3 Sek.", "1 godz. 2 min 3 sek.", "01:02:03"; None when it is not known."""
    plain = " ".join(text.translate(INVISIBLE).split())
    if match := CLOCK.fullmatch(plain):
        return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])
    amounts = AMOUNT.findall(plain)
    if not amounts or AMOUNT.sub("", plain).strip(" ,") or any(unit.lower() not in UNITS for _, unit in amounts):
        return None
    return sum(int(amount) * UNITS[unit.lower()] for amount, unit in amounts)


def instant(wall: datetime, zone: ZoneInfo, *, after: datetime | None = None) -> datetime:
    """A moment on the wall as an aware instant.

    In the hour that a clock goes through twice it is the first, unless that were before ``after``.
    """
    found = wall.replace(tzinfo=zone, fold=0)
    if after is not None and found < after:
        second = wall.replace(tzinfo=zone, fold=1)
        return second if second >= after else found
    return found


def beside(moment: Written, order: Order, *, day_of: datetime) -> datetime | None:
    """The moment on the wall; one without a date is the first such time at or after ``day_of``."""
    if moment.date is not None:
        return moment.on(order)
    found = datetime.combine(day_of.date(), moment.clock)
    return found if found >= day_of else found + timedelta(days=1)


def _orders(one: Written) -> frozenset[Order]:
    assert one.date is not None
    if one.date[0] > 31:
        candidates = [Order.YEAR_FIRST]
    elif one.separator == ".":
        candidates = [Order.DAY_FIRST]  # nobody puts dots behind a month that comes first
    else:
        candidates = [Order.DAY_FIRST, Order.MONTH_FIRST]
    return frozenset(order for order in candidates if one.on(order) is not None)
