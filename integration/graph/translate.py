"""Graph's JSON <-> our resources: the one place where camelCase and Windows zone names are known.

What we send is in outgoing.py; meetings and attendance reports are in reports.py.

The wire types hold what we use of Graph's resources; whatever else comes is skipped while decoding.
https://learn.microsoft.com/graph/api/resources/event and the pages of the other resources.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time

import msgspec

from integration.graph.resources import (
    Attendee,
    BusyBlock,
    CalendarEvent,
    Message,
    Received,
    Response,
    Schedule,
    Subscription,
    User,
    WorkingHours,
)
from integration.graph.zones import aware, iana_name

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
UNSEEN_BEFORE = datetime(1900, 1, 1, tzinfo=UTC)  # Graph writes 0001-01-01 for "never"


class Wire(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """Properties in Graph's spelling; those never set are not sent."""


class WireMoment(Wire):
    date_time: str
    time_zone: str | None = None


class WireAddress(Wire):
    address: str | None = None
    name: str | None = None


class WireRecipient(Wire):
    email_address: WireAddress | None = None


class WireStatus(Wire):
    response: str | None = None
    time: datetime | None = None


class WireSlot(Wire):
    start: WireMoment
    end: WireMoment


class WireAttendee(Wire):
    email_address: WireAddress | None = None
    type: str | None = None
    status: WireStatus | None = None
    proposed_new_time: WireSlot | None = None


class WireBody(Wire):
    content_type: str = ""
    content: str | None = None


class WirePlace(Wire):
    display_name: str | None = None


class WireOnline(Wire):
    join_url: str | None = None


class WireEvent(Wire):
    id: str
    type: str | None = None
    subject: str | None = None
    body: WireBody | None = None
    start: WireMoment | None = None
    end: WireMoment | None = None
    original_start_time_zone: str | None = None
    original_start: datetime | None = None
    i_cal_uid: str | None = msgspec.field(default=None, name="iCalUId")
    change_key: str | None = None
    etag: str | None = msgspec.field(default=None, name="@odata.etag")
    organizer: WireRecipient | None = None
    location: WirePlace | None = None
    attendees: list[WireAttendee] | None = None
    online_meeting: WireOnline | None = None
    is_cancelled: bool | None = None
    is_organizer: bool | None = None
    series_master_id: str | None = None
    transaction_id: str | None = None
    web_link: str | None = None
    cancelled_occurrences: list[str] | None = None
    removed: dict[str, str] | None = msgspec.field(default=None, name="@removed")


def event_in(wire: WireEvent) -> CalendarEvent:
    """Raises ZoneUnsupported when start or end stand in a zone without rules, ValueError when they are missing."""
    if wire.start is None or wire.end is None:
        raise ValueError(f"the event {wire.id} came without start or end")
    return CalendarEvent(
        id=wire.id,
        type=wire.type or "singleInstance",
        subject=wire.subject or "",
        body_html=(wire.body.content if wire.body else None) or "",
        starts_at=aware(wire.start.date_time, wire.start.time_zone),
        ends_at=aware(wire.end.date_time, wire.end.time_zone),
        time_zone=iana_name(wire.original_start_time_zone),
        ical_uid=wire.i_cal_uid or "",
        change_key=wire.change_key or wire.etag or "",
        organizer=_address(wire.organizer) or "",
        attendees=tuple(_attendee_in(each) for each in wire.attendees or () if each.email_address),
        join_url=wire.online_meeting.join_url if wire.online_meeting else None,
        is_cancelled=bool(wire.is_cancelled),
        is_organizer=wire.is_organizer is not False,
        series_master_id=wire.series_master_id,
        original_start_at=seen(wire.original_start),
        transaction_id=wire.transaction_id,
        web_link=wire.web_link,
        location=(wire.location.display_name if wire.location else None) or "",
    )


def _attendee_in(wire: WireAttendee) -> Attendee:
    address = wire.email_address or WireAddress()
    status = wire.status or WireStatus()
    slot = wire.proposed_new_time
    return Attendee(
        address=(address.address or "").lower(),
        name=address.name or "",
        kind=wire.type or "required",
        response=_response(status.response),
        responded_at=seen(status.time),
        proposed=(_at(slot.start), _at(slot.end)) if slot else None,
    )


class WireItem(Wire, kw_only=True):
    status: str = "unknown"
    start: WireMoment
    end: WireMoment


class WireZone(Wire):
    name: str | None = None


class WireHours(Wire):
    days_of_week: list[str] | None = None
    start_time: str | None = None
    end_time: str | None = None
    time_zone: WireZone | None = None


class WireScheduleError(Wire):
    message: str | None = None
    response_code: str | None = None


class WireSchedule(Wire):
    schedule_id: str
    schedule_items: list[WireItem] | None = None
    working_hours: WireHours | None = None
    error: WireScheduleError | None = None


def schedule_in(wire: WireSchedule) -> Schedule:
    address = wire.schedule_id.lower()
    if wire.error is not None:
        words = wire.error.message or "no reason given"
        return Schedule(address, error=f"{wire.error.response_code}: {words}" if wire.error.response_code else words)
    # The statuses are trusted, not the availabilityView string: it writes "working elsewhere" as free.
    busy = [
        BusyBlock(_at(item.start), _at(item.end), item.status)
        for item in wire.schedule_items or ()
        if item.status != "free"
    ]
    return Schedule(address, busy=tuple(busy), working_hours=_hours(wire.working_hours))


def _hours(wire: WireHours | None) -> WorkingHours | None:
    if wire is None or not wire.days_of_week or not wire.start_time or not wire.end_time:
        return None
    return WorkingHours(
        weekdays=frozenset(WEEKDAYS.index(day.lower()) for day in wire.days_of_week),
        starts=time.fromisoformat(wire.start_time),
        ends=time.fromisoformat(wire.end_time),
        time_zone=iana_name(wire.time_zone.name) if wire.time_zone else None,
    )


class WireUser(Wire):
    id: str
    display_name: str | None = None
    mail: str | None = None
    user_principal_name: str | None = None
    department: str | None = None
    job_title: str | None = None
    preferred_language: str | None = None
    account_enabled: bool | None = None
    other_mails: list[str] | None = None


def user_in(wire: WireUser, *, teams_licensed: bool | None = None) -> User:
    return User(
        id=wire.id,
        name=wire.display_name or "",
        mail=wire.mail.lower() if wire.mail else None,
        user_principal_name=wire.user_principal_name or "",
        department=wire.department,
        job_title=wire.job_title,
        language=wire.preferred_language,
        enabled=wire.account_enabled is not False,
        other_mails=tuple(mail.lower() for mail in wire.other_mails or ()),
        teams_licensed=teams_licensed,
    )


class WireHeader(Wire):
    name: str
    value: str | None = None


class WireProperty(Wire):
    id: str
    value: str | None = None


class WireMessage(Wire):
    id: str
    odata_type: str | None = msgspec.field(default=None, name="@odata.type")
    is_draft: bool | None = None
    subject: str | None = None
    sender: WireRecipient | None = None
    from_: WireRecipient | None = msgspec.field(default=None, name="from")
    to_recipients: list[WireRecipient] | None = None
    sent_date_time: datetime | None = None
    received_date_time: datetime | None = None
    response_type: str | None = None
    body: WireBody | None = None
    conversation_id: str | None = None
    internet_message_id: str | None = None
    has_attachments: bool | None = None
    proposed_new_time: WireSlot | None = None
    internet_message_headers: list[WireHeader] | None = None
    single_value_extended_properties: list[WireProperty] | None = None
    removed: dict[str, object] | None = msgspec.field(default=None, name="@removed")


def message_in(wire: WireMessage, *, body: bool = False) -> Message:
    recipients = [_address(each) for each in wire.to_recipients or ()]
    return Message(
        id=wire.id,
        is_draft=bool(wire.is_draft),
        subject=wire.subject or "",
        sender=_address(wire.from_) or _address(wire.sender),
        recipients=tuple(address for address in recipients if address),
        sent_at=seen(wire.sent_date_time),
        received_at=seen(wire.received_date_time),
        kind=message_kind(wire),
        response=Response(wire.response_type) if wire.response_type in set(Response) else None,
        body_html=wire.body.content if body and wire.body else None,
        conversation_id=wire.conversation_id,
        internet_message_id=wire.internet_message_id,
    )


def received_in(wire: WireMessage, *, class_property: str, tag_property: str) -> Received:
    """A message that was asked for with its headers and these two extended properties."""
    author = wire.from_ or wire.sender
    return Received(
        id=wire.id,
        internet_message_id=wire.internet_message_id or "",
        conversation_id=wire.conversation_id or "",
        sender=(_address(author) or "").lower(),
        sender_name=(author.email_address.name if author and author.email_address else None) or "",
        subject=wire.subject or "",
        received_at=seen(wire.received_date_time),
        kind=message_kind(wire),
        message_class=_property(wire, class_property) or "",
        headers={each.name.lower(): each.value or "" for each in wire.internet_message_headers or ()},
        tag=_property(wire, tag_property),
        text=(wire.body.content if wire.body else None) or "",
        has_attachments=bool(wire.has_attachments),
        proposes=wire.proposed_new_time is not None,
    )


def message_kind(wire: WireMessage) -> str:
    """message | eventMessageRequest | eventMessageResponse | eventMessage"""
    return (wire.odata_type or "message").rsplit(".", 1)[-1]


def _property(wire: WireMessage, wanted: str) -> str | None:
    """Graph answers with other cases and fewer zeros than it was asked with: "String 0x1a" for "String 0x001A"."""
    found = wire.single_value_extended_properties or ()
    return next((each.value for each in found if _plain_id(each.id) == _plain_id(wanted)), None)


def _plain_id(property_id: str) -> str:
    return re.sub(r"\b0x0*", "0x", property_id.lower())


class WireSubscription(Wire, kw_only=True):
    id: str
    resource: str = ""
    change_type: str = ""
    notification_url: str | None = None
    expiration_date_time: datetime


def subscription_in(wire: WireSubscription) -> Subscription:
    expires_at = wire.expiration_date_time.astimezone(UTC)
    return Subscription(wire.id, wire.resource, wire.change_type, wire.notification_url or "", expires_at)


def _at(moment: WireMoment) -> datetime:
    return aware(moment.date_time, moment.time_zone)


def seen(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    placed = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return placed.astimezone(UTC) if placed > UNSEEN_BEFORE else None


def _address(recipient: WireRecipient | None) -> str | None:
    if recipient is None or recipient.email_address is None or not recipient.email_address.address:
        return None
    return recipient.email_address.address.lower()


def _response(word: str | None) -> Response:
    return Response(word) if word in set(Response) else Response.NONE
