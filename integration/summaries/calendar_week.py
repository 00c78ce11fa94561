"""Which week a summary is about: the key under which a leader gets one summary a week."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def week_of(now: datetime, time_zone: str) -> date:
    """The Monday of the week in which ``now`` falls on the wall of ``time_zone`` (IANA)."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    return today - timedelta(days=today.weekday())
