"""What happens in a window: calendarView, the instances of a series, and calendarView/delta."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from flask import Blueprint, Response, request

from ..tenant import ids
from ..tenant.changes import BadToken, Entry, ExpiredToken, Round, Token, next_round, page_of
from ..tenant.directory import Person
from ..tenant.events import EventView
from ..tenant.refusals import Refused
from .eventbody import PROPERTIES, read_instant
from .eventjson import Style, event_json, reduced_json
from .events import FILTERS, ORDERS, at_each_address, calendar_or_404, find_event
from .odata import (
    GraphFault,
    Json,
    collection,
    context_url,
    current_tenant,
    mailbox_owner,
    preferences,
    refuse_options,
    respond,
)
from .permissions import allowed

blueprint = Blueprint("calendarview", __name__)

WINDOW_FILTERS = {name: operators for name, operators in FILTERS.items() if name != "singleValueExtendedProperties"}
DELTA_PAGE, LONGEST_DELTA_PAGE = 50, 1000
Window = tuple[datetime, datetime]


@blueprint.get("/v1.0/users/<user>/calendarView")
@blueprint.get("/v1.0/users/<user>/calendar/calendarView")
@blueprint.get("/v1.0/users/<user>/calendars/<calendar_id>/calendarView")
@allowed("GET /users/{user-id}/calendarView")
def calendar_view(user: str, calendar_id: str | None = None) -> Response:
    owner, window = mailbox_owner(user), read_window()
    calendar = calendar_or_404(owner, calendar_id)
    views = current_tenant().calendars.view(owner, *window, calendar_id=calendar.id if calendar else None)
    return _pages(views, context=f"users('{user}')/calendarView")


@at_each_address(blueprint, "/<event>/instances", method="GET")
def list_instances(user: str, event: str, calendar_id: str | None = None) -> Response:
    owner, window = mailbox_owner(user), read_window()
    master = find_event(owner, event, Style.asked())
    if master.type != "seriesMaster":
        raise Refused(400, "ErrorInvalidRequest", "Instances belong to a series master.")
    views = [
        view
        for view in master.event.views(until=window[1])
        if view.starts_at < window[1] and view.ends_at > window[0]
    ]
    return _pages(views, context=f"users('{user}')/events('{quote(event)}')/instances")


@blueprint.get("/v1.0/users/<user>/calendarView/delta")
@blueprint.get("/v1.0/users/<user>/calendarView/delta()")
@blueprint.get("/v1.0/users/<user>/calendarView/microsoft.graph.delta()")
@blueprint.get("/v1.0/users/<user>/calendar/calendarView/delta")
@blueprint.get("/v1.0/users/<user>/calendar/calendarView/delta()")
@allowed("GET /users/{user-id}/calendarView/delta()")
def calendar_delta(user: str) -> Response:
    """Rounds of pages; a link is bound to its window. 410 with a fresh address for a token no longer known."""
    refuse_options({"$deltatoken", "$skiptoken"})
    owner, style = mailbox_owner(user), Style.asked()
    try:
        begun, offset = _round(owner)
    except ExpiredToken as expired:
        raise _gone(expired) from expired
    except BadToken as bad:
        raise GraphFault(400, "SyncStateInvalid", "The sync state is invalid.") from bad
    page, rest = page_of(begun, offset=offset, length=_page_length())
    token = f"$skiptoken={begun.key}.{rest}" if rest is not None else f"$deltatoken={begun.next}"
    answer: Json = {"@odata.context": context_url("Collection(event)")}
    answer["@odata.nextLink" if rest is not None else "@odata.deltaLink"] = f"{request.base_url}?{token}"
    answer["value"] = [_entry_json(entry, style) for entry in page]
    return respond(answer, headers=style.applied)


def read_window() -> Window:
    starts, ends = request.args.get("startDateTime"), request.args.get("endDateTime")
    if not starts or not ends:
        message = (
            "This request requires a time window specified by the query string parameters StartDateTime and "
            "EndDateTime."
        )
        raise Refused(400, "ErrorInvalidParameter", message)
    window = read_instant(starts, "startDateTime"), read_instant(ends, "endDateTime")
    if window[1] < window[0]:
        raise Refused(400, "ErrorInvalidParameter", "The endDateTime is before the startDateTime.")
    return window


def _pages(views: list[EventView], *, context: str) -> Response:
    style = Style.asked()
    filtering = "$filter" in request.args or "$orderby" in request.args
    by_id = {view.immutable_id: view for view in views}
    plain = Style(immutable=True, basic=True)
    items: list[Json] = [event_json(one, plain) if filtering else {"id": key} for key, one in by_id.items()]
    show: Callable[[Json], Json] = lambda item: event_json(by_id[str(item["id"])], style)  # noqa: E731
    answer = collection(
        items,
        context=context,
        type_name="event",
        filters=WINDOW_FILTERS,
        orders=ORDERS,
        known=PROPERTIES,
        show=show,
    )
    answer.headers.extend(style.applied)
    return answer


def _round(owner: Person) -> tuple[Round, int]:
    calendars = current_tenant().calendars
    if page := request.args.get("$skiptoken"):
        key, _, offset = page.partition(".")
        begun = calendars.rounds.get(key)
        if begun is None or not offset.isdigit():
            raise BadToken(page)
        return begun, int(offset)
    if given := request.args.get("$deltatoken"):
        return next_round(calendars, owner, Token.read(given)), 0
    window = read_window()
    return next_round(calendars, owner, Token.fresh(window)), 0


def _page_length() -> int:
    preferred = preferences().get("odata.maxpagesize", "")
    return min(int(preferred), LONGEST_DELTA_PAGE) if preferred.isdigit() and int(preferred) else DELTA_PAGE


def _gone(expired: ExpiredToken) -> GraphFault:
    starts, ends = (quote(one, safe=":") for one in expired.window)
    fresh = f"{request.base_url}?startDateTime={starts}&endDateTime={ends}&$deltatoken="
    message = "The sync state generation is not found; start again from the address in Location."
    return GraphFault(410, "SyncStateNotFound", message, headers={"Location": fresh})


def _entry_json(entry: Entry, style: Style) -> Json:
    kind = {"@odata.type": "#microsoft.graph.event"}
    if entry.view is None:
        spelled = ids.immutable_id if style.immutable else ids.rest_id
        return {**kind, "id": spelled(entry.key, entry.day), "@removed": {"reason": "deleted"}}
    return {**kind, **(reduced_json(entry.view, style) if entry.reduced else event_json(entry.view, style))}
