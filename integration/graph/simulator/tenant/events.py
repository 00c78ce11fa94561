"""Items of a calendar: singles and series with their exceptions, the organizer's and the attendees' copies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Literal, Protocol, TypedDict

from . import ids
from .directory import Person
from .series import Recurrence
from .zones import to_utc

ENDLESS_HORIZON = timedelta(days=400)


class OnlineMeeting(Protocol):
    """What the calendar knows of a Teams meeting."""

    @property
    def join_url(self) -> str: ...
    @property
    def thread_id(self) -> str: ...
    @property
    def conference_block_html(self) -> str: ...


@dataclass(frozen=True)
class Attendee:
    address: str
    name: str
    type: str = "required"
    response: str = "none"
    responded_at: datetime | None = None
    proposed: tuple[datetime, datetime] | None = None

    def asked_again(self) -> "Attendee":
        return replace(self, response="none", responded_at=None, proposed=None)


@dataclass(frozen=True)
class Content:
    """What an invitation carries. Times are wall clock in `time_zone` (IANA); the names are those once written.

    `properties` holds, in Graph's JSON shape, what the tenant keeps and gives back without any rule of its own.
    """

    starts_local: datetime
    ends_local: datetime
    time_zone: str
    start_zone_name: str
    end_zone_name: str
    subject: str = ""
    body_html: str = ""
    attendees: tuple[Attendee, ...] = ()
    meeting: OnlineMeeting | None = None
    properties: Mapping[str, object] = field(default_factory=dict)

    @property
    def starts_at(self) -> datetime:
        return to_utc(self.starts_local, self.time_zone)

    @property
    def ends_at(self) -> datetime:
        return to_utc(self.ends_local, self.time_zone)

    def attendee(self, address: str) -> Attendee | None:
        folded = address.casefold()
        return next((one for one in self.attendees if one.address.casefold() == folded), None)

    def get(self, name: str, default: object = None) -> object:
        return self.properties.get(name, default)


class Overrides(TypedDict, total=False):
    """The parts of Content that one occurrence, or one change, has of its own."""

    starts_local: datetime
    ends_local: datetime
    time_zone: str
    start_zone_name: str
    end_zone_name: str
    subject: str
    body_html: str
    attendees: tuple[Attendee, ...]
    meeting: OnlineMeeting | None
    properties: Mapping[str, object]


@dataclass(frozen=True)
class Exceptional:
    """What differs on one occurrence. What is not overridden follows the series; the attendee list never does.

    `by_reply`: nobody changed it, an answer to it alone is kept here; `unmarked` then still calls it an occurrence.
    `response` is an attendee copy's own answer; `hidden` when that answer took it off the calendar.
    """

    overrides: Overrides
    by_reply: bool = False
    unmarked: bool = False
    cancelled: bool = False
    hidden: bool = False
    response: str | None = None
    responded_at: datetime | None = None

    def content(self, series: Content) -> Content:
        return changed(series, self.overrides)


def changed(content: Content, overrides: Overrides) -> Content:
    properties = {**content.properties, **overrides.get("properties", {})}
    return replace(content, **{**overrides, "properties": properties})


@dataclass(eq=False)
class Event:
    """One item: a single, a series, or an occurrence that came without its series (`only_day`).

    `key` makes both forms of its id. `sequence` is the count of changes in its mailbox at its last one,
    `own_sequence` at the last one that was not about a single day.
    """

    key: str
    owner: Person
    organizer: Person
    uid: str
    content: Content
    created_at: datetime
    modified_at: datetime
    calendar_id: str
    recurrence: Recurrence | None = None
    exceptions: dict[date, Exceptional] = field(default_factory=dict)
    cancelled_days: set[date] = field(default_factory=set)
    only_day: date | None = None
    response: str = "organizer"
    responded_at: datetime | None = None
    hidden: bool = False
    cancelled: bool = False
    transaction_id: str | None = None
    meetings: list[OnlineMeeting] = field(default_factory=list)
    extended: dict[str, str] = field(default_factory=dict)
    sequence: int = 0
    own_sequence: int = 0
    former_days: set[date] = field(default_factory=set)
    day_sequences: dict[date, int] = field(default_factory=dict)
    _views: "list[EventView] | None" = field(default=None, repr=False)
    _known_until: datetime | None = field(default=None, repr=False)

    @property
    def is_organizer(self) -> bool:
        return self.owner is self.organizer

    @property
    def only_start_at(self) -> datetime | None:
        """The start of an occurrence that came without its series."""
        return self.content.starts_at if self.only_day else None

    @property
    def join_urls(self) -> list[str]:
        """Every link the item ever had, oldest first; old ones stay joinable."""
        return [meeting.join_url for meeting in self.meetings]

    def at(self, day: date) -> Content:
        exception = self.exceptions.get(day)
        return exception.content(self.content) if exception else self.content

    def master(self) -> "EventView":
        return EventView(self, None, None, self.content.starts_local, self.content.ends_local)

    def occurrence(self, day: date) -> "EventView | None":
        starts = self.planned_start(day)
        return next((view for view in self.views(until=starts) if view.day == day), None) if starts else None

    def views(self, *, until: datetime) -> "list[EventView]":
        """The single, or the occurrences in order of start; a series without end reaches at least to `until`."""
        if self.hidden:
            return []
        if self._views is None or (self._known_until is not None and until > self._known_until):
            self._known_until = until + ENDLESS_HORIZON if self.recurrence and self.recurrence.endless else None
            self._views = sorted(self._expand(self._known_until or until), key=lambda view: view.starts_at)
        return self._views

    def planned_start(self, day: date) -> datetime | None:
        """When the pattern has the occurrence of that day start; None for a single."""
        if self.recurrence is None:
            return None
        return to_utc(datetime.combine(day, self.content.starts_local.time()), self.content.time_zone)

    def forget_views(self) -> None:
        """After a change. Days shown so far are remembered, so that a delta round can tell of those that went."""
        self.former_days.update(view.day for view in self._views or () if view.day)
        self._views = None

    def days(self, *, until: datetime) -> tuple[date, ...]:
        """Days of the pattern, cancelled ones included."""
        if self.recurrence is None:
            return ()
        at = self.content.starts_local.time()
        return self.recurrence.days(at, until=until.date() + timedelta(days=1))

    def _expand(self, until: datetime) -> "Iterator[EventView]":
        if self.recurrence is None:
            yield self.master()
            return
        length = self.content.ends_local - self.content.starts_local
        at = self.content.starts_local.time()
        for day in self.days(until=until):
            if day in self.cancelled_days:
                continue
            starts = datetime.combine(day, at)
            exception = self.exceptions.get(day)
            if exception and exception.hidden:
                continue
            yield EventView(self, day, exception, *_own_times(exception, starts, starts + length))


def _own_times(exception: Exceptional | None, starts: datetime, ends: datetime) -> tuple[datetime, datetime]:
    if exception is None or "starts_local" not in exception.overrides:
        return starts, ends
    return exception.overrides["starts_local"], exception.overrides["ends_local"]  # type: ignore[return-value]


@dataclass(frozen=True)
class EventView:
    """One entry as a calendar shows it: a single, a series master (`day` None), an occurrence or an exception."""

    event: Event
    day: date | None
    exception: Exceptional | None
    starts_local: datetime
    ends_local: datetime

    @cached_property
    def content(self) -> Content:
        return self.exception.content(self.event.content) if self.exception else self.event.content

    @cached_property
    def starts_at(self) -> datetime:
        return to_utc(self.starts_local, self.time_zone)

    @cached_property
    def ends_at(self) -> datetime:
        return to_utc(self.ends_local, self.time_zone)

    @property
    def time_zone(self) -> str:
        return self.content.time_zone

    @property
    def shown_content(self) -> Content:
        """The content with the entry's own times."""
        return replace(self.content, starts_local=self.starts_local, ends_local=self.ends_local)

    @property
    def original_start_at(self) -> datetime | None:
        """The start the pattern gave the occurrence; None for a single or a series."""
        if self.day is None:
            return None
        at = datetime.combine(self.day, self.event.content.starts_local.time())
        return to_utc(at, self.event.content.time_zone)

    @property
    def type(self) -> Literal["singleInstance", "seriesMaster", "occurrence", "exception"]:
        if self.day is None:
            return "seriesMaster" if self.event.recurrence else "singleInstance"
        return "exception" if self.exception and not self.exception.unmarked else "occurrence"

    @property
    def immutable_id(self) -> str:
        return ids.immutable_id(self.event.key, self.day)

    @property
    def id(self) -> str:
        """The id that changes with the folder: what Graph gives without `IdType="ImmutableId"`."""
        return ids.rest_id(self.event.key, self.day)

    @property
    def uid(self) -> str:
        """iCalUId: one per occurrence, alike in every mailbox."""
        return ids.occurrence_uid(self.event.uid, self.day or self.event.only_day)

    @property
    def subject(self) -> str:
        return f"Canceled: {self.content.subject}" if self.is_cancelled else self.content.subject

    @property
    def is_cancelled(self) -> bool:
        return self.event.cancelled or bool(self.exception and self.exception.cancelled)

    @property
    def is_organizer(self) -> bool:
        return self.event.is_organizer

    @property
    def response(self) -> str:
        own = self.exception.response if self.exception else None
        return own or self.event.response

    @property
    def responded_at(self) -> datetime | None:
        return self.exception.responded_at if self.exception and self.exception.response else self.event.responded_at

    @property
    def show_as(self) -> str:
        """An attendee's copy is tentative until it is accepted; a cancelled one is free."""
        wanted = str(self.content.get("showAs", "busy"))
        if self.is_cancelled:
            return "free"
        if self.is_organizer or self.response == "accepted" or wanted == "free":
            return wanted
        return "free" if self.response == "declined" else "tentative"

    @property
    def is_private(self) -> bool:
        return self.content.get("sensitivity") in ("private", "confidential")

    @property
    def location(self) -> str:
        place = self.content.get("location")
        return str(place.get("displayName", "")) if isinstance(place, dict) else ""

    @property
    def join_url(self) -> str | None:
        return self.content.meeting.join_url if self.content.meeting else None

    @property
    def attendees(self) -> tuple[Attendee, ...]:
        return self.content.attendees

    @property
    def change_key(self) -> str:
        return f"NEXywgsVrkeNsFsyVyRrt{self.event.key[:4]}A{self.event.sequence:08x}=="

    @property
    def etag(self) -> str:
        return f'W/"{self.change_key}"'
