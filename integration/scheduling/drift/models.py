"""What is true about differences between what was wanted and what Outlook has, and who decided what about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from integration.db import Base
from integration.scheduling.models import Occurrence, Series

IS_OPEN = text("closed_at IS NULL")


class Drift(Base):
    """One difference of a series; open as long as ``closed_at`` is None, at most one open per ``key``.

    ``wanted`` and ``found`` are what is compared (instants and walls in ISO), ``repairs`` what may be done about it,
    ``mails`` how many mails putting ours back costs whom. ``decided_by`` is an address, or the policy itself.
    """

    __tablename__ = "drift"
    __table_args__ = (
        CheckConstraint("decision IN ('adopt', 'put back')", name="decision"),
        Index("uq_drift_open", "key", unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), index=True)
    occurrence_id: Mapped[int | None] = mapped_column(ForeignKey("occurrence.id"), index=True)
    key: Mapped[str] = mapped_column(String(400), index=True)
    kind: Mapped[str]
    address: Mapped[str | None] = mapped_column(String(320))
    wanted: Mapped[dict[str, Any]] = mapped_column(default=dict)
    found: Mapped[dict[str, Any]] = mapped_column(default=dict)
    repairs: Mapped[list[Any]] = mapped_column(default=list)
    mails: Mapped[dict[str, Any]] = mapped_column(default=dict)
    first_seen_at: Mapped[datetime] = mapped_column(index=True)
    last_seen_at: Mapped[datetime]
    decision: Mapped[str | None]  # None: nobody has decided
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(320))
    closed_at: Mapped[datetime | None]  # when it was settled: adopted, put back, or gone by itself

    series: Mapped[Series] = relationship()
    occurrence: Mapped[Occurrence | None] = relationship()
