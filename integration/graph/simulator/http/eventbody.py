"""Bodies of event requests, read and checked as Graph does: JSON in, contents and amendments out."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import cast

from ..tenant import body as bodies
from ..tenant.editing import Amendment
from ..tenant.events import Attendee, Content, Overrides
from ..tenant.refusals import Refused, invalid
from ..tenant.series import Recurrence
from ..tenant.zones import iana, to_local, to_utc
from .odata import Json, known_properties
from .recurrence import read_recurrence

MOST_ATTENDEES = 500
CHOICES = {
    "showAs": ("free", "tentative", "busy", "oof", "workingElsewhere", "unknown"),
    "sensitivity": ("normal", "personal", "private", "confidential"),
    "importance": ("low", "normal", "high"),
}
BOOLEANS = ("isAllDay", "allowNewTimeProposals", "hideAttendees", "responseRequested", "isReminderOn")
PLAIN = (*CHOICES, *BOOLEANS, "reminderMinutesBeforeStart", "categories")
WITH_RULES = (
    "attendees",
    "body",
    "end",
    "isOnlineMeeting",
    "location",
    "locations",
    "onlineMeetingProvider",
    "recurrence",
    "singleValueExtendedProperties",
    "start",
    "subject",
    "transactionId",
)
READ_ONLY = (
    "bodyPreview",
    "cancelledOccurrences",
    "changeKey",
    "createdDateTime",
    "hasAttachments",
    "iCalUId",
    "id",
    "isCancelled",
    "isDraft",
    "isOrganizer",
    "lastModifiedDateTime",
    "onlineMeeting",
    "onlineMeetingUrl",
    "organizer",
    "originalEndTimeZone",
    "originalStart",
    "originalStartTimeZone",
    "responseStatus",
    "seriesMasterId",
    "type",
    "uid",
    "webLink",
)
PROPERTIES = frozenset((*PLAIN, *WITH_RULES, *READ_ONLY))
PLACE = ("displayName", "locationType", "uniqueId", "uniqueIdType", "address", "coordinates")
PLACE_FIELDS = (*PLACE, "locationEmailAddress", "locationUri")


def read_new(sent: Json) -> tuple[Content, Recurrence | None]:
    """The event a POST asks for. Raises Refused, or GraphFault for a property that does not exist."""
    known_properties(sent, PROPERTIES, "event")
    if "start" not in sent or "end" not in sent:
        raise invalid("Required properties 'start' and 'end' are missing.")
    overrides = _overrides(sent)
    content = Content(**overrides)
    _check_times(content)
    recurrence = read_recurrence(sent.get("recurrence"), starts=content.starts_local, zone=content.start_zone_name)
    return content, recurrence


def read_amendment(sent: Json, held: Content) -> Amendment:
    """The change a PATCH asks for; a start or end left out stays as `held`."""
    known_properties(sent, PROPERTIES, "event")
    overrides = _overrides(sent, held)
    named = frozenset(name for name in sent if name not in READ_ONLY and "@" not in name)
    starts = overrides.get("starts_local", held.starts_local)
    zone = overrides.get("start_zone_name", held.start_zone_name)
    return Amendment(
        overrides,
        named=named,
        recurrence=read_recurrence(sent.get("recurrence"), starts=starts, zone=zone),
        online=sent.get("isOnlineMeeting") is True,
        extended=read_extended(sent),
    )


def read_extended(sent: Json) -> dict[str, str]:
    """Extended properties by id, e.g. `String {guid} Name PodId`."""
    found: dict[str, str] = {}
    for one in _listed(sent, "singleValueExtendedProperties"):
        known_properties(one, ("id", "value"), "singleValueLegacyExtendedProperty")
        if not isinstance(one.get("id"), str) or not isinstance(one.get("value"), str):
            raise invalid("An extended property needs an id and a value.")
        found[cast(str, one["id"])] = cast(str, one["value"])
    return found


def read_times(sent: object, name: str) -> tuple[datetime, str, str]:
    """A dateTimeTimeZone as wall clock, IANA zone, and the zone name as written."""
    if not isinstance(sent, dict):
        raise invalid(f"The property '{name}' must be a dateTimeTimeZone.")
    value = {key[:1].lower() + key[1:]: one for key, one in sent.items()}
    known_properties(value, ("dateTime", "timeZone"), "dateTimeTimeZone")
    zone_name = str(value.get("timeZone") or "UTC")
    zone = zone_or_refuse(zone_name)
    text = str(value.get("dateTime", ""))
    try:
        at = datetime.fromisoformat(text[:26] if "." in text and text[-1].isdigit() else text)
    except ValueError as broken:
        raise invalid(f"The value '{text}' of property '{name}' is not a date and time.") from broken
    return (to_local(at, zone) if at.tzinfo else at), zone, zone_name


def read_proposal(sent: object) -> tuple[datetime, datetime] | None:
    """`proposedNewTime` of a reply: a timeSlot, its names in either case."""
    if sent is None:
        return None
    if not isinstance(sent, dict):
        raise invalid("The property 'proposedNewTime' must be a timeSlot.")
    slot = {key[:1].lower() + key[1:]: one for key, one in sent.items()}
    starts, ends = (read_times(slot.get(name), name) for name in ("start", "end"))
    return to_utc(starts[0], starts[1]), to_utc(ends[0], ends[1])


def zone_or_refuse(name: str) -> str:
    zone = iana(name)
    if zone is None:
        message = (
            f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."
        )
        raise Refused(400, "TimeZoneNotSupportedException", message)
    return zone


def read_instant(text: str, name: str) -> datetime:
    """A query value such as startDateTime: with an offset, or UTC without one."""
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as broken:
        message = f"The value '{text}' of parameter '{name}' is invalid."
        raise Refused(400, "ErrorInvalidParameter", message) from broken
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _overrides(sent: Json, held: Content | None = None) -> Overrides:
    overrides: Overrides = {**_read_period(sent, held), "properties": _properties(sent)}
    if "subject" in sent:
        overrides["subject"] = str(sent["subject"] or "")
    if "body" in sent:
        overrides["body_html"] = _body(sent["body"])
    if "attendees" in sent:
        overrides["attendees"] = _attendees(sent)
    return overrides


def _read_period(sent: Json, held: Content | None) -> Overrides:
    if "start" not in sent and "end" not in sent:
        return {}
    starts = (
        read_times(sent["start"], "start")
        if "start" in sent or held is None
        else (held.starts_local, held.time_zone, held.start_zone_name)
    )
    ends = (
        read_times(sent["end"], "end")
        if "end" in sent or held is None
        else (held.ends_local, held.time_zone, held.end_zone_name)
    )
    ends_local = ends[0]
    if ends[1] != starts[1]:
        ends_local = to_local(to_utc(ends[0], ends[1]), starts[1])
    return {
        "starts_local": starts[0],
        "ends_local": ends_local,
        "time_zone": starts[1],
        "start_zone_name": starts[2],
        "end_zone_name": ends[2],
    }


def _check_times(content: Content) -> None:
    if content.ends_at < content.starts_at:
        raise invalid("The end of an event cannot be before its start.")
    midnights = content.starts_local.time() == content.ends_local.time() == time()
    if content.get("isAllDay") and not (midnights and content.ends_local > content.starts_local):
        raise invalid("The start and end of an all-day event must be midnight in the same time zone.")


def _body(sent: object) -> str:
    if not isinstance(sent, dict):
        raise invalid("The property 'body' must be an itemBody.")
    known_properties(sent, ("contentType", "content"), "itemBody")
    kind = str(sent.get("contentType") or "text").lower()
    if kind not in ("html", "text"):
        raise invalid(f"The contentType '{kind}' is neither html nor text.")
    return bodies.stored(str(sent.get("content") or ""), is_html=kind == "html")


def _attendees(sent: Json) -> tuple[Attendee, ...]:
    listed = _listed(sent, "attendees")
    if len(listed) > MOST_ATTENDEES:
        raise Refused(400, "ErrorTooManyRecipients", f"An event takes {MOST_ATTENDEES} attendees at most.")
    read = [_attendee(one) for one in listed]
    return tuple({one.address.casefold(): one for one in read}.values())


def _attendee(sent: Json) -> Attendee:
    known_properties(sent, ("emailAddress", "type", "status", "proposedNewTime"), "attendee")
    email = sent.get("emailAddress")
    if not isinstance(email, dict) or "@" not in str(email.get("address") or ""):
        raise Refused(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
    known_properties(email, ("address", "name"), "emailAddress")
    kind = str(sent.get("type") or "required").lower()
    if kind not in ("required", "optional", "resource"):
        raise invalid(f"The attendee type '{kind}' is not one.")
    address = str(email["address"]).strip()
    return Attendee(address, str(email.get("name") or address), kind)


def _properties(sent: Json) -> dict[str, object]:
    kept = {name: sent[name] for name in PLAIN if name in sent and sent[name] is not None}
    for name, choices in CHOICES.items():
        if name in kept:
            kept[name] = _choice(name, str(kept[name]), choices)
    for name in BOOLEANS:
        if not isinstance(kept.get(name, False), bool):
            raise invalid(f"The property '{name}' must be true or false.")
    if not isinstance(kept.get("reminderMinutesBeforeStart", 0), int):
        raise invalid("The property 'reminderMinutesBeforeStart' must be a whole number.")
    if "categories" in kept:
        kept["categories"] = [str(one) for one in cast("list[object]", kept["categories"])]
    return kept | _places(sent)


def _choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    for choice in choices:
        if choice.lower() == value.lower():
            return choice
    raise Refused(400, "RequestBodyRead", f"Cannot convert the literal '{value}' to the expected type of '{name}'.")


def _places(sent: Json) -> dict[str, object]:
    """`location` replaces `locations`, whose first member it is."""
    listed = [_place(one) for one in _listed(sent, "locations")] if "locations" in sent else None
    if "location" in sent:
        place = sent["location"]
        first = _place(place) if isinstance(place, dict) and place.get("displayName") else None
        return {"location": first, "locations": listed if listed else [first] if first else []}
    return {} if listed is None else {"location": listed[0] if listed else None, "locations": listed}


def _place(sent: Json) -> dict[str, object]:
    known_properties(sent, PLACE_FIELDS, "location")
    name = str(sent.get("displayName") or "")
    given = {key: value for key, value in sent.items() if value is not None and "@" not in key}
    return {"locationType": "default", "uniqueId": name, "uniqueIdType": "private", **given, "displayName": name}


def _listed(sent: Mapping[str, object], name: str) -> list[Json]:
    value = sent.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise invalid(f"The property '{name}' must be a collection of objects.")
    return value
