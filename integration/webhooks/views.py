"""The two addresses Graph posts to. They answer within a request and never call Graph themselves.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, request

from integration.errors import InputRefused
from integration.log import get_logger
from integration.webhooks.intake import LONGEST_BODY, decode, record_delivery

if TYPE_CHECKING:
    from integration.tools import Tools

blueprint = Blueprint("webhooks", __name__)
log = get_logger(__name__)

LONGEST_TOKEN = 4096
DEBOUNCE = timedelta(seconds=5)  # Graph sends several notifications for one change, within seconds


@blueprint.post("/webhooks/graph")
def receive_notifications() -> Response:
    """Change notifications, or Graph's question whether somebody is here."""
    return _receive()


@blueprint.post("/webhooks/graph/lifecycle")
def receive_lifecycle() -> Response:
    """Lifecycle notifications; Graph may mix both kinds, so both addresses take both."""
    return _receive()


def _receive() -> Response:
    token = request.args.get("validationToken")
    if token is not None:
        return _echo(token)
    # The limit holds for a length that is announced and for one that is not.
    request.max_content_length = LONGEST_BODY
    body = request.get_data(cache=False)
    try:
        delivery = decode(body)
    except InputRefused as refusal:
        return _plain(str(refusal), 400)
    tools: Tools = current_app.extensions["tools"]
    # A clock that is moved by hand waits for the outbox to be empty: there is nothing to wait for.
    debounce = timedelta() if tools.clock.movable else DEBOUNCE
    with tools.database.transaction() as session:
        intake = record_delivery(session, delivery, now=tools.clock.now(), debounce=debounce)
    log.info("notifications received", stored=intake.stored, repeated=intake.repeated, refused=intake.refused)
    return _plain("", 202)


def _echo(token: str) -> Response:
    """The decoded token and nothing else, as text that no browser takes for a page."""
    if len(token) > LONGEST_TOKEN:
        return _plain("The validation token is too long.", 400)
    return _plain(token, 200)


def _plain(text: str, status: int) -> Response:
    response = Response(text, status=status, content_type="text/plain; charset=utf-8")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
