"""Call events of a meeting while it runs: it started, its roster changed, it ended. Beta; facts 4."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .calls import JoinRequest, Participant

if TYPE_CHECKING:
    from .teams import OnlineMeeting
    from .tenant import Tenant

Json = dict[str, object]


@dataclass(frozen=True)
class Roster:
    """Who is inside the running call, and who waits for it."""

    call_id: str | None
    inside: dict[str, Participant]
    waiting: dict[str, JoinRequest]


def roster_of(meeting: "OnlineMeeting") -> Roster:
    call = meeting.running
    inside = {key: one for key, one in call.participants.items() if one.inside} if call else {}
    return Roster(call.id if call else None, inside, {one.key: one for one in meeting.lobby.waiting})


def tell_call_events(tenant: "Tenant", meeting: "OnlineMeeting", before: Roster, *, at: datetime) -> None:
    """To those who subscribed before the call began: a subscription made during a call hears nothing of it."""
    listening = [one for one in tenant.subscriptions.watching("meetingCallEvents") if one.watched.meeting is meeting]
    if not listening:
        return
    after = roster_of(meeting)
    call_id = after.call_id or before.call_id
    for event in _events(before, after, tenant=tenant):
        for one in listening:
            if one.deaf_to == call_id and call_id is not None:
                continue
            event_id = tenant.new_guid()
            content = _content(event, event_id, path=one.watched.path, at=at, tenant=tenant)
            subscriptions = tenant.subscriptions
            subscriptions.tell(one, item_id=event_id, change="updated", content=content if one.recipient else None)


def _events(before: Roster, after: Roster, *, tenant: "Tenant") -> list[Json]:
    events: list[Json] = []
    if before.call_id is None and after.call_id is not None:
        events.append({"event": "callStarted"})
    came = [_participant(one, tenant) for key, one in after.inside.items() if key not in before.inside]
    came += [_waiting(one, tenant) for key, one in after.waiting.items() if key not in before.waiting]
    left = [_participant(one, tenant, left=True) for key, one in before.inside.items() if key not in after.inside]
    if came or left:
        events.append({"event": "rosterUpdated", "participants@delta": came + left})
    if before.call_id is not None and after.call_id is None:
        events.append({"event": "callEnded"})
    return events


def _content(event: Json, event_id: str, *, path: str, at: datetime, tenant: "Tenant") -> Json:
    """The concept page says `eventType`, the schema `callEventType`: a switch."""
    content: Json = {
        "@odata.type": "#microsoft.graph.callEvent",
        "@odata.id": path,
        "id": event_id,
        tenant.switches.call_event_type_name: event["event"],
        "eventDateTime": at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z",
    }
    return content | {name: value for name, value in event.items() if name != "event"}


def _participant(one: Participant, tenant: "Tenant", *, left: bool = False) -> Json:
    told: Json = {
        "info": {"identity": _identity(one.person.id if one.person else None, one.name, one.kind, tenant)},
        "isInLobby": False,
        "id": one.id,
    }
    return told | ({"removedState": {"reason": "Participant has left the meeting call."}} if left else {})


def _waiting(one: JoinRequest, tenant: "Tenant") -> Json:
    name = one.person.name if one.person else one.name
    identity = _identity(one.person.id if one.person else None, name, one.kind, tenant)
    return {"info": {"identity": identity}, "isInLobby": True, "id": f"lobby-{one.key}"}


def _identity(person_id: str | None, name: str, kind: str, tenant: "Tenant") -> Json:
    if kind == "phone":
        return {"phone": {"id": name, "displayName": name}}
    if person_id is None:
        return {"guest": {"id": f"{kind}:{name}", "displayName": name}}
    return {"user": {"id": person_id, "displayName": name, "tenantId": tenant.id}}
