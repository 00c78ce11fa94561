"""What is true about summaries: which feedback was published to leaders, and when, and the figures of each week."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
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


class WeeklyFigures(Base):
    """The figures that leaders of a program see in one week, kept as they were first shown.

    Mail and page show the same ones: figures that moved with every visit would tell, by their difference, what a
    single person did. ``content`` holds figures, not words, so that everybody reads them in their language.
    """

    __tablename__ = "weekly_figures"
    __table_args__ = (UniqueConstraint("program_id", "monday"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"))
    monday: Mapped[date]
    as_of: Mapped[datetime]
    content: Mapped[dict[str, Any]]
