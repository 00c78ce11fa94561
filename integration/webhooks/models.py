"""What is true about change notifications: our subscriptions, what arrived, and how far each mailbox was read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from integration.db import Base
from integration.language import Wording
from integration.wording import KeptWording

EVENTS = "events"
CALL_RECORDS = "call records"
CALL_EVENTS = "call events"

IS_UNHEEDED = text("heeded_at IS NULL")


class Subscription(Base):
    """Our wish to be told of changes, and what Graph gave us for it.

    ``topic`` names what is watched: the events of an organizer's ``mailbox``, the call records of the tenant, or the
    call of the meeting ``meeting_id``. The topic *call events* without a meeting is no subscription: its date says
    when to look for meetings that have none yet.

    ``client_state`` is a secret of this one subscription, sealed (``integration.sealing``). ``asked_at`` says that it
    was sent to Graph: only a subscription made with it can be taken over after a crash. ``subscription_id`` is None
    until Graph has answered. ``end_wanted_at``: nobody wants it any more; the row goes when Graph agrees.
    """

    __tablename__ = "subscription"
    __table_args__ = (CheckConstraint("kind IN ('events', 'call records', 'call events')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(String(400), unique=True)
    kind: Mapped[str]
    mailbox: Mapped[str | None] = mapped_column(String(320))
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("series_meeting.id", ondelete="CASCADE"), index=True)
    resource: Mapped[str | None]  # /users/{object id}/events, once the directory was asked
    url: Mapped[str]
    lifecycle_url: Mapped[str]
    client_state: Mapped[str] = mapped_column(Text)
    certificate_id: Mapped[str | None] = mapped_column(String(64))  # for which Graph encrypts, where it sends data
    asked_at: Mapped[datetime | None]
    subscription_id: Mapped[str | None] = mapped_column(unique=True)
    expires_at: Mapped[datetime | None]
    renewed_at: Mapped[datetime | None]  # or made: when Graph last granted a lifetime
    renew_due_at: Mapped[datetime | None] = mapped_column(index=True)
    end_wanted_at: Mapped[datetime | None]
    last_notification_at: Mapped[datetime | None]
    trouble: Mapped[Wording | None] = mapped_column(KeptWording)  # why Graph refused it, in words, with the remedy
    troubled_at: Mapped[datetime | None]


class Notification(Base):
    """A notification that was received. ``dedupe_key`` is the same for a second delivery of the same change."""

    __tablename__ = "notification"
    __table_args__ = (
        CheckConstraint("kind IN ('change', 'lifecycle')", name="kind"),
        Index(
            "ix_notification_unheeded",
            "subscription_id",
            sqlite_where=IS_UNHEEDED,
            postgresql_where=IS_UNHEEDED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(64), unique=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    change_type: Mapped[str]  # created | updated | deleted; of a lifecycle notification its event
    resource_id: Mapped[str | None] = mapped_column(index=True)
    etag: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(index=True)
    heeded_at: Mapped[datetime | None]  # when what it calls for was asked for

    subscription: Mapped[Subscription] = relationship()


class EncryptedContent(Base):
    """What a rich notification carries, as it came, until a worker has opened it; then the row is deleted.

    ``tokens`` are the validation tokens of the delivery it came with.
    """

    __tablename__ = "encrypted_content"

    notification_id: Mapped[int] = mapped_column(ForeignKey("notification.id", ondelete="CASCADE"), primary_key=True)
    data: Mapped[str] = mapped_column(Text)
    data_key: Mapped[str] = mapped_column(Text)
    data_signature: Mapped[str] = mapped_column(String(200))
    certificate_id: Mapped[str] = mapped_column(String(128))
    tenant_id: Mapped[str | None] = mapped_column(String(64))
    tokens: Mapped[list[Any]] = mapped_column(default=list)

    notification: Mapped[Notification] = relationship()


class EncryptionKey(Base):
    """A key pair for rich notifications: Graph gets the certificate, we keep the private key, sealed.

    ``replaced_at``: a newer one is handed out; this one still opens what was encrypted for it.
    """

    __tablename__ = "encryption_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[str] = mapped_column(String(64), unique=True)
    certificate: Mapped[str] = mapped_column(Text)  # base64 of the X.509 certificate (DER), as Graph takes it
    private_key: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]


class RefusedNotification(Base):
    """How many posts or items were turned away for a reason, and when last. Nothing of their content is kept."""

    __tablename__ = "refused_notification"

    reason: Mapped[str] = mapped_column(String(40), primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]


class MailboxSync(Base):
    """How far an organizer's calendar was read.

    ``delta_link`` is sealed (``integration.sealing``), since what Graph writes into its token can be personal data.
    """

    __tablename__ = "mailbox_sync"

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox: Mapped[str] = mapped_column(String(320), unique=True)
    delta_link: Mapped[str | None]
    window_starts_at: Mapped[datetime | None]
    window_ends_at: Mapped[datetime | None]
    swept_at: Mapped[datetime | None]
    sweep_due_at: Mapped[datetime | None] = mapped_column(index=True)
    compare_due_at: Mapped[datetime | None] = mapped_column(
        index=True
    )  # the next night in which all of it is compared
    gone_at: Mapped[datetime | None]  # since when the mailbox is not there: deleted, or without a licence
    gone_code: Mapped[str | None]  # in Graph's word
