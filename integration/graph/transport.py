"""The synchronous door: any thread asks, the engine's loop sends. Retries, throttling and errors are decided here."""

from __future__ import annotations

import asyncio
import os
import re
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec

from integration.clock import real_now
from integration.graph.errors import Forbidden, GraphError, Rejected, Throttled, Unavailable, error_from, scrubbed
from integration.graph.operations import Operation
from integration.graph.remedies import TOKEN_REFUSED, TRY_LATER, remedy_for_sign_in
from integration.language import lazy

if TYPE_CHECKING:
    import httpx
    from kiota_abstractions.base_request_builder import BaseRequestBuilder
    from kiota_abstractions.request_information import RequestInformation
    from msgraph.graph_service_client import GraphServiceClient

    from integration.graph.engine import Engine

T = TypeVar("T")

READ_TRIES = 3
LONGEST_WAIT_SECONDS = 10.0
IMMUTABLE_IDS = 'IdType="ImmutableId"'
UTC_TIMES = 'outlook.timezone="UTC"'

_inherited: list[Engine] = []  # engines of a parent process: kept, since destroying them would touch its sockets


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request: an SDK builder gives the address, or ``link`` does (a next or delta link of Graph's).

    ``body`` is JSON-encoded by msgspec. ``mailbox`` is whose limit of requests in flight it counts against.
    """

    operation: Operation
    builder: BaseRequestBuilder | None = None
    link: str | None = None
    mailbox: str | None = None
    query: Mapping[str, object] = field(default_factory=dict)
    body: object = None
    prefer: tuple[str, ...] = (IMMUTABLE_IDS,)


class Transport:
    """Sends requests for callers in any thread. The engine is made at first use, anew in a forked child."""

    def __init__(self, base_url: str, make_engine: Callable[[], Engine]) -> None:
        self.base_url = base_url
        self._make_engine = make_engine
        self._engine: Engine | None = None
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self.sent = 0
        forget = weakref.WeakMethod(self._forget_parent)
        os.register_at_fork(after_in_child=lambda: (found := forget()) and found())

    @property
    def root(self) -> GraphServiceClient:
        """The SDK's root of request builders."""
        return self._running().root

    def send(self, request: Request) -> bytes:
        """The body of a successful answer. Raises GraphError."""
        return self.exchange(request).content

    def exchange(self, request: Request, *, leases: Mapping[str, int] | None = None) -> httpx.Response:
        """A successful answer, whole; ``leases`` stands in for one lease of ``request.mailbox`` (batches)."""
        engine = self._running()
        mailbox = request.mailbox.lower() if request.mailbox else None
        return engine.run(self._tries(engine, request, leases or ({mailbox: 1} if mailbox else {})))

    def collect(self, request: Request, page: type[Page[T]]) -> Iterator[T]:
        """The items of all pages, read as they are asked for. Empty pages in between do not end it."""
        pages = self.pages(request, page)
        return (item for each in pages for item in each.value)

    def pages(self, request: Request, page: type[Page[T]]) -> Iterator[Page[T]]:
        """Every page; each next link is followed with the headers of the first request."""
        following: Request | None = request
        while following is not None:
            found = decoded(self.send(following), page, operation=request.operation)
            yield found
            following = following_request(request, found.next_link) if found.next_link else None

    def prepared(self, request: Request) -> RequestInformation:
        """The request as the SDK has it, for what is not sent by itself (parts of a batch)."""
        return _prepared(self._running(), request)

    def token(self) -> str:
        """The access token in use. Raises Forbidden or Unavailable when there is none."""
        engine = self._running()
        return engine.run(self._token(engine))

    def close(self) -> None:
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def _running(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._make_engine()
            return self._engine

    def _forget_parent(self) -> None:
        if self._engine is not None:
            _inherited.append(self._engine)
        self._engine, self._pid, self._lock, self.sent = None, os.getpid(), threading.Lock(), 0

    async def _tries(self, engine: Engine, request: Request, leases: Mapping[str, int]) -> httpx.Response:
        tries = READ_TRIES if request.operation.reads else 1  # a repeated write could act twice: its caller decides
        for n in range(1, tries + 1):
            try:
                return await self._try(engine, request, leases)
            except (Unavailable, Throttled) as error:
                wait = _wait_after(error, n)
                if n == tries or wait > LONGEST_WAIT_SECONDS:
                    raise
            await asyncio.sleep(wait)
        raise AssertionError("unreachable: the last try returns or raises")

    async def _try(self, engine: Engine, request: Request, leases: Mapping[str, int]) -> httpx.Response:
        async with engine.governor.leases(leases):
            answer = await self._once(engine, request)
            forget = getattr(engine.credential, "forget", None)
            if answer.status_code == 401 and forget is not None:
                forget()  # nothing was done yet, so asking once more with a new token is safe
                answer = await self._once(engine, request)
        if answer.is_success:
            return answer
        raise error_from(
            answer.status_code,
            answer.content,
            operation=request.operation,
            request_id=answer.headers.get("request-id"),
            retry_after=_retry_after(answer.headers.get("Retry-After")),
        )

    async def _once(self, engine: Engine, request: Request) -> httpx.Response:
        import httpx
        from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseError

        self.sent += 1
        try:
            return await engine.exchange(_prepared(engine, request))
        except ClientAuthenticationError as refused:
            raise _sign_in_refused(refused, request.operation) from None
        except (httpx.HTTPError, ServiceRequestError, ServiceResponseError) as failure:
            raise _unreachable(failure, request.operation) from None

    async def _token(self, engine: Engine) -> str:
        import httpx
        from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseError

        operation = Operation("POST", "/oauth2/v2.0/token", None)
        try:
            return (await engine.credential.get_token(engine.cloud.scope)).token
        except ClientAuthenticationError as refused:
            raise _sign_in_refused(refused, operation) from None
        except (httpx.HTTPError, ServiceRequestError, ServiceResponseError) as failure:
            raise _unreachable(failure, operation) from None


class Page(msgspec.Struct, Generic[T]):
    """A page of a collection, with the links of paging and of delta."""

    value: list[T] = []
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")
    delta_link: str | None = msgspec.field(default=None, name="@odata.deltaLink")


def decoded(body: bytes, kind: type[T], *, operation: Operation) -> T:
    """A successful answer's JSON. Raises Unavailable when it is no JSON (a proxy's page), Rejected when the shape is
    not the documented one."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as wrong:
        raise Rejected(
            lazy(
                "Graph's answer to %(operation)s is not as documented: %(words)s.",
                operation=str(operation),
                words=scrubbed(str(wrong)),
            ),
            remedy=lazy("Report it: the client has to learn this shape."),
        ) from None
    except msgspec.DecodeError:
        raise Unavailable(
            lazy("The answer to %(operation)s is not JSON.", operation=str(operation)),
            remedy=lazy("Look for a proxy in between."),
        ) from None


def following_request(first: Request, link: str) -> Request:
    """The request for the next page, or the next delta round, with the headers of ``first``."""
    return Request(operation=first.operation, link=link, mailbox=first.mailbox, prefer=first.prefer)


def mailbox_in(link: str) -> str | None:
    """The mailbox that a link of Graph's belongs to, if it says so."""
    found = re.search(r"/users(?:/|\(')([^/')?]+)", link)
    return found.group(1) if found else None


def _prepared(engine: Engine, request: Request) -> RequestInformation:
    from kiota_abstractions.method import Method
    from kiota_abstractions.request_information import RequestInformation

    if request.builder is not None:
        made = RequestInformation(
            Method[request.operation.method], request.builder.url_template, dict(request.builder.path_parameters)
        )
        made.query_parameters.update(request.query)
    else:
        made = RequestInformation(Method[request.operation.method])
        made.url = _own(engine.cloud.base_url, request.link or "", request.operation)
    made.headers.try_add("Accept", "application/json")
    if request.prefer:
        made.headers.try_add("Prefer", ", ".join(request.prefer))
    if request.body is not None:
        # JSON by msgspec instead of the SDK's models: 2 ms a call instead of 5, and nothing is sent by accident.
        made.set_stream_content(msgspec.json.encode(request.body), "application/json")
    return made


def _own(base_url: str, link: str, operation: Operation) -> str:
    """The link, if it leads to the Graph we talk to; followed blindly it could lead anywhere."""
    base, there = urlsplit(base_url), urlsplit(link)
    if (there.scheme, there.netloc.lower()) == (base.scheme, base.netloc.lower()):
        return link
    raise Rejected(
        lazy(
            "A link in the answer to %(operation)s leads to another host, %(host)s.",
            operation=str(operation),
            host=scrubbed(there.hostname or "?"),
        ),
        remedy=lazy("It was not followed. Check GRAPH_BASE_URL, and whether something rewrites the traffic."),
    )


def _wait_after(error: GraphError, tries: int) -> float:
    """Seconds: as Graph asks, else 0.5, 1, ..."""
    return error.retry_after if error.retry_after is not None else 0.25 * 2**tries


def _retry_after(header: str | None) -> float | None:
    """Seconds or an HTTP date (RFC 9110 section 10.2.3)."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - real_now()
    return max(0.0, wait.total_seconds())


def _sign_in_refused(refused: Exception, operation: Operation) -> Forbidden:
    found = re.search(r"AADSTS\d+", str(refused))
    code = found.group() if found else "SignInRefused"
    return Forbidden(
        lazy(
            "No token for %(operation)s: the sign-in service refused it (%(code)s).",
            operation=str(operation),
            code=code,
        ),
        remedy=remedy_for_sign_in(code) if found else TOKEN_REFUSED,
        code=code,
    )


def _unreachable(failure: Exception, operation: Operation) -> Unavailable:
    return Unavailable(
        lazy("No answer to %(operation)s: %(why)s.", operation=str(operation), why=type(failure).__name__),
        remedy=TRY_LATER,
    )


def query(**options: object) -> dict[str, object]:
    """OData options by name: ``query(filter=..., top=5)`` is $filter and $top, in the SDK's spelling."""
    return {f"%24{name}": value for name, value in options.items() if value is not None}


def window(starts_at: datetime, ends_at: datetime) -> dict[str, object]:
    """The window of calendarView and instances, in UTC."""
    return {"startDateTime": instant(starts_at), "endDateTime": instant(ends_at)}


def instant(at: datetime) -> str:
    """An aware instant as Graph's Edm.DateTimeOffset in UTC."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no zone: give an aware datetime")
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def quoted(value: str) -> str:
    """An OData string literal."""
    return "'" + value.replace("'", "''") + "'"


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[at : at + size] for at in range(0, len(items), size))
