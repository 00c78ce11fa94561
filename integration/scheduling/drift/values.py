"""What is compared (pure): what we want of a series, what Outlook has of it, and a difference between the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from integration.graph.resources import CalendarEvent
from integration.scheduling.drift.kinds import Kind, Repair
from integration.scheduling.drift.matching import matched, pattern_start
from integration.scheduling.recurrence import WEEK, instant


@dataclass(frozen=True)
class WantedOccurrence:
    """``by_rule_at``: where the weekly rule has it; ``starts_at`` and ``ends_at``: where it is agreed to be.

    ``is_over``: it has ended, wherever it was, and is history.
    """

    id: int
    by_rule_at: datetime
    starts_at: datetime
    ends_at: datetime
    event_id: str | None
    takes_place: bool
    is_over: bool = False


@dataclass(frozen=True)
class WantedAttendee:
    """``was_invited``: Outlook has been seen to have them; ``held``: MAIL_ALLOWLIST does not name them."""

    address: str
    is_wanted: bool
    was_invited: bool
    held: bool = False
    is_guest: bool = False


@dataclass(frozen=True)
class Wanted:
    """A series as it is agreed. ``invitation_html`` is None while a new text is on its way."""

    organizer: str
    subject: str
    invitation_html: str | None
    starts_local: datetime
    time_zone: str  # IANA
    length: timedelta
    weeks: int
    join_url: str | None
    attendees: tuple[WantedAttendee, ...]
    occurrences: tuple[WantedOccurrence, ...]

    @property
    def mails_of_invitation(self) -> dict[str, int]:
        """Who gets how many mails when a meeting is made anew and invited to."""
        return {one.address: 1 for one in self.attendees if one.is_wanted and not one.held and not one.is_guest}


@dataclass(frozen=True)
class Found:
    """A series as Outlook has it; ``cancelled_on``: the dates whose meeting was deleted, where that was asked for."""

    event: CalendarEvent | None
    instances: tuple[CalendarEvent, ...] = ()
    cancelled_on: frozenset[date] = frozenset()


@dataclass(frozen=True)
class Difference:
    kind: Kind
    occurrence_id: int | None = None
    address: str | None = None
    wanted: Mapping[str, Any] = field(default_factory=dict)
    found: Mapping[str, Any] = field(default_factory=dict)
    repairs: tuple[Repair, ...] = (Repair.ADOPT,)
    mails: Mapping[str, int] = field(default_factory=dict)
    asks: bool = False  # never adopted unasked, whatever the policy of its kind


@dataclass(frozen=True)
class Comparison:
    """Both sides, with each instance beside its occurrence. Only made where there is an event."""

    wanted: Wanted
    event: CalendarEvent
    instances: tuple[CalendarEvent, ...]
    pairs: Mapping[int, CalendarEvent]  # by the id of our occurrence
    cancelled_on: frozenset[date]
    now: datetime

    @classmethod
    def of(cls, wanted: Wanted, found: Found, *, now: datetime) -> Comparison:
        assert found.event is not None
        pairs = matched(wanted.occurrences, found.instances, time_zone=wanted.time_zone)
        return cls(wanted, found.event, found.instances, pairs, found.cancelled_on, now)

    @property
    def exceptions(self) -> list[CalendarEvent]:
        """Those to come: each keeps its own attendees, and costs a mail when the series is changed."""
        return [one for one in self.instances if one.type == "exception" and pattern_start(one) > self.now]

    def mails_of_series_change(self) -> Counter[str]:
        """Who gets how many mails when the series itself is changed."""
        counted = Counter({one.address: 1 + self._deleted_to_come() for one in self.event.attendees})
        for exception in self.exceptions:
            counted.update(one.address for one in exception.attendees)
        return counted

    @property
    def pattern_may_be_written(self) -> bool:
        """Whether a new pattern takes nothing away: it cancels exceptions, and may bring back what was deleted."""
        return not self._deleted_to_come() and all(one.type != "exception" for one in self.instances)

    def _deleted_to_come(self) -> int:
        zone = ZoneInfo(self.event.time_zone or self.wanted.time_zone)
        first = self.event.starts_at.astimezone(zone).replace(tzinfo=None)
        rule = (instant(first + week * WEEK, zone.key) for week in range(self.wanted.weeks))
        to_come = sum(pattern_start(one) > self.now for one in self.instances)
        return max(0, sum(at > self.now for at in rule) - to_come)
