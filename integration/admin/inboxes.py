"""Our inboxes as the page Health shows them: when each was read, what came, what waits, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.config import Settings
from integration.inbox.models import Letter
from integration.inbox.sorting import Kind
from integration.language import Wording, lazy
from integration.mail.models import Inbox
from integration.outbox import Message, State, Task

READ, AWAITED, LATE, TROUBLED, LEFT = "read", "awaited", "late", "troubled", "left"
LATE_AFTER = 3  # rounds that were missed
KINDS: Mapping[Kind, Wording] = {
    Kind.HUMAN: lazy("written by people"),
    Kind.REPLY: lazy("meeting replies"),
    Kind.PROPOSAL: lazy("proposals of another time"),
    Kind.FORWARDED: lazy("forward notifications"),
    Kind.FAILURE: lazy("delivery failures"),
    Kind.AUTOMATIC: lazy("automatic replies"),
    Kind.NOTICE: lazy("others"),
}


@dataclass(frozen=True)
class InboxShown:
    """One mailbox. ``waiting``: what people wrote and nobody marked as done; ``counts``: of all that is kept."""

    address: str
    state: str  # read | awaited | late | troubled; left: no longer one of our mailboxes
    read_at: datetime | None
    waiting: int
    counts: Sequence[tuple[Wording, int]]
    trouble: Wording | None


def inboxes_shown(session: Session, settings: Settings, *, now: datetime) -> list[InboxShown]:
    """Every mailbox of ours, and former ones in which something still waits, by address."""
    rows = {each.address: each for each in session.scalars(select(Inbox))}
    counts, waiting, troubles = _counts(session), _waiting(session), _troubles(session)
    shown = []
    for address in sorted(settings.own_mailboxes | {each.address for each in rows.values() if each.id in waiting}):
        row = rows.get(address)
        if row is None:
            shown.append(InboxShown(address, AWAITED, None, 0, (), None))
            continue
        state = _state(row, settings, trouble=troubles.get(row.id), now=now)
        seen = [(words, counts[row.id, kind]) for kind, words in KINDS.items() if (row.id, kind) in counts]
        trouble = troubles.get(row.id) if state == TROUBLED else None
        shown.append(InboxShown(address, state, row.read_at, waiting.get(row.id, 0), seen, trouble))
    return shown


def _state(row: Inbox, settings: Settings, *, trouble: Wording | None, now: datetime) -> str:
    if row.address not in settings.own_mailboxes:
        return LEFT
    if trouble is not None:
        return TROUBLED
    if row.read_at is None:
        return AWAITED
    return LATE if row.read_at < now - timedelta(minutes=settings.sweep_minutes) * LATE_AFTER else READ


def _counts(session: Session) -> Mapping[tuple[int, str], int]:
    wanted = select(Letter.inbox_id, Letter.kind, func.count()).group_by(Letter.inbox_id, Letter.kind)
    return {(row[0], row[1]): row[2] for row in session.execute(wanted)}


def _waiting(session: Session) -> Mapping[int, int]:
    is_open = (Letter.kind == Kind.HUMAN, Letter.done_at.is_(None))
    wanted = select(Letter.inbox_id, func.count()).where(*is_open).group_by(Letter.inbox_id)
    return {row[0]: row[1] for row in session.execute(wanted)}


def _troubles(session: Session) -> Mapping[int, Wording]:
    """What went wrong when an inbox was to be read, as long as it was not read since."""
    is_unread = (Message.state.in_([State.PARKED, State.WAITING, State.CLAIMED]), Message.last_error.is_not(None))
    wanted = select(Message.subject, Message.last_error).where(Message.task == Task.INBOX_READ, *is_unread)
    return {int(subject): error for subject, error in session.execute(wanted) if error is not None}
