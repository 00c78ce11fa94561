"""How far each organizer's calendar was read, and which series are to be pulled."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from integration import outbox
from integration.clock import real_now
from integration.config import Settings
from integration.outbox import Task
from integration.scheduling.models import Occurrence, Series
from integration.sealing import sealed, unsealed
from integration.webhooks.models import MailboxSync, Notification
from integration.webhooks.pacing import next_night

# A delta link is opaque and can hold personal data, https://learn.microsoft.com/graph/delta-query-overview
PURPOSE = "delta link"
POLL_EVERY = timedelta(minutes=10)  # where there are no notifications at all
KEEP_NOTIFICATIONS = timedelta(days=7)  # Graph repeats a delivery for four hours at most
WINDOW_BEFORE = timedelta(days=7)
WINDOW_LEFT = timedelta(weeks=4)  # a link is bound to its window: it is moved when less than this is left
WINDOW_AHEAD = timedelta(weeks=13)  # so a full round is needed only a few times a year


def begin(session: Session, settings: Settings, now: datetime) -> None:
    """Make the rows for each organizer mailbox, and have each calendar swept at once; harmless at every start.

    One that is no organizer any more is read as long as it has series to come, for they go on meeting; then no more.
    """
    for mailbox in settings.organizer_mailboxes:
        _begin_sync(session, mailbox, now=now)
    for sync in session.scalars(select(MailboxSync).where(MailboxSync.mailbox.not_in(settings.organizer_mailboxes))):
        rest_if_done(session, sync, settings, now=now)


def rest_if_done(session: Session, sync: MailboxSync, settings: Settings, *, now: datetime) -> bool:
    """End the reading of a mailbox that is no organizer any more and has no series to come; whether it is ended.

    What was read stays, but for the link, which is bound to a window that passes, and for what was wrong with it.
    """
    if sync.mailbox in settings.organizer_mailboxes or session.scalar(_to_come(sync.mailbox, now=now).limit(1)):
        return False
    sync.sweep_due_at = sync.compare_due_at = sync.delta_link = None
    sync.window_starts_at = sync.window_ends_at = sync.gone_at = sync.gone_code = None
    return True


def sweep_interval(settings: Settings) -> timedelta:
    """SWEEP_MINUTES: the safety net below notifications that never came; shorter where there are none at all."""
    chosen = timedelta(minutes=settings.sweep_minutes)
    return chosen if settings.webhooks else min(chosen, POLL_EVERY)


def ask_for_sweep(session: Session, mailbox: str, *, due_at: datetime | None = None) -> None:
    """Ask to read what changed in a calendar, not before ``due_at`` (on the real clock; default: now)."""
    for sync_id in session.scalars(select(MailboxSync.id).where(MailboxSync.mailbox == mailbox)):
        outbox.add(session, Task.MAILBOX_SWEEP, sync_id, due_at=due_at)


def needs_whole_round(session: Session, sync: MailboxSync, *, now: datetime) -> bool:
    """Whether the calendar must be read anew: never read yet, or the link's window no longer reaches far enough."""
    if sync.delta_link is None or sync.window_ends_at is None:
        return True
    return sync.window_ends_at < _reach(session, sync, now=now)


def new_window(session: Session, sync: MailboxSync, *, now: datetime) -> tuple[datetime, datetime]:
    """The window of a new round: everything that is planned, and some months in which it need not be moved."""
    return now - WINDOW_BEFORE, _reach(session, sync, now=now) + WINDOW_AHEAD


def known_link(sync: MailboxSync, settings: Settings) -> str | None:
    """Where the last round ended; None when there was none, or SECRET_KEY has changed since."""
    return unsealed(sync.delta_link, purpose=PURPOSE, secret_key=settings.secret_key) if sync.delta_link else None


def record_link(sync: MailboxSync, settings: Settings, *, link: str, now: datetime) -> None:
    """Remember where a round ended, unreadable for whoever has the database alone."""
    sync.delta_link, sync.swept_at = sealed(link, purpose=PURPOSE, secret_key=settings.secret_key), now


def pull_touched(session: Session, event_ids: Iterable[str], *, due_at: datetime | None = None) -> int:
    """Ask to pull each series that one of these events belongs to, not before ``due_at``; returns how many."""
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
    return _pull(session, found, due_at=due_at)


def pull_all(session: Session, sync: MailboxSync, *, now: datetime, apart: timedelta = timedelta()) -> int:
    """Pull every living series of the mailbox, ``apart`` from each other on the real clock; returns how many."""
    living = _to_come(sync.mailbox, now=now).where(Series.event_id.is_not(None))
    series_ids = session.scalars(living.order_by(Series.id)).all()
    if not apart:
        return _pull(session, set(series_ids))
    begins = real_now()
    return sum(_pull(session, {each}, due_at=begins + place * apart) for place, each in enumerate(series_ids))


def forget_old_notifications(session: Session, *, now: datetime) -> None:
    session.execute(delete(Notification).where(Notification.received_at < now - KEEP_NOTIFICATIONS))


def _begin_sync(session: Session, mailbox: str, *, now: datetime) -> None:
    sync = session.scalar(select(MailboxSync).where(MailboxSync.mailbox == mailbox))
    if sync is None:
        session.add(MailboxSync(mailbox=mailbox, sweep_due_at=now, compare_due_at=next_night(mailbox, now)))
        return
    sync.compare_due_at = sync.compare_due_at or next_night(mailbox, now)
    if sync.sweep_due_at is None or sync.sweep_due_at > now:
        sync.sweep_due_at = now  # nobody knows for how long we were not there


def _to_come(mailbox: str, *, now: datetime) -> Select[int]:
    """Series of a mailbox that are wanted or in Outlook, and not over."""
    to_come = exists().where(Occurrence.series_id == Series.id, Occurrence.ends_at > now)
    return select(Series.id).where(Series.organizer == mailbox, Series.cancelled_at.is_(None), to_come)


def _reach(session: Session, sync: MailboxSync, *, now: datetime) -> datetime:
    """The end of the last occurrence in this calendar, and some weeks from now at the least."""
    last = session.scalar(
        select(func.max(Occurrence.ends_at))
        .join(Occurrence.series)
        .where(Series.organizer == sync.mailbox, Series.cancelled_at.is_(None))
    )
    return max(now + WINDOW_LEFT, last or now)


def _pull(session: Session, series_ids: set[int], *, due_at: datetime | None = None) -> int:
    for series_id in sorted(series_ids):
        outbox.add(session, Task.SERIES_PULL, series_id, due_at=due_at)
    return len(series_ids)
