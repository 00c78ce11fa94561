"""What is true about questions after a session, and about their answers.

A request outlives nobody's erasure: it names a participant, who may have no person any more. Its nonce stands in the
link that was mailed; a new one makes every earlier link void.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from integration.db import Base
from integration.people.models import Participant
from integration.scheduling.models import Occurrence


class FeedbackRequest(Base):
    """The one question that somebody gets about one occurrence; it can be answered until ``expires_at``."""

    __tablename__ = "feedback_request"
    __table_args__ = (UniqueConstraint("occurrence_id", "participant_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    nonce: Mapped[str]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    reminder_due_at: Mapped[datetime | None] = mapped_column(index=True)  # None: was reminded, or will not be

    occurrence: Mapped[Occurrence] = relationship()
    participant: Mapped[Participant] = relationship()
    answer: Mapped[FeedbackAnswer | None] = relationship(back_populates="request", uselist=False)


class FeedbackAnswer(Base):
    """An answer: 1 (worst) to 5 (best). ``consent``: the comment may be shown, with the name of the pod."""

    __tablename__ = "feedback_answer"
    __table_args__ = (
        CheckConstraint("score BETWEEN 1 AND 5", name="score"),
        CheckConstraint("comment IS NOT NULL OR NOT consent", name="consent"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("feedback_request.id"), unique=True)
    score: Mapped[int]
    comment: Mapped[str | None]
    consent: Mapped[bool] = mapped_column(default=False)
    answered_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]

    request: Mapped[FeedbackRequest] = relationship(back_populates="answer")


class MetRequest(Base):
    """ "Did you meet?", asked of one person about an occurrence of which Teams reported nothing."""

    __tablename__ = "met_request"
    __table_args__ = (UniqueConstraint("occurrence_id", "participant_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    nonce: Mapped[str]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    met: Mapped[bool | None]
    answered_at: Mapped[datetime | None]

    occurrence: Mapped[Occurrence] = relationship()
    participant: Mapped[Participant] = relationship()


class SharedRequest(Base):
    """ "Who shared the room?", asked of one person about an occurrence with fewer accounts than people."""

    __tablename__ = "shared_request"
    __table_args__ = (UniqueConstraint("occurrence_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrence.id"))
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    nonce: Mapped[str]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]

    occurrence: Mapped[Occurrence] = relationship()
    participant: Mapped[Participant] = relationship()
