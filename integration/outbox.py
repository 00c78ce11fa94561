"""The outbox: what the outside world still has to be told or asked, one row per wish.

``add`` stands in the transaction that causes the wish; ``integration.delivery`` claims the rows and works on them.
A row names a task and the id of its subject, nothing else: whoever works on it reads the truth again, and may do so
twice. All its instants are on the real clock: leases and back-off do not move with a demonstration's clock.

    waiting --claim--> claimed --done--> done
       ^                 |  |
       +----- again -----+  +--refused too often--> parked --retry--> waiting
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from sqlalchemy import CheckConstraint, Executable, Index, case, delete, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from integration.clock import real_now
from integration.db import Base
from integration.errors import Conflict, NotThere
from integration.language import Lazy, Wording, lazy
from integration.wording import KeptWording

Row = dict[str, object]
RINGS = "outbox.rings"  # set on Session.info: ring the doorbell once this transaction is committed
KEEP_DONE = timedelta(days=7)
PER_STATEMENT = 200  # messages asked for at once


class Task(StrEnum):
    """What can be asked of the workers: "kind.verb"; the subject is the id of a row of that kind."""

    SERIES_PUSH = "series.push"
    SERIES_CANCEL = "series.cancel"
    SERIES_PULL = "series.pull"
    SERIES_REPAIR = "series.repair"
    OCCURRENCE_FREEZE = "occurrence.freeze"
    OCCURRENCE_COLLECT = "occurrence.collect"
    OCCURRENCE_ASK = "occurrence.ask"
    OCCURRENCE_ASK_MET = "occurrence.ask_met"
    MAIL_SEND = "mail.send"
    DRAFT_REMOVE = "draft.remove"
    INBOX_READ = "inbox.read"
    LETTER_PURGE = "letter.purge"
    SUBSCRIPTION_ENSURE = "subscription.ensure"
    NOTIFICATIONS_HEED = "notifications.heed"  # of one subscription, whose id is the subject
    NOTIFICATION_OPEN = "notification.open"
    CALL_RECORD_READ = "call_record.read"
    MAILBOX_SWEEP = "mailbox.sweep"
    SUMMARY_COMPILE = "summary.compile"
    GUIDE_SEND = "guide.send"
    PLAN_DRAFT = "plan.draft"
    PERSON_RESOLVE = "person.resolve"
    ANNOUNCEMENT_DELIVER = "announcement.deliver"
    DOCTOR_RUN = "doctor.run"

    @property
    def kind(self) -> str:
        return self.value.partition(".")[0]


class State(StrEnum):
    WAITING = "waiting"
    CLAIMED = "claimed"
    DONE = "done"
    PARKED = "parked"


IS_WAITING = text("state = 'waiting'")
IS_CLAIMED = text("state = 'claimed'")


class Message(Base):
    """One wish. At most one waits per task and subject; at most one per kind and subject is being worked on."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'claimed', 'done', 'parked')", name="state"),
        Index(
            "uq_outbox_message_waiting",
            "task",
            "subject",
            unique=True,
            sqlite_where=IS_WAITING,
            postgresql_where=IS_WAITING,
        ),
        Index(
            "uq_outbox_message_claimed",
            "kind",
            "subject",
            unique=True,
            sqlite_where=IS_CLAIMED,
            postgresql_where=IS_CLAIMED,
        ),
        Index("ix_outbox_message_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[str]
    subject: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    first_asked_at: Mapped[datetime]  # how long somebody has been waiting for it
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    refusals: Mapped[int] = mapped_column(default=0)  # attempts that do not get better by waiting
    claim: Mapped[str | None]  # the fencing token of whoever works on it
    claimed_until: Mapped[datetime | None]
    last_error: Mapped[Wording | None] = mapped_column(KeptWording)
    done_at: Mapped[datetime | None]


def add(session: Session, task: Task, subject: int | str, *, due_at: datetime | None = None) -> None:
    """Ask for a task in this transaction; asking again while it waits is the same wish.

    ``due_at``: not before this instant of the real clock (default: now). One that is backing off keeps its date.
    """
    now = real_now()
    ask(session, task=task, subject=str(subject), first_asked_at=now, asked_at=now, due_at=due_at or now)
    _let_ring(session, due_at, now=now)


def add_all(session: Session, task: Task, subjects: Iterable[int], *, due_at: datetime | None = None) -> None:
    """Ask for a task about many subjects, in few statements; ``due_at`` as for ``add``."""
    now, ordered = real_now(), sorted(set(subjects))
    for start in range(0, len(ordered), PER_STATEMENT):
        some = ordered[start : start + PER_STATEMENT]
        _merge(
            session, [_row(task, str(each), first_asked_at=now, asked_at=now, due_at=due_at or now) for each in some]
        )
    if ordered:
        _let_ring(session, due_at, now=now)


def _let_ring(session: Session, due_at: datetime | None, *, now: datetime) -> None:
    """What is not due yet is found when it is: a worker that was rung for it would find nothing."""
    if due_at is None or due_at <= now:
        session.info[RINGS] = True


def ask(
    session: Session,
    *,
    task: str,
    subject: str,
    first_asked_at: datetime,
    asked_at: datetime,
    due_at: datetime,
    attempts: int = 0,
    refusals: int = 0,
    last_error: Wording | None = None,
) -> None:
    """Let a message wait, merged with the one that waits already.

    ON CONFLICT DO UPDATE, never DO NOTHING: the update waits for a worker that is just claiming the row, sees that it
    no longer waits, and inserts. DO NOTHING would take the row for waiting, and the wish would be lost.
    """
    row = _row(task, subject, first_asked_at=first_asked_at, asked_at=asked_at, due_at=due_at)
    _merge(session, [{**row, "attempts": attempts, "refusals": refusals, "last_error": last_error}])


def _row(task: str, subject: str, *, first_asked_at: datetime, asked_at: datetime, due_at: datetime) -> Row:
    """A message that waits for its first attempt."""
    return {
        "task": str(task),
        "subject": subject,
        "kind": task.partition(".")[0],
        "state": State.WAITING,
        "first_asked_at": first_asked_at,
        "asked_at": asked_at,
        "due_at": due_at,
        "attempts": 0,
        "refusals": 0,
        "last_error": None,
    }


def _merge(session: Session, messages: Sequence[Row]) -> None:
    """Let messages about different subjects wait, in one go."""
    connection = session.connection()
    connection.execute(_merging(connection.dialect.name), list(messages))


@cache
def _merging(dialect: str) -> Executable:
    """Built once: receiving notifications asks for something some hundred times a second."""
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(Message)
    new, earlier = insert.excluded, func.min if dialect == "sqlite" else func.least
    return insert.on_conflict_do_update(
        index_elements=["task", "subject"],
        index_where=IS_WAITING,
        set_={
            "asked_at": new.asked_at,
            "first_asked_at": earlier(Message.first_asked_at, new.first_asked_at),
            "due_at": case(
                (new.attempts > 0, new.due_at),  # the attempt before this one says when to try again
                (Message.attempts > 0, Message.due_at),
                else_=earlier(Message.due_at, new.due_at),
            ),
            "attempts": case((new.attempts > 0, new.attempts), else_=Message.attempts),
            "last_error": func.coalesce(new.last_error, Message.last_error),
        },
    )


def retry(session: Session, message_id: int) -> None:
    """Try a parked message again, now and with all its attempts; raises NotThere or Conflict."""
    message = _message(session, message_id)
    if message.state not in (State.PARKED, State.WAITING):
        raise Conflict(_in_state(message), remedy=lazy("Only parked or waiting ones are retried."))
    session.execute(delete(Message).where(Message.id == message_id))
    add(session, Task(message.task), message.subject)


def discard(session: Session, message_id: int, reason: str) -> None:
    """Give up on a parked or waiting message, saying why; the row stays to be read. Raises NotThere or Conflict."""
    message = _message(session, message_id)
    if message.state not in (State.PARKED, State.WAITING):
        raise Conflict(_in_state(message), remedy=lazy("Only parked or waiting ones are given up."))
    session.execute(
        update(Message)
        .where(Message.id == message_id)
        .values(state=State.DONE, done_at=real_now(), last_error=lazy("given up: %(reason)s", reason=reason))
    )


def parked(session: Session) -> Sequence[Message]:
    """The messages that need a person, the oldest first."""
    return session.scalars(
        select(Message).where(Message.state == State.PARKED).order_by(Message.first_asked_at)
    ).all()


def open_count(session: Session) -> int:
    """How many messages wait or are being worked on; parked ones need a person and do not count."""
    wanted = Message.state.in_([State.WAITING, State.CLAIMED])
    return session.scalar(select(func.count()).select_from(Message).where(wanted)) or 0


def next_due_at(session: Session) -> datetime | None:
    """When the next waiting message may be tried, on the real clock."""
    return session.scalar(select(func.min(Message.due_at)).where(Message.state == State.WAITING))


def forget_done(session: Session) -> None:
    """Delete messages that were done long ago."""
    session.execute(delete(Message).where(Message.state == State.DONE, Message.done_at < real_now() - KEEP_DONE))


def _message(session: Session, message_id: int) -> Message:
    message = session.get(Message, message_id, with_for_update=True)
    if message is None:
        raise NotThere(lazy("message"), message_id)
    return message


def _in_state(message: Message) -> Lazy:
    return lazy("Message %(message)s is neither parked nor waiting.", message=message.id)
