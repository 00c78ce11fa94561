"""What calls tell: opening rich notifications, reading call records, and asking for a look at the attendance."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from integration import outbox
from integration.clock import real_now
from integration.graph.errors import NotFound
from integration.log import get_logger
from integration.outbox import Task
from integration.webhooks import calls, encryption, refusals
from integration.webhooks.encryption import NotOpened
from integration.webhooks.models import EncryptedContent, EncryptionKey, Notification
from integration.webhooks.validation_tokens import NotTrusted, Validator

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from integration.tools import Tools

# A record appears within an hour of the notification's first version.
# https://learn.microsoft.com/graph/callrecords-api-faq
TOO_NEW_FOR = timedelta(hours=2)
TRY_AGAIN_AFTER = timedelta(minutes=15)

log = get_logger(__name__)
_validators: dict[str, Validator] = {}  # of this process, by Graph's address: the publisher's keys are kept


def read_call_record(tools: Tools, notification_id: int) -> None:
    """Read which meeting a call belonged to, and have the attendance of that occurrence looked for now."""
    now = tools.clock.now()
    with tools.database.reading() as session:
        notification = session.get(Notification, notification_id)
    if notification is None or notification.resource_id is None:
        return
    try:
        record = tools.graph.calls.record(notification.resource_id)
    except NotFound:
        _try_again(tools, notification, now=now)
        return
    with tools.database.transaction() as session:
        asked = calls.ask_for_attendance(session, record, now=now)
    log.info("call record read", notification_id=notification_id, occurrences=asked)


def open_content(tools: Tools, notification_id: int) -> None:
    """Open what a rich notification carried, take the hint, and delete it; what cannot be trusted is counted."""
    now = tools.clock.now()
    with tools.database.reading() as session:
        content = session.get(EncryptedContent, notification_id)
        notification = session.get(Notification, notification_id)
        key = session.scalar(calls.key_named(content.certificate_id)) if content is not None else None
    if content is None or notification is None:
        return
    try:
        _validator(tools).check(content.tokens, tenant_id=content.tenant_id)
        hint = calls.hint_in(_opened(tools, content, key))
    except NotTrusted as error:
        _refuse(tools, content, "no validation token" if not content.tokens else "untrusted token", why=str(error))
        return
    except NotOpened as error:
        _refuse(tools, content, error.reason, why=error.reason)
        return
    with tools.database.transaction() as session:
        if hint.has_ended:
            calls.ask_for_attendance_of(session, notification.subscription_id, ended_at=hint.at or now, now=now)
        _delete(session, notification_id)


def _opened(tools: Tools, content: EncryptedContent, key: EncryptionKey | None) -> bytes:
    private = encryption.private_key_of(key, tools.settings) if key is not None else None
    if private is None:
        raise NotOpened("unknown certificate")
    return encryption.opened(encryption.Envelope(content.data, content.data_key, content.data_signature), private)


def _validator(tools: Tools) -> Validator:
    settings = tools.settings
    name = f"{settings.graph_base_url} {settings.tenant_id} {settings.client_id}"
    return _validators.setdefault(name, Validator(settings))


def _refuse(tools: Tools, content: EncryptedContent, reason: str, *, why: str) -> None:
    log.warning("notification refused", notification_id=content.notification_id, reason=reason, why=why)
    with tools.database.transaction() as session:
        if _delete(session, content.notification_id):
            refusals.count(session, {reason: 1}, now=tools.clock.now())


def _delete(session: Session, notification_id: int) -> bool:
    """Whether it was still there: of two workers one counts."""
    content = session.get(EncryptedContent, notification_id, with_for_update=True)
    if content is not None:
        session.delete(content)
    return content is not None


def _try_again(tools: Tools, notification: Notification, *, now: datetime) -> None:
    if now - notification.received_at > TOO_NEW_FOR:
        log.info("call record gone", notification_id=notification.id)
        return
    with tools.database.transaction() as session:
        due_at = real_now() + TRY_AGAIN_AFTER
        outbox.add(session, Task.CALL_RECORD_READ, notification.id, due_at=due_at)
