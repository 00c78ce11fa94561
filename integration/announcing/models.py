"""What is true about outgoing webhooks: who is told of what happens in programs, and what became of each telling."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from integration.db import Base
from integration.language import Wording
from integration.wording import KeptWording

WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"


class Receiver(Base):
    """An address outside that is told of events; ``secret`` signs what it is sent, sealed with SECRET_KEY."""

    __tablename__ = "receiver"

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str]
    events: Mapped[list[Any]]  # names of events, such as "series.invited"; empty: all
    secret: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]


class Announcement(Base):
    """One event on its way to one receiver."""

    __tablename__ = "announcement"
    __table_args__ = (CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name="state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    receiver_id: Mapped[int] = mapped_column(ForeignKey("receiver.id", ondelete="CASCADE"), index=True)
    event_id: Mapped[str] = mapped_column(index=True)  # the same for all receivers: by it a repetition is known
    event: Mapped[str]
    content: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=WAITING)
    made_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    answered: Mapped[int | None]  # the HTTP status of the last attempt
    trouble: Mapped[Wording | None] = mapped_column(KeptWording)
    delivered_at: Mapped[datetime | None]

    receiver: Mapped[Receiver] = relationship()
