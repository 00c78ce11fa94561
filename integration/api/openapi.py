"""The OpenAPI 3.1 document, made from the table of operations (https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from integration.api import problems
from integration.api.operations import Operation
from integration.api.paging import LARGEST_ID
from integration.api.problems import Problem

REFERENCE = "#/components/schemas/{name}"
ALWAYS = {400: "The request cannot be used.", 401: "No token, or none of ours.", 403: "The token may not do this."}
ABOUT_A_THING = {404: "There is no such thing, or it is out of reach."}
WRITING = {409: "Not possible in the present state.", 422: "The Idempotency-Key came with another request."}
WITH_BODY = {413: "The body is too large.", 415: "The body has another media type."}
PACED = {429: "Too many requests; Retry-After says how long to wait.", 503: "Try again later."}


def document(operations: Sequence[Operation], *, server: str) -> dict[str, Any]:
    """The whole document; ``server`` is the address that the paths begin at."""
    shapes = [Problem, *(shape for each in operations for shape in _shapes(each))]
    schemas, components = msgspec.json.schema_components(shapes, ref_template=REFERENCE)
    schema_of = dict(zip(map(str, shapes), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schema_of, components)
    used = {name: schema for name, schema in components.items() if not name.endswith("Query")}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Learning Pods", "version": "1", "description": "People, programs, plans, pods, figures."},
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": used,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "pods_..."}},
        },
    }


def _shapes(each: Operation) -> list[Any]:
    return [shape for shape in (each.query, each.body, each.answer) if shape is not None]


def _operation(each: Operation, schema_of: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    ids = re.findall(r"\{(\w+)\}", each.path)
    found: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.summary,
        "description": f"Needs the scope `{each.permission}`.",
        "parameters": [*map(_id, ids), *_query(components[each.query.__name__])],
        "responses": _responses(each, schema_of, has_ids=bool(ids)),
    }
    if each.method == "POST":
        found["parameters"].append(_idempotency_key())
    if each.media:
        schema = schema_of[str(each.body)] if each.body else {"type": "string"}
        found["requestBody"] = {"required": True, "content": {each.media: {"schema": schema}}}
    return found


def _id(name: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(schema: dict[str, Any]) -> list[dict[str, Any]]:
    needed = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _without_null(field)}
        for name, field in schema.get("properties", {}).items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """In a query there is no null: what is not there is not said."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if not options:
        return schema
    return options[0]


def _idempotency_key() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same key and request has its effect once; the answer is kept for 24 hours.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    }


def _responses(each: Operation, schema_of: dict[str, Any], *, has_ids: bool) -> dict[str, Any]:
    refusals = {
        **ALWAYS,
        **(ABOUT_A_THING if has_ids else {}),
        **(WRITING if each.method == "POST" else {}),
        **(WITH_BODY if each.media else {}),
        **PACED,
    }
    problem = {problems.MEDIA_TYPE: {"schema": schema_of[str(Problem)]}}
    fine: dict[str, Any] = {
        "description": "Done." if each.method == "POST" else "As it is now.",
        "content": {"application/json": {"schema": schema_of[str(each.answer)]}},
    }
    if each.location:
        fine["headers"] = {"Location": {"description": "Its address.", "schema": {"type": "string"}}}
    if str(each.answer).startswith("integration.api.shapes.Page["):
        fine["headers"] = {"Link": {"description": 'rel="next": the next page', "schema": {"type": "string"}}}
    return {
        str(each.status): fine,
        **{str(code): {"description": words, "content": problem} for code, words in sorted(refusals.items())},
    }
