"""Our own registry of subscriptions and of how far each organizer's calendar was read."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from integration import outbox
from integration.config import Settings
from integration.outbox import Task
from integration.scheduling.models import Occurrence, Series
from integration.webhooks.models import MailboxSync, Notification, Subscription

LIFETIME = timedelta(minutes=10_080 - 10)  # Outlook's maximum without data, less ten minutes for clocks that differ
RETRY_RENEWAL = timedelta(hours=1)  # a renewal that got parked is tried again: lapsing unnoticed is the worst
POLL_EVERY = timedelta(minutes=10)  # where there are no notifications at all
KEEP_NOTIFICATIONS = timedelta(days=7)  # Graph repeats a delivery for four hours at most
WINDOW_BEFORE = timedelta(days=7)
WINDOW_LEFT = timedelta(weeks=4)  # a link is bound to its window: it is moved when less than this is left
WINDOW_AHEAD = timedelta(weeks=13)  # so a full round is needed only a few times a year


def begin(session: Session, settings: Settings, now: datetime) -> None:
    """Make the rows for each organizer mailbox, and ask for what is missing; harmless at every start.

    Each calendar is swept at once. With WEBHOOKS=on each gets a subscription; when PUBLIC_URL has changed, a new one.
    """
    for mailbox in settings.organizer_mailboxes:
        _begin_sync(session, mailbox, now=now)
        if settings.webhooks:
            _begin_subscription(session, settings, mailbox, now=now)


def sweep_interval(settings: Settings) -> timedelta:
    """SWEEP_MINUTES: the safety net below notifications that never came; shorter where there are none at all."""
    chosen = timedelta(minutes=settings.sweep_minutes)
    return chosen if settings.webhooks else min(chosen, POLL_EVERY)


def renew_secret(subscription: Subscription) -> None:
    """A client state of its own for the subscription that is about to be made."""
    subscription.client_state = secrets.token_urlsafe(48)


def forget_subscription(subscription: Subscription) -> None:
    """Graph no longer has it: the next one is made anew, with a new secret."""
    subscription.subscription_id = subscription.asked_at = subscription.expires_at = None


def record_subscription(
    session: Session, subscription: Subscription, *, subscription_id: str, expires_at: datetime, now: datetime
) -> None:
    """Write down what Graph granted. After a new subscription the calendar is swept: nobody told us until now."""
    is_new = subscription.subscription_id != subscription_id
    subscription.subscription_id = subscription_id
    subscription.expires_at = expires_at
    subscription.renew_due_at = now + (expires_at - now) / 2  # half-life: a renewal may fail for days unharmed
    if is_new:
        ask_for_sweep(session, subscription.mailbox)


def ask_for_sweep(session: Session, mailbox: str) -> None:
    for sync_id in session.scalars(select(MailboxSync.id).where(MailboxSync.mailbox == mailbox)):
        outbox.add(session, Task.MAILBOX_SWEEP, sync_id)


def needs_whole_round(session: Session, sync: MailboxSync, *, now: datetime) -> bool:
    """Whether the calendar must be read anew: never read yet, or the link's window no longer reaches far enough."""
    if sync.delta_link is None or sync.window_ends_at is None:
        return True
    return sync.window_ends_at < _reach(session, sync, now=now)


def new_window(session: Session, sync: MailboxSync, *, now: datetime) -> tuple[datetime, datetime]:
    """The window of a new round: everything that is planned, and some months in which it need not be moved."""
    return now - WINDOW_BEFORE, _reach(session, sync, now=now) + WINDOW_AHEAD


def record_round(session: Session, sync: MailboxSync, *, link: str, event_ids: Iterable[str], now: datetime) -> int:
    """Remember how far a calendar was read and ask to pull each series an event belongs to; returns how many."""
    sync.delta_link, sync.swept_at = link, now
    ids = list(dict.fromkeys(event_ids))
    found: set[int] = set()
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        found |= set(
            session.scalars(
                select(Series.id)
                .outerjoin(Occurrence, Occurrence.series_id == Series.id)
                .where(or_(Series.event_id.in_(some), Occurrence.event_id.in_(some)))
            )
        )
    return _pull(session, found)


def record_full_round(
    session: Session, sync: MailboxSync, *, link: str, window: tuple[datetime, datetime], now: datetime
) -> int:
    """After a full round every living series of the mailbox is pulled: one that is gone does not show up in it."""
    sync.delta_link, sync.swept_at = link, now
    sync.window_starts_at, sync.window_ends_at = window
    living = select(Series.id).where(
        Series.organizer == sync.mailbox, Series.event_id.is_not(None), Series.cancelled_at.is_(None)
    )
    return _pull(session, set(session.scalars(living)))


def forget_old_notifications(session: Session, *, now: datetime) -> None:
    session.execute(delete(Notification).where(Notification.received_at < now - KEEP_NOTIFICATIONS))


def _begin_sync(session: Session, mailbox: str, *, now: datetime) -> None:
    sync = session.scalar(select(MailboxSync).where(MailboxSync.mailbox == mailbox))
    if sync is None:
        session.add(MailboxSync(mailbox=mailbox, sweep_due_at=now))
    elif sync.sweep_due_at is None or sync.sweep_due_at > now:
        sync.sweep_due_at = now  # nobody knows for how long we were not there


def _begin_subscription(session: Session, settings: Settings, mailbox: str, *, now: datetime) -> None:
    url = f"{settings.public_url}/webhooks/graph"
    row = session.scalar(select(Subscription).where(Subscription.mailbox == mailbox))
    if row is None:
        row = Subscription(mailbox=mailbox, url=url, lifecycle_url=f"{url}/lifecycle", renew_due_at=now)
        renew_secret(row)
        session.add(row)
    elif row.url != url:
        # An address for lifecycle notifications cannot be changed: the old subscription is ended, a new one made.
        row.url, row.lifecycle_url = url, f"{url}/lifecycle"
        row.asked_at, row.renew_due_at = None, now
    elif row.subscription_id is None or row.renew_due_at is None:
        row.renew_due_at = now


def _reach(session: Session, sync: MailboxSync, *, now: datetime) -> datetime:
    """The end of the last occurrence in this calendar, and some weeks from now at the least."""
    last = session.scalar(
        select(func.max(Occurrence.ends_at))
        .join(Occurrence.series)
        .where(Series.organizer == sync.mailbox, Series.cancelled_at.is_(None))
    )
    return max(now + WINDOW_LEFT, last or now)


def _pull(session: Session, series_ids: set[int]) -> int:
    for series_id in sorted(series_ids):
        outbox.add(session, Task.SERIES_PULL, series_id)
    return len(series_ids)
