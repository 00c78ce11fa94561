"""The two addresses Graph posts to. They answer within a request and never call Graph themselves.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks

They stand in front of the application, not in it: what a page needs (who is there, in which language, which frames
may show it) costs more time than taking a notification in does, and none of it means anything to Graph.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wrappers import Request
from werkzeug.wsgi import get_input_stream

from integration.errors import InputRefused
from integration.log import get_logger
from integration.webhooks.desk import Desk, NotStored
from integration.webhooks.intake import LONGEST_BODY, decode

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Graph may mix both kinds, so both take both.
ADDRESSES = {"/webhooks/graph": "webhooks.notifications", "/webhooks/graph/lifecycle": "webhooks.lifecycle"}
LONGEST_TOKEN = 16_384  # characters; Graph's have some hundred
HEADERS = [
    ("Content-Type", "text/plain; charset=utf-8"),  # no browser takes what is echoed for a page
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
]
HTTPS_FOR_A_YEAR = ("Strict-Transport-Security", "max-age=31536000")

Answer = tuple[HTTPStatus, str]

log = get_logger(__name__)


class Receiver:
    """A WSGI application: answers what is posted to the two addresses, and passes everything else on.

    ``count`` is told each answer: the name of its address, its status and the seconds it took.
    """

    def __init__(
        self, beyond: WSGIApplication, desk: Desk, *, count: Callable[[str, int, float], None], secure: bool
    ) -> None:
        self._beyond, self._desk, self._count = beyond, desk, count
        self._headers = [*HEADERS, HTTPS_FOR_A_YEAR] if secure else HEADERS

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        name = ADDRESSES.get(environ["PATH_INFO"])
        if name is None:
            return self._beyond(environ, start_response)
        begun = time.perf_counter()
        status, text = self._answer(environ)
        body = text.encode()
        headers = [*self._headers, ("Content-Length", str(len(body)))]
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "POST"))
        self._count(name, status, time.perf_counter() - begun)
        start_response(f"{status.value} {status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        if environ["REQUEST_METHOD"] != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED, "Notifications are posted."
        token = Request(environ).args.get("validationToken") if environ.get("QUERY_STRING") else None
        if token is not None:
            return _echo(token)
        try:
            return self._take(_body(environ))
        except RequestEntityTooLarge:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This is longer than any notification."
        except ClientDisconnected:
            return HTTPStatus.BAD_REQUEST, "This ends before it should."
        except Exception:
            log.exception("notifications not taken in")
            return HTTPStatus.INTERNAL_SERVER_ERROR, "Something broke."  # so that Graph sends it again

    def _take(self, body: bytes) -> Answer:
        try:
            delivery = decode(body)
        except InputRefused as refusal:
            self._desk.refuse()
            return HTTPStatus.BAD_REQUEST, str(refusal)
        try:
            self._desk.take(delivery)
        except NotStored as failure:
            return HTTPStatus.SERVICE_UNAVAILABLE, str(failure)  # so that Graph sends it again
        return HTTPStatus.ACCEPTED, ""


def _body(environ: WSGIEnvironment) -> bytes:
    """What was posted; the limit holds for a length that is announced and for one that is not (chunked).

    Raises RequestEntityTooLarge or ClientDisconnected.
    """
    environ["wsgi.input_terminated"] = True  # our server ends its stream with a body that does not say its length
    body = get_input_stream(environ, max_content_length=LONGEST_BODY + 1).read()
    if len(body) > LONGEST_BODY:
        raise RequestEntityTooLarge
    return body


def _echo(token: str) -> Answer:
    """The decoded token and nothing else."""
    if len(token) > LONGEST_TOKEN:
        return HTTPStatus.BAD_REQUEST, "The validation token is too long."
    return HTTPStatus.OK, token
