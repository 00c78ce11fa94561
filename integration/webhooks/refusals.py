"""What was turned away, by reason: counted, never kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from integration.webhooks.models import RefusedNotification

UNREADABLE_POST = "unreadable post"
UNREADABLE_ITEM = "unreadable item"
UNKNOWN_SUBSCRIPTION = "unknown subscription"
WRONG_CLIENT_STATE = "wrong client state"
REASONS = (
    UNREADABLE_POST,
    UNREADABLE_ITEM,
    UNKNOWN_SUBSCRIPTION,
    WRONG_CLIENT_STATE,
    "no validation token",
    "untrusted token",
    "unknown certificate",
    "broken envelope",
    "broken signature",
    "unreadable content",
)


def count(session: Session, reasons: Mapping[str, int], *, now: datetime) -> None:
    """Add to what was turned away; always in the same order, so that two processes never wait for each other."""
    if not any(reasons.values()):
        return
    insert = (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(RefusedNotification)
    add = insert.on_conflict_do_update(
        index_elements=["reason"],
        set_={"count": RefusedNotification.count + insert.excluded.count, "last_at": insert.excluded.last_at},
    )
    rows = [{"reason": each, "count": reasons[each], "last_at": now} for each in sorted(reasons) if reasons[each]]
    session.execute(add, rows)


def all_counts(session: Session) -> Sequence[RefusedNotification]:
    """Every reason that ever occurred, the latest first."""
    return session.scalars(select(RefusedNotification).order_by(RefusedNotification.last_at.desc())).all()
