"""What is true about summaries: which feedback was published to leaders, and when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from integration.db import Base


class PublishedFeedback(Base):
    """The satisfaction that leaders of a program see; replaced only when answers of k more people enter together.

    ``mean`` is in halves; None when all agreed, or too few people had answered.
    """

    __tablename__ = "published_feedback"

    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), unique=True)
    mean: Mapped[float | None]
    n: Mapped[int]
    asked: Mapped[int]
    published_at: Mapped[datetime]
