"""Due work: a date column that is also the lock, so that any number of schedulers may run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

DateColumn = InstrumentedAttribute[datetime | None] | InstrumentedAttribute[datetime]


def take_due(
    session: Session,
    column: DateColumn,
    *conditions: ColumnElement[bool],
    now: datetime,
    limit: int = 100,
    then: Callable[[datetime], datetime | None] = lambda _seen: None,
) -> list[int]:
    """Take the rows whose date has come, the earliest first; returns their ids.

    Each date is moved on to ``then(date)`` (by default to nothing) only if it is still the one that was seen: of two
    schedulers exactly one gets the row. Add to the outbox in the same transaction, so that taking and asking are one.
    """
    row: Any = column.class_
    dates: Any = session.execute(
        select(row.id, column).where(column <= now, *conditions).order_by(column, row.id).limit(limit)
    )
    return [row_id for row_id, seen in dates.all() if _move_on(session, column, row_id, seen=seen, to=then(seen))]


def earliest(column: DateColumn, *conditions: ColumnElement[bool]) -> Select[datetime | None]:
    """The question for the earliest date in a column (UTC; NULL for none), for ``Duty.due``."""
    return select(func.min(column)).where(*conditions)


def _move_on(session: Session, column: DateColumn, row_id: int, *, seen: Any, to: datetime | None) -> bool:
    row: Any = column.class_
    moved = session.scalar(update(row).where(row.id == row_id, column == seen).values({column: to}).returning(row.id))
    return moved is not None
