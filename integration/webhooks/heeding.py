"""What notifications that were stored call for: a look at the series they name. What they claim is forgotten.

Everything here is asked for in the transaction that marks them as heeded, so a worker that dies heeds them again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import select, union_all, update
from sqlalchemy.orm import Session

from integration import outbox
from integration.outbox import Task
from integration.scheduling.models import Occurrence, Series
from integration.webhooks.models import (
    CALL_EVENTS,
    CALL_RECORDS,
    EncryptedContent,
    MailboxSync,
    Notification,
    Subscription,
)

AT_ONCE = 500  # in one transaction, which the receiver may have to wait for


def heed(session: Session, subscription_row_id: int, *, now: datetime) -> int:
    """Ask for what the oldest notifications of a subscription call for; returns how many were heeded.

    Fewer than ``AT_ONCE`` were all there are. None are left of a subscription that is there no more.
    """
    subscription = session.get(Subscription, subscription_row_id)
    of_it = (Notification.subscription_id == subscription_row_id, Notification.heeded_at.is_(None))
    found = session.scalars(select(Notification).where(*of_it).order_by(Notification.id).limit(AT_ONCE)).all()
    if subscription is None or not found:
        return 0
    if subscription.kind == CALL_RECORDS:
        outbox.add_all(session, Task.CALL_RECORD_READ, [each.id for each in found])
    elif subscription.kind == CALL_EVENTS:
        outbox.add_all(session, Task.NOTIFICATION_OPEN, _with_content(session, found))
    elif subscription.mailbox is not None:
        _ask_for_looks(session, subscription.mailbox, _not_seen_before(session, found))
    heard_at = max(each.received_at for each in found)
    subscription.last_notification_at = max(heard_at, subscription.last_notification_at or heard_at)
    session.execute(update(Notification).where(Notification.id.in_([each.id for each in found])), {"heeded_at": now})
    return len(found)


def _with_content(session: Session, found: Sequence[Notification]) -> Iterable[int]:
    ids = [each.id for each in found]
    wanted = select(EncryptedContent.notification_id).where(EncryptedContent.notification_id.in_(ids))
    return session.scalars(wanted).all()


def _ask_for_looks(session: Session, mailbox: str, wanted: Collection[Notification]) -> None:
    """A pull of each series that is named; a sweep of the calendar where an event is named that nobody knows."""
    named = _series_named(session, {each.resource_id for each in wanted if each.resource_id})
    outbox.add_all(session, Task.SERIES_PULL, {series_id for found in named.values() for series_id in found})
    if any(each.resource_id not in named for each in wanted):
        syncs = session.scalars(select(MailboxSync.id).where(MailboxSync.mailbox == mailbox)).all()
        outbox.add_all(session, Task.MAILBOX_SWEEP, syncs)


def _not_seen_before(session: Session, found: Sequence[Notification]) -> list[Notification]:
    """Without those whose version of the event was announced before under another kind of change.

    Safe, because the look it caused was asked for when the earlier notification was heeded.
    """
    versions = {each.resource_id for each in found if each.etag is not None}
    earlier = session.execute(
        select(Notification.resource_id, Notification.etag).where(
            Notification.subscription_id == found[0].subscription_id,
            Notification.resource_id.in_(versions),
            Notification.etag.is_not(None),
            Notification.change_type != "deleted",
            Notification.heeded_at.is_not(None),
        )
    )
    seen = {(event_id, etag) for event_id, etag in earlier}
    return [each for each in found if each.change_type == "deleted" or (each.resource_id, each.etag) not in seen]


def _series_named(session: Session, event_ids: Collection[str]) -> dict[str | None, set[int]]:
    """Event id -> the series it is, or is an occurrence of."""
    found: dict[str | None, set[int]] = {}
    named = union_all(
        select(Series.event_id, Series.id).where(Series.event_id.in_(event_ids)),
        select(Occurrence.event_id, Occurrence.series_id).where(Occurrence.event_id.in_(event_ids)),
    )
    for event_id, series_id in session.execute(named):
        found.setdefault(event_id, set()).add(series_id)
    return found
