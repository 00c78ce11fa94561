"""`$batch`: up to twenty requests in one, each answered as if it had come alone (JSON batching)."""

import base64
import io
import json
from collections.abc import Mapping
from typing import cast
from urllib.parse import unquote
from wsgiref.types import WSGIEnvironment

from flask import Blueprint, Response, current_app, request

from .door import Answer, collect
from .odata import GraphFault, Json, body, current_tenant, respond
from .permissions import allowed
from .throttle import MailboxThrottle

blueprint = Blueprint("batch", __name__)

MOST_PARTS = 20
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


@blueprint.post("/v1.0/$batch")
@allowed("POST /$batch", locked=False)
def run_batch() -> Response:
    parts = _parts(body())
    answers: dict[str, Json] = {}
    waiting = list(parts)
    while waiting:
        ready = [part for part in waiting if _dependencies(part) <= answers.keys()]
        waiting = [part for part in waiting if part not in ready]
        answers |= _wave(ready, answers)
    return respond({"responses": list(answers.values())})


def _parts(sent: Json) -> list[Json]:
    """The parts, checked; 400 for a batch Graph cannot read."""
    parts = sent.get("requests")
    if not isinstance(parts, list) or not parts:
        raise _malformed("The 'requests' property must be a non-empty array.")
    if len(parts) > MOST_PARTS:
        raise _malformed(f"Number of batch request steps exceeds the maximum value of {MOST_PARTS}.")
    seen: set[str] = set()
    for part in parts:
        _check_part(part, seen)
        seen.add(str(part["id"]).casefold())
    named = {str(part["id"]) for part in parts}
    for part in parts:
        if not _dependencies(part) <= named - {str(part["id"])}:
            raise _malformed(f"Part '{part['id']}' depends on a part that does not exist.")
    _check_order(parts)
    return cast("list[Json]", parts)


def _check_part(part: object, seen: set[str]) -> None:
    if not isinstance(part, Mapping) or not {"id", "method", "url"} <= part.keys():
        raise _malformed("Every request needs 'id', 'method' and 'url'.")
    if str(part["id"]).casefold() in seen:
        raise _malformed(f"Duplicate request id '{part['id']}'.")
    if str(part["method"]).upper() not in METHODS:
        raise _malformed(f"Invalid method '{part['method']}'.")
    names = {name.lower() for name in cast("Mapping[str, str]", part.get("headers") or {})}
    if part.get("body") is not None and "content-type" not in names:
        raise _malformed("Write request with a body needs a Content-Type header.")


def _check_order(parts: list[Json]) -> None:
    """Dependencies may form a chain or a star, never a circle; each part has at most one."""
    done: set[str] = set()
    waiting = list(parts)
    while waiting:
        ready = [part for part in waiting if _dependencies(part) <= done]
        if not ready:
            raise _malformed("The dependencies of the requests form a circle.")
        if any(len(_dependencies(part)) > 1 for part in ready):
            raise _malformed("A request may depend on one other request only.")
        done |= {str(part["id"]) for part in ready}
        waiting = [part for part in waiting if part not in ready]


def _wave(ready: list[Json], answers: Mapping[str, Json]) -> dict[str, Json]:
    """Parts that run side by side: their mailbox slots are given back only when all of them are done."""
    throttle: MailboxThrottle = current_app.extensions["throttle"]
    queueing = current_tenant().switches.batch_parts_beyond_concurrency == "queue"
    slots: list[str] = []
    done: dict[str, Json] = {}
    try:
        for part in ready:
            kept: list[str] = []
            done[str(part["id"])] = _run(part, answers, kept)
            if queueing:
                _give_back(throttle, kept)
            else:
                slots += kept
    finally:
        _give_back(throttle, slots)
    return done


def _give_back(throttle: MailboxThrottle, slots: list[str]) -> None:
    for mailbox in slots:
        throttle.release(mailbox)


def _run(part: Json, answers: Mapping[str, Json], slots: list[str]) -> Json:
    failed = [key for key in _dependencies(part) if cast(int, answers[key]["status"]) >= 400]
    if failed:
        message = "The request was not executed because a request it depends on failed."
        error = {"error": {"code": "FailedDependency", "message": message}}
        return {"id": part["id"], "status": 424, "headers": {"Content-Type": "application/json"}, "body": error}
    answer = collect(current_app.wsgi_app, _environ(part, slots))
    shown: Json = {"id": part["id"], "status": int(answer.status[:3]), "headers": _headers(answer)}
    content = _content(answer)
    return shown if content is None else {**shown, "body": content}


def _environ(part: Json, slots: list[str]) -> WSGIEnvironment:
    path, _, query = str(part["url"]).partition("?")
    raw = b"" if part.get("body") is None else _raw(part["body"])
    outer = request.environ
    environ: WSGIEnvironment = {
        key: value
        for key, value in outer.items()
        if not key.startswith(("HTTP_PREFER", "HTTP_CONTENT", "werkzeug.", "flask.", "simulator."))
    }
    environ["simulator.claims"] = outer["simulator.claims"]
    environ |= {
        "REQUEST_METHOD": str(part["method"]).upper(),
        "PATH_INFO": "/v1.0/" + unquote(path).lstrip("/"),
        "QUERY_STRING": query.replace(" ", "%20"),
        "CONTENT_LENGTH": str(len(raw)),
        "CONTENT_TYPE": "",
        "wsgi.input": io.BytesIO(raw),
        "simulator.part": part["id"],
        "simulator.slots": slots,
    }
    for name, value in cast("Mapping[str, str]", part.get("headers") or {}).items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ


def _raw(content: object) -> bytes:
    if isinstance(content, str):
        return base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))
    return json.dumps(content).encode()


def _headers(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers if name.lower() not in ("content-length", "date")}


def _content(answer: Answer) -> object:
    if not answer.body:
        return None
    try:
        return json.loads(answer.body)
    except ValueError:
        return base64.b64encode(answer.body).decode()


def _dependencies(part: Json) -> set[str]:
    return {str(key) for key in cast("list[object]", part.get("dependsOn") or [])}


def _malformed(message: str) -> GraphFault:
    return GraphFault(400, "BadRequest", f"Invalid batch payload format. {message}")
