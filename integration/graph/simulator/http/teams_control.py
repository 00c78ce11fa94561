"""Control of calls: who joins and leaves, and what really happened in them."""

from datetime import UTC, datetime
from typing import cast, get_args

from flask import Blueprint, Response, jsonify, request

from ..tenant.calls import KINDS, Call, JoinRequest
from ..tenant.refusals import Refused
from ..tenant.teams import OnlineMeeting, RunningReport
from .odata import current_tenant

blueprint = Blueprint("teams_control", __name__)


@blueprint.post("/control/calls/join")
def join() -> Response:
    """`admitted` is False for those who wait in the lobby, and for a join at a later instant (`at`)."""
    tenant = current_tenant()
    with tenant.lock:
        meeting, wanted = _wanted()
        admitted = tenant.teams.join(meeting, wanted)
    return jsonify({"admitted": admitted, "waiting": len(meeting.lobby.waiting)})


@blueprint.post("/control/calls/leave")
def leave() -> Response:
    tenant = current_tenant()
    with tenant.lock:
        meeting, wanted = _wanted()
        tenant.teams.leave(meeting, wanted)
    return jsonify({"running": meeting.running is not None})


@blueprint.get("/control/calls")
def list_calls() -> Response:
    """Every call that ever ran, oldest first, whatever reports say about it."""
    tenant = current_tenant()
    with tenant.lock:
        calls = [_shown(meeting, call) for meeting in tenant.teams.meetings.values() for call in meeting.calls]
    return jsonify(sorted(calls, key=lambda one: str(one["started_at"])))


@blueprint.get("/control/meetings")
def list_meetings() -> Response:
    tenant = current_tenant()
    with tenant.lock:
        shown = [
            {
                "id": one.id,
                "organizer": one.organizer.mail,
                "subject": one.subject,
                "join_url": one.join_url,
                "lobby_scope": one.lobby_scope,
                "waiting_in_lobby": [waiting.key for waiting in one.lobby.waiting],
                "report_delay_minutes": one.report_delay_minutes,
                "expires_at": one.expires_at.isoformat(),
            }
            for one in tenant.teams.meetings.values()
        ]
    return jsonify(shown)


@blueprint.post("/control/reports")
def order_reports() -> Response:
    """How the reports of one meeting (`join_url`) come; what is not named stays, null is as the switches say.

    `delay_minutes` from the end of a call (-1: never); `record_per_device`: a record for each device of a person;
    `while_running`: none, empty or partial.
    """
    sent, tenant = _sent(), current_tenant()
    delay, shown = sent.get("delay_minutes"), sent.get("while_running")
    if delay is not None and not isinstance(delay, int):
        raise Refused(400, "BadRequest", "delay_minutes is a whole number, -1 for never, or null.")
    if shown is not None and shown not in get_args(RunningReport):
        raise Refused(400, "BadRequest", f"while_running is one of {', '.join(get_args(RunningReport))}, or null.")
    with tenant.lock:
        meeting = _meeting(sent)
        if "delay_minutes" in sent:
            meeting.report_delay_minutes = delay
        if "while_running" in sent:
            meeting.running_report = cast("RunningReport | None", shown)
        if "record_per_device" in sent:
            wanted = sent["record_per_device"]
            meeting.record_per_device = None if wanted is None else bool(wanted)
        told = (meeting.report_delay_minutes, meeting.running_report, meeting.record_per_device)
    return jsonify(dict(zip(("delay_minutes", "while_running", "record_per_device"), told, strict=True)))


def _wanted() -> tuple[OnlineMeeting, JoinRequest]:
    sent, tenant = _sent(), current_tenant()
    mail, kind = sent.get("person"), sent.get("kind", "member")
    if kind not in KINDS:
        raise Refused(400, "BadRequest", f"kind is one of {', '.join(KINDS)}, not {kind!r}.")
    person = tenant.directory.find(str(mail)) if mail else None
    if mail and person is None:
        raise Refused(404, "NotFound", f"Nobody is called {mail!r}.")
    name = str(sent.get("name") or "")
    if person is None and not name:
        raise Refused(400, "BadRequest", "Say who: person (an address) or name.")
    at = datetime.fromisoformat(str(sent["at"])).astimezone(UTC) if sent.get("at") else tenant.clock.now()
    device = str(sent.get("device") or "computer")
    wanted = JoinRequest(at=at, kind=kind, person=person, name=name, device=device)  # type: ignore[arg-type]
    wanted.shows_address = bool(sent.get("shows_address", True))
    return _meeting(sent), wanted


def _meeting(sent: dict[str, object]) -> OnlineMeeting:
    meeting = current_tenant().teams.by_join_url(str(sent.get("join_url", "")))
    if meeting is None:
        raise Refused(404, "NotFound", f"No meeting behind {sent.get('join_url')!r}.")
    return meeting


def _sent() -> dict[str, object]:
    sent = request.get_json()
    if not isinstance(sent, dict):
        raise Refused(400, "BadRequest", "A JSON object is expected.")
    return sent


def _shown(meeting: OnlineMeeting, call: Call) -> dict[str, object]:
    return {
        "id": call.id,
        "join_url": meeting.join_url,
        "organizer": meeting.organizer.mail,
        "subject": meeting.subject,
        "started_at": call.started_at.isoformat(),
        "ended_at": call.ended_at.isoformat() if call.ended_at else None,
        "participants": [
            {
                "person": one.person.mail if one.person else None,
                "name": one.name,
                "kind": one.kind,
                "role": one.role,
                "intervals": [
                    {
                        "device": stay.device,
                        "joined_at": stay.joined_at.isoformat(),
                        "left_at": stay.left_at.isoformat() if stay.left_at else None,
                    }
                    for stay in one.connections
                ],
            }
            for one in call.participants.values()
        ],
    }
