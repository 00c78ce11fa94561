"""When each mailbox has its turn (pure): all of them regularly, never all at once."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NIGHT_BEGINS, NIGHT = timedelta(hours=1), timedelta(hours=4)  # UTC


def next_turn(
    mailbox: str, now: datetime, *, every: timedelta, begins: timedelta = timedelta(), within: timedelta | None = None
) -> datetime:
    """The next instant after ``now`` that belongs to this mailbox: one in each period of ``every``.

    ``begins`` and ``within`` keep it in a part of the period. The same mailbox always has the same place in it, so
    any number of schedulers, and every restart, agree.
    """
    place = int.from_bytes(hashlib.sha256(mailbox.lower().encode()).digest()[:4]) / 2**32
    first = EPOCH + begins + (within or every) * place
    turn = first + ((now - first) // every + 1) * every
    return turn.replace(microsecond=0) + timedelta(seconds=1) if turn.microsecond else turn


def next_night(mailbox: str, now: datetime) -> datetime:
    """The mailbox's turn in the next night."""
    return next_turn(mailbox, now, every=DAY, begins=NIGHT_BEGINS, within=NIGHT)
