"""What is true about other times that attendees propose in Outlook for one meeting."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from integration.db import Base
from integration.scheduling.models import Occurrence


class TimeProposal(Base):
    """Somebody's proposal; the facilitator may answer it until the meeting begins.

    A yes becomes true outside when a worker has moved the meeting (``moved_at``). ``withdrawn_at``: Outlook no longer
    shows it, since its author has answered otherwise or the meeting was moved.
    """

    __tablename__ = "time_proposal"
    __table_args__ = (
        UniqueConstraint("occurrence_id", "address", "starts_at", "ends_at"),
        CheckConstraint("answer IN ('yes', 'no')", name="answer"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    address: Mapped[str] = mapped_column(String(320))
    name: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    nonce: Mapped[str]  # stands in the link that was mailed
    seen_at: Mapped[datetime]
    asked_id: Mapped[int | None] = mapped_column(ForeignKey("participant.id"))  # who was asked by mail
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    moved_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    occurrence: Mapped[Occurrence] = relationship()
