"""Our own registry of subscriptions: which are wanted, what Graph granted, when they are renewed, when they end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration import outbox
from integration.config import Settings
from integration.language import Wording
from integration.outbox import Task
from integration.scheduling.models import Occurrence, Series, SeriesMeeting
from integration.sealing import sealed, unsealed
from integration.webhooks.models import CALL_EVENTS, CALL_RECORDS, EVENTS, Subscription
from integration.webhooks.registry import ask_for_sweep

PURPOSE = "client state"
CLOCKS_DIFFER = timedelta(minutes=10)
# The longest that Graph grants, less ten minutes for clocks that differ.
# https://learn.microsoft.com/graph/api/resources/subscription
LIFETIMES = {
    EVENTS: timedelta(minutes=10_080) - CLOCKS_DIFFER,
    CALL_RECORDS: timedelta(minutes=4_230) - CLOCKS_DIFFER,
    CALL_EVENTS: timedelta(minutes=4_230) - CLOCKS_DIFFER,
}
RETRY_RENEWAL = timedelta(hours=1)  # a renewal that got parked is tried again: lapsing unnoticed is the worst
RENEW_AGAIN_AFTER = timedelta(minutes=10)  # Graph wants no second reauthorization or renewal sooner
LOOK_FOR_MEETINGS = timedelta(minutes=10)
SAME_INSTANT = timedelta(seconds=1)


@dataclass(frozen=True)
class Topic:
    """What can be watched; see ``Subscription``."""

    kind: str
    mailbox: str | None = None
    meeting_id: int | None = None

    @property
    def name(self) -> str:
        of = self.mailbox if self.meeting_id is None else self.meeting_id
        return self.kind if of is None else f"{self.kind} of {of}"


def begin(session: Session, settings: Settings, now: datetime) -> None:
    """Wish for a subscription for each thing to be watched, and for the end of every other; harmless at every start.

    With WEBHOOKS=off nothing is to be watched. When PUBLIC_URL has changed, each is made anew.
    """
    wanted = {topic.name: topic for topic in _wanted(session, settings, now=now)}
    rows = {row.topic: row for row in session.scalars(select(Subscription))}
    for topic in wanted.values():
        _wish(session, settings, topic, rows.get(topic.name), now=now)
    for name, row in rows.items():
        if name not in wanted:
            _wish_for_end(session, row, now=now)


def watch_meetings(session: Session, settings: Settings, now: datetime) -> None:
    """Wish for the call events of meetings that came since, and for the end of those that are over."""
    begin(session, settings, now)
    row = session.scalar(select(Subscription).where(Subscription.topic == CALL_EVENTS))
    if row is not None:
        row.renew_due_at = now + LOOK_FOR_MEETINGS


def is_lookout(subscription: Subscription) -> bool:
    """Whether the row only says when to look for meetings; see ``Subscription``."""
    return subscription.kind == CALL_EVENTS and subscription.meeting_id is None


def renew_secret(subscription: Subscription, settings: Settings) -> None:
    """A client state of its own for the subscription that is about to be made."""
    text = secrets.token_urlsafe(48)
    subscription.client_state = sealed(text, purpose=PURPOSE, secret_key=settings.secret_key)


def client_state_of(subscription: Subscription, settings: Settings) -> str | None:
    """The secret; None when there is none yet, or SECRET_KEY has changed since."""
    return unsealed(subscription.client_state, purpose=PURPOSE, secret_key=settings.secret_key)


def forget_subscription(subscription: Subscription) -> None:
    """Graph no longer has it: the next one is made anew, with a new secret."""
    subscription.subscription_id = subscription.asked_at = subscription.expires_at = None


def record_subscription(
    session: Session,
    subscription: Subscription,
    *,
    subscription_id: str,
    expires_at: datetime,
    certificate_id: str | None = None,
    now: datetime,
) -> None:
    """Write down what Graph granted. After a new subscription the calendar is swept: nobody told us until now."""
    is_new = subscription.subscription_id != subscription_id
    subscription.subscription_id = subscription_id
    subscription.expires_at = expires_at
    subscription.certificate_id = certificate_id
    subscription.renewed_at = now
    subscription.renew_due_at = now + (expires_at - now) / 2  # half-life: a renewal may fail for days unharmed
    subscription.trouble = subscription.troubled_at = None
    if is_new and subscription.mailbox is not None:
        ask_for_sweep(session, subscription.mailbox)


def record_trouble(subscription: Subscription, trouble: Wording, *, now: datetime) -> None:
    """Keep why Graph refused, for Health; the outbox tries again in its own way."""
    subscription.trouble, subscription.troubled_at = trouble, now


def ask_for_renewal(
    session: Session, subscription: Subscription, *, named_expiry: datetime | None, now: datetime
) -> None:
    """Graph wants a reauthorization: a renewal is one. Not twice within ten minutes.

    ``named_expiry`` is the expiry that its notification names: an earlier one than ours is news of before the last
    renewal.
    """
    renewed_at, expires_at = subscription.renewed_at, subscription.expires_at
    if renewed_at is not None and now < renewed_at + RENEW_AGAIN_AFTER:
        is_old = named_expiry is not None and expires_at is not None and named_expiry < expires_at - SAME_INSTANT
        if not is_old:
            again_at = renewed_at + RENEW_AGAIN_AFTER
            subscription.renew_due_at = min(subscription.renew_due_at or again_at, again_at)
        return
    ask_to_ensure(session, subscription, now=now)


def ask_to_ensure(session: Session, subscription: Subscription, *, now: datetime) -> None:
    """Have a worker see to it now; should its message be lost to refusals, the duty asks again."""
    subscription.renew_due_at = now + RETRY_RENEWAL
    outbox.add(session, Task.SUBSCRIPTION_ENSURE, subscription.id)


def _wanted(session: Session, settings: Settings, *, now: datetime) -> Iterator[Topic]:
    if not settings.webhooks:
        return
    yield from (Topic(EVENTS, mailbox=mailbox) for mailbox in settings.organizer_mailboxes)
    if settings.call_records:
        yield Topic(CALL_RECORDS)
    if settings.call_events:
        yield Topic(CALL_EVENTS)
        yield from (Topic(CALL_EVENTS, meeting_id=meeting_id) for meeting_id in _meetings_ahead(session, now=now))


def _meetings_ahead(session: Session, *, now: datetime) -> list[int]:
    """Meetings whose series goes on: a subscription made after a call has begun tells nothing of that call."""
    ahead = (
        select(Occurrence.series_id)
        .where(Occurrence.cancelled_at.is_(None))
        .group_by(Occurrence.series_id)
        .having(func.max(Occurrence.ends_at) > now)
    )
    wanted = (
        select(SeriesMeeting.id)
        .join(Series, Series.id == SeriesMeeting.series_id)
        .where(Series.cancelled_at.is_(None), SeriesMeeting.until.is_(None), Series.id.in_(ahead))
    )
    return list(session.scalars(wanted.order_by(SeriesMeeting.id)))


def _wish(session: Session, settings: Settings, topic: Topic, row: Subscription | None, *, now: datetime) -> None:
    url = f"{settings.public_url}/webhooks/graph"
    if row is None:
        row = Subscription(
            topic=topic.name,
            kind=topic.kind,
            mailbox=topic.mailbox,
            meeting_id=topic.meeting_id,
            url=url,
            lifecycle_url=f"{url}/lifecycle",
            client_state="",
            renew_due_at=now,
        )
        session.add(row)
        return
    row.end_wanted_at = None
    if row.url != url:
        # An address for lifecycle notifications cannot be changed: the old subscription is ended, a new one made.
        row.url, row.lifecycle_url = url, f"{url}/lifecycle"
        row.asked_at, row.renew_due_at = None, now
    elif not is_lookout(row) and (row.subscription_id is None or row.renew_due_at is None):
        row.renew_due_at = now


def _wish_for_end(session: Session, row: Subscription, *, now: datetime) -> None:
    if is_lookout(row):
        session.delete(row)
        return
    row.end_wanted_at = row.end_wanted_at or now
    ask_to_ensure(session, row, now=now)
