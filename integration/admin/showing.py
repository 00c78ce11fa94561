"""How pages show instants, days, numbers and fractions: in the visitor's language, on the visitor's wall."""

from __future__ import annotations

from datetime import date, datetime

from flask import Flask

from integration import formats, wording
from integration.admin.door import known_visitor

NOTHING = "–"


def register_filters(app: Flask) -> None:
    """Give every template the filters moment, day, number, percent and said; what is not known (None) is a dash."""
    app.jinja_env.filters.update(moment=moment, day=day, number=number, percent=percent, said=wording.said)


def moment(at: datetime | None, time_zone: str | None = None) -> str:
    """An instant with its zone, "24 Nov 2026, 10:30 CET": the visitor's, unless the page names another."""
    return NOTHING if at is None else formats.moment(at, time_zone or _visitors_zone())


def day(on: date | datetime | None, time_zone: str | None = None) -> str:
    """A day with its year; an instant is on the day that it falls on for the visitor."""
    if on is None:
        return NOTHING
    if isinstance(on, datetime) and on.tzinfo is not None:
        on = on.astimezone(formats.zone(time_zone or _visitors_zone()))
    return formats.day(on)


def number(value: float | None, digits: int | None = None) -> str:
    """A number with the signs of the visitor's language: "1,234.5"."""
    return NOTHING if value is None else formats.number(value, digits)


def percent(fraction: float | None) -> str:
    """0.42 as "42%"."""
    return NOTHING if fraction is None else formats.percent(fraction)


def _visitors_zone() -> str:
    visitor = known_visitor()
    return visitor.time_zone if visitor else "UTC"
