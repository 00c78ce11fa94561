"""Control of the calendars: people answer invitations, and everything can be looked at as it is."""

from datetime import datetime
from typing import cast

from flask import Blueprint, Response, request

from ..tenant.directory import Person
from ..tenant.events import Attendee, Event, EventView
from ..tenant.refusals import Refused
from ..tenant.responses import RESPONSES, Answer
from .eventbody import read_instant
from .eventjson import stamp
from .odata import Json, body, current_tenant, respond
from .recurrence import recurrence_json

blueprint = Blueprint("calendar_control", __name__)


@blueprint.post("/control/people/<address>/reply")
def reply(address: str) -> Response:
    """{"uid", "response": accept|decline|tentativelyAccept, "occurrence_start"?, "comment"?, "proposed"?, "send"?}"""
    tenant, sent = current_tenant(), body()
    if sent.get("response") not in RESPONSES:
        raise Refused(400, "BadRequest", f"response is one of {', '.join(RESPONSES)}")
    start, proposed = sent.get("occurrence_start"), cast("list[str] | None", sent.get("proposed"))
    tenant.calendars.reply(
        tenant.directory.find(address) or address,
        uid=str(sent.get("uid")),
        response=cast(Answer, sent["response"]),
        occurrence_start=read_instant(str(start), "occurrence_start") if start else None,
        comment=str(sent.get("comment") or ""),
        proposed=_proposed(proposed),
        send=sent.get("send") is not False,
    )
    return respond({"replied": sent["response"]})


@blueprint.get("/control/people/<address>/calendar")
def show_calendar(address: str) -> Response:
    """Entries of one person between `from` and `to` (ISO instants)."""
    tenant = current_tenant()
    starts_at = read_instant(request.args.get("from", "1970-01-01"), "from")
    ends_at = read_instant(request.args.get("to", "2100-01-01"), "to")
    with tenant.lock:
        views = tenant.calendars.view(_person(address), starts_at, ends_at)
        return respond([_entry(view) for view in views])


@blueprint.get("/control/events")
def show_events() -> Response:
    """Ground truth: everything organized, with attendees, answers, instances and links."""
    tenant = current_tenant()
    with tenant.lock:
        events = [event for person in tenant.directory.people for event in tenant.calendars.series_of(person)]
        return respond([_series(event) for event in events])


@blueprint.post("/control/delta/expire")
def expire_delta_tokens() -> Response:
    """Every delta link of a calendar or a mail folder given out so far answers 410 from now on."""
    tenant = current_tenant()
    with tenant.lock:
        tenant.calendars.delta_generation += 1
        tenant.mailboxes.delta_generation += 1
    return respond({"generation": tenant.calendars.delta_generation})


def _person(address: str) -> Person:
    person = current_tenant().directory.find(address)
    if person is None:
        raise Refused(404, "NotFound", f"there is nobody called {address}")
    return person


def _proposed(sent: list[str] | None) -> tuple[datetime, datetime] | None:
    return (read_instant(sent[0], "proposed"), read_instant(sent[1], "proposed")) if sent else None


def _entry(view: EventView) -> Json:
    return {
        "id": view.immutable_id,
        "uid": view.event.uid,
        "type": view.type,
        "subject": view.subject,
        "starts_at": stamp(view.starts_at),
        "ends_at": stamp(view.ends_at),
        "original_start": stamp(view.original_start_at) if view.original_start_at else None,
        "show_as": view.show_as,
        "response": view.response,
        "is_organizer": view.is_organizer,
        "is_cancelled": view.is_cancelled,
        "organizer": view.event.organizer.mail,
        "join_url": view.join_url,
    }


def _series(event: Event) -> Json:
    horizon = max(current_tenant().clock.now(), event.content.ends_at)
    return {
        "id": event.master().immutable_id,
        "uid": event.uid,
        "organizer": event.owner.mail,
        "subject": event.content.subject,
        "transaction_id": event.transaction_id,
        "extended": event.extended,
        "body_html": event.content.body_html,
        "join_url": event.master().join_url,
        "join_urls": event.join_urls,
        "recurrence": recurrence_json(event.recurrence) if event.recurrence else None,
        "time_zone": event.content.time_zone,
        "attendees": [_attendee(one) for one in event.content.attendees],
        "instances": [
            _entry(view) | {"attendees": [_attendee(one) for one in view.attendees]}
            for view in event.views(until=horizon)
        ],
        "exceptions": [day.isoformat() for day in sorted(event.exceptions)],
        "cancelled": [day.isoformat() for day in sorted(event.cancelled_days)],
    }


def _attendee(attendee: Attendee) -> Json:
    return {
        "address": attendee.address,
        "name": attendee.name,
        "type": attendee.type,
        "response": attendee.response,
        "responded_at": stamp(attendee.responded_at) if attendee.responded_at else None,
        "proposed": [stamp(one) for one in attendee.proposed] if attendee.proposed else None,
    }
