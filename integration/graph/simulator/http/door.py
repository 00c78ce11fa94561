"""The door in front of the app: request ids, mailbox limits, faults on order, and the record of what passed."""

import io
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from ..faults import Dropped, Faults
from ..tenant.tenant import Tenant
from .odata import CONTENT_TYPE, GraphFault
from .record import Recorder
from .throttle import MailboxThrottle

GRAPH = ("/v1.0/", "/beta/")
"""What Graph's addresses begin with; beta has subscriptions only."""
BY_KEY = re.compile(r"/(\w+)\('([^']*)'\)")


@dataclass
class Answer:
    status: str = "500 INTERNAL SERVER ERROR"
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class Door:
    """WSGI middleware. Control calls and pages pass untouched; sign-in meets faults; Graph meets everything."""

    def __init__(
        self,
        inner: WSGIApplication,
        *,
        tenant: Tenant,
        faults: Faults,
        throttle: MailboxThrottle,
        recorder: Recorder | None,
    ) -> None:
        self._inner = inner
        self._tenant = tenant
        self._faults = faults
        self._throttle = throttle
        self._recorder = recorder
        self._lock = threading.Lock()
        self.in_flight = 0
        self.graph_requests = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        is_graph = path.startswith(GRAPH)
        if not is_graph and not path.endswith("/oauth2/v2.0/token"):
            return self._inner(environ, start_response)
        self._begin(is_graph)
        try:
            answer = self._exchange(environ, path)
        except Dropped:
            _cut(environ)
            start_response("503 Service Unavailable", [("Connection", "close")])
            return [b""]
        finally:
            self._end()
        start_response(answer.status, answer.headers)
        return [answer.body]

    def _exchange(self, environ: WSGIEnvironment, path: str) -> Answer:
        sent = _read_body(environ)
        environ["simulator.request_id"] = str(uuid.uuid4())
        environ["PATH_INFO"] = plain_path(path)
        answer = self._limited(environ, path)
        if path.startswith(GRAPH):
            own = str(environ["simulator.request_id"])
            answer.headers += [("request-id", own), ("client-request-id", _client_request_id(environ))]
            self._record(environ, path, sent, answer)
        return answer

    def _limited(self, environ: WSGIEnvironment, path: str) -> Answer:
        mailbox = self._throttle.mailbox(str(environ["PATH_INFO"]))
        if mailbox is None:
            return self._faulty(environ, path)
        try:
            self._throttle.take(mailbox)
        except GraphFault as fault:
            return refusal(fault, environ, tenant=self._tenant)
        slots = cast("list[str] | None", environ.get("simulator.slots"))
        try:
            return self._faulty(environ, path)
        finally:
            if slots is None:
                self._throttle.release(mailbox)
            else:
                slots.append(mailbox)

    def _faulty(self, environ: WSGIEnvironment, path: str) -> Answer:
        method = str(environ["REQUEST_METHOD"])
        query = str(environ.get("QUERY_STRING", ""))
        target = f"{path}?{query}" if query else path
        met = self._faults.meet(method, target, "before")
        if met:
            return refusal(GraphFault(met.status, met.code, met.message, met.headers), environ, tenant=self._tenant)
        answer = collect(self._inner, environ)
        met = self._faults.meet(method, target, "after")
        if met:
            return refusal(GraphFault(met.status, met.code, met.message, met.headers), environ, tenant=self._tenant)
        return answer

    def _begin(self, is_graph: bool) -> None:
        """A sign-in is waited for like a request, but is none to Graph."""
        with self._lock:
            self.in_flight += 1
            self.graph_requests += is_graph

    def _end(self) -> None:
        with self._lock:
            self.in_flight -= 1

    def _record(self, environ: WSGIEnvironment, path: str, sent: bytes, answer: Answer) -> None:
        if self._recorder is None or "simulator.part" in environ:
            return
        query = str(environ.get("QUERY_STRING", ""))
        address = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', 'localhost')}{quote(path, safe=_SAFE)}"
        self._recorder.record(
            method=str(environ["REQUEST_METHOD"]),
            url=f"{address}?{query}" if query else address,
            request_headers=_headers(environ),
            request_body=sent,
            status=int(answer.status[:3]),
            response_headers=dict(answer.headers),
            response_body=answer.body,
        )


_SAFE = "/$()'@=:,"


def plain_path(path: str) -> str:
    """One spelling of an address: `/users('x')` as `/users/x`, functions by short name, without empty brackets."""
    path = path.replace("/microsoft.graph.", "/")
    return BY_KEY.sub(r"/\1/\2", path).replace("()", "") if "(" in path else path


def collect(app: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    """Runs a WSGI app to its end."""
    answer = Answer()
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
        answer.status, answer.headers = status, list(headers)
        return written.append

    parts = app(environ, start_response)
    answer.body = b"".join((*written, *parts))
    close = getattr(parts, "close", None)
    if close:
        close()
    return answer


def refusal(fault: GraphFault, environ: WSGIEnvironment, *, tenant: Tenant) -> Answer:
    """Graph's error shape, with the ids of this request."""
    error = {
        "error": {
            "code": fault.code,
            "message": fault.message,
            **fault.details,
            "innerError": {
                "date": tenant.clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
                "request-id": environ.get("simulator.request_id", ""),
                "client-request-id": _client_request_id(environ),
            },
        }
    }
    raw = json.dumps(error, ensure_ascii=False).encode()
    headers = [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(raw))), *fault.headers.items()]
    return Answer(f"{fault.status} {_reason(fault.status)}", headers, raw)


def _reason(status: int) -> str:
    return {429: "Too Many Requests", 424: "Failed Dependency", 410: "Gone"}.get(status, "Refused")


def _client_request_id(environ: WSGIEnvironment) -> str:
    return str(environ.get("HTTP_CLIENT_REQUEST_ID") or environ.get("simulator.request_id", ""))


def _read_body(environ: WSGIEnvironment) -> bytes:
    stream = cast(io.BufferedIOBase, environ["wsgi.input"])
    length = str(environ.get("CONTENT_LENGTH") or "")
    chunked = "chunked" in str(environ.get("HTTP_TRANSFER_ENCODING", "")).lower()
    sent = stream.read(int(length)) if length else (stream.read() if chunked else b"")
    environ["wsgi.input"] = io.BytesIO(sent)
    environ["CONTENT_LENGTH"] = str(len(sent))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return sent


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    found = {
        key[5:].replace("_", "-").lower(): str(value) for key, value in environ.items() if key.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        found["content-type"] = str(environ["CONTENT_TYPE"])
    return found


def _cut(environ: WSGIEnvironment) -> None:
    """Closes the client's connection, when the server lent it to us, so that no answer arrives."""
    cut = environ.get("simulator.cut")
    if callable(cut):
        cut()
