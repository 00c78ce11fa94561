"""A time that suits everybody (pure).

Everyone has working hours on a wall of their own and busy blocks as instants. The weekly slot of a pod hangs on the
pod's wall, so in the weeks between two countries' clock changes it may fall outside somebody's hours: every meeting
of the program is looked at, not one week.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from integration.language import Wording, lazy
from integration.scheduling.recurrence import Expansion, PlannedOccurrence, expand, first_date

WEEKDAYS = (
    lazy("Monday"),
    lazy("Tuesday"),
    lazy("Wednesday"),
    lazy("Thursday"),
    lazy("Friday"),
    lazy("Saturday"),
    lazy("Sunday"),
)
GRID = timedelta(minutes=15)
COMPROMISES = 5
HUMANE = (time(7), time(20))  # outside of these nobody is invited, whatever their calendar says
BEST_HOUR = 10.5  # in the middle of the morning: people are awake and not yet at lunch
LUNCH = (time(12), time(13))
OFFICE_DAYS = frozenset(range(5))
OFFICE_HOURS = (time(9), time(17))


@dataclass(frozen=True)
class Availability:
    """When somebody can meet. ``busy`` are UTC instants, sorted by start; ``assumed`` says why hours were assumed."""

    mail: str
    time_zone: str
    weekdays: frozenset[int] = OFFICE_DAYS
    starts: time = OFFICE_HOURS[0]
    ends: time = OFFICE_HOURS[1]
    busy: tuple[tuple[datetime, datetime], ...] = ()
    assumed: Wording | None = None


@dataclass(frozen=True)
class Slot:
    """A weekly time on the pod's wall; ``starts_local`` is the first meeting. ``missing`` says who, and why."""

    starts_local: datetime
    time_zone: str
    missing: Mapping[str, Wording]
    conflicts: int  # meetings times people
    inhumane: tuple[str, ...] = ()  # for whom it is before seven or after eight in the evening, and no work

    @property
    def weekday(self) -> int:
        return self.starts_local.weekday()

    @property
    def is_common(self) -> bool:
        return self.conflicts == 0


@dataclass(frozen=True)
class Search:
    """What is to be placed: ``sessions`` weekly meetings of ``length`` from ``not_before`` on, after ``now``."""

    time_zone: str
    length: timedelta
    sessions: int
    not_before: date
    now: datetime
    holidays: frozenset[date] = frozenset()


def find_slots(people: Sequence[Availability], search: Search, *, limit: int = COMPROMISES) -> tuple[Slot, ...]:
    """The best slots, the best first: fewest conflicts over all weeks, then the most humane hour for those worst off.

    Slots that suit everybody have no conflicts. When there is none, these are the nearest compromises, each naming
    who would be missing. Nobody at all, or a length that fits no day: empty.
    """
    if not people:
        return ()
    slots = [slot for weekday in range(7) for slot in _slots_of(weekday, people, search)]
    return tuple(sorted(slots, key=lambda slot: _rank(slot, people))[:limit])


def pod_zone(people: Sequence[Availability]) -> str:
    """The zone most of them live in; of several the first in the alphabet."""
    zones = [one.time_zone for one in people]
    return min(set(zones), key=lambda zone: (-zones.count(zone), zone))


def _slots_of(weekday: int, people: Sequence[Availability], search: Search) -> Iterable[Slot]:
    """The slots of a weekday at which at least one of them works."""
    for wall in _grid(weekday, search):
        meetings = _meetings(wall, search)
        if not any(_works(one, meeting.starts_at, meeting.ends_at) for one in people for meeting in _ends(meetings)):
            continue
        absent = {one.mail: reason for one in people if (reason := _misses(one, meetings))}
        if len(absent) == len(people) and all(count == len(meetings.occurrences) for _, count in absent.values()):
            continue
        yield Slot(
            starts_local=wall,
            time_zone=search.time_zone,
            missing={mail: reason for mail, (reason, _) in absent.items()},
            conflicts=sum(count for _, count in absent.values()),
            inhumane=tuple(one.mail for one in people if _is_inhumane(one, meetings)),
        )


def _grid(weekday: int, search: Search) -> Iterable[datetime]:
    day = datetime.combine(first_date(weekday, not_before=search.not_before), time())
    zone = ZoneInfo(search.time_zone)
    for step in range(timedelta(days=1) // GRID):
        wall = day + step * GRID
        while wall.replace(tzinfo=zone) <= search.now:
            wall += timedelta(weeks=1)
        yield wall


@lru_cache(maxsize=4096)  # pods of one zone ask for the same weeks again and again
def _meetings(wall: datetime, search: Search) -> Expansion:
    return expand(
        wall,
        time_zone=search.time_zone,
        length=search.length,
        sessions=search.sessions,
        holidays=search.holidays,
    )


def _ends(meetings: Expansion) -> tuple[PlannedOccurrence, PlannedOccurrence]:
    """The first and the last meeting: where nobody works in either, nobody needs to be asked further."""
    return meetings.occurrences[0], meetings.occurrences[-1]


def _misses(one: Availability, meetings: Expansion) -> tuple[Wording, int] | None:
    """Why somebody cannot come, and to how many meetings; None when they can come to all."""
    outside = [meeting for meeting in meetings.occurrences if not _works(one, meeting.starts_at, meeting.ends_at)]
    if outside:
        local = outside[0].starts_at.astimezone(ZoneInfo(one.time_zone))
        reason = lazy(
            "outside their working hours (%(weekday)s %(time)s in %(zone)s)",
            weekday=WEEKDAYS[local.weekday()],
            time=local.time(),
            zone=one.time_zone,
        )
        return reason, len(outside)
    taken = [m.starts_at for m in meetings.occurrences if _is_busy(one.busy, m.starts_at, m.ends_at)]
    if not taken:
        return None
    local = taken[0].astimezone(ZoneInfo(one.time_zone))
    return lazy("busy on %(day)s", day=local.date()), len(taken)


def _works(one: Availability, starts_at: datetime, ends_at: datetime) -> bool:
    zone = ZoneInfo(one.time_zone)
    starts, ends = starts_at.astimezone(zone), ends_at.astimezone(zone)
    if one.starts > one.ends:  # a night shift: the evening of a working day, or the morning after one
        return _works_at_night(one, starts, ends)
    return (
        starts.weekday() in one.weekdays
        and starts.date() == ends.date()
        and starts.time() >= one.starts
        and ends.time() <= one.ends
    )


def _works_at_night(one: Availability, starts: datetime, ends: datetime) -> bool:
    day = starts.date() if starts.time() >= one.starts else starts.date() - timedelta(days=1)
    begins = datetime.combine(day, one.starts, tzinfo=starts.tzinfo)
    closes = datetime.combine(day + timedelta(days=1), one.ends, tzinfo=starts.tzinfo)
    return day.weekday() in one.weekdays and begins <= starts and ends <= closes


def _is_busy(busy: Sequence[tuple[datetime, datetime]], starts_at: datetime, ends_at: datetime) -> bool:
    before = bisect_left(busy, ends_at, key=lambda block: block[0])
    return any(until > starts_at for _, until in busy[:before])


def _is_inhumane(one: Availability, meetings: Expansion) -> bool:
    zone = ZoneInfo(one.time_zone)
    return any(
        not _is_humane(meeting.starts_at.astimezone(zone), meeting.ends_at.astimezone(zone))
        and not _works(one, meeting.starts_at, meeting.ends_at)
        for meeting in meetings.occurrences
    )


def _is_humane(starts: datetime, ends: datetime) -> bool:
    return starts.date() == ends.date() and HUMANE[0] <= starts.time() and ends.time() <= HUMANE[1]


def _rank(slot: Slot, people: Sequence[Availability]) -> tuple[int, int, float, int, datetime]:
    starts_at = slot.starts_local.replace(tzinfo=ZoneInfo(slot.time_zone))
    worst = max(_discomfort(starts_at.astimezone(ZoneInfo(one.time_zone))) for one in people)
    return slot.conflicts, len(slot.inhumane), worst, _awkward_day(slot.weekday), slot.starts_local


def _discomfort(local: datetime) -> float:
    hour = local.hour + local.minute / 60
    lunch = 2.0 if LUNCH[0] <= local.time() < LUNCH[1] else 0.0
    return abs(hour - BEST_HOUR) + lunch


def _awkward_day(weekday: int) -> int:
    """Mondays and Fridays lose the most meetings to long weekends."""
    return 0 if weekday in (1, 2, 3) else 1
