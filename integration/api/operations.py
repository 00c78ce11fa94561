"""The table of the API's operations: one decorator makes a view of a function, and a line of the OpenAPI document.

A function gets a Call and the ids of the path and returns a struct; reading, checking, transactions, repeated
requests and paging links are done here, the same for all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from flask import Blueprint, Response, abort, current_app, g, request, url_for
from sqlalchemy.orm import Session
from werkzeug.exceptions import UnsupportedMediaType

from integration.admin.door import About, needs, this_visitor
from integration.admin.permissions import Permission, Visitor
from integration.api.paging import LARGEST_ID
from integration.api.repeating import Answer, fingerprint, once
from integration.api.shapes import NoQuery, Page
from integration.tools import Tools

T = TypeVar("T", bound=msgspec.Struct)
KEY = re.compile(r"[\x21-\x7e]{1,255}")
blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@dataclass(frozen=True)
class Operation:
    """One method of one path, such as "/plans/{plan_id}/apply"; ``media`` is the type of the body, if it has one."""

    name: str
    method: str
    path: str
    permission: Permission
    summary: str
    query: type[msgspec.Struct]
    body: type[msgspec.Struct] | None
    media: str
    answer: Any
    status: int
    location: str  # the path of what was made, with {id} from the answer; empty: nothing was


@dataclass(frozen=True)
class Call:
    """One request: ``query`` and ``body`` are what the operation declares, ``text`` is a body that is no JSON."""

    session: Session
    tools: Tools
    visitor: Visitor
    query: Any
    body: Any
    text: bytes


OPERATIONS: list[Operation] = []
Work = Callable[..., msgspec.Struct]


def operation(
    method: str,
    path: str,
    permission: Permission,
    *,
    answer: Any,
    about: About | None = None,
    query: type[msgspec.Struct] = NoQuery,
    body: type[msgspec.Struct] | None = None,
    media: str = "",
    status: int = 200,
    location: str = "",
) -> Callable[[Work], Work]:
    """Register a function as an operation; ``answer`` is the struct that it returns."""

    def register(work: Work) -> Work:
        summary = (work.__doc__ or "").strip().splitlines()[0]
        made = Operation(
            name=work.__name__,
            method=method,
            path=path,
            permission=permission,
            summary=summary,
            query=query,
            body=body,
            media=media or ("application/json" if body else ""),
            answer=answer,
            status=status,
            location=location,
        )
        OPERATIONS.append(made)
        rule = re.sub(r"\{(\w+)\}", rf"<int(min=1,max={LARGEST_ID}):\1>", path)
        view = needs(permission, about)(_view(made, work))
        blueprint.add_url_rule(rule, made.name, view, methods=[method])
        return work

    return register


def _view(made: Operation, work: Work) -> Callable[..., Response]:
    def view(**ids: int) -> Response:
        return _answer(made, work, ids)

    return view


def _answer(made: Operation, work: Work, ids: dict[str, int]) -> Response:
    tools: Tools = current_app.extensions["tools"]
    query = _query(made.query)
    text = _text(made)
    body = _decoded(text, made.body) if made.body else None

    def run(session: Session) -> Answer:
        call = Call(session, tools, this_visitor(), query, body, text)
        return Answer(made.status, msgspec.to_builtins(work(call, **ids)))

    if made.method == "GET":
        with tools.database.reading() as session:
            return _response(made, run(session), ids)
    key = request.headers.get("Idempotency-Key")
    if key is None:
        with tools.database.transaction() as session:
            answer = run(session)
        return _response(made, answer, ids)
    return _repeatable(made, run, key=key, text=text, ids=ids)


def _repeatable(
    made: Operation, run: Callable[[Session], Answer], *, key: str, text: bytes, ids: dict[str, int]
) -> Response:
    tools: Tools = current_app.extensions["tools"]
    if not KEY.fullmatch(key):
        abort(400, description="The Idempotency-Key is not 1 to 255 visible ASCII characters.")
    request_hash = fingerprint(request.full_path.encode(), request.mimetype.encode(), text)
    answer, repeated = once(tools.database, run, token_id=g.token_id, key=key, request_hash=request_hash)
    response = _response(made, answer, ids)
    if repeated:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _query(shape: type[T]) -> T:
    given = request.args.to_dict(flat=False)
    double = [name for name, values in given.items() if len(values) > 1]
    if double:
        abort(400, description=f"{double[0]} stands in the query more than once.")
    try:
        return msgspec.convert({name: values[0] for name, values in given.items()}, shape, strict=False)
    except msgspec.ValidationError as error:
        abort(400, description=f"The query cannot be used. {error}.")


def _text(made: Operation) -> bytes:
    if not made.media:
        return b""
    if request.mimetype != made.media:
        raise UnsupportedMediaType(f"Send the body as {made.media}.")
    return request.get_data(cache=False)


def _decoded(text: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # a ValidationError is a DecodeError too
        abort(400, description=f"The body cannot be used. {error}.")


def _response(made: Operation, answer: Answer, ids: dict[str, int]) -> Response:
    response = Response(
        msgspec.json.encode(answer.body, order="sorted"), status=answer.status, content_type="application/json"
    )
    cursor = answer.body.get("next") if answer.body.keys() == set(Page.__struct_fields__) else None
    if cursor:
        query = {**request.args.to_dict(), "cursor": cursor}
        address = url_for(request.endpoint or "", **ids, **query)
        response.headers["Link"] = f'<{address}>; rel="next"'
    if made.location:
        response.headers["Location"] = f"{blueprint.url_prefix}{made.location.format(id=answer.body['id'])}"
    return response
