"""When the work around an occurrence falls due (pure)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

GUIDE_HOUR = time(9)  # the day before, on the pod's wall: in office hours, and early enough to prepare
COLLECT_AFTER = timedelta(minutes=5)  # Teams needs minutes at the least to make a report
SUMMARY_HOUR = time(8)  # Mondays, on the leader's wall: there when the week begins


def guide_due(starts_at: datetime, time_zone: str) -> datetime:
    """When the facilitator's guide is written: the day before at nine in the pod's zone (IANA)."""
    zone = ZoneInfo(time_zone)
    day = starts_at.astimezone(zone).date() - timedelta(days=1)
    return datetime.combine(day, GUIDE_HOUR, tzinfo=zone).astimezone(UTC)


def collect_due(ends_at: datetime) -> datetime:
    """When attendance reports are first looked for."""
    return ends_at + COLLECT_AFTER


def summary_due(now: datetime, time_zone: str) -> datetime:
    """The next Monday at eight in a leader's zone (IANA), after ``now``."""
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    monday = today + timedelta(days=-today.weekday() % 7)
    due = datetime.combine(monday, SUMMARY_HOUR, tzinfo=zone)
    if due <= now:
        due = datetime.combine(monday + timedelta(weeks=1), SUMMARY_HOUR, tzinfo=zone)
    return due.astimezone(UTC)
