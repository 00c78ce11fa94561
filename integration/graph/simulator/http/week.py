"""A person's week as their own calendar shows it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ..tenant.directory import BusyBlock, Person
from ..tenant.events import EventView
from ..tenant.teams import OnlineMeeting
from ..tenant.tenant import Tenant


@dataclass(frozen=True)
class Entry:
    """A line of a day. `starts` and `ends` are in the person's zone; own appointments have no `event`."""

    starts: datetime
    ends: datetime
    subject: str
    event: EventView | None = None
    meeting: OnlineMeeting | None = None
    inside: bool = False
    waiting: bool = False

    @property
    def answerable(self) -> bool:
        return self.event is not None and not self.event.is_organizer and not self.event.is_cancelled

    @property
    def callers(self) -> list[str]:
        running = self.meeting.running if self.meeting else None
        return [one.name for one in running.inside] if running else []


@dataclass(frozen=True)
class Day:
    on: date
    today: bool
    entries: list[Entry]


def week_of(person: Person, monday: date, *, tenant: Tenant) -> list[Day]:
    """Seven days from `monday`, each with its entries by start."""
    zone = ZoneInfo(person.time_zone)
    starts_at = datetime.combine(monday, time(), zone).astimezone(UTC)
    ends_at = datetime.combine(monday + timedelta(days=7), time(), zone).astimezone(UTC)
    entries = [_entry(person, view, zone, tenant) for view in tenant.calendars.view(person, starts_at, ends_at)]
    entries += [_own(block, monday, zone) for block in person.busy]
    today = tenant.clock.now().astimezone(zone).date()
    days = [monday + timedelta(days=at) for at in range(7)]
    return [
        Day(
            on,
            on == today,
            sorted((one for one in entries if _shown_on(one, on, monday)), key=lambda one: one.starts),
        )
        for on in days
    ]


def _shown_on(entry: Entry, on: date, monday: date) -> bool:
    return max(entry.starts.date(), monday) == on


def _entry(person: Person, view: EventView, zone: ZoneInfo, tenant: Tenant) -> Entry:
    meeting = tenant.teams.by_join_url(view.join_url) if view.join_url else None
    running = meeting.running if meeting else None
    return Entry(
        starts=view.starts_at.astimezone(zone),
        ends=view.ends_at.astimezone(zone),
        subject=view.subject or "(no subject)",
        event=view,
        meeting=meeting,
        inside=running is not None and any(one.person is person for one in running.inside),
        waiting=meeting is not None and any(one.person is person for one in meeting.lobby.waiting),
    )


def _own(block: BusyBlock, monday: date, zone: ZoneInfo) -> Entry:
    on = monday + timedelta(days=block.weekday)
    subject = "Private appointment" if block.private else block.subject
    return Entry(datetime.combine(on, block.starts, zone), datetime.combine(on, block.ends, zone), subject)
