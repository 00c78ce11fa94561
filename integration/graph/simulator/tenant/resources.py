"""What can be subscribed to: resource strings, the roles they need, and how long a subscription may live."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, unquote

from .directory import Person
from .refusals import Refused

if TYPE_CHECKING:
    from .teams import OnlineMeeting
    from .tenant import Tenant

Collection = Literal["events", "messages", "callRecords", "meetingCallEvents"]
Change = Literal["created", "updated", "deleted"]

OUTLOOK_LIFECYCLE = ("reauthorizationRequired", "subscriptionRemoved", "missed")
_MAILBOX = re.compile(
    r"^users(?:/(?P<key>[^/(]+)|\('(?P<quoted>[^']+)'\))/"
    r"(?:mailFolders(?:/(?P<folder>[^/(]+)|\('(?P<folder_quoted>[^']+)'\))/)?(?P<what>events|messages)$",
    re.I,
)
_CALL_EVENTS = re.compile(
    r"^communications/onlineMeetings\(joinWebUrl='(?P<link>[^']+)'\)/meetingCallEvents$", re.I | re.S
)


@dataclass(frozen=True)
class Kind:
    """Rules of one sort of resource. Lifetimes are facts 5.7, lifecycle events facts 5.6."""

    roles: tuple[str, ...]
    longest: timedelta
    longest_with_data: timedelta
    lifecycle: tuple[str, ...]
    odata_type: str
    is_teams: bool = False

    def longest_for(self, *, with_data: bool) -> timedelta:
        return self.longest_with_data if with_data else self.longest


WEEK, DAY = timedelta(minutes=10_080), timedelta(minutes=1_440)
KINDS: dict[Collection, Kind] = {
    "events": Kind(("Calendars.Read", "Calendars.ReadWrite"), WEEK, DAY, OUTLOOK_LIFECYCLE, "#Microsoft.Graph.Event"),
    "messages": Kind(
        ("Mail.Read", "Mail.ReadWrite", "Mail.ReadBasic.All"),
        WEEK,
        DAY,
        OUTLOOK_LIFECYCLE,
        "#Microsoft.Graph.Message",
    ),
    "callRecords": Kind(
        ("CallRecords.Read.All",),
        timedelta(minutes=4_230),
        timedelta(minutes=4_230),
        ("reauthorizationRequired",),
        "#Microsoft.Graph.callrecord",
        is_teams=True,
    ),
    "meetingCallEvents": Kind(
        ("OnlineMeetings.Read.All", "OnlineMeetings.ReadWrite.All"),
        timedelta(minutes=4_320),
        timedelta(minutes=4_320),
        ("reauthorizationRequired",),
        "#microsoft.graph.callevent",
        is_teams=True,
    ),
}


@dataclass(frozen=True)
class Watched:
    """What a resource string names. `folder` is a well-known name; `select` is what data a notification carries."""

    collection: Collection
    person: Person | None = None
    folder: str | None = None
    meeting: "OnlineMeeting | None" = None
    select: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        return KINDS[self.collection]

    @property
    def path(self) -> str:
        """The address of its items, as notifications write it."""
        if self.meeting is not None:
            return f"communications/onlineMeetings(joinWebUrl='{self.meeting.join_url}')/meetingCallEvents"
        if self.person is None:
            return "communications/callRecords"
        return f"Users/{self.person.id}/{self.collection.capitalize()}"


def watched_by(tenant: "Tenant", resource: str, *, with_data: bool, beta: bool) -> Watched:
    """Raises Refused for a resource nobody can subscribe to here."""
    path, _, query = resource.lstrip("/").partition("?")
    if path.casefold().startswith("me/"):
        raise Refused(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    if path.casefold() == "communications/callrecords" and not query:
        if with_data:
            raise _unsupported("callRecords has no notifications with resource data.")
        return Watched("callRecords")
    found = _CALL_EVENTS.match(path) if beta else None
    if found is not None:
        return _call_events(tenant, found["link"], with_data=with_data)
    found = _MAILBOX.match(path)
    if found is None:
        raise _unsupported(f"resource {resource!r} is not supported.")
    return _of_mailbox(tenant, found, _selected(query, with_data=with_data))


def _of_mailbox(tenant: "Tenant", found: re.Match[str], select: tuple[str, ...]) -> Watched:
    key = found["key"] or found["quoted"]
    person = tenant.directory.find(key)
    if person is None or not person.exchange:
        raise Refused(404, "ResourceNotFound", f"No mailbox for {key!r}.")
    what: Collection = "events" if found["what"].casefold() == "events" else "messages"
    folder = found["folder"] or found["folder_quoted"]
    if folder and what == "events":
        raise _unsupported("folders hold messages, not events.")
    if what == "messages" and not tenant.writable(person):
        raise Refused(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    name = tenant.mailboxes.of(person).folder(folder) if folder else None
    return Watched(what, person, name, select=select)


def _call_events(tenant: "Tenant", link: str, *, with_data: bool) -> Watched:
    meeting = tenant.teams.by_join_url(unquote(link))
    if meeting is None or tenant.teams.expired(meeting):
        raise Refused(404, "NotFound", "No meeting was found for this joinWebUrl.")
    if tenant.switches.call_events_need_access_policy:
        tenant.teams.reachable(meeting.organizer)
    if not with_data and not tenant.switches.call_events_without_data:
        raise _unsupported("meetingCallEvents needs includeResourceData.")
    return Watched("meetingCallEvents", meeting=meeting)


def _selected(query: str, *, with_data: bool) -> tuple[str, ...]:
    """Outlook resources with data name what they want, and neither the body nor an order. Facts 5.5."""
    options = dict(parse_qsl(query, keep_blank_values=True))
    refused = sorted(options.keys() - {"$select"})
    if refused:
        raise _unsupported(f"the query option {refused[0]} is not supported in the resource of a subscription.")
    names = tuple(name.strip() for name in options.get("$select", "").split(",") if name.strip())
    if with_data and not names:
        raise _unsupported("a subscription with resource data needs $select in its resource.")
    bodies = [name for name in names if name.casefold() in ("body", "uniquebody")]
    if with_data and bodies:
        raise _unsupported(f"{bodies[0]} cannot be selected for notifications with resource data.")
    return names


def _unsupported(why: str) -> Refused:
    return Refused(400, "ExtensionError", f"Operation: Create; Exception: {why}")
