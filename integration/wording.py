"""Texts that rows keep: not the words but what was said, so that everybody reads them in their own language.

A row keeps ``lazy("%(name)s is busy on %(day)s", name=..., day=...)`` as JSON, ``{"say": message, "with": values}``.
Words of people, and of rows from before, are kept and shown as they stand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from integration.formats import zone
from integration.language import Lazy, Wording

Kept = str | int | float | dict[str, Any]
BEGINS = '{"say":'  # how a kept text begins in a column
AS_IT_STANDS = "%(text)s"


class KeptWording(TypeDecorator[Wording]):
    """A column of text that keeps a Wording."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Wording | None, dialect: Dialect) -> str | None:
        if isinstance(value, str) and value.startswith(BEGINS):  # somebody's words that look like ours
            value = Lazy(AS_IT_STANDS, {"text": value})
        return json.dumps(kept(value), ensure_ascii=False) if isinstance(value, Lazy) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Wording | None:
        return said(json.loads(value)) if value is not None and value.startswith(BEGINS) else value


def kept(value: object) -> Kept:
    """A text (or a value inside one) as JSON."""
    if isinstance(value, Lazy):
        return {"say": value.message, "with": {name: kept(each) for name, each in value.values.items()}}
    if isinstance(value, datetime):
        return {"at": value.isoformat(), "zone": getattr(value.tzinfo, "key", None)}
    if isinstance(value, date):
        return {"on": value.isoformat()}
    if isinstance(value, time):
        return {"time": value.isoformat()}
    return value if isinstance(value, int | float) else str(value)


def said(kept: Kept) -> Wording:
    """The text that was kept."""
    value = _value(kept)
    return value if isinstance(value, Lazy) else str(value)


def _value(kept: Kept) -> object:
    if not isinstance(kept, dict):
        return kept
    return _lazy(kept) if "say" in kept else _time(kept)


def _lazy(kept: Mapping[str, Any]) -> Lazy:
    return Lazy(kept["say"], {name: _value(each) for name, each in kept.get("with", {}).items()})


def _time(kept: Mapping[str, Any]) -> object:
    if "at" in kept:
        at = datetime.fromisoformat(kept["at"])
        return at.astimezone(zone(kept["zone"])) if kept.get("zone") else at
    return date.fromisoformat(kept["on"]) if "on" in kept else time.fromisoformat(kept["time"])
