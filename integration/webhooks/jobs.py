"""Reading what notifications may have missed, and the duties of this package."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from integration import outbox
from integration.asking import duty_to_ask
from integration.due import earliest, take_due
from integration.duties import Duty
from integration.graph.errors import GraphError, SyncLost
from integration.log import get_logger
from integration.outbox import Task
from integration.webhooks import registry, subscriptions
from integration.webhooks.heeding import AT_ONCE, heed
from integration.webhooks.jobs_calls import open_content, read_call_record
from integration.webhooks.jobs_subscribe import ensure_subscription
from integration.webhooks.models import MailboxSync, Subscription
from integration.webhooks.pacing import next_night, next_turn

if TYPE_CHECKING:
    from integration.graph.resources import EventDelta
    from integration.tools import Tools

__all__ = [
    "DUTIES",
    "ensure_subscription",
    "heed_notifications",
    "open_content",
    "read_call_record",
    "sweep_mailbox",
]

log = get_logger(__name__)
COMPARED_APART = timedelta(seconds=0.5)  # of the series of one mailbox: a night is long


def heed_notifications(tools: Tools, subscription_row_id: int) -> None:
    """Ask for what the stored notifications of a subscription call for. It never asks Graph anything itself."""
    heeded = AT_ONCE
    while heeded == AT_ONCE:
        with tools.database.transaction() as session:
            heeded = heed(session, subscription_row_id, now=tools.clock.now())


def sweep_mailbox(tools: Tools, sync_id: int) -> None:
    """Read what changed in a calendar since the last time, and have the series it touches pulled.

    A mailbox that is gone (deleted, or without a licence) is noted as that, and read whole once it is back.
    """
    now = tools.clock.now()
    try:
        _sweep(tools, sync_id, now=now)
    except GraphError as error:
        if not error.says_mailbox_is_gone:
            raise
        log.warning("mailbox gone", sync_id=sync_id, code=error.code)
        _record_gone(tools, sync_id, error.code, now=now)


def _sweep(tools: Tools, sync_id: int, *, now: datetime) -> None:
    with tools.database.reading() as session:
        sync = session.get(MailboxSync, sync_id)
        whole = sync is not None and (sync.gone_at is not None or registry.needs_whole_round(session, sync, now=now))
    if sync is None:
        return
    link = registry.known_link(sync, tools.settings)
    if link is not None and not whole:
        try:
            delta = tools.graph.calendar.delta_from(link)
        except SyncLost:
            log.info("delta link lost", sync_id=sync_id)
        else:
            _record_round(tools, sync_id, delta, now=now)
            return
    _sweep_whole(tools, sync, now=now)


def _sweep_whole(tools: Tools, sync: MailboxSync, *, now: datetime) -> None:
    with tools.database.reading() as session:
        window = registry.new_window(session, sync, now=now)
    delta = tools.graph.calendar.delta(sync.mailbox, *window)
    with tools.database.transaction() as session:
        kept = session.get_one(MailboxSync, sync.id)
        registry.record_link(kept, tools.settings, link=delta.link, now=now)
        kept.window_starts_at, kept.window_ends_at = window
        kept.gone_at = kept.gone_code = None
        # One that is gone does not show up in a full round.
        pulled = registry.pull_all(session, kept, now=now)
    log.info("calendar swept whole", sync_id=sync.id, series=pulled)


def _record_round(tools: Tools, sync_id: int, delta: EventDelta, *, now: datetime) -> None:
    # An occurrence we do not know yet by its id is known by its series.
    changed = (key for event in delta.changed for key in (event.id, event.series_master_id) if key)
    touched = (*changed, *(event.id for event in delta.removed))
    with tools.database.transaction() as session:
        sync = session.get_one(MailboxSync, sync_id)
        registry.record_link(sync, tools.settings, link=delta.link, now=now)
        pulled = registry.pull_touched(session, touched)
    if pulled:
        log.info("calendar swept", sync_id=sync_id, series=pulled)


def _record_gone(tools: Tools, sync_id: int, code: str, *, now: datetime) -> None:
    with tools.database.transaction() as session:
        sync = session.get_one(MailboxSync, sync_id)
        sync.gone_at, sync.gone_code = sync.gone_at or now, code


def _sweep_due(tools: Tools, now: datetime) -> int:
    every = registry.sweep_interval(tools.settings)
    with tools.database.transaction() as session:
        taken = take_due(session, MailboxSync.sweep_due_at, now=now)
        for sync_id in taken:
            sync = session.get_one(MailboxSync, sync_id)
            if registry.rest_if_done(session, sync, tools.settings, now=now):
                continue
            sync.sweep_due_at = next_turn(sync.mailbox, now, every=every)
            outbox.add(session, Task.MAILBOX_SWEEP, sync_id)
        registry.forget_old_notifications(session, now=now)
    return len(taken)


def _compare_due(tools: Tools, now: datetime) -> int:
    """Ask for a whole comparison of a mailbox's series, once in each night."""
    apart = timedelta() if tools.clock.movable else COMPARED_APART
    with tools.database.transaction() as session:
        taken = take_due(session, MailboxSync.compare_due_at, now=now)
        for sync_id in taken:
            sync = session.get_one(MailboxSync, sync_id)
            sync.compare_due_at = next_night(sync.mailbox, now)
            if sync.gone_at is None:
                registry.pull_all(session, sync, now=now, apart=apart)
    return len(taken)


DUTIES: tuple[Duty, ...] = (
    duty_to_ask(
        "renew subscriptions",
        Subscription.renew_due_at,
        Task.SUBSCRIPTION_ENSURE,
        again_after=subscriptions.RETRY_RENEWAL,
    ),
    Duty("sweep calendars", earliest(MailboxSync.sweep_due_at), _sweep_due),
    Duty("compare calendars", earliest(MailboxSync.compare_due_at), _compare_due),
)
