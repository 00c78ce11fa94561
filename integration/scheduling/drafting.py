"""From people and their calendars to pods with a slot, dates and facilitators (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Protocol
from zoneinfo import ZoneInfo

from integration.language import Wording, lazy
from integration.scheduling.grouping import Candidate, group
from integration.scheduling.recurrence import Expansion, expand
from integration.scheduling.rotation import rotation
from integration.scheduling.slots import COMPROMISES, Availability, Search, Slot, find_slots, pod_zone

REFERENCE = datetime(2026, 1, 1, 12, tzinfo=UTC)  # any year shows whether two zones keep the same time
EVERY = 7 * 96  # all slots of a week: the best bearable one may be far down the list
TAKEN = frozenset({"busy", "oof", "unknown"})  # a tentative meeting or another place of work keeps nobody away


class BusyLike(Protocol):
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...
    @property
    def status(self) -> str: ...


class HoursLike(Protocol):
    @property
    def weekdays(self) -> frozenset[int]: ...
    @property
    def starts(self) -> time: ...
    @property
    def ends(self) -> time: ...
    @property
    def time_zone(self) -> str | None: ...


class ScheduleLike(Protocol):
    """Somebody's free/busy, as the calendar service tells it."""

    @property
    def busy(self) -> Sequence[BusyLike]: ...
    @property
    def working_hours(self) -> HoursLike | None: ...
    @property
    def error(self) -> str | None: ...


@dataclass(frozen=True)
class Member:
    mail: str
    name: str
    department: str | None
    availability: Availability


@dataclass(frozen=True)
class Frame:
    """What the program asks for. ``first_number`` is the number of the first new pod."""

    size: int
    sessions: int
    length: timedelta
    not_before: date
    now: datetime
    holidays: frozenset[date] = frozenset()
    first_number: int = 1


@dataclass(frozen=True)
class PodDraft:
    """A pod as it would be. ``slot`` is None when no hour is bearable for all: then nothing is made."""

    name: str
    time_zone: str
    members: tuple[Member, ...]
    slot: Slot | None
    compromises: tuple[Slot, ...]  # what else there is, when nothing suits everybody
    meetings: Expansion | None
    facilitators: tuple[str, ...]  # mails, one per meeting
    problems: tuple[Wording, ...]


def availability_of(
    mail: str, schedule: ScheduleLike | None, *, time_zone: str | None, fallback: str
) -> Availability:
    """What we know of somebody's time, and in words what had to be assumed.

    ``time_zone`` is the person's, as the roster has it; ``fallback`` counts where nobody has told any.
    """
    if schedule is None or schedule.error:
        zone = time_zone or fallback
        reason = schedule.error if schedule and schedule.error else lazy("not asked")
        assumed = lazy("no readable calendar (%(reason)s): 9 to 17 in %(zone)s was assumed", reason=reason, zone=zone)
        return Availability(mail, zone, assumed=assumed)
    busy = tuple(sorted((block.starts_at, block.ends_at) for block in schedule.busy if block.status in TAKEN))
    hours = schedule.working_hours
    if hours is None or not hours.weekdays or hours.starts == hours.ends:
        zone = time_zone or fallback
        return Availability(
            mail, zone, busy=busy, assumed=lazy("no working hours: 9 to 17 in %(zone)s was assumed", zone=zone)
        )
    zone = _finer(hours.time_zone, time_zone) or fallback
    found = Availability(mail, zone, hours.weekdays, hours.starts, hours.ends, busy)
    if hours.time_zone or time_zone:
        return found
    return replace(found, assumed=lazy("no known time zone: %(zone)s was assumed", zone=zone))


def _finer(told: str | None, known: str | None) -> str | None:
    """Outlook's zone, or the roster's where both show the same wall: Outlook knows Zurich only as Berlin."""
    if told is None or known is None:
        return told or known
    return known if _same_wall(told, known) else told


@cache
def _same_wall(one: str, other: str) -> bool:
    noons = [REFERENCE + week * timedelta(weeks=1) for week in range(53)]
    return all(
        noon.astimezone(ZoneInfo(one)).utcoffset() == noon.astimezone(ZoneInfo(other)).utcoffset() for noon in noons
    )


def draft_pods(members: Iterable[Member], frame: Frame) -> tuple[PodDraft, ...]:
    """Everybody in a pod (fewer than two people make none), each pod with its best slot and its rotation."""
    by_mail = {member.mail: member for member in members}
    noon = datetime.combine(frame.not_before, time(12))
    candidates = [
        Candidate(member.mail, _offset_hours(member.availability.time_zone, noon), member.department)
        for member in by_mail.values()
    ]
    pods = group(candidates, size=frame.size)
    return tuple(
        _draft(f"Pod {frame.first_number + place:02d}", tuple(by_mail[one.mail] for one in pod), frame)
        for place, pod in enumerate(pods)
    )


def _offset_hours(time_zone: str, wall: datetime) -> float:
    offset = wall.replace(tzinfo=ZoneInfo(time_zone)).utcoffset() or timedelta()
    return offset / timedelta(hours=1)


def _draft(name: str, members: tuple[Member, ...], frame: Frame) -> PodDraft:
    people = [member.availability for member in members]
    zone = pod_zone(people)
    found = find_slots(people, _search(zone, frame), limit=EVERY)
    slot = next((one for one in found if not one.inhumane), None)
    meetings = _meetings(slot, frame) if slot else None
    mails = sorted(member.mail for member in members)
    return PodDraft(
        name=name,
        time_zone=zone,
        members=members,
        slot=slot,
        compromises=() if slot and slot.is_common else found[:COMPROMISES],
        meetings=meetings,
        facilitators=tuple(rotation(mails, len(meetings.occurrences))) if meetings else (),
        problems=tuple(_problems(members, slot=slot, meetings=meetings)),
    )


def _search(zone: str, frame: Frame) -> Search:
    return Search(
        time_zone=zone,
        length=frame.length,
        sessions=frame.sessions,
        not_before=frame.not_before,
        now=frame.now,
        holidays=frame.holidays,
    )


def _meetings(slot: Slot, frame: Frame) -> Expansion:
    return expand(
        slot.starts_local,
        time_zone=slot.time_zone,
        length=frame.length,
        sessions=frame.sessions,
        holidays=frame.holidays,
    )


def _problems(members: Sequence[Member], *, slot: Slot | None, meetings: Expansion | None) -> Iterable[Wording]:
    names = {member.mail: member.name for member in members}
    for member in members:
        if member.availability.assumed:
            yield lazy("%(name)s: %(assumed)s.", name=member.name, assumed=member.availability.assumed)
    if slot is None:
        yield lazy("No hour suits everybody between 07:00 and 20:00 of their day: nothing is created for this pod.")
        return
    for mail, reason in slot.missing.items():
        yield lazy("%(name)s cannot always come: %(reason)s.", name=names[mail], reason=reason)
    for meeting in meetings.occurrences if meetings else ():
        if meeting.note:
            yield meeting.note
