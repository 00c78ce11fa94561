"""Making Graph agree with the registry: there is one living subscription for each topic, and none for any other."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from integration.graph.errors import GraphError, NotFound
from integration.graph.subscriptions import Encryption, call_events_of
from integration.language import Wording
from integration.log import get_logger
from integration.scheduling.models import SeriesMeeting
from integration.webhooks import encryption, subscriptions
from integration.webhooks.models import CALL_EVENTS, CALL_RECORDS, EVENTS, Subscription

if TYPE_CHECKING:
    from integration.graph.resources import Subscription as Granted
    from integration.tools import Tools

CHANGES = {EVENTS: "created,updated,deleted", CALL_RECORDS: "created,updated", CALL_EVENTS: "updated"}

log = get_logger(__name__)


def ensure_subscription(tools: Tools, subscription_row_id: int) -> None:
    """Make Graph agree that there is one living subscription for a topic: renew, take over, or make it; or end it.

    The secret is committed before it is sent. So whatever Graph made before a crash can be told from what somebody
    else made: once ``asked_at`` is set it speaks with our secret and is taken over, else it is ended.
    """
    now = tools.clock.now()
    with tools.database.transaction() as session:
        row = session.get(Subscription, subscription_row_id)
        if row is not None and subscriptions.is_lookout(row):
            subscriptions.watch_meetings(session, tools.settings, now)
            return
    if row is None:
        return
    try:
        if row.end_wanted_at is not None:
            _end(tools, row)
            return
        granted, certificate_id = _living(tools, row, now=now)
    except GraphError as error:
        if not error.passes_by_itself:
            _record_trouble(tools, row.id, error.wording, now=now)
        raise
    with tools.database.transaction() as session:
        kept = session.get(Subscription, row.id)
        if kept is None:
            return
        subscriptions.record_subscription(
            session,
            kept,
            subscription_id=granted.id,
            expires_at=granted.expires_at,
            certificate_id=certificate_id,
            now=now,
        )
    log.info("subscription ensured", subscription_row_id=row.id, expires_at=granted.expires_at.isoformat())


def _living(tools: Tools, row: Subscription, *, now: datetime) -> tuple[Granted, str | None]:
    """The one subscription, and the certificate that Graph encrypts for."""
    lock = _lock(tools, row, now=now)
    granted = _renewed(tools, row, lock, now=now) or _taken_over(tools, row, lock, now=now)
    granted = granted or _made(tools, row, lock, now=now)
    return granted, lock.certificate_id if lock else None


def _lock(tools: Tools, row: Subscription, *, now: datetime) -> Encryption | None:
    """The certificate of today, for topics whose notifications carry data."""
    if row.kind != CALL_EVENTS:
        return None
    with tools.database.transaction() as session:
        key = encryption.current_key(session, tools.settings, now=now)
        return Encryption(certificate_id=key.certificate_id, certificate=key.certificate)


def _renewed(tools: Tools, row: Subscription, lock: Encryption | None, *, now: datetime) -> Granted | None:
    """The subscription we have, with a new lifetime; None when there is none (any more)."""
    if row.subscription_id is None or row.asked_at is None:
        return None
    if subscriptions.client_state_of(row, tools.settings) is not None:
        try:
            return tools.graph.subscriptions.renew(row.subscription_id, now + _lifetime(row), encryption=lock)
        except NotFound:
            log.warning("subscription lapsed", subscription_row_id=row.id)
            with tools.database.transaction() as session:
                subscriptions.forget_subscription(session.get_one(Subscription, row.id))
            row.subscription_id = None
    row.asked_at = None  # lapsed, or we cannot read its secret any more: a new one is made
    return None


def _taken_over(tools: Tools, row: Subscription, lock: Encryption | None, *, now: datetime) -> Granted | None:
    """What an earlier attempt made without living to write it down; what others made in our name is ended."""
    ours = _ours(tools, row)
    is_known = row.asked_at is not None and subscriptions.client_state_of(row, tools.settings) is not None
    granted = max(ours, key=lambda each: each.expires_at) if ours and is_known else None
    for each in ours:
        if granted is None or each.id != granted.id:
            tools.graph.subscriptions.delete(each.id)
    if granted is None and row.subscription_id is not None:
        tools.graph.subscriptions.delete(row.subscription_id)  # it was made for another address
    if granted is not None and lock is not None:
        return tools.graph.subscriptions.renew(granted.id, now + _lifetime(row), encryption=lock)
    return granted


def _made(tools: Tools, row: Subscription, lock: Encryption | None, *, now: datetime) -> Granted:
    resource = _resource(tools, row)
    with tools.database.transaction() as session:
        kept = session.get_one(Subscription, row.id)
        if row.asked_at is None or subscriptions.client_state_of(kept, tools.settings) is None:
            subscriptions.renew_secret(kept, tools.settings)
        kept.subscription_id, kept.asked_at, kept.resource = None, now, resource
    return tools.graph.subscriptions.create(
        resource,
        kept.url,
        lifecycle_url=kept.lifecycle_url,
        client_state=subscriptions.client_state_of(kept, tools.settings) or "",
        expires_at=now + _lifetime(row),
        change_type=CHANGES[row.kind],
        encryption=lock,
    )


def _end(tools: Tools, row: Subscription) -> None:
    if row.subscription_id is not None:
        tools.graph.subscriptions.delete(row.subscription_id)
    elif row.asked_at is not None:
        for each in _ours(tools, row):
            tools.graph.subscriptions.delete(each.id)
    with tools.database.transaction() as session:
        kept = session.get(Subscription, row.id, with_for_update=True)
        if kept is not None and kept.end_wanted_at is not None:
            session.delete(kept)
        elif kept is not None:  # wanted again meanwhile
            subscriptions.forget_subscription(kept)
            subscriptions.ask_to_ensure(session, kept, now=tools.clock.now())
    log.info("subscription ended", subscription_row_id=row.id)


def _ours(tools: Tools, row: Subscription) -> list[Granted]:
    resource = _resource(tools, row)
    return [each for each in tools.graph.subscriptions.list() if _is_of(each, resource, row.url)]


def _resource(tools: Tools, row: Subscription) -> str:
    """What is subscribed to; Graph takes the object id of the mailbox's owner."""
    if row.resource is None:
        row.resource = _named(tools, row)
    return row.resource


def _named(tools: Tools, row: Subscription) -> str:
    if row.kind == EVENTS:
        return f"/users/{tools.graph.directory.user(row.mailbox or '').id}/events"
    if row.kind == CALL_RECORDS:
        return "/communications/callRecords"
    with tools.database.reading() as session:
        return call_events_of(session.get_one(SeriesMeeting, row.meeting_id).join_url)


def _lifetime(row: Subscription) -> timedelta:
    return subscriptions.LIFETIMES[row.kind]


def _is_of(granted: Granted, resource: str, url: str) -> bool:
    same = granted.resource.strip("/").casefold() == resource.strip("/").casefold()
    return same and granted.notification_url == url


def _record_trouble(tools: Tools, row_id: int, trouble: Wording, *, now: datetime) -> None:
    with tools.database.transaction() as session:
        kept = session.get(Subscription, row_id)
        if kept is not None:
            subscriptions.record_trouble(kept, trouble, now=now)
