"""A duty: work that falls due by the clock, such as freezing an occurrence's attendees when it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Select

if TYPE_CHECKING:
    from integration.tools import Tools


@dataclass(frozen=True)
class Duty:
    """One kind of due work.

    ``due`` asks for the earliest instant (UTC, of the clock that can be moved) at which there is some; it is a
    question and not an answer, so that all duties are asked for at once (``integration.due.earliest``). ``run``
    does what is due at the given instant and returns how many things it did. Running twice must do no harm: the due
    date is the lock, see ``integration.due.take_due``.
    """

    name: str
    due: Select[datetime | None]
    run: Callable[[Tools, datetime], int]
