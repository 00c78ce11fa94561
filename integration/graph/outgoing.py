"""Our drafts and changes as the JSON that Graph takes. Wall clocks stay wall clocks; zones become Windows names."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from integration.graph.resources import Attendee, EventDraft, MailDraft, WeeklyRule
from integration.graph.translate import (
    WEEKDAYS,
    Wire,
    WireAddress,
    WireAttendee,
    WireBody,
    WireMoment,
    WireRecipient,
)

# A namespace of our own for named properties (MS-OXPROPS): it must never change, or no tagged item is found again.
TAG_PROPERTY = "String {6f1c3b52-8a0e-4c57-9d3e-2b7f4a916e08} Name PodsTag"
LIST_UNSUBSCRIBE_PROPERTY = "String 0x1045"
MESSAGE_CLASS_PROPERTY = "String 0x001A"  # PidTagMessageClass (MS-OXCMSG 2.2.1.3)
AUTO_RESPONSE_SUPPRESS_PROPERTY = "Integer 0x3FDF"
NO_OUT_OF_OFFICE_OR_AUTO_REPLY = "48"
MOST_HEADERS = 5
TEAMS = "teamsForBusiness"


class OutProperty(msgspec.Struct):
    id: str
    value: str


class OutPattern(Wire):
    type: str
    interval: int
    days_of_week: list[str]
    first_day_of_week: str


class OutRange(Wire):
    type: str
    start_date: str
    number_of_occurrences: int
    recurrence_time_zone: str


class OutRecurrence(Wire):
    pattern: OutPattern
    range: OutRange


class OutEvent(Wire):
    """What a create or a PATCH sends; None is not sent."""

    subject: str | None = None
    body: WireBody | None = None
    start: WireMoment | None = None
    end: WireMoment | None = None
    recurrence: OutRecurrence | None = None
    attendees: list[WireAttendee] | None = None
    is_online_meeting: bool | None = None
    online_meeting_provider: str | None = None
    allow_new_time_proposals: bool | None = None
    is_reminder_on: bool | None = None
    reminder_minutes_before_start: int | None = None
    categories: list[str] | None = None
    transaction_id: str | None = None
    single_value_extended_properties: list[OutProperty] | None = None


def event_out(draft: EventDraft, *, windows_zone: str) -> OutEvent:
    """Raises ValueError when a series does not start on its own first day."""
    if draft.weekly is not None and draft.weekly.starts_on != draft.starts_local.date():
        raise ValueError(f"the series starts on {draft.weekly.starts_on}, its first event on {draft.starts_local}")
    return OutEvent(
        subject=draft.subject,
        body=WireBody(content_type="html", content=draft.body_html),
        start=wall_out(draft.starts_local, windows_zone),
        end=wall_out(end_local(draft.starts_local, draft.length, draft.time_zone), windows_zone),
        recurrence=recurrence_out(draft.weekly, windows_zone) if draft.weekly else None,
        attendees=attendees_out(draft.attendees) or None,
        is_online_meeting=True if draft.online else None,
        online_meeting_provider=TEAMS if draft.online else None,
        allow_new_time_proposals=draft.allow_new_time_proposals,
        is_reminder_on=True,
        reminder_minutes_before_start=draft.reminder_minutes,
        categories=list(draft.categories) or None,
        transaction_id=draft.transaction_id,
        single_value_extended_properties=[OutProperty(TAG_PROPERTY, draft.tag)],
    )


def attendees_out(attendees: tuple[Attendee, ...]) -> list[WireAttendee]:
    """The whole list, since Graph replaces it as a whole."""
    return [
        WireAttendee(email_address=WireAddress(address=each.address, name=each.name or None), type=each.kind)
        for each in attendees
    ]


def html_out(content: str) -> WireBody:
    return WireBody(content_type="html", content=content)


def wall_out(local: datetime, windows_zone: str) -> WireMoment:
    if local.tzinfo is not None:
        raise ValueError(f"{local} carries a zone: a wall clock is naive and its zone stands beside it")
    return WireMoment(date_time=local.isoformat(timespec="seconds"), time_zone=windows_zone)


def utc_out(at: datetime) -> WireMoment:
    return WireMoment(
        date_time=at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds"), time_zone="UTC"
    )


def end_local(starts_local: datetime, length: timedelta, time_zone: str) -> datetime:
    """The wall clock ``length`` of real time later: an hour over a DST change ends at another wall time."""
    zone = ZoneInfo(time_zone)
    return (starts_local.replace(tzinfo=zone).astimezone(UTC) + length).astimezone(zone).replace(tzinfo=None)


def recurrence_out(rule: WeeklyRule, windows_zone: str) -> OutRecurrence:
    return OutRecurrence(
        pattern=OutPattern(
            type="weekly",
            interval=rule.interval,
            days_of_week=[WEEKDAYS[rule.starts_on.weekday()]],
            first_day_of_week="monday",
        ),
        range=OutRange(
            type="numbered",
            start_date=rule.starts_on.isoformat(),
            number_of_occurrences=rule.count,
            recurrence_time_zone=windows_zone,
        ),
    )


class OutHeader(msgspec.Struct):
    name: str
    value: str


class OutAttachment(Wire, kw_only=True):
    odata_type: str = msgspec.field(name="@odata.type")
    name: str
    content_type: str
    content_bytes: str
    content_id: str
    is_inline: bool


class OutMessage(Wire, kw_only=True):
    subject: str
    body: WireBody
    to_recipients: list[WireRecipient]
    reply_to: list[WireRecipient] | None = None
    internet_message_headers: list[OutHeader] | None = None
    attachments: list[OutAttachment] | None = None
    single_value_extended_properties: list[OutProperty]


def message_out(draft: MailDraft) -> OutMessage:
    """Raises ValueError for headers that Exchange refuses: names begin with x-, five at most."""
    return OutMessage(
        subject=draft.subject,
        body=html_out(draft.body_html),
        to_recipients=[_recipient(draft.to_address, draft.to_name)],
        reply_to=[_recipient(draft.reply_to)] if draft.reply_to else None,
        internet_message_headers=_headers(draft.headers) or None,
        attachments=[_picture(draft, at) for at in range(len(draft.pictures))] or None,
        single_value_extended_properties=_properties(draft),
    )


def _recipient(address: str, name: str = "") -> WireRecipient:
    return WireRecipient(email_address=WireAddress(address=address, name=name or None))


def _headers(headers: dict[str, str]) -> list[OutHeader]:
    wrong = [name for name in headers if not name.lower().startswith("x-")]
    if wrong or len(headers) > MOST_HEADERS:
        raise ValueError(
            f"{len(headers)} headers, {wrong} of them not beginning with x-: Exchange takes five x- headers"
        )
    return [OutHeader(name, value) for name, value in headers.items()]


def _picture(draft: MailDraft, at: int) -> OutAttachment:
    picture = draft.pictures[at]
    return OutAttachment(
        odata_type="#microsoft.graph.fileAttachment",
        name=picture.name,
        content_type=picture.content_type,
        content_bytes=base64.b64encode(picture.content).decode("ascii"),
        content_id=picture.content_id,
        is_inline=True,
    )


def _properties(draft: MailDraft) -> list[OutProperty]:
    found = [OutProperty(TAG_PROPERTY, draft.tag)]
    if draft.list_unsubscribe:
        # Bracketed as RFC 2369 wants it; Exchange writes the value as it is into the List-Unsubscribe header.
        found.append(OutProperty(LIST_UNSUBSCRIBE_PROPERTY, f"<{draft.list_unsubscribe.strip('<>')}>"))
    if draft.suppress_auto_replies:
        found.append(OutProperty(AUTO_RESPONSE_SUPPRESS_PROPERTY, NO_OUT_OF_OFFICE_OR_AUTO_REPLY))
    return found
