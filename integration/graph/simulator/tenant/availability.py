"""What getSchedule says about people: free and busy times, working hours, or why there is nothing to say.

Source: the page of `calendar: getSchedule` and the types scheduleInformation and scheduleItem.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .directory import BusyBlock, Person
from .zones import to_utc

if TYPE_CHECKING:
    from .tenant import Tenant

DIGITS: dict[str, str] = {"free": "0", "tentative": "1", "busy": "2", "oof": "3", "workingElsewhere": "4"}
RANK = ("free", "workingElsewhere", "tentative", "busy", "oof")
MOST_ENTRIES = 1000


@dataclass(frozen=True)
class ScheduleItem:
    """Time a person is not simply free. `subject` is None where the asker may not see it."""

    starts_at: datetime
    ends_at: datetime
    shows_as: str
    subject: str | None
    location: str | None = None
    private: bool = False


@dataclass(frozen=True)
class Unreadable:
    code: str
    message: str


@dataclass(frozen=True)
class Schedule:
    """One person's answer: `person` and `items`, or `unreadable`."""

    address: str
    person: Person | None
    items: tuple[ScheduleItem, ...] = ()
    view: str = ""
    unreadable: Unreadable | None = None


@dataclass(frozen=True)
class Window:
    starts_at: datetime
    ends_at: datetime
    interval: timedelta

    @property
    def intervals(self) -> int:
        return -((self.starts_at - self.ends_at) // self.interval)


def schedule_of(tenant: "Tenant", address: str, *, window: Window, asked_as: Person) -> Schedule:
    """The schedule of one address, seen by the owner of the mailbox that was asked."""
    person = tenant.directory.by_address(address)
    unreadable = _unreadable(tenant, person, address)
    if person is None or unreadable:
        return Schedule(address, person, unreadable=unreadable)
    items = sorted(
        (item for item in _items(tenant, person, window) if item.shows_as != "free"),
        key=lambda item: (item.starts_at, item.ends_at),
    )
    if len(items) > MOST_ENTRIES:
        message = "The result set contains too many calendar entries. The allowed size is 1000."
        return Schedule(address, person, unreadable=Unreadable("5006", message))
    hidden = [_seen_by(asked_as, person, item) for item in items]
    return Schedule(address, person, tuple(hidden), _view(tenant, items, window))


def _unreadable(tenant: "Tenant", person: Person | None, address: str) -> Unreadable | None:
    if person is None:
        message = f"Unable to resolve e-mail address {address} to an Active Directory object."
        return Unreadable("ErrorMailRecipientNotFound", message)
    if not person.exchange:
        message = f"Unable to find a mailbox in Exchange Online for {address}."
        return Unreadable("MailboxNotFound", message)
    if not tenant.switches.schedule_outside_scope and not tenant.writable(person):
        return Unreadable("ErrorAccessDenied", f"The free/busy data of {address} may not be read.")
    return None


def _items(tenant: "Tenant", person: Person, window: Window) -> Iterator[ScheduleItem]:
    for view in tenant.calendars.view(person, window.starts_at, window.ends_at):
        subject, location = view.subject or None, view.location or None
        yield ScheduleItem(view.starts_at, view.ends_at, view.show_as, subject, location, view.is_private)
    yield from _blocks(person, window)
    away = person.out_of_office
    if away and away.starts_at < window.ends_at and away.ends_at > window.starts_at:
        yield ScheduleItem(away.starts_at, away.ends_at, "oof", "Out of office")


def _blocks(person: Person, window: Window) -> Iterator[ScheduleItem]:
    zone = ZoneInfo(person.time_zone)
    first = window.starts_at.astimezone(zone).date() - timedelta(days=1)
    last = window.ends_at.astimezone(zone).date()
    for day in _days(first, last):
        for block in person.busy:
            if block.weekday != day.weekday():
                continue
            item = _on(block, day, person.time_zone)
            if item.starts_at < window.ends_at and item.ends_at > window.starts_at:
                yield item


def _on(block: BusyBlock, day: date, zone: str) -> ScheduleItem:
    starts_at = to_utc(datetime.combine(day, block.starts), zone)
    ends_at = to_utc(datetime.combine(day, block.ends), zone)
    return ScheduleItem(starts_at, ends_at, block.shows_as, block.subject, private=block.private)


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _seen_by(asker: Person, person: Person, item: ScheduleItem) -> ScheduleItem:
    """Others see when, not what: the default sharing inside an organization."""
    if asker is person:
        return item
    return ScheduleItem(item.starts_at, item.ends_at, item.shows_as, None, None, item.private)


def _view(tenant: "Tenant", items: list[ScheduleItem], window: Window) -> str:
    """A digit per interval: of what overlaps it, the one that counts most."""
    digits = {**DIGITS, "workingElsewhere": tenant.switches.schedule_elsewhere_digit}
    ranks = [0] * window.intervals
    for item in items:
        rank = RANK.index(item.shows_as)
        first = max((item.starts_at - window.starts_at) // window.interval, 0)
        last = -((window.starts_at - item.ends_at) // window.interval)
        for place in range(first, min(last, window.intervals)):
            ranks[place] = max(ranks[place], rank)
    return "".join(digits[RANK[rank]] for rank in ranks)
