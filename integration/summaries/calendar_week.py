"""When summaries leave: each Monday at eight in the leader's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LEAVES_AT = time(8)
MONDAY = 0


def next_summary_at(now: datetime, time_zone: str) -> datetime:
    """The first Monday at eight in ``time_zone`` (IANA) after ``now``; aware, in UTC."""
    zone = ZoneInfo(time_zone)
    local = now.astimezone(zone)
    monday = local.date() + timedelta(days=(MONDAY - local.weekday()) % 7)
    due = datetime.combine(monday, LEAVES_AT, zone)
    if due <= now:
        due = datetime.combine(monday + timedelta(days=7), LEAVES_AT, zone)
    return due.astimezone(UTC)


def week_of(now: datetime, time_zone: str) -> date:
    """The Monday of the week in which ``now`` falls on the wall of ``time_zone``: the summary's key."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    return today - timedelta(days=today.weekday())
