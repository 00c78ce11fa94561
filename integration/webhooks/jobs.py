"""Subscribing to organizers' calendars, keeping that alive, and reading what notifications may have missed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from integration import outbox
from integration.due import earliest, take_due
from integration.duties import Duty
from integration.graph.errors import NotFound, SyncLost
from integration.log import get_logger
from integration.outbox import Task
from integration.webhooks import registry
from integration.webhooks.models import MailboxSync, Subscription

if TYPE_CHECKING:
    from integration.graph.resources import EventDelta
    from integration.graph.resources import Subscription as Granted
    from integration.tools import Tools

log = get_logger(__name__)


def ensure_subscription(tools: Tools, subscription_row_id: int) -> None:
    """Make Graph agree that there is one living subscription for a calendar: renew, take over, or make it.

    The secret is committed before it is sent. So whatever Graph made before a crash can be told from what somebody
    else made: once ``asked_at`` is set it speaks with our secret and is taken over, else it is ended.
    """
    now = tools.clock.now()
    with tools.database.reading() as session:
        row = session.get(Subscription, subscription_row_id)
    if row is None or not tools.settings.webhooks:
        return
    granted = _renewed(tools, row, now=now) or _taken_over(tools, row) or _made(tools, row, now=now)
    with tools.database.transaction() as session:
        registry.record_subscription(
            session,
            session.get_one(Subscription, row.id),
            subscription_id=granted.id,
            expires_at=granted.expires_at,
            now=now,
        )
    log.info("subscription ensured", subscription_row_id=row.id, expires_at=granted.expires_at.isoformat())


def sweep_mailbox(tools: Tools, sync_id: int) -> None:
    """Read what changed in a calendar since the last time, and have the series it touches pulled."""
    now = tools.clock.now()
    with tools.database.reading() as session:
        sync = session.get(MailboxSync, sync_id)
        whole = sync is not None and registry.needs_whole_round(session, sync, now=now)
    if sync is None:
        return
    if sync.delta_link is not None and not whole:
        try:
            delta = tools.graph.calendar.delta_from(sync.delta_link)
        except SyncLost:
            log.info("delta link lost", sync_id=sync_id)
        else:
            _record_round(tools, sync_id, delta, now=now)
            return
    _sweep_whole(tools, sync, now=now)


def _renewed(tools: Tools, row: Subscription, *, now: datetime) -> Granted | None:
    """The subscription we have, with a new lifetime; None when there is none (any more)."""
    if row.subscription_id is None or row.asked_at is None:
        return None
    try:
        return tools.graph.subscriptions.renew(row.subscription_id, now + registry.LIFETIME)
    except NotFound:
        log.warning("subscription lapsed", subscription_row_id=row.id)
    with tools.database.transaction() as session:
        registry.forget_subscription(session.get_one(Subscription, row.id))
    row.subscription_id = row.asked_at = None
    return None


def _taken_over(tools: Tools, row: Subscription) -> Granted | None:
    """What an earlier attempt made without living to write it down; what others made in our name is ended."""
    resource = _resource(tools, row)
    ours = [each for each in tools.graph.subscriptions.list() if _is_of(each, resource, row.url)]
    granted = max(ours, key=lambda each: each.expires_at) if ours and row.asked_at else None
    for each in ours:
        if granted is None or each.id != granted.id:
            tools.graph.subscriptions.delete(each.id)
    if granted is None and row.subscription_id is not None:
        tools.graph.subscriptions.delete(row.subscription_id)  # it was made for another address
    return granted


def _made(tools: Tools, row: Subscription, *, now: datetime) -> Granted:
    with tools.database.transaction() as session:
        kept = session.get_one(Subscription, row.id)
        if kept.asked_at is None:
            registry.renew_secret(kept)
        kept.subscription_id, kept.asked_at = None, now
        kept.resource = _resource(tools, row)
    return tools.graph.subscriptions.create(
        _resource(tools, row),
        kept.url,
        lifecycle_url=kept.lifecycle_url,
        client_state=kept.client_state,
        expires_at=now + registry.LIFETIME,
    )


def _resource(tools: Tools, row: Subscription) -> str:
    """What is subscribed to; Graph takes the object id of the mailbox's owner."""
    if row.resource is None:
        row.resource = f"/users/{tools.graph.directory.user(row.mailbox).id}/events"
    return row.resource


def _is_of(granted: Granted, resource: str, url: str) -> bool:
    same = granted.resource.strip("/").casefold() == resource.strip("/").casefold()
    return same and granted.notification_url == url


def _sweep_whole(tools: Tools, sync: MailboxSync, *, now: datetime) -> None:
    with tools.database.reading() as session:
        window = registry.new_window(session, sync, now=now)
    delta = tools.graph.calendar.delta(sync.mailbox, *window)
    with tools.database.transaction() as session:
        kept = session.get_one(MailboxSync, sync.id)
        pulled = registry.record_full_round(session, kept, link=delta.link, window=window, now=now)
    log.info("calendar swept whole", sync_id=sync.id, series=pulled)


def _record_round(tools: Tools, sync_id: int, delta: EventDelta, *, now: datetime) -> None:
    # An occurrence we do not know yet by its id is known by its series.
    changed = (key for event in delta.changed for key in (event.id, event.series_master_id) if key)
    touched = (*changed, *(event.id for event in delta.removed))
    with tools.database.transaction() as session:
        sync = session.get_one(MailboxSync, sync_id)
        pulled = registry.record_round(session, sync, link=delta.link, event_ids=touched, now=now)
    if pulled:
        log.info("calendar swept", sync_id=sync_id, series=pulled)


def _renew_due(tools: Tools, now: datetime) -> int:
    with tools.database.transaction() as session:
        later = now + registry.RETRY_RENEWAL
        taken = take_due(session, Subscription.renew_due_at, now=now, then=lambda _seen: later)
        for row_id in taken:
            outbox.add(session, Task.SUBSCRIPTION_ENSURE, row_id)
    return len(taken)


def _sweep_due(tools: Tools, now: datetime) -> int:
    with tools.database.transaction() as session:
        later = now + registry.sweep_interval(tools.settings)
        taken = take_due(session, MailboxSync.sweep_due_at, now=now, then=lambda _seen: later)
        for sync_id in taken:
            outbox.add(session, Task.MAILBOX_SWEEP, sync_id)
        registry.forget_old_notifications(session, now=now)
    return len(taken)


DUTIES: tuple[Duty, ...] = (
    Duty("renew subscriptions", earliest(Subscription.renew_due_at), _renew_due),
    Duty("sweep calendars", earliest(MailboxSync.sweep_due_at), _sweep_due),
)
