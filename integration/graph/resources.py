"""What we and Microsoft Graph tell each other, in our own frozen words.

Instants are aware and in UTC; a wall clock is naive and stands beside its IANA zone. Windows zone names, camelCase
and SDK types never leave this package. The names are Graph's resource types:
https://learn.microsoft.com/graph/api/overview
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum


class Response(StrEnum):
    """An attendee's answer (Graph's responseType)."""

    NONE = "none"
    ORGANIZER = "organizer"
    TENTATIVE = "tentativelyAccepted"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    NOT_RESPONDED = "notResponded"


# --- events


@dataclass(frozen=True)
class Attendee:
    """One attendee of an event; ``response`` and what follows are set by the server."""

    address: str
    name: str = ""
    kind: str = "required"  # required | optional | resource
    response: Response = Response.NONE
    responded_at: datetime | None = None
    proposed: tuple[datetime, datetime] | None = None


@dataclass(frozen=True)
class WeeklyRule:
    """Every ``interval`` weeks on the weekday of ``starts_on``, ``count`` times (RFC 5545, RRULE)."""

    starts_on: date
    count: int
    interval: int = 1


@dataclass(frozen=True)
class EventDraft:
    """An event to be created, silently when ``attendees`` is empty.

    ``transaction_id`` makes a repeated create harmless; ``tag`` is our own id, kept as an extended property, by which
    the event can be found again. ``starts_local`` is a wall clock in ``time_zone`` (IANA).
    """

    subject: str
    body_html: str
    starts_local: datetime
    length: timedelta
    time_zone: str
    transaction_id: str
    tag: str
    weekly: WeeklyRule | None = None
    online: bool = True
    attendees: tuple[Attendee, ...] = ()
    categories: tuple[str, ...] = ()
    allow_new_time_proposals: bool = True
    reminder_minutes: int = 15


@dataclass(frozen=True)
class EventChanges:
    """What a PATCH writes; what is None is not sent at all."""

    subject: str | None = None
    body_html: str | None = None
    starts_local: datetime | None = None
    length: timedelta | None = None  # needs starts_local
    time_zone: str | None = None  # needs starts_local
    weekly: WeeklyRule | None = None  # needs starts_local; a new pattern takes every exception away
    attendees: tuple[Attendee, ...] | None = None
    online: bool = False  # True: make it a Teams meeting (again)


@dataclass(frozen=True)
class CalendarEvent:
    """An event as Outlook has it: a single instance, a series master, an occurrence or an exception."""

    id: str
    type: str  # singleInstance | seriesMaster | occurrence | exception
    subject: str
    body_html: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str | None  # IANA, of originalStartTimeZone; None when Outlook's name has no counterpart
    ical_uid: str
    change_key: str
    organizer: str  # address
    attendees: tuple[Attendee, ...]
    join_url: str | None
    is_cancelled: bool = False
    is_organizer: bool = True
    series_master_id: str | None = None
    original_start_at: datetime | None = None
    transaction_id: str | None = None
    web_link: str | None = None
    location: str = ""


@dataclass(frozen=True)
class RemovedEvent:
    """An id that a delta round says is gone (``@removed``)."""

    id: str


@dataclass(frozen=True)
class EventDelta:
    """One whole round of calendarView/delta; ``link`` is opaque, private and starts the next round."""

    changed: tuple[CalendarEvent, ...]
    removed: tuple[RemovedEvent, ...]
    link: str


# --- availability


@dataclass(frozen=True)
class BusyBlock:
    starts_at: datetime
    ends_at: datetime
    status: str  # tentative | busy | oof | workingElsewhere | unknown; free blocks are left out


@dataclass(frozen=True)
class WorkingHours:
    """Working hours on the wall of ``time_zone`` (IANA; None when Outlook names a custom zone: then unknown)."""

    weekdays: frozenset[int]  # Monday is 0
    starts: time
    ends: time
    time_zone: str | None


@dataclass(frozen=True)
class Schedule:
    """A person's free/busy; ``error`` says in Graph's words why there is none (then nothing else is set)."""

    address: str
    busy: tuple[BusyBlock, ...] = ()
    working_hours: WorkingHours | None = None
    error: str | None = None


# --- people


@dataclass(frozen=True)
class User:
    """A user account of the directory."""

    id: str  # object id
    name: str
    mail: str | None
    user_principal_name: str
    department: str | None = None
    job_title: str | None = None
    language: str | None = None
    enabled: bool = True
    other_mails: tuple[str, ...] = ()
    teams_licensed: bool | None = None  # None: not asked for


# --- Teams meetings


@dataclass(frozen=True)
class OnlineMeeting:
    id: str
    join_url: str
    thread_id: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class CallRecord:
    """A call that has ended; ``join_url`` is None for one that was no meeting."""

    id: str
    join_url: str | None
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True)
class AttendanceInterval:
    joined_at: datetime
    left_at: datetime


@dataclass(frozen=True)
class AttendanceRecord:
    """One identity in a report. ``object_id`` is an Entra object id for people of the tenant, else whatever came."""

    id: str
    object_id: str | None
    name: str | None
    address: str | None
    role: str | None
    total_seconds: int
    intervals: tuple[AttendanceInterval, ...]


@dataclass(frozen=True)
class ReportHead:
    """One call of a meeting, as the list of reports shows it (records never stand in the list)."""

    id: str
    starts_at: datetime | None
    ends_at: datetime | None
    participants: int


@dataclass(frozen=True)
class AttendanceReport:
    id: str
    starts_at: datetime | None
    ends_at: datetime | None
    participants: int
    records: tuple[AttendanceRecord, ...]


# --- mail


@dataclass(frozen=True)
class InlinePicture:
    """A picture shown in the mail by ``<img src="cid:content_id">``."""

    content_id: str
    content_type: str
    content: bytes
    name: str


@dataclass(frozen=True)
class MailDraft:
    """A mail to one person. ``tag`` is our id, kept as an extended property, by which the draft is found again.

    ``list_unsubscribe`` is an URL or mailto; ``suppress_auto_replies`` asks Exchange for no out-of-office answers.
    """

    to_address: str
    to_name: str
    subject: str
    body_html: str
    tag: str
    pictures: tuple[InlinePicture, ...] = ()
    reply_to: str | None = None
    list_unsubscribe: str | None = None
    suppress_auto_replies: bool = True
    headers: dict[str, str] = field(default_factory=dict)  # names begin with x-, five at most


@dataclass(frozen=True)
class Message:
    """A message in one of our own mailboxes."""

    id: str
    is_draft: bool
    subject: str
    sender: str | None
    recipients: tuple[str, ...]
    sent_at: datetime | None
    received_at: datetime | None
    kind: str  # message | eventMessageRequest | eventMessageResponse | eventMessage
    response: Response | None = None
    body_html: str | None = None  # only when asked for
    conversation_id: str | None = None
    internet_message_id: str | None = None


@dataclass(frozen=True)
class Received:
    """A message in an inbox of ours, read whole. ``text`` is its body as Exchange writes it in plain text.

    ``kind`` as in ``Message``; ``message_class`` is Exchange's own (IPM.Note, REPORT.IPM.Note.NDR, ...), empty when
    it was not told; ``headers`` are the internet headers by lower-case name, of plain messages only; ``tag`` is ours,
    on mails that we wrote; ``proposes``: a meeting reply that proposes another time.
    """

    id: str
    internet_message_id: str
    conversation_id: str
    sender: str  # lower case; empty when nobody is named
    sender_name: str
    subject: str
    received_at: datetime | None
    kind: str
    message_class: str
    headers: Mapping[str, str]
    tag: str | None
    text: str
    has_attachments: bool = False
    proposes: bool = False


@dataclass(frozen=True)
class Arrival:
    """A message that appeared or changed in a folder; ``kind`` as in ``Message``."""

    id: str
    kind: str


@dataclass(frozen=True)
class MessageDelta:
    """What appeared or changed in a folder, each message once; ``link`` starts the next round."""

    arrivals: tuple[Arrival, ...]
    link: str


# --- subscriptions


@dataclass(frozen=True)
class Subscription:
    id: str
    resource: str
    change_type: str
    notification_url: str
    expires_at: datetime


@dataclass(frozen=True)
class Batched:
    """The answer to one part of a $batch: its status and JSON body."""

    status: int
    body: object
