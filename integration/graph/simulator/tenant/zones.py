"""Time zone names as Outlook takes them: Windows names, and the IANA names that CLDR maps to one of those."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz

UTC_NAMES = {"utc": "UTC", "tzone://microsoft/utc": "UTC", "etc/utc": "UTC", "gmt": "UTC"}


@cache
def iana(name: str) -> str | None:
    """The IANA zone a zone name of either kind stands for, in any case; None for a name Outlook refuses."""
    folded = name.casefold()
    return UTC_NAMES.get(folded) or _windows().get(folded) or _iana().get(folded)


def to_utc(local: datetime, zone: str) -> datetime:
    """A wall-clock time of an IANA zone as an instant. In a gap the clock is read as before it, so it moves on."""
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def to_local(at: datetime, zone: str) -> datetime:
    """An instant as naive wall-clock time of an IANA zone."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@cache
def _windows() -> dict[str, str]:
    return {windows.casefold(): zone for windows, zone in win_tz.items()}


@cache
def _iana() -> dict[str, str]:
    return {zone.casefold(): zone for zone in tz_win}
