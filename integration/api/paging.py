"""Pages by cursor (pure, over a query): where the last page ended, so that rows added meanwhile repeat nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from integration.errors import InputRefused
from integration.language import lazy

T = TypeVar("T")
LARGEST_ID = 2_147_483_647


def page_after(
    session: Session, wanted: Select[T], by: InstrumentedAttribute[int], *, cursor: str | None, limit: int
) -> tuple[Sequence[T], str | None]:
    """The rows after the cursor in the order of ``by`` (an id), and the next cursor; None: that was all.

    Raises InputRefused for a cursor that we have not given.
    """
    if cursor is not None:
        wanted = wanted.where(by > _last_of(cursor))
    rows: Sequence[Any] = session.scalars(wanted.order_by(by).limit(limit + 1)).unique().all()
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], _cursor(getattr(rows[limit - 1], by.key))


def _cursor(last: int) -> str:
    return base64.urlsafe_b64encode(f"after:{last}".encode()).decode().rstrip("=")


def _last_of(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        word, _, number = text.partition(":")
        if word == "after" and number.isdigit() and int(number) <= LARGEST_ID:
            return int(number)
    except (binascii.Error, ValueError):  # no base64, or no text in it: refused below like any other
        word = ""
    raise InputRefused(
        lazy("The cursor is none of ours."), remedy=lazy('Follow the link with rel="next", or begin without one.')
    )
