"""Quiet hours: nobody gets a mail from us between eight in the evening and seven in the morning of their own zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from integration.formats import zone

QUIET_FROM = time(20)
QUIET_UNTIL = time(7)


def after_quiet_hours(at: datetime, time_zone: str | None) -> datetime:
    """The first instant from ``at`` on (UTC) outside the quiet hours of an IANA zone; unknown zones are UTC."""
    local = at.astimezone(zone(time_zone))
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return at.astimezone(UTC)
    day = local.date() + timedelta(days=local.time() >= QUIET_FROM)
    return datetime.combine(day, QUIET_UNTIL, local.tzinfo).astimezone(UTC)
