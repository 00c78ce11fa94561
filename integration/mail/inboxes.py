"""Which inboxes are to be read when. What is found in them is sorted by the package ``inbox``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from integration.mail.models import Inbox

READ_AFTER = timedelta(minutes=10)  # after a mail left; reports of addresses that do not exist come within seconds


def begin_inboxes(session: Session, addresses: Iterable[str], *, now: datetime) -> None:
    """Make the rows of these mailboxes and have each read now; harmless at every start."""
    wanted = sorted(set(addresses))
    if not wanted:
        return
    _make(session, wanted, due_at=now)
    session.execute(update(Inbox).where(Inbox.address.in_(wanted)).values(read_due_at=now))


def expect_answers(session: Session, address: str, *, now: datetime) -> None:
    """A mail left this mailbox: have its inbox read a little later, once for all that leave until then."""
    due_at = now + READ_AFTER
    _make(session, [address], due_at=due_at)
    later = or_(Inbox.read_due_at.is_(None), Inbox.read_due_at > due_at)
    session.execute(update(Inbox).where(Inbox.address == address, later).values(read_due_at=due_at))


def _make(session: Session, addresses: list[str], *, due_at: datetime) -> None:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(Inbox).values([{"address": each, "read_due_at": due_at} for each in addresses])
    session.execute(insert.on_conflict_do_nothing())
