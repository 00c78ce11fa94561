"""What every Graph view speaks: errors, bodies, preferences, answers and pages, in Graph's shapes."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast
from urllib.parse import quote, urlencode

from flask import Response, current_app, request

from ..tenant.directory import Person
from ..tenant.tenant import Tenant
from .filters import BadFilter, matches, ordered

Json = dict[str, object]
CONTENT_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


class GraphFault(Exception):
    """An error answer of Graph: the app turns it into `{"error": {...}}`. `details` join the error object."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.details = dict(details or {})


def current_tenant() -> Tenant:
    return cast(Tenant, current_app.extensions["tenant"])


def user_or_404(user: str) -> Person:
    """The account in the path, by object id or user principal name, mailbox or not."""
    person = current_tenant().directory.find(user)
    if person is None:
        message = (
            f"Resource '{user}' does not exist or one of its queried reference-property objects are not present."
        )
        raise GraphFault(404, "Request_ResourceNotFound", message)
    return person


def mailbox_owner(user: str) -> Person:
    """The owner of the mailbox in the path; 404 when nobody is called so, or there is no cloud mailbox."""
    person = current_tenant().directory.find(user)
    if person is None:
        raise GraphFault(404, "ErrorInvalidUser", f"The requested user '{user}' is invalid.")
    if not person.exchange:
        message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
        raise GraphFault(404, "MailboxNotEnabledForRESTAPI", message)
    if current_tenant().switches.scoped_reading and not current_tenant().writable(person):
        raise access_denied()
    return person


def writable_mailbox(user: str) -> Person:
    """As mailbox_owner; 403 ErrorAccessDenied for a mailbox outside the app's Exchange scope."""
    person = mailbox_owner(user)
    if not current_tenant().writable(person):
        raise access_denied()
    return person


def access_denied() -> GraphFault:
    return GraphFault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def body() -> Json:
    """The JSON object sent; 400 when it is missing, broken, or no object."""
    raw = request.get_data()
    if not raw:
        raise GraphFault(400, "BadRequest", "Empty Payload. JSON content expected.")
    try:
        sent = json.loads(raw)
    except ValueError as broken:
        raise GraphFault(400, "BadRequest", "Unable to read JSON request payload.") from broken
    if not isinstance(sent, dict):
        raise GraphFault(400, "BadRequest", "Unable to read JSON request payload. An object is expected.")
    return sent


def known_properties(sent: Mapping[str, object], allowed: Iterable[str], type_name: str) -> None:
    """Refuses a body that names a property the type does not have; annotations (`@...`) pass."""
    for name in sent.keys() - set(allowed):
        if "@" in name:
            continue
        raise GraphFault(
            400,
            "RequestBodyRead",
            f"The property '{name}' does not exist on type 'microsoft.graph.{type_name}'. Make sure to only use "
            "property names that are defined by the type or mark the type as open type.",
        )


def preferences() -> dict[str, str]:
    """The `Prefer` header as names in lower case with their values, quotes removed; "" for a bare name."""
    wanted: dict[str, str] = {}
    for part in ",".join(request.headers.getlist("Prefer")).split(","):
        name, _, value = part.strip().partition("=")
        if name:
            wanted[name.strip().lower()] = value.strip().strip('"')
    return wanted


def service_root() -> str:
    return f"{request.host_url}v1.0"


def context_url(context: str) -> str:
    return f"{service_root()}/$metadata#{context}"


def respond(payload: object = None, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer, or an empty one when there is no payload."""
    if payload is None:
        return Response(status=status, headers=dict(headers or {}))
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status=status, headers=dict(headers or {}), content_type=CONTENT_TYPE)


def select(item: Json, *, type_name: str, known: Iterable[str] | None = None) -> Json:
    """Keeps what `$select` names, `id` and annotations; 400 for a name that neither the item nor `known` has."""
    names = selected()
    if names is None:
        return item
    allowed = set(item) if known is None else set(known) | set(item)
    for name in names:
        if name not in allowed and name != "*":
            message = f"Could not find a property named '{name}' on type 'microsoft.graph.{type_name}'."
            raise GraphFault(400, "BadRequest", message)
    if "*" in names:
        return item
    kept = {"id", *names, *expanded()}
    return {key: value for key, value in item.items() if key in kept or "@" in key}


def selected() -> list[str] | None:
    """The names in `$select`, None when it was not sent."""
    sent = request.args.get("$select")
    return [name.strip() for name in sent.split(",") if name.strip()] if sent else None


def expanded() -> list[str]:
    """The names in `$expand`, without what stands in brackets behind them."""
    sent = re.sub(r"\([^()]*(?:\([^()]*\)[^()]*)*\)", "", request.args.get("$expand", ""))
    return [name.strip() for name in sent.split(",") if name.strip()]


def whole_number(name: str, default: int, *, most: int | None = None, least: int = 0) -> int:
    sent = request.args.get(name)
    if sent is None:
        return default
    if not sent.isdigit() or int(sent) < least or (most is not None and int(sent) > most):
        bounds = f"between {least} and {most}" if most is not None else f"of {least} or more"
        message = f"Invalid value '{sent}' for {name} query option found. A whole number {bounds} is expected."
        raise GraphFault(400, "BadRequest", message)
    return int(sent)


def refuse_options(allowed: Iterable[str]) -> None:
    """400 for a system query option (`$...`) that this address does not have."""
    for name in request.args:
        if name.startswith("$") and name not in allowed:
            message = f"The query option '{name}' is not supported on this resource."
            raise GraphFault(400, "BadRequest", message)


def collection(
    items: Sequence[Json],
    *,
    context: str,
    type_name: str,
    default_page: int = 10,
    max_page: int = 1000,
    filters: Mapping[str, str] | None = None,
    orders: Iterable[str] = (),
    known: Iterable[str] | None = None,
    options: Iterable[str] = (),
    show: Callable[[Json], Json] | None = None,
    next_by: str = "$skip",
    counts: bool = True,
    extra: Mapping[str, object] | None = None,
) -> Response:
    """A page of `items`, by the query options sent.

    `filters` maps a property path (`start/dateTime`, `categories`) to the operators Graph has there, as words:
    `"eq ne gt ge lt le in startswith endswith contains any"`; `$filter` sees the items as given, and `show`
    renders those on the page before `$select` is applied. `orders` are the paths `$orderby` takes, `options`
    further options the view deals with itself (`$expand`). A page holds `$top`, else
    `Prefer: odata.maxpagesize`, else `default_page`; the next one is told by `next_by` (`$skip`,
    `$skiptoken`). `counts` is False where `$count` is ignored.
    """
    standard = {"$top", "$skip", "$skiptoken", "$select", "$count"}
    refuse_options(
        standard | set(options) | ({"$filter"} if filters else set()) | ({"$orderby"} if orders else set())
    )
    chosen = _chosen(items, filters or {}, tuple(orders))
    first = whole_number("$skiptoken", 0) if "$skiptoken" in request.args else whole_number("$skip", 0)
    length = _page_length(default_page, max_page)
    page = chosen[first : first + length]
    answer: Json = {"@odata.context": context_url(context)}
    if counts and request.args.get("$count", "").lower() == "true":
        answer["@odata.count"] = len(chosen)
    if first + length < len(chosen):
        answer["@odata.nextLink"] = link_with({next_by: str(first + length)}, without=("$skip", "$skiptoken"))
    answer.update(extra or {})
    answer["value"] = [select(show(item) if show else item, type_name=type_name, known=known) for item in page]
    return respond(answer)


def link_with(changed: Mapping[str, str], *, without: Iterable[str] = ()) -> str:
    """The address asked for, with other query options."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in set(without)]
    kept = [(name, value) for name, value in kept if name not in changed]
    query = urlencode([*kept, *changed.items()], quote_via=quote, safe="$,/:'()")
    return f"{request.host_url.rstrip('/')}{quote(request.path, safe=_PATH_SAFE)}?{query}"


_PATH_SAFE = "/$()'@=:,"


def _page_length(default_page: int, max_page: int) -> int:
    preferred = preferences().get("odata.maxpagesize", "")
    length = int(preferred) if preferred.isdigit() and int(preferred) > 0 else default_page
    return whole_number("$top", min(length, max_page), most=max_page, least=1)


def _chosen(items: Sequence[Json], filters: Mapping[str, str], orders: tuple[str, ...]) -> list[Json]:
    try:
        chosen = matches(items, request.args.get("$filter"), allowed=filters)
        return ordered(chosen, request.args.get("$orderby"), allowed=orders)
    except BadFilter as bad:
        raise GraphFault(400, "BadRequest", str(bad)) from bad
