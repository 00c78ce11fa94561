"""What people do with an event: cancel, accept, decline, tentatively accept, dismiss."""

from datetime import datetime

from flask import Blueprint, Response, request

from ..tenant import editing
from ..tenant.events import EventView
from ..tenant.refusals import Refused
from ..tenant.responses import Answer
from .eventbody import read_proposal
from .eventjson import Style
from .events import at_each_address, find_event
from .odata import Json, body, current_tenant, known_properties, respond, writable_mailbox

blueprint = Blueprint("eventactions", __name__)


@at_each_address(blueprint, "/<event>/cancel", method="POST")
def cancel_event(user: str, event: str, calendar_id: str | None = None) -> Response:
    owner, sent = writable_mailbox(user), _sent()
    known_properties(sent, ("comment",), "event")
    view = find_event(owner, event, Style.asked())
    editing.cancel(current_tenant().calendars, view, comment=str(sent.get("comment") or ""))
    return respond(status=202)


@at_each_address(blueprint, "/<event>/accept", method="POST")
def accept_event(user: str, event: str, calendar_id: str | None = None) -> Response:
    return _answer(user, event, "accept", ("comment", "sendResponse"))


@at_each_address(blueprint, "/<event>/decline", method="POST")
def decline_event(user: str, event: str, calendar_id: str | None = None) -> Response:
    return _answer(user, event, "decline", ("comment", "sendResponse", "proposedNewTime"))


@at_each_address(blueprint, "/<event>/tentativelyAccept", method="POST")
def tentatively_accept_event(user: str, event: str, calendar_id: str | None = None) -> Response:
    return _answer(user, event, "tentativelyAccept", ("comment", "sendResponse", "proposedNewTime"))


@at_each_address(blueprint, "/<event>/permanentDelete", method="POST")
def purge_event(user: str, event: str, calendar_id: str | None = None) -> Response:
    view = find_event(writable_mailbox(user), event, Style.asked())
    editing.delete(current_tenant().calendars, view)
    return respond(status=204)


@at_each_address(blueprint, "/<event>/dismissReminder", method="POST")
def dismiss_reminder(user: str, event: str, calendar_id: str | None = None) -> Response:
    find_event(writable_mailbox(user), event, Style.asked())
    return respond(status=200)


def _answer(user: str, event: str, answer: Answer, allowed_fields: tuple[str, ...]) -> Response:
    owner, sent = writable_mailbox(user), _sent()
    known_properties(sent, allowed_fields, "event")
    view = find_event(owner, event, Style.asked())
    if view.is_organizer:
        message = "Your request can't be completed. You can't respond to this meeting because you're the organizer."
        raise Refused(400, "ErrorInvalidRequest", message)
    current_tenant().calendars.reply(
        owner,
        uid=view.event.uid,
        response=answer,
        occurrence_start=_occurrence(view),
        comment=str(sent.get("comment") or ""),
        proposed=read_proposal(sent.get("proposedNewTime")),
        send=str(sent.get("sendResponse", True)).lower() != "false",
    )
    return respond(status=202)


def _occurrence(view: EventView) -> datetime | None:
    return view.original_start_at or view.event.only_start_at


def _sent() -> Json:
    """The body, names in either case; it may be missing."""
    return {key[:1].lower() + key[1:]: value for key, value in body().items()} if request.get_data() else {}
