"""Claiming messages of the outbox, working on them, and recording what came of it.

A claim is a lease on the real clock with a fencing token. Whoever lets it expire has lost the message: what it
records afterwards is refused, and somebody else has begun again. Tasks may run twice; they are never forgotten.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, exists, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, aliased

from integration.clock import real_now
from integration.db import Database
from integration.errors import PodsError
from integration.language import Wording, lazy
from integration.log import ADDRESS, HIDDEN, get_logger
from integration.outbox import Message, State, Task, ask

if TYPE_CHECKING:
    from integration.tools import Tools

MOST_REFUSALS = 5
DEATHS_AT_ONCE = 5  # so many attempts are taken over without a wait when their worker has died
AT_ONCE = 8
LONGEST_SHIFT_SECONDS = 30.0  # then the queue is asked again, so that a stop or another worker gets its turn
LONGEST_ERROR = 500

# Built once: a worker asks before and after every message, and building them costs as much as asking.
_other = aliased(Message)
DUE = (
    select(Message)
    .where(
        Message.state == State.WAITING,
        Message.due_at <= bindparam("real_now"),
        ~exists().where(
            _other.state == State.CLAIMED, _other.kind == Message.kind, _other.subject == Message.subject
        ),
    )
    .order_by(Message.due_at, Message.id)
    .limit(bindparam("limit"))
)
DUE_AND_FREE = DUE.with_for_update(skip_locked=True)
TAKE = (
    update(Message)
    .where(Message.id == bindparam("message_id"), Message.state == State.WAITING)
    .values(
        state=State.CLAIMED,
        claim=bindparam("token"),
        claimed_until=bindparam("until"),
        attempts=Message.attempts + 1,
    )
    .returning(Message.id)
    .execution_options(synchronize_session=False)
)

log = get_logger(__name__)
Handlers = Mapping[Task, Callable[["Tools", int], None]]


@dataclass(frozen=True)
class Claim:
    """A message that this process may work on until its lease ends."""

    message_id: int
    task: Task
    subject: str
    token: str
    attempts: int  # including this one
    refusals: int  # before this one
    first_asked_at: datetime
    asked_at: datetime


@dataclass(frozen=True)
class Patience:
    """How long to wait before an attempt is repeated: doubled each time, with jitter, on the real clock."""

    first_wait: timedelta = timedelta(seconds=5)
    longest_wait: timedelta = timedelta(minutes=10)

    def wait(self, failures: int, *, at_least: float | None = None) -> timedelta:
        """The wait after this many failures in a row; ``at_least``: seconds that the other side asked for."""
        doubled = self.first_wait.total_seconds() * 2 ** min(failures - 1, 16)
        seconds = min(doubled, self.longest_wait.total_seconds()) * random.uniform(0.75, 1.25)
        return timedelta(seconds=max(seconds, at_least or 0))


PATIENT = Patience()
HURRIED = Patience(timedelta(milliseconds=100), timedelta(seconds=2))  # while a clock is moved by hand


def patience_of(tools: Tools) -> Patience:
    """How patient this process is: less where somebody waits for the clock to be moved."""
    return HURRIED if tools.clock.movable else PATIENT


def claim(database: Database, limit: int, lease: timedelta) -> list[Claim]:
    """Claim up to ``limit`` due messages about different things that nobody else is working on."""
    with database.transaction() as session:
        claims: dict[tuple[str, str], Claim] = {}
        for message in _candidates(session, 4 * limit, is_sqlite=database.is_sqlite):
            thing = (message.kind, message.subject)
            if len(claims) == limit or thing in claims:
                continue
            taken = _take(session, message, lease)
            if taken:
                claims[thing] = taken
        return list(claims.values())


def heartbeat(database: Database, claims: Iterable[Claim], lease: timedelta) -> None:
    """Renew the lease of claims that are still being worked on."""
    tokens = [claim.token for claim in claims]
    if not tokens:
        return
    with database.transaction() as session:
        session.execute(update(Message).where(Message.claim.in_(tokens)).values(claimed_until=real_now() + lease))


def record_done(database: Database, claim: Claim) -> bool:
    """The task is done; parked messages for the same thing are thereby done too. False: the claim was lost."""
    with database.transaction() as session:
        recorded = _close(session, claim, state=State.DONE, done_at=real_now(), last_error=None)
        if recorded:
            session.execute(
                update(Message)
                .where(Message.task == claim.task, Message.subject == claim.subject, Message.state == State.PARKED)
                .values(state=State.DONE, done_at=real_now())
            )
        return recorded


def record_again(database: Database, claim: Claim, *, due_at: datetime, error: Wording, refused: bool) -> bool:
    """Let it wait for another attempt, merged with a message that came meanwhile. False: the claim was lost."""
    with database.transaction() as session:
        return _ask_again(session, claim, due_at=due_at, error=error, refused=refused)


def record_parked(database: Database, claim: Claim, *, error: Wording) -> bool:
    """Put it aside for a person to look at. False: the claim was lost."""
    with database.transaction() as session:
        return _close(session, claim, state=State.PARKED, refusals=claim.refusals + 1, last_error=error)


def sweep(database: Database, patience: Patience = PATIENT) -> int:
    """Let messages whose worker has died wait again; returns how many."""
    lost = (Message.state == State.CLAIMED) & (Message.claimed_until < real_now())
    with database.transaction() as session:
        messages = session.scalars(select(Message).where(lost)).all()
        claims = [_claim_of(each, each.claim or "", attempts=each.attempts) for each in messages]
        return sum(_give_back(session, each, patience) for each in claims)


def deliver(tools: Tools, claim: Claim, handlers: Handlers) -> None:
    """Work on one claim and record the outcome; raises nothing that a task can cause."""
    patience = patience_of(tools)
    try:
        handlers[claim.task](tools, int(claim.subject))
    except PodsError as error:
        recorded = _record_failure(tools.database, claim, error, patience)
    except Exception as error:  # a mistake of ours: kept with the message, and parked if it stays
        log.exception("task broke", task=claim.task, subject=claim.subject)
        recorded = _record_failure(tools.database, claim, _unexpected(error), patience)
    else:
        recorded = record_done(tools.database, claim)
    if not recorded:
        log.warning("claim lost", task=claim.task, subject=claim.subject)


class Shift:
    """Works on due messages, several at once, until nothing is due, the shift is over or it is told to stop."""

    def __init__(self, tools: Tools, handlers: Handlers) -> None:
        self._tools = tools
        self._handlers = handlers
        self._lease = timedelta(seconds=tools.settings.claim_lease_seconds)
        self._running: dict[Future[None], Claim] = {}
        self._over = threading.Event()

    def work(self, stop: threading.Event) -> int:
        """Returns how many messages were worked on; once ``stop`` is set, no more are taken."""
        heart = threading.Thread(target=self._beat, daemon=True, name="heartbeat")
        heart.start()
        try:
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="delivery") as pool:
                return self._work(pool, stop)
        finally:
            self._over.set()
            heart.join()

    def _work(self, pool: ThreadPoolExecutor, stop: threading.Event) -> int:
        ends_at, worked = time.monotonic() + LONGEST_SHIFT_SECONDS, 0
        while True:
            if not stop.is_set() and time.monotonic() < ends_at:
                worked += self._take_more(pool)
            if not self._running:
                return worked
            finished, _ = wait(self._running, return_when=FIRST_COMPLETED)
            for future in finished:
                del self._running[future]
                future.result()  # a failure to record (database away) ends the shift; the lease runs out by itself

    def _take_more(self, pool: ThreadPoolExecutor) -> int:
        free = AT_ONCE - len(self._running)
        claims = claim(self._tools.database, free, self._lease)
        for each in claims:
            self._running[pool.submit(deliver, self._tools, each, self._handlers)] = each
        if len(claims) == AT_ONCE:
            self._tools.doorbell.ring()  # more than we can carry: let another worker join
        return len(claims)

    def _beat(self) -> None:
        while not self._over.wait(self._lease.total_seconds() / 3):
            try:
                heartbeat(self._tools.database, tuple(self._running.values()), self._lease)
            except SQLAlchemyError as error:  # the database is away for a moment: the next beat may be in time
                log.warning("heartbeat missed", reason=type(error).__name__)


def _candidates(session: Session, limit: int, *, is_sqlite: bool) -> Iterable[Message]:
    # On SQLite BEGIN IMMEDIATE has already shut the others out.
    due = DUE if is_sqlite else DUE_AND_FREE
    return session.scalars(due, {"real_now": real_now(), "limit": limit}).all()


def _take(session: Session, message: Message, lease: timedelta) -> Claim | None:
    token = secrets.token_hex(16)
    try:
        with session.begin_nested():
            found = {"message_id": message.id, "token": token, "until": real_now() + lease}
            taken = session.scalar(TAKE, found)
    except IntegrityError:  # another worker has just begun on the same thing
        return None
    if taken is None:
        return None
    return _claim_of(message, token, attempts=message.attempts + 1)


def _record_failure(database: Database, claim: Claim, error: PodsError, patience: Patience) -> bool:
    words = error.wording
    log.warning("task put off", task=claim.task, subject=claim.subject, attempt=claim.attempts, reason=str(words))
    if not error.passes_by_itself and claim.refusals + 1 >= MOST_REFUSALS:
        return record_parked(database, claim, error=words)
    due_at = real_now() + patience.wait(claim.attempts, at_least=error.retry_after)
    return record_again(database, claim, due_at=due_at, error=words, refused=not error.passes_by_itself)


def _unexpected(error: Exception) -> PodsError:
    words = ADDRESS.sub(HIDDEN, f"{type(error).__name__}: {error}")[:LONGEST_ERROR]
    return PodsError(words, remedy=lazy("This is a mistake in the program; the log has its traceback."))


def _close(session: Session, claim: Claim, **values: object) -> bool:
    closed = session.scalar(
        update(Message)
        .where(Message.id == claim.message_id, Message.claim == claim.token, Message.state == State.CLAIMED)
        .values(claim=None, claimed_until=None, **values)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    return closed is not None


def _remove(session: Session, message_id: int, token: str | None) -> bool:
    removed = session.scalar(
        delete(Message)
        .where(Message.id == message_id, Message.claim == token, Message.state == State.CLAIMED)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    return removed is not None


def _give_back(session: Session, lost: Claim, patience: Patience) -> bool:
    """Of two sweeps one finds the row.

    A death says nothing against the message, which may just have been in flight beside another: it never counts as a
    refusal. But one whose workers die again and again waits longer each time, so that the others get done.
    """
    due_at, deaths = real_now(), lost.attempts - DEATHS_AT_ONCE
    if deaths > 0:
        due_at += patience.wait(deaths)
    return _ask_again(
        session, lost, due_at=due_at, error=lazy("The worker stopped in the middle of it."), refused=False
    )


def _ask_again(session: Session, claim: Claim, *, due_at: datetime, error: Wording, refused: bool) -> bool:
    if not _remove(session, claim.message_id, claim.token):
        return False
    ask(
        session,
        task=claim.task,
        subject=claim.subject,
        first_asked_at=claim.first_asked_at,
        asked_at=claim.asked_at,
        due_at=due_at,
        attempts=claim.attempts,
        refusals=claim.refusals + refused,
        last_error=error,
    )
    return True


def _claim_of(message: Message, token: str, *, attempts: int) -> Claim:
    return Claim(
        message_id=message.id,
        task=Task(message.task),
        subject=message.subject,
        token=token,
        attempts=attempts,
        refusals=message.refusals,
        first_asked_at=message.first_asked_at,
        asked_at=message.asked_at,
    )
