"""Taking in what Graph sends: decode, check, remember, and ask for a look; never more. A notification is a hint.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from integration import outbox
from integration.clock import real_now
from integration.errors import InputRefused
from integration.outbox import Task
from integration.scheduling.models import Occurrence, Series
from integration.webhooks.models import MailboxSync, Notification, Subscription

LONGEST_BODY = 1024 * 1024  # a delivery carries many items, each well under a kilobyte
MOST_ITEMS = 1000


class ResourceData(msgspec.Struct, frozen=True):
    id: str | None = None
    etag: str | None = msgspec.field(default=None, name="@odata.etag")


class Item(msgspec.Struct, frozen=True, rename="camel"):
    """One changeNotification of Graph, as far as it is believed: ids, and the secret that proves its sender."""

    subscription_id: str
    client_state: str | None = None
    change_type: str | None = None
    lifecycle_event: str | None = None
    resource_data: ResourceData | None = None
    id: str | None = None
    subscription_expiration_date_time: str | None = None

    @property
    def is_lifecycle(self) -> bool:
        return self.lifecycle_event is not None

    @property
    def resource_id(self) -> str | None:
        return self.resource_data.id if self.resource_data else None

    @property
    def etag(self) -> str | None:
        return self.resource_data.etag if self.resource_data else None

    @property
    def dedupe_key(self) -> str:
        """The same for each delivery of the same change; never the same for two changes that cannot be told apart."""
        telling = self.id or self.etag or (self.is_lifecycle and self.subscription_expiration_date_time)
        what = (self.subscription_id, self.change_type, self.lifecycle_event, self.resource_id)
        parts = (*what, self.id, self.etag, telling or secrets.token_hex(16))
        return hashlib.sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()


class _Collection(msgspec.Struct, frozen=True):
    value: list[msgspec.Raw]


@dataclass(frozen=True)
class Intake:
    """How many items were new, known already, and refused (unreadable, of no subscription of ours, wrong secret)."""

    stored: int = 0
    repeated: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Delivery:
    """What one POST brought: the items that can be read, and how many could not."""

    items: tuple[Item, ...]
    unreadable: int


def decode(body: bytes) -> Delivery:
    """Read a changeNotificationCollection; raises InputRefused for what is none.

    A single bad item does not spoil the others: Graph delivers for several subscriptions at once.
    """
    try:
        parts = msgspec.json.decode(body, type=_Collection).value
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputRefused("This is no collection of change notifications.") from error
    if len(parts) > MOST_ITEMS:
        raise InputRefused(f"{len(parts)} notifications in one delivery are too many.")
    items = [item for part in parts if (item := _item(part)) is not None]
    return Delivery(tuple(items), unreadable=len(parts) - len(items))


def record_delivery(session: Session, delivery: Delivery, *, now: datetime, debounce: timedelta) -> Intake:
    """Store what proves to come from Graph, once each, and ask for a look at what it names, in one transaction.

    ``debounce`` is how long (on the real clock) a look may wait for further notifications: Graph sends several for
    one change, and all of them together need only one look.
    """
    stored = repeated = 0
    for item in delivery.items:
        subscription = _sender(session, item)
        if subscription is None:
            continue
        subscription.last_notification_at = now
        if not _store(session, subscription, item, now=now):
            repeated += 1
            continue
        stored += 1
        _ask(session, subscription, item, now=now, look_at=real_now() + debounce)
    total = len(delivery.items) + delivery.unreadable
    return Intake(stored=stored, repeated=repeated, refused=total - stored - repeated)


def _item(part: msgspec.Raw) -> Item | None:
    try:
        return msgspec.json.decode(part, type=Item)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # counted as unreadable


def _sender(session: Session, item: Item) -> Subscription | None:
    found = session.scalar(select(Subscription).where(Subscription.subscription_id == item.subscription_id))
    if found is None:
        # Graph may notify before our own POST was answered. Nothing is lost: a sweep follows each new subscription.
        return None
    given = (item.client_state or "").encode()
    return found if hmac.compare_digest(given, found.client_state.encode()) else None


def _store(session: Session, subscription: Subscription, item: Item, *, now: datetime) -> bool:
    """Whether the notification is new. Of two deliveries at once the second waits here for the first to commit."""
    insert = (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(Notification)
    values = insert.values(
        dedupe_key=item.dedupe_key,
        subscription_id=subscription.id,
        kind="lifecycle" if item.is_lifecycle else "change",
        change_type=item.lifecycle_event or item.change_type or "updated",
        resource_id=item.resource_id,
        etag=item.etag,
        received_at=now,
    )
    stored = values.on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(Notification.id)
    return session.scalar(stored) is not None


def _ask(session: Session, subscription: Subscription, item: Item, *, now: datetime, look_at: datetime) -> None:
    if item.is_lifecycle:
        _ask_for_lifecycle(session, subscription, item.lifecycle_event or "", now=now)
        return
    if _was_seen(session, subscription, item):
        return
    series_ids = _series_named(session, item.resource_id)
    for series_id in series_ids:
        outbox.add(session, Task.SERIES_PULL, series_id, due_at=look_at)
    if not series_ids:
        _ask_for_sweep(session, subscription, look_at=look_at)


def _was_seen(session: Session, subscription: Subscription, item: Item) -> bool:
    """Whether this version of the event was announced before under another kind of change.

    Safe, because the look it caused was asked for in the transaction that stored the earlier notification.
    """
    if item.etag is None or item.change_type == "deleted":
        return False
    earlier = select(func.count()).where(
        Notification.subscription_id == subscription.id,
        Notification.resource_id == item.resource_id,
        Notification.etag == item.etag,
        Notification.change_type != "deleted",
    )
    return (session.scalar(earlier) or 0) > 1  # this one is stored already


def _series_named(session: Session, event_id: str | None) -> list[int]:
    if event_id is None:
        return []
    named = (
        select(Series.id)
        .outerjoin(Occurrence, Occurrence.series_id == Series.id)
        .where(or_(Series.event_id == event_id, Occurrence.event_id == event_id))
        .distinct()
    )
    return list(session.scalars(named))


def _ask_for_lifecycle(session: Session, subscription: Subscription, event: str, *, now: datetime) -> None:
    """reauthorizationRequired: renewing reauthorizes, too. subscriptionRemoved: make it anew. missed: read all."""
    if event == "subscriptionRemoved":
        subscription.subscription_id = subscription.asked_at = subscription.expires_at = None
    if event in ("subscriptionRemoved", "reauthorizationRequired"):
        subscription.renew_due_at = now
        outbox.add(session, Task.SUBSCRIPTION_ENSURE, subscription.id)
        return
    # "missed", and whatever Graph may say one day: something may have escaped us.
    _ask_for_sweep(session, subscription, look_at=real_now())


def _ask_for_sweep(session: Session, subscription: Subscription, *, look_at: datetime) -> None:
    wanted: Iterable[int] = session.scalars(select(MailboxSync.id).where(MailboxSync.mailbox == subscription.mailbox))
    for sync_id in wanted:
        outbox.add(session, Task.MAILBOX_SWEEP, sync_id, due_at=look_at)
