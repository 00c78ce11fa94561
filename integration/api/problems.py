"""Errors of the API as problem documents (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from flask import Response
from werkzeug.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong: ``title`` names the status, ``detail`` what happened and what to do, ``reference`` the log."""

    title: str
    status: int
    detail: str
    reference: str
    type: str = "about:blank"


def problem(status: int, detail: str, *, reference: str = "") -> Response:
    """An answer that a program can read, and whoever debugs it too."""
    known = status in HTTPStatus._value2member_map_
    title = HTTPStatus(status).phrase if known else "Error"
    body = msgspec.json.encode(Problem(title=title, status=status, detail=detail, reference=reference))
    response = Response(body, status=status, content_type=MEDIA_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Learning Pods"'
    return response


def problem_of(error: HTTPException, *, reference: str = "") -> Response:
    """A refusal by the web framework, with the headers that belong to it, such as Allow or Retry-After."""
    response = problem(error.code or 500, error.description or error.name, reference=reference)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "www-authenticate"):
            response.headers[name] = value
    return response
