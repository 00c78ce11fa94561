"""Requests that may be repeated: the same Idempotency-Key has the effect once and the same answer each time.

The key is noted before the work begins, and the answer in the transaction of the work itself: whatever dies between,
either nothing was done, or the answer is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from integration.api.models import RepeatableRequest
from integration.clock import real_now
from integration.db import Database
from integration.errors import Conflict, PodsError
from integration.language import lazy

KEPT = timedelta(hours=24)
ABANDONED_AFTER = timedelta(minutes=2)  # longer than any request lasts: whoever worked on it has died


class KeyReused(PodsError):
    """The same key came with another request."""


@dataclass(frozen=True)
class Answer:
    """What a request was answered: ``body`` is JSON."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class _Turn:
    """Our right to work on a request, from ``asked_at`` on."""

    id: int
    asked_at: datetime


def fingerprint(*parts: bytes) -> str:
    """One hash of all that makes a request; each part counts with its length."""
    joined = b"".join(len(part).to_bytes(8) + part for part in parts)
    return hashlib.sha256(joined).hexdigest()


def once(
    database: Database, work: Callable[[Session], Answer], *, token_id: int, key: str, request_hash: str
) -> tuple[Answer, bool]:
    """Do the work, or give the answer it was given before; the second value says whether it is a repetition.

    A request that failed did nothing and is forgotten. Raises KeyReused, and Conflict while it is being worked on.
    """
    with database.transaction() as session:
        turn = _take_turn(session, token_id=token_id, key=key, request_hash=request_hash)
    if isinstance(turn, Answer):
        return turn, True
    with _given_back(database, turn), database.transaction() as session:
        answer = work(session)
        _record_answer(session, turn, answer)
    return answer, False


def forget_old(session: Session, *, now: datetime) -> None:
    """Delete the answers that are no longer promised."""
    session.execute(delete(RepeatableRequest).where(RepeatableRequest.asked_at < now - KEPT))


def _take_turn(session: Session, *, token_id: int, key: str, request_hash: str) -> _Turn | Answer:
    now = real_now()
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(RepeatableRequest).values(
        token_id=token_id, key=key, request_hash=request_hash, asked_at=now
    )
    new = session.scalar(insert.on_conflict_do_nothing().returning(RepeatableRequest.id))
    if new is not None:
        return _Turn(new, now)
    row = session.scalars(
        select(RepeatableRequest)
        .where(RepeatableRequest.token_id == token_id, RepeatableRequest.key == key)
        .with_for_update()
    ).one_or_none()
    if row is not None and row.request_hash != request_hash:
        raise KeyReused(
            lazy("This Idempotency-Key came with another request."), remedy=lazy("Use a new key for each request.")
        )
    if row is not None and row.status is not None and row.answer is not None:
        return Answer(row.status, row.answer)
    if row is None or row.asked_at > now - ABANDONED_AFTER:
        raise Conflict(lazy("The same request is being worked on."), remedy=lazy("Repeat it in a moment."))
    row.asked_at = now
    return _Turn(row.id, now)


def _record_answer(session: Session, turn: _Turn, answer: Answer) -> None:
    recorded = session.scalar(
        update(RepeatableRequest)
        .where(RepeatableRequest.id == turn.id, RepeatableRequest.asked_at == turn.asked_at)
        .values(status=answer.status, answer=answer.body)
        .returning(RepeatableRequest.id)
    )
    if recorded is None:  # we took so long that somebody else has begun again: ours is rolled back
        raise Conflict(lazy("The same request is being worked on."), remedy=lazy("Repeat it in a moment."))


@contextmanager
def _given_back(database: Database, turn: _Turn) -> Iterator[None]:
    """Work that failed leaves no trace of its key."""
    try:
        yield
    except BaseException:
        with database.transaction() as session:
            session.execute(
                delete(RepeatableRequest).where(
                    RepeatableRequest.id == turn.id,
                    RepeatableRequest.asked_at == turn.asked_at,
                    RepeatableRequest.status.is_(None),
                )
            )
        raise
