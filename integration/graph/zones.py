"""Windows and IANA names of time zones, by tzlocal's tables (CLDR windowsZones)."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal.windows_tz import tz_win, win_tz

from integration.graph.errors import ZoneUnsupported
from integration.language import lazy

ALWAYS_UTC = {"UTC", "Etc/UTC", "Etc/GMT", "GMT", "Z"}


def windows_name(time_zone: str) -> str:
    """Outlook's name of an IANA zone. Raises ZoneUnsupported when it has none."""
    if time_zone in ALWAYS_UTC:
        return "UTC"
    if time_zone not in tz_win:
        raise ZoneUnsupported(
            lazy("Outlook has no name for the time zone %(zone)s.", zone=repr(time_zone)),
            remedy=lazy("Choose a zone of a larger city near it."),
        )
    return tz_win[time_zone]


def same_zone(one: str, other: str) -> bool:
    """Whether Outlook has one name for both zones."""
    return one == other or (one in tz_win and tz_win.get(one) == tz_win.get(other))


def iana_name(outlook_zone: str | None) -> str | None:
    """The IANA name of a zone as Outlook writes it (Windows or IANA); None when it is neither (custom zones)."""
    if not outlook_zone:
        return None
    if outlook_zone in win_tz:
        return "UTC" if outlook_zone == "UTC" else win_tz[outlook_zone]
    return outlook_zone if _zone(outlook_zone) is not None else None


def aware(wall: str, outlook_zone: str | None) -> datetime:
    """The instant in UTC of a dateTimeTimeZone; a value that carries its own offset keeps it.

    Raises ZoneUnsupported for a zone nobody can place (``tzone://Microsoft/Custom``).
    """
    moment = datetime.fromisoformat(wall)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_placed(outlook_zone))
    return moment.astimezone(UTC)


def _placed(outlook_zone: str | None) -> tzinfo:
    name = iana_name(outlook_zone or "UTC")
    zone = _zone(name) if name else None
    if zone is None:
        raise ZoneUnsupported(
            lazy("Outlook used the time zone %(zone)s, which has no known rules.", zone=repr(outlook_zone)),
            remedy=lazy("Open the event in Outlook and choose a named time zone."),
        )
    return zone


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
