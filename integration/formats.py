"""Dates, times and numbers in the language that is spoken now (pure; CLDR through Babel).

English dates are written as in Britain: the product speaks to offices in many countries, and "3/4" would be two days.
Every function that shows an instant takes the IANA zone of whoever reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_time, format_timedelta, get_timezone_name
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from integration.language import gettext as _
from integration.language import language

LOCALES = {"en": "en_GB", "de": "de"}
LONG_DAY = {"en": "d MMMM y", "de": "d. MMMM y"}
SHORT_DAY = {"en": "d MMM y", "de": "dd.MM.y"}
DAY_OF_YEAR = {"en": "d MMMM", "de": "d. MMMM"}
DAY_OF_CHART = {"en": "d MMM", "de": "d.M."}
WEEKDAY_AND_DAY = {"en": "EEEE d MMMM", "de": "EEEE, d. MMMM"}
ROW_OF_TABLE = {"en": "EEE dd MMM y", "de": "EEE, dd.MM.y"}
LONGEST_ABBREVIATION = 5
MOST_DIGITS = 6


def moment(at: datetime, time_zone: str | None) -> str:
    """An instant with its zone: "24 Nov 2026, 10:30 CET"."""
    local = at.astimezone(zone(time_zone))
    return f"{_in(SHORT_DAY, local)}, {clock(local)} {zone_name(local)}"


def clock(local: datetime) -> str:
    """A time of day, as it stands on that wall: "09:00"."""
    return clock_of(local.time())


def clock_of(time_of_day: time) -> str:
    """A time of day without its date."""
    return format_time(time_of_day, "HH:mm", locale=locale())


def zone_name(local: datetime) -> str:
    """The abbreviation that readers of this language know ("CET", "MEZ"), else the IANA name ("Asia/Kolkata")."""
    short = get_timezone_name(local, width="short", locale=locale())
    if short.isalpha() and len(short) <= LONGEST_ABBREVIATION:
        return short
    return getattr(local.tzinfo, "key", None) or str(local.tzinfo)


def day(on: date) -> str:
    """A day with its year: "24 November 2026". A datetime is taken as the wall clock that it shows."""
    return _in(LONG_DAY, on)


def day_of_year(on: date) -> str:
    """A day without its year: "24 November"."""
    return _in(DAY_OF_YEAR, on)


def chart_day(on: date) -> str:
    """A day where room is scarce: "24 Nov"."""
    return _in(DAY_OF_CHART, on)


def table_day(on: date) -> str:
    """A day under other days: "Tue 24 Nov 2026"."""
    return _in(ROW_OF_TABLE, on)


def day_and_time(starts_at: datetime, ends_at: datetime, *, time_zone: str | None) -> str:
    """When something is, on the wall of a reader: "Tuesday 24 November, 09:00-09:30 (Europe/Zurich)"."""
    wall = zone(time_zone)
    starts, ends = starts_at.astimezone(wall), ends_at.astimezone(wall)
    return _(
        "%(day)s, %(starts)s–%(ends)s (%(zone)s)",
        day=_in(WEEKDAY_AND_DAY, starts),
        starts=clock(starts),
        ends=clock(ends),
        zone=wall.key,
    )


def duration(length: timedelta) -> str:
    """How long, in the largest unit that says enough: "5 minutes"."""
    return format_timedelta(length, locale=locale())


def number(value: float, digits: int | None = None) -> str:
    """ "1,234.5"; with ``digits`` exactly so many after the decimal sign, else as many as it has, at most six."""
    after = "#" * MOST_DIGITS if digits is None else "0" * digits
    return format_decimal(value, format=f"#,##0.{after}" if after else "#,##0", locale=locale())


def signed(value: float, digits: int = 0) -> str:
    """A difference, with its sign: "+0.3"."""
    pattern = f"0.{'0' * digits}" if digits else "0"
    return format_decimal(value, format=f"+{pattern};-{pattern}", locale=locale())


def percent(fraction: float) -> str:
    """0.42 as "42%", without digits after the decimal sign."""
    return format_percent(fraction, locale=locale())


def listed(names: Sequence[str]) -> str:
    """ "Ada, Grace and Alan"."""
    return format_list(names, locale=locale())


def shown(value: object) -> object:
    """A value as a text shows it: instants and days in the reader's language, anything else as it is."""
    if isinstance(value, datetime):
        return moment(value, getattr(value.tzinfo, "key", None))
    if isinstance(value, date):
        return day(value)
    return clock_of(value) if isinstance(value, time) else value


def locale() -> str:
    """The CLDR locale of the language that is spoken now."""
    return LOCALES[language()]


def zone(time_zone: str | None) -> ZoneInfo:
    """The zone of an IANA name; UTC when nobody told, or told one that does not exist."""
    try:
        return ZoneInfo(time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _in(pattern: dict[str, str], on: date) -> str:
    return format_date(on, pattern[language()], locale=locale())
