"""Storing what proves to come from Graph, once each, and asking a worker to heed it, in one transaction.

Many deliveries are stored together, in as few statements as there can be: Graph waits for the answer, and a worker
can look up what they are about as well (``heeding``). Rows are written in a fixed order, so that two processes that
do the same never wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import bindparam, func, insert, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from integration import outbox
from integration.clock import real_now
from integration.outbox import Task
from integration.webhooks import registry, subscriptions
from integration.webhooks.calls import instant_in
from integration.webhooks.intake import Item
from integration.webhooks.models import (
    CALL_EVENTS,
    CALL_RECORDS,
    EVENTS,
    EncryptedContent,
    Notification,
    Subscription,
)

Row = dict[str, object]
KNOWN_BY = (Notification.dedupe_key, Notification.id)


@dataclass(frozen=True)
class Proven:
    """An item whose sender knew the secret of a subscription of ours."""

    item: Item
    row_id: int
    kind: str
    mailbox: str | None
    tokens: tuple[str, ...] = ()

    @property
    def change_type(self) -> str:
        return self.item.lifecycle_event or self.item.change_type or "updated"


@dataclass(frozen=True)
class Stored:
    """A notification that was new, and the id of its row."""

    proven: Proven
    notification_id: int


def record_notifications(
    session: Session, proven: Iterable[Proven], *, now: datetime, debounce: timedelta
) -> list[Stored]:
    """Store what is new, and ask for it to be heeded; returns the new ones.

    ``debounce`` is how long (on the real clock) changes of events may wait for further ones: Graph sends several
    notifications for one change, and all of them together need only one look.
    """
    by_key = {each.item.dedupe_key(once_per_resource=each.kind == CALL_RECORDS): each for each in proven}
    if not by_key:
        return []
    new = _store(session, by_key, now=now)
    if not new:
        return []
    _ask_for_lifecycle(session, new, now=now)
    changes = [each.proven for each in new if not each.proven.item.is_lifecycle]
    _keep_content(session, new)
    for kind in sorted({each.kind for each in changes}):
        subjects = {each.row_id for each in changes if each.kind == kind}
        wait = debounce if kind == EVENTS else timedelta()
        outbox.add_all(session, Task.NOTIFICATIONS_HEED, subjects, due_at=real_now() + wait)
    return new


def _store(session: Session, by_key: dict[str, Proven], *, now: datetime) -> list[Stored]:
    """Of two deliveries at once the second waits here for the first to commit."""
    rows: list[Row] = [
        {
            "dedupe_key": key,
            "subscription_id": each.row_id,
            "kind": "lifecycle" if each.item.is_lifecycle else "change",
            "change_type": each.change_type,
            "resource_id": each.item.resource_id,
            "etag": each.item.etag,
            "received_at": now,
            "heeded_at": now if each.item.is_lifecycle else None,  # those are heeded here
        }
        for key, each in sorted(by_key.items())
    ]
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        found = connection.execute(_insert_rows(), rows)
    else:
        found = connection.execute(_insert_columns(), {name: [row[name] for row in rows] for name in rows[0]})
    return [Stored(by_key[key], row_id) for key, row_id in found]


# Both are built once: putting them together for each group would take longer than running them.
@cache
def _insert_rows() -> ReturningInsert[str, int]:
    return sqlite.insert(Notification).on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(*KNOWN_BY)


@cache
def _insert_columns() -> ReturningInsert[str, int]:
    """Each column as one array: a statement that is longer with each row is read anew by driver and server."""
    columns = [column for column in inspect(Notification).columns if not column.primary_key]
    names = [column.name for column in columns]
    given = [bindparam(column.name, type_=postgresql.ARRAY(column.type)) for column in columns]
    rows = select(func.unnest(*given).table_valued(*names).render_derived())
    new = postgresql.insert(Notification).from_select(names, rows)
    return new.on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(*KNOWN_BY)


def _keep_content(session: Session, new: Sequence[Stored]) -> None:
    rich = [each for each in new if each.proven.kind == CALL_EVENTS and each.proven.item.encrypted_content]
    if rich:
        session.execute(insert(EncryptedContent), [_content(each) for each in rich])


def _content(stored: Stored) -> Row:
    content = stored.proven.item.encrypted_content
    assert content is not None
    return {
        "notification_id": stored.notification_id,
        "data": content.data,
        "data_key": content.data_key,
        "data_signature": content.data_signature,
        "certificate_id": content.encryption_certificate_id,
        "tenant_id": stored.proven.item.tenant_id,
        "tokens": list(stored.proven.tokens),
    }


def _ask_for_lifecycle(session: Session, new: Sequence[Stored], *, now: datetime) -> None:
    """reauthorizationRequired: renewing reauthorizes, too. subscriptionRemoved: make it anew. missed: read all."""
    lifecycle = sorted((one.proven for one in new if one.proven.item.is_lifecycle), key=lambda one: one.row_id)
    for each in lifecycle:
        row = session.get(Subscription, each.row_id)
        if row is None or row.subscription_id != each.item.subscription_id:
            continue  # news of one that was replaced meanwhile
        row.last_notification_at = now
        event = each.item.lifecycle_event
        if event == "subscriptionRemoved":
            subscriptions.forget_subscription(row)
            subscriptions.ask_to_ensure(session, row, now=now)
        elif event == "reauthorizationRequired":
            named = instant_in(each.item.subscription_expiration_date_time)
            subscriptions.ask_for_renewal(session, row, named_expiry=named, now=now)
        elif row.mailbox is not None:
            # "missed", and whatever Graph may say one day: something may have escaped us.
            registry.ask_for_sweep(session, row.mailbox)
    if lifecycle:
        session.flush()
