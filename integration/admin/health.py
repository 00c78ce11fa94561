"""How the product is: what the outbox holds, which mails need a person, and when a worker was last seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from rq.utils import utcparse
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from integration.admin.reach import MOST_LOOKED_AT, Programs, to_people_of, within
from integration.clock import real_now
from integration.language import Lazy, lazy
from integration.mail.models import HELD, UNCLEAR, Mail
from integration.outbox import Message, State
from integration.tools import Tools

WORKER_KEYS = "rq:worker:*"
QUIET_FOR = timedelta(minutes=2)  # an idle worker is heard of every few seconds
MOST = 20
STATES = (
    (State.WAITING, lazy("Waiting")),
    (State.CLAIMED, lazy("Being worked on")),
    (State.PARKED, lazy("Parked: need a person")),
    (State.DONE, lazy("Done in the last days")),
)
RETURNED = "returned"
MAIL_STATES = (HELD, UNCLEAR, RETURNED)


@dataclass(frozen=True)
class StateCount:
    """How many messages are in a state, and since when the oldest of them has been wanted."""

    state: State
    label: Lazy
    count: int
    oldest_at: datetime | None


@dataclass(frozen=True)
class Workers:
    """``seen_at`` None: no trace of any worker; ``is_there``: one was seen just now, or has work in hand."""

    seen_at: datetime | None
    is_there: bool


def states(session: Session) -> list[StateCount]:
    """The outbox by state, every state once."""
    wanted = select(Message.state, func.count(), func.min(Message.first_asked_at)).group_by(Message.state)
    found = {state: (count, oldest) for state, count, oldest in session.execute(wanted)}
    return [StateCount(state, label, *found.get(state, (0, None))) for state, label in STATES]


def put_off(session: Session, programs: Programs) -> Sequence[Message]:
    """Messages that failed at least once and are tried again by themselves, the oldest first."""
    wanted = select(Message).where(Message.state == State.WAITING, Message.attempts > 0)
    most = MOST if programs is None else MOST_LOOKED_AT
    return within(session, session.scalars(wanted.order_by(Message.first_asked_at).limit(most)), programs)[:MOST]


def mail_counts(session: Session, programs: Programs) -> dict[str, int]:
    """How many mails are held, unclear, and came back."""
    wanted = select(
        func.count().filter(Mail.state == HELD),
        func.count().filter(Mail.state == UNCLEAR),
        func.count().filter(Mail.returned_at.is_not(None)),
    ).select_from(Mail)
    return dict(zip(MAIL_STATES, session.execute(wanted.where(to_people_of(programs))).one(), strict=True))


def mails_in(state: str, programs: Programs) -> Select[Mail]:
    """The mails in one of MAIL_STATES."""
    is_so = Mail.returned_at.is_not(None) if state == RETURNED else Mail.state == state
    return select(Mail).where(is_so, to_people_of(programs))


def workers(session: Session, tools: Tools) -> Workers:
    """When a worker was last heard of: by the queue, or by what it did. The queue may be away."""
    now = real_now()
    done_at = session.scalar(select(func.max(Message.done_at)).where(Message.attempts > 0))
    held_until = session.scalar(select(func.max(Message.claimed_until)).where(Message.state == State.CLAIMED))
    seen_at = max(filter(None, (done_at, _heard_at(tools))), default=None)
    has_work = held_until is not None and held_until > now
    return Workers(seen_at, has_work or (seen_at is not None and now - seen_at < QUIET_FOR))


def _heard_at(tools: Tools) -> datetime | None:
    """The last sign of life that any worker left in the queue."""
    try:
        redis = tools.doorbell.connection
        beats = [redis.hget(key, "last_heartbeat") for key in redis.scan_iter(WORKER_KEYS, count=1000)]
    except RedisError:
        return None
    return max((utcparse(beat.decode()) for beat in beats if isinstance(beat, bytes)), default=None)
