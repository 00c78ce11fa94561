"""Calendar feeds for people and pods: calendar programs cannot sign in, so the token in the address is the key."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, make_response, request
from werkzeug.wrappers import Response

from integration.portal.feed import feed_of, read_token
from integration.tools import Tools

feeds = Blueprint("feeds", __name__)
FRESH_SECONDS = 900


@feeds.get("/feeds/<token>.ics")
def feed(token: str) -> Response:
    """text/calendar; 404 for a token that is not ours, 304 when nothing changed since the ETag sent along."""
    tools: Tools = current_app.extensions["tools"]
    ticket = read_token(token, secret_key=tools.settings.secret_key)
    if ticket is None:
        abort(404)
    with tools.database.reading() as session:
        text = feed_of(session, ticket)
    if text is None:
        abort(404)
    response = make_response(text)
    response.mimetype = "text/calendar"
    response.headers["Cache-Control"] = f"private, max-age={FRESH_SECONDS}"
    response.add_etag()
    response.make_conditional(request)  # changes the response itself
    return response
