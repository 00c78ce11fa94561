"""/communications/callRecords: what calls were, with participants and sessions. Facts 4."""

import re

from flask import Blueprint, Response, request

from ..tenant.callrecords import CallRecord
from ..tenant.calls import Connection, Participant
from ..tenant.directory import Person
from ..tenant.refusals import Refused
from .eventjson import stamp
from .odata import Json, collection, context_url, current_tenant, refuse_options, respond, select
from .permissions import allowed

blueprint = Blueprint("call_records", __name__)

_ONE = "/v1.0/communications/callRecords/<record_id>"
PARTICIPANTS_PER_PAGE = 130
_EXPANDABLE = ("organizer_v2", "participants_v2", "sessions", "sessions($expand=segments)")
_WIDE = "#microsoft.graph.communicationsIdentitySet"
_PLATFORMS = {"computer": "windows", "phone": "ipPhone", "mobile": "iOS", "web": "web", "room": "roomSystem"}


@blueprint.get("/v1.0/communications/callRecords")
@allowed("GET /communications/callRecords")
def list_records() -> Response:
    return collection(
        [_json(one) for one in current_tenant().teams.records.all()],
        context="communications/callRecords",
        type_name="callRecord",
        filters={"startDateTime": "eq ge gt le lt"},
        default_page=60,
        next_by="$skiptoken",
    )


@blueprint.get(_ONE)
@allowed("GET /communications/callRecords/{callRecord-id}")
def get_record(record_id: str) -> Response:
    """`$expand` takes organizer_v2, participants_v2, sessions and sessions($expand=segments)."""
    refuse_options({"$select", "$expand"})
    record = current_tenant().teams.records.find(record_id)
    item = _json(record)
    for name in _expansions():
        plain = name.partition("(")[0]
        item |= {plain: _expanded(record, name)}
        if plain == "participants_v2" and len(_participants(record)) > PARTICIPANTS_PER_PAGE:
            item["participants_v2@odata.nextLink"] = (
                f"{request.base_url}/participants_v2?$skiptoken={PARTICIPANTS_PER_PAGE}"
            )
    context = context_url("communications/callRecords/$entity")
    return respond({"@odata.context": context, **select(item, type_name="callRecord")})


@blueprint.get(f"{_ONE}/sessions")
@allowed("GET /communications/callRecords/{callRecord-id}/sessions")
def list_sessions(record_id: str) -> Response:
    record = current_tenant().teams.records.find(record_id)
    segments = "segments" in request.args.get("$expand", "")
    return collection(
        _sessions(record, with_segments=segments),
        context=f"communications/callRecords('{record.id}')/sessions",
        type_name="session",
        options=("$expand",),
        default_page=60,
        next_by="$skiptoken",
    )


@blueprint.get(f"{_ONE}/participants_v2")
@allowed("GET /communications/callRecords/{callRecord-id}/participants_v2")
def list_participants(record_id: str) -> Response:
    record = current_tenant().teams.records.find(record_id)
    return collection(
        [_participant_v2(one) for one in _participants(record)],
        context=f"communications/callRecords('{record.id}')/participants_v2",
        type_name="participant",
        default_page=PARTICIPANTS_PER_PAGE,
        next_by="$skiptoken",
    )


def _expansions() -> list[str]:
    sent = request.args.get("$expand", "")
    names = [name.strip() for name in re.split(r",(?![^()]*\))", sent) if name.strip()]
    for name in names:
        if name not in _EXPANDABLE:
            raise Refused(400, "BadRequest", f"Could not expand {name!r}; there are {', '.join(_EXPANDABLE)}.")
    return names


def _expanded(record: CallRecord, name: str) -> object:
    if name == "organizer_v2":
        organizer = record.meeting.organizer
        return {"id": organizer.id, "identity": {"user": _user(organizer)}, "administrativeUnitInfos": []}
    if name == "participants_v2":
        return [_participant_v2(one) for one in _participants(record)[:PARTICIPANTS_PER_PAGE]]
    return _sessions(record, with_segments="segments" in name)


def _json(record: CallRecord) -> Json:
    return {
        "id": record.id,
        "version": record.version,
        "type": "groupCall",
        "modalities": ["audio", "video"],
        "lastModifiedDateTime": stamp(record.modified_at),
        "startDateTime": stamp(record.started_at),
        "endDateTime": stamp(record.ended_at),
        "joinWebUrl": record.meeting.join_url,
        "organizer": {"user": _identity_of(record.meeting.organizer)},
        "participants": [_identity_set(one) for one in _participants(record)],
    }


def _participants(record: CallRecord) -> list[Participant]:
    """Each once, however often the call was opened."""
    found: dict[str, Participant] = {}
    for call in record.calls:
        for key, one in call.participants.items():
            found.setdefault(key, one)
    return list(found.values())


def _participant_v2(one: Participant) -> Json:
    return {"id": one.id, "identity": _identity_set(one), "administrativeUnitInfos": []}


def _sessions(record: CallRecord, *, with_segments: bool) -> list[Json]:
    stays = [(one, stay) for call in record.calls for one in call.participants.values() for stay in one.connections]
    return [_session(one, stay, number, with_segments=with_segments) for number, (one, stay) in enumerate(stays)]


def _session(one: Participant, stay: Connection, number: int, *, with_segments: bool) -> Json:
    """A stay of one device: between it and the service that holds the call."""
    session_id = f"{one.id[:-4]}{(int(one.id[-4:], 16) + number) % 0x10000:04x}"
    platform = _PLATFORMS.get(stay.device, "unknown")
    caller = {
        "@odata.type": "#microsoft.graph.callRecords.participantEndpoint",
        "identity": _identity_set(one),
        "userAgent": {
            "@odata.type": "#microsoft.graph.callRecords.clientUserAgent",
            "headerValue": "CallSignalingAgent",
            "platform": platform,
            "productFamily": "teams",
        },
    }
    callee = {
        "@odata.type": "#microsoft.graph.callRecords.serviceEndpoint",
        "userAgent": {
            "@odata.type": "#microsoft.graph.callRecords.serviceUserAgent",
            "headerValue": None,
            "role": "mediaController",
        },
    }
    session: Json = {
        "id": session_id,
        "modalities": ["audio"],
        "startDateTime": stamp(stay.joined_at),
        "endDateTime": stamp(stay.left_at or stay.joined_at),
        "isTest": False,
        "failureInfo": None,
        "caller": caller,
        "callee": callee,
    }
    if with_segments:
        of_sessions = ("modalities", "isTest")
        session["segments"] = [{name: value for name, value in session.items() if name not in of_sessions}]
    return session


def _identity_set(one: Participant) -> Json:
    if one.person is not None and one.kind != "masked":
        return {"user": _identity_of(one.person)}
    if one.kind == "phone":
        return {"@odata.type": _WIDE, "phone": {"id": one.name, "displayName": None}}
    name = None if one.kind == "masked" else one.name
    return {"@odata.type": _WIDE, "guest": {"id": one.id, "displayName": name}}


def _identity_of(person: Person) -> Json:
    return {"id": person.id, "displayName": person.name, "tenantId": current_tenant().id}


def _user(person: Person) -> Json:
    return {
        "@odata.type": "#microsoft.graph.callRecords.userIdentity",
        "id": person.id,
        "displayName": person.name,
        "userPrincipalName": person.mail,
    }
