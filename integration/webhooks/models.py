"""What is true about change notifications: our subscriptions, what arrived, and how far each mailbox was read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from integration.db import Base


class Subscription(Base):
    """Our wish to be told of changes in an organizer's calendar, and what Graph gave us for it.

    ``client_state`` is a secret of this one subscription. ``asked_at`` says that it was sent to Graph: only a
    subscription made with it can be taken over after a crash. ``subscription_id`` is None until Graph has answered.
    """

    __tablename__ = "subscription"
    __table_args__ = (UniqueConstraint("mailbox"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox: Mapped[str] = mapped_column(String(320))
    resource: Mapped[str | None]  # /users/{object id}/events, once the directory was asked
    url: Mapped[str]
    lifecycle_url: Mapped[str]
    client_state: Mapped[str] = mapped_column(String(128))
    asked_at: Mapped[datetime | None]
    subscription_id: Mapped[str | None] = mapped_column(unique=True)
    expires_at: Mapped[datetime | None]
    renew_due_at: Mapped[datetime | None] = mapped_column(index=True)
    last_notification_at: Mapped[datetime | None]


class Notification(Base):
    """A notification that was received. ``dedupe_key`` is the same for a second delivery of the same change."""

    __tablename__ = "notification"
    __table_args__ = (CheckConstraint("kind IN ('change', 'lifecycle')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(64), unique=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    change_type: Mapped[str]  # created | updated | deleted; of a lifecycle notification its event
    resource_id: Mapped[str | None] = mapped_column(index=True)
    etag: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(index=True)

    subscription: Mapped[Subscription] = relationship()


class MailboxSync(Base):
    """How far an organizer's calendar was read. ``delta_link`` is private: it can hold personal data."""

    __tablename__ = "mailbox_sync"

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox: Mapped[str] = mapped_column(String(320), unique=True)
    delta_link: Mapped[str | None]
    window_starts_at: Mapped[datetime | None]
    window_ends_at: Mapped[datetime | None]
    swept_at: Mapped[datetime | None]
    sweep_due_at: Mapped[datetime | None] = mapped_column(index=True)
    read_due_at: Mapped[datetime | None] = mapped_column(index=True)  # of the inbox
