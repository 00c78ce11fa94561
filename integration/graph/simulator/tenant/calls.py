"""Calls behind a join link: the lobby, joins and leaves, devices. One call lasts from first in to last out."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, get_args

from .directory import Person
from .refusals import Refused

if TYPE_CHECKING:
    from .teams import OnlineMeeting
    from .tenant import Tenant

Kind = Literal["member", "guest", "federated", "anonymous", "phone", "room", "masked"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass
class JoinRequest:
    """Somebody with a device: a `person` of the directory, or a `name` (of a guest, or a telephone number).

    Without `shows_address` the report knows the account, but not its address.
    """

    at: datetime
    kind: Kind
    person: Person | None = None
    name: str = ""
    device: str = "computer"
    shows_address: bool = True
    meeting_id: str = ""

    @property
    def key(self) -> str:
        return self.person.id if self.person else f"{self.kind}:{self.name}"


@dataclass
class Connection:
    """One stay of one device."""

    device: str
    joined_at: datetime
    left_at: datetime | None = None


@dataclass
class Participant:
    id: str
    kind: Kind
    person: Person | None
    name: str
    role: Literal["Organizer", "Presenter", "Attendee"]
    shows_address: bool = True
    connections: list[Connection] = field(default_factory=list)

    @property
    def elsewhere(self) -> tuple[str, str] | None:
        """Object id and tenant id of somebody from a federated organization."""
        if self.kind != "federated":
            return None
        domain = self.name.rpartition("@")[2] if "@" in self.name else "federated.example"
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, self.name)), str(uuid.uuid5(uuid.NAMESPACE_DNS, domain))

    @property
    def inside(self) -> bool:
        return any(one.left_at is None for one in self.connections)


@dataclass
class Call:
    id: str
    started_at: datetime
    ended_at: datetime | None = None
    changed_at: datetime | None = None
    participants: dict[str, Participant] = field(default_factory=dict)

    @property
    def inside(self) -> list[Participant]:
        return [one for one in self.participants.values() if one.inside]


@dataclass
class Lobby:
    waiting: list[JoinRequest] = field(default_factory=list)


def join_call(meeting: "OnlineMeeting", request: JoinRequest, *, tenant: "Tenant") -> bool:
    """Whether the person got in; else they wait in the lobby and do not count. Raises Refused (409) for an
    instant before something that already happened in the call."""
    _in_order(meeting, request.at)
    open_from_inside = tenant.switches.lobby_opened_from_inside
    admitted = passes_lobby(meeting, request) or (open_from_inside and _lets_in(meeting))
    if not admitted:
        meeting.lobby.waiting.append(request)
        return False
    _enter(meeting, request, tenant=tenant)
    if open_from_inside and _lets_in(meeting):
        waiting, meeting.lobby.waiting = meeting.lobby.waiting, []
        for one in waiting:
            one.at = request.at
            _enter(meeting, one, tenant=tenant)
    return True


def leave_call(meeting: "OnlineMeeting", request: JoinRequest, *, missing_ok: bool = False) -> None:
    """The device leaves; the call ends with the last one. Raises Refused (409) when it is not in the call."""
    before = len(meeting.lobby.waiting)
    same = (request.key, request.device)
    meeting.lobby.waiting = [one for one in meeting.lobby.waiting if (one.key, one.device) != same]
    if len(meeting.lobby.waiting) < before:
        return
    call = meeting.running
    participant = call.participants.get(request.key) if call else None
    stays = [] if participant is None else [one for one in participant.connections if one.left_at is None]
    stay = next((one for one in stays if one.device == request.device), None)
    if call is None or stay is None:
        if missing_ok:
            return
        raise Refused(409, "Conflict", f"{request.key} is not in this call with {request.device!r}.")
    _in_order(meeting, request.at)
    stay.left_at = call.changed_at = request.at
    if not call.inside:
        call.ended_at = request.at


def passes_lobby(meeting: "OnlineMeeting", request: JoinRequest) -> bool:
    """Lobby rules by scope (facts 18): service-account organizer and scope `organizer` admit nobody."""
    scope, kind = meeting.lobby_scope, request.kind
    if request.person is not None and request.person is meeting.organizer:
        return True
    if scope == "everyone":
        return True
    if kind == "phone":
        return meeting.dial_in_bypasses_lobby
    if scope == "invited":
        return request.person is not None and _listed(meeting, request.person) is not None
    if scope == "organizer" or kind == "anonymous":
        return False
    if kind == "federated":
        return scope == "organizationAndFederated"
    return kind != "guest" or scope != "organizationExcludingGuests"


def _lets_in(meeting: "OnlineMeeting") -> bool:
    """Attendees cannot admit anybody."""
    return meeting.running is not None and any(one.role != "Attendee" for one in meeting.running.inside)


def _enter(meeting: "OnlineMeeting", request: JoinRequest, *, tenant: "Tenant") -> None:
    if meeting.running is None:
        meeting.calls.append(Call(id=tenant.new_guid(), started_at=request.at))
    call = meeting.calls[-1]
    known = call.participants.get(request.key)
    if known is None:
        known = Participant(
            id=tenant.new_guid(),
            kind=request.kind,
            person=request.person,
            name=request.person.name if request.person else request.name,
            role=_role(meeting, request),
            shows_address=request.shows_address,
        )
        call.participants[request.key] = known
    same_device = [one for one in known.connections if one.device == request.device and one.left_at is None]
    if not same_device:
        known.connections.append(Connection(request.device, request.at))
    call.changed_at = request.at


def _role(meeting: "OnlineMeeting", request: JoinRequest) -> Literal["Organizer", "Presenter", "Attendee"]:
    person, allowed = request.person, meeting.settings["allowedPresenters"]
    if person is not None and person is meeting.organizer:
        return "Organizer"
    listed = _listed(meeting, person) if person else None
    named = listed is not None and listed.get("role") in ("presenter", "coorganizer")
    of_us = request.kind in ("member", "room", "masked")
    everyone = allowed == "everyone" and request.kind != "phone"
    presents = everyone or (allowed == "organization" and of_us) or (allowed == "roleIsPresenter" and named)
    return "Presenter" if presents else "Attendee"


def _listed(meeting: "OnlineMeeting", person: Person) -> dict[str, object] | None:
    ours = {address.casefold() for address in person.addresses}
    return next((one for one in meeting.attendees if str(one.get("upn", "")).casefold() in ours), None)


def _in_order(meeting: "OnlineMeeting", at: datetime) -> None:
    last = meeting.calls[-1].changed_at if meeting.calls else None
    if last is not None and at < last:
        raise Refused(
            409, "Conflict", f"Something happened in this call at {last.isoformat()}, after {at.isoformat()}."
        )
