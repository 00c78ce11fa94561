"""Calendars and events of a mailbox: list, read, create, change, take away."""

import json
import re
from collections.abc import Callable

from flask import Blueprint, Response, request

from ..tenant import editing, ids
from ..tenant.calendars import Calendar
from ..tenant.directory import Person
from ..tenant.events import EventView
from ..tenant.refusals import Refused, item_not_found
from .eventbody import PROPERTIES, read_amendment, read_extended, read_new
from .eventjson import Style, calendar_json, cancelled_json, event_json, extended_json
from .odata import (
    GraphFault,
    Json,
    body,
    collection,
    context_url,
    current_tenant,
    mailbox_owner,
    refuse_options,
    respond,
    select,
    selected,
    writable_mailbox,
)
from .permissions import allowed

blueprint = Blueprint("events", __name__)

EVENTS = "/users/{user-id}/events"
FILTERS = {
    "start/dateTime": "eq ge gt le lt",
    "end/dateTime": "eq ge gt le lt",
    "createdDateTime": "eq ge gt le lt",
    "lastModifiedDateTime": "eq ge gt le lt",
    "subject": "eq ne startswith contains",
    "iCalUId": "eq",
    "type": "eq ne",
    "isOrganizer": "eq ne",
    "isCancelled": "eq ne",
    "isOnlineMeeting": "eq ne",
    "seriesMasterId": "eq",
    "importance": "eq",
    "showAs": "eq ne",
    "categories": "any",
    "singleValueExtendedProperties": "any",
}
ORDERS = ("start/dateTime", "end/dateTime", "subject", "createdDateTime", "lastModifiedDateTime")
EXPANDABLE = re.compile(r"(singleValueExtendedProperties|exceptionOccurrences)(?:\((.*)\))?", re.S)
NAMED_PROPERTY = re.compile(r"\b(?:\w+/)?id\s+eq\s+'((?:[^']|'')*)'")


def at_each_address(
    blueprint: Blueprint, rule: str, *, method: str
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Registers a view at /events, /calendar/events and /calendars/{id}/events of a user."""

    def register(view: Callable[..., Response]) -> Callable[..., Response]:
        checked = allowed(f"{method} {EVENTS}{rule.replace('<event>', '{event-id}')}")(view)
        for number, prefix in enumerate(("", "/calendar", "/calendars/<calendar_id>")):
            address = f"/v1.0/users/<user>{prefix}/events{rule}"
            blueprint.add_url_rule(address, f"{view.__name__}_{number}", checked, methods=[method])
        return view

    return register


@blueprint.get("/v1.0/users/<user>/calendars")
@allowed("GET /users/{user-id}/calendars")
def list_calendars(user: str) -> Response:
    owner = mailbox_owner(user)
    calendars = current_tenant().calendars.mailbox(owner).calendars.values()
    items = [calendar_json(one, owner) for one in calendars]
    return collection(items, context=f"users('{user}')/calendars", type_name="calendar", filters={"name": "eq"})


@blueprint.post("/v1.0/users/<user>/calendars")
@allowed("POST /users/{user-id}/calendars")
def create_calendar(user: str) -> Response:
    owner = writable_mailbox(user)
    name = str(body().get("name") or "")
    if not name:
        raise GraphFault(400, "ErrorInvalidRequest", "A calendar needs a name.")
    made = calendar_json(current_tenant().calendars.add_calendar(owner, name), owner)
    context = context_url(f"users('{user}')/calendars/$entity")
    return respond({"@odata.context": context, **made}, 201)


@blueprint.get("/v1.0/users/<user>/calendar")
@blueprint.get("/v1.0/users/<user>/calendars/<calendar_id>")
@allowed("GET /users/{user-id}/calendar")
def get_calendar(user: str, calendar_id: str | None = None) -> Response:
    refuse_options({"$select"})
    owner = mailbox_owner(user)
    found = calendar_or_404(owner, calendar_id) or current_tenant().calendars.mailbox(owner).primary
    shown = select(calendar_json(found, owner), type_name="calendar")
    return respond({"@odata.context": context_url(f"users('{user}')/calendar/$entity"), **shown})


@at_each_address(blueprint, "", method="GET")
def list_events(user: str, calendar_id: str | None = None) -> Response:
    owner, style = mailbox_owner(user), Style.asked()
    calendar = calendar_or_404(owner, calendar_id)
    tenant, wanted = current_tenant(), _properties_named(request.args.get("$filter", ""))
    views = list(tenant.calendars.items(owner, calendar_id=calendar.id if calendar else None))
    if wanted:
        views = [view for view in views if any(_same_property(key, wanted) for key in view.event.extended)]
    by_id = {view.immutable_id: view for view in views}
    expanded, plain = _expansions(), Style(immutable=True, basic=True)
    items = [_filterable(view, plain, wanted) for view in views]
    answer = collection(
        items,
        context=f"users('{user}')/events",
        type_name="event",
        filters=FILTERS,
        orders=ORDERS,
        known=PROPERTIES,
        options=("$expand",),
        show=lambda item: _whole(by_id[str(item["id"])], style, expanded),
    )
    answer.headers.extend(style.applied)
    return answer


@at_each_address(blueprint, "/$count", method="GET")
def count_events(user: str, calendar_id: str | None = None) -> Response:
    refuse_options(())
    owner = mailbox_owner(user)
    calendar = calendar_or_404(owner, calendar_id)
    found = current_tenant().calendars.items(owner, calendar_id=calendar.id if calendar else None)
    return Response(str(len(list(found))), content_type="text/plain")


@at_each_address(blueprint, "", method="POST")
def create_event(user: str, calendar_id: str | None = None) -> Response:
    owner, style, sent = writable_mailbox(user), Style.asked(), body()
    calendar, tenant = calendar_or_404(owner, calendar_id), current_tenant()
    content, recurrence = read_new(sent)
    transaction_id, canonical = sent.get("transactionId"), json.dumps(sent, sort_keys=True)
    if isinstance(transaction_id, str):
        earlier = tenant.calendars.created_by(owner, transaction_id, canonical)
        if earlier is not None:
            return _created(user, earlier.master(), style)
    event = tenant.calendars.create(
        owner,
        content,
        recurrence=recurrence,
        calendar_id=calendar.id if calendar else None,
        extended=read_extended(sent),
    )
    if isinstance(transaction_id, str):
        tenant.calendars.remember(owner, transaction_id, event, sent=canonical)
    editing.schedule(tenant.calendars, event, online=sent.get("isOnlineMeeting") is True)
    return _created(user, event.master(), style)


@at_each_address(blueprint, "/<event>", method="GET")
def get_event(user: str, event: str, calendar_id: str | None = None) -> Response:
    refuse_options({"$select", "$expand"})
    owner, style = mailbox_owner(user), Style.asked()
    return _answer(user, find_event(owner, event, style), style)


@at_each_address(blueprint, "/<event>", method="PATCH")
def update_event(user: str, event: str, calendar_id: str | None = None) -> Response:
    owner, style, sent = writable_mailbox(user), Style.asked(), body()
    view, tenant = find_event(owner, event, style), current_tenant()
    _check_etag(view)
    amendment = read_amendment(sent, view.shown_content)
    editing.amend(tenant.calendars, view, amendment)
    return _answer(user, tenant.calendars.find(owner, view.immutable_id), style)


@at_each_address(blueprint, "/<event>", method="DELETE")
def delete_event(user: str, event: str, calendar_id: str | None = None) -> Response:
    owner = writable_mailbox(user)
    view = find_event(owner, event, Style.asked())
    _check_etag(view)
    editing.delete(current_tenant().calendars, view)
    return respond(status=204)


def calendar_or_404(owner: Person, calendar_id: str | None) -> Calendar | None:
    if calendar_id is None:
        return None
    found = current_tenant().calendars.mailbox(owner).calendars.get(calendar_id)
    if found is None:
        raise item_not_found()
    return found


def find_event(owner: Person, event_id: str, style: Style) -> EventView:
    """The item an id names; 404 ErrorItemNotFound, also for the other form of the id when the tenant insists."""
    tenant = current_tenant()
    if not tenant.switches.both_id_forms_are_found and ids.is_immutable(event_id) != style.immutable:
        raise item_not_found()
    return tenant.calendars.find(owner, event_id)


def _created(user: str, view: EventView, style: Style) -> Response:
    """Extended properties are not echoed."""
    shown = {"@odata.context": context_url(f"users('{user}')/events/$entity"), **event_json(view, style)}
    location = f"{request.host_url}v1.0/users/{user}/events/{style.id_of(view)}"
    return respond(shown, 201, {"Location": location, **style.applied})


def _answer(user: str, view: EventView, style: Style) -> Response:
    shown = select(_whole(view, style, _expansions()), type_name="event", known=PROPERTIES)
    context = context_url(f"users('{user}')/events/$entity")
    return respond({"@odata.context": context, **shown}, headers=style.applied)


def _whole(view: EventView, style: Style, expanded: dict[str, str]) -> Json:
    item = event_json(view, style)
    names = selected() or []
    if "cancelledOccurrences" in names:
        item["cancelledOccurrences"] = cancelled_json(view, style)
    if "exceptionOccurrences" in expanded:
        item["exceptionOccurrences@odata.context"] = context_url("exceptionOccurrences")
        item["exceptionOccurrences"] = [event_json(one, style) for one in _exceptions(view)]
        names.append("exceptionOccurrences")
    if "singleValueExtendedProperties" in expanded:
        wanted = _properties_named(expanded["singleValueExtendedProperties"])
        found = extended_json(view, lambda key: not wanted or _same_property(key, wanted))
        if found:
            item["singleValueExtendedProperties@odata.context"] = context_url("singleValueExtendedProperties")
            item["singleValueExtendedProperties"] = found
    return item


def _exceptions(view: EventView) -> list[EventView]:
    found = (view.event.occurrence(day) for day in sorted(view.event.exceptions))
    return [one for one in found if one is not None and one.type == "exception"]


def _expansions() -> dict[str, str]:
    """`$expand` as names with what stands in their brackets."""
    sent = request.args.get("$expand", "")
    found: dict[str, str] = {}
    for part in re.split(r",(?![^(]*\))", sent) if sent else []:
        match = EXPANDABLE.fullmatch(part.strip())
        if match is None:
            raise GraphFault(400, "BadRequest", f"The query option $expand={part.strip()} is not supported here.")
        found[match[1]] = match[2] or ""
    return found


def _properties_named(text: str) -> list[str]:
    if "singleValueExtendedProperties" not in text and not text.startswith(("$filter", "%24filter")):
        return []
    return [name.replace("''", "'") for name in NAMED_PROPERTY.findall(text)]


def _same_property(key: str, wanted: list[str]) -> bool:
    """The name part is compared with case, type and GUID without."""
    return any(_comparable(key) == _comparable(one) for one in wanted)


def _comparable(key: str) -> tuple[str, str]:
    kind, name, value = key.partition(" Name ")
    return kind.lower(), name + value


def _filterable(view: EventView, plain: Style, wanted: list[str]) -> Json:
    """What `$filter` and `$orderby` look at; an extended property only under the very name asked for."""
    item = event_json(view, plain)
    if not wanted:
        return item
    held = [
        {"id": one, "value": value}
        for key, value in view.event.extended.items()
        for one in wanted
        if _comparable(key) == _comparable(one)
    ]
    return {**item, "singleValueExtendedProperties": held}


def _check_etag(view: EventView) -> None:
    sent = request.headers.get("If-Match", "*")
    if sent not in ("*", view.etag):
        message = (
            "The send or update operation could not be performed because the change key passed in the request "
            "does not match the current change key for the item."
        )
        raise Refused(412, "ErrorIrresolvableConflict", message)
