"""Events as Graph writes them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from ..tenant import body as bodies
from ..tenant import ids
from ..tenant.calendars import Calendar
from ..tenant.directory import Person
from ..tenant.events import Attendee, Content, EventView
from ..tenant.zones import to_local
from .eventbody import zone_or_refuse
from .odata import Json, preferences
from .permissions import has_role
from .recurrence import recurrence_json

NEVER = "0001-01-01T00:00:00Z"
NOWHERE: Json = {
    "displayName": "",
    "locationType": "default",
    "uniqueIdType": "unknown",
    "address": {},
    "coordinates": {},
}
DEFAULTS: Json = {
    "categories": [],
    "importance": "normal",
    "sensitivity": "normal",
    "isAllDay": False,
    "isReminderOn": True,
    "reminderMinutesBeforeStart": 15,
    "responseRequested": True,
    "allowNewTimeProposals": True,
    "hideAttendees": False,
}


@dataclass(frozen=True)
class Style:
    """How a request wants events written (its `Prefer` header), and whether it may see bodies (its roles)."""

    zone: str = "UTC"
    zone_name: str = "UTC"
    immutable: bool = False
    text: bool = False
    basic: bool = False

    @classmethod
    def asked(cls) -> "Style":
        wanted = preferences()
        name = wanted.get("outlook.timezone", "UTC")
        return cls(
            zone=zone_or_refuse(name),
            zone_name=name,
            immutable=wanted.get("idtype", "").lower() == "immutableid",
            text=wanted.get("outlook.body-content-type", "").lower() == "text",
            basic=not has_role("Calendars.Read", "Calendars.ReadWrite"),
        )

    @property
    def applied(self) -> dict[str, str]:
        """The `Preference-Applied` header, when anything was asked for."""
        wanted = preferences()
        parts = [f'outlook.timezone="{self.zone_name}"'] if "outlook.timezone" in wanted else []
        parts += ['IdType="ImmutableId"'] if self.immutable else []
        parts += [f'outlook.body-content-type="{"text" if self.text else "html"}"'] if self.text else []
        parts += [f"odata.maxpagesize={wanted['odata.maxpagesize']}"] if "odata.maxpagesize" in wanted else []
        return {"Preference-Applied": ", ".join(parts)} if parts else {}

    def id_of(self, view: EventView) -> str:
        return view.immutable_id if self.immutable else view.id

    def time(self, at: datetime) -> Json:
        return {"dateTime": f"{to_local(at, self.zone):%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": self.zone_name}


def event_json(view: EventView, style: Style) -> Json:
    """A whole event; what only `$select` or `$expand` bring is left out."""
    content, event = view.content, view.event
    item: Json = {
        "@odata.etag": view.etag,
        "id": style.id_of(view),
        "createdDateTime": stamp(event.created_at),
        "lastModifiedDateTime": stamp(event.modified_at),
        "changeKey": view.change_key,
        **{name: content.properties.get(name, default) for name, default in DEFAULTS.items()},
        "transactionId": event.transaction_id if view.is_organizer else None,
        "originalStartTimeZone": content.start_zone_name,
        "originalEndTimeZone": content.end_zone_name,
        "iCalUId": view.uid,
        "hasAttachments": False,
        "subject": view.subject,
        "isCancelled": view.is_cancelled,
        "isDraft": False,
        "isOrganizer": view.is_organizer,
        "seriesMasterId": series_master_id(view, style),
        "showAs": view.show_as,
        "type": view.type,
        "webLink": f"https://outlook.office365.com/owa/?itemid={quote(view.id)}&exvsurl=1&path=/calendar/item",
        "onlineMeetingUrl": None,
        "recurrence": recurrence_json(event.recurrence) if event.recurrence and view.day is None else None,
        "responseStatus": {"response": view.response, "time": stamp(view.responded_at)},
        "start": style.time(view.starts_at),
        "end": style.time(view.ends_at),
        "location": content.get("location") or NOWHERE,
        "locations": content.get("locations") or [],
        "attendees": [attendee_json(one, style) for one in _shown(view)],
        "organizer": {"emailAddress": {"name": event.organizer.name, "address": event.organizer.mail}},
        **_online(content),
    }
    if view.original_start_at is not None:
        item["originalStart"] = stamp(view.original_start_at)
    return item if style.basic else item | _body(content, style)


def reduced_json(view: EventView, style: Style) -> Json:
    """An occurrence that leaves the rest to its master."""
    return {
        "id": style.id_of(view),
        "seriesMasterId": series_master_id(view, style),
        "type": view.type,
        "start": style.time(view.starts_at),
        "end": style.time(view.ends_at),
    }


def series_master_id(view: EventView, style: Style) -> str | None:
    if view.day is None:
        return None
    return ids.immutable_id(view.event.key) if style.immutable else ids.rest_id(view.event.key)


def attendee_json(attendee: Attendee, style: Style) -> Json:
    item: Json = {
        "type": attendee.type,
        "status": {"response": attendee.response, "time": stamp(attendee.responded_at)},
        "emailAddress": {"name": attendee.name, "address": attendee.address},
    }
    if attendee.proposed:
        starts, ends = attendee.proposed
        item["proposedNewTime"] = {"start": style.time(starts), "end": style.time(ends)}
    return item


def extended_json(view: EventView, wanted: Callable[[str], bool]) -> list[Json]:
    """The extended properties asked for; attendees' copies carry none."""
    return [{"id": key, "value": value} for key, value in view.event.extended.items() if wanted(key)]


def cancelled_json(view: EventView, style: Style) -> list[str]:
    """`cancelledOccurrences` of a master: occurrence ids that end in the day."""
    return [f"OID.{style.id_of(view)}.{day.isoformat()}" for day in sorted(view.event.cancelled_days)]


def calendar_json(calendar: Calendar, owner: Person) -> Json:
    providers = ["teamsForBusiness"] if owner.teams else []
    return {
        "id": calendar.id,
        "name": calendar.name,
        "color": "auto",
        "hexColor": "",
        "isDefaultCalendar": calendar.primary,
        "changeKey": "NEXywgsVrkeNsFsyVyRrtAAAAAACOg==",
        "canShare": True,
        "canViewPrivateItems": True,
        "canEdit": True,
        "allowedOnlineMeetingProviders": providers,
        "defaultOnlineMeetingProvider": providers[0] if providers else "unknown",
        "isTallyingResponses": True,
        "isRemovable": not calendar.primary,
        "owner": {"name": owner.name, "address": owner.mail},
    }


def stamp(at: datetime | None) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}0Z" if at else NEVER


def _shown(view: EventView) -> tuple[Attendee, ...]:
    """With `hideAttendees`, an attendee sees only himself."""
    if view.is_organizer or not view.content.get("hideAttendees"):
        return view.attendees
    addresses = {address.casefold() for address in view.event.owner.addresses}
    return tuple(one for one in view.attendees if one.address.casefold() in addresses)


def _online(content: Content) -> Json:
    if content.meeting is None:
        return {"isOnlineMeeting": False, "onlineMeetingProvider": "unknown", "onlineMeeting": None}
    return {
        "isOnlineMeeting": True,
        "onlineMeetingProvider": "teamsForBusiness",
        "onlineMeeting": {"joinUrl": content.meeting.join_url},
    }


def _body(content: Content, style: Style) -> Json:
    shown = bodies.as_text(content.body_html) if style.text else content.body_html
    return {
        "bodyPreview": bodies.preview(content.body_html),
        "body": {"contentType": "text" if style.text else "html", "content": shown},
    }
