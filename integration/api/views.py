"""/api/v1: who is let in, at which pace, and the document that describes it all. Cookies open nothing here."""

from __future__ import annotations

import math
import time
from functools import lru_cache

import msgspec
from flask import Request, Response, current_app, g
from werkzeug.exceptions import TooManyRequests

from integration.admin.door import public
from integration.admin.permissions import Visitor
from integration.api import tokens, views_people, views_plans, views_programs, views_queue
from integration.api.openapi import document
from integration.api.operations import OPERATIONS, blueprint
from integration.clock import real_now
from integration.pace import Pace
from integration.tools import Tools

PATH = "/api/"
PER_MINUTE = 600  # requests of one token
OPERATING = (views_people, views_programs, views_plans, views_queue)  # imported for the operations they register


def visitor_by_token(tools: Tools, request: Request) -> Visitor | None:
    """The program that shows a token as "Authorization: Bearer pods_...", under /api/ only."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if not request.path.startswith(PATH) or scheme.lower() != "bearer":
        return None
    now = real_now()
    with tools.database.reading() as session:
        token = tokens.find_token(session, text.strip(), now=now)
    if token is None:
        return None
    if tokens.is_use_due(token, now=now):
        with tools.database.transaction() as session:
            tokens.record_use(session, token.id, now=now)
    g.token_id = token.id
    return tokens.visitor_of(token)


@blueprint.before_request
def keep_pace() -> None:
    """Refuse a token that asks too often, with the seconds to wait."""
    token_id = g.get("token_id")
    if token_id is None:
        return
    pace: Pace = current_app.extensions.setdefault("pace", Pace(limit=PER_MINUTE, seconds=60))
    seconds = pace.seconds_to_wait(str(token_id), at=time.monotonic())
    if seconds:
        raise TooManyRequests(f"A token may ask {pace.limit} times a minute.", retry_after=math.ceil(seconds))


@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    tools: Tools = current_app.extensions["tools"]
    return Response(_document(tools.settings.public_url.rstrip("/")), content_type="application/json")


@lru_cache(maxsize=4)
def _document(public_url: str) -> bytes:
    return msgspec.json.encode(document(OPERATIONS, server=f"{public_url}/api/v1"))
