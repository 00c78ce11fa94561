"""Duties that only ask: a date in a column has come, so a task goes to the outbox and a worker does the rest."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from integration import outbox
from integration.due import DateColumn, earliest, take_due
from integration.duties import Duty
from integration.outbox import Task

if TYPE_CHECKING:
    from integration.tools import Tools


def duty_to_ask(name: str, column: DateColumn, task: Task, *, again_after: timedelta | None = None) -> Duty:
    """The duty that asks for ``task`` with the id of every row whose date in ``column`` has come.

    Taking the date and asking are one transaction: a row is asked for once, and never forgotten. The date is emptied,
    or set to ``again_after`` from then on where the task itself only moves it when it succeeds.
    """

    def ask(tools: Tools, now: datetime) -> int:
        following = now + again_after if again_after is not None else None
        with tools.database.transaction() as session:
            taken = take_due(session, column, now=now, then=lambda _seen: following)
            for row_id in taken:
                outbox.add(session, task, row_id)
        return len(taken)

    return Duty(name, earliest(column), ask)
