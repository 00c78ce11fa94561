"""What is true about programs that use the API: their tokens, and what a repeated request was answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from integration.db import Base


class ApiToken(Base):
    """A key to the API; only its hash is stored. All dates are of the real clock."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256
    scopes: Mapped[list[Any]]  # permissions
    program_ids: Mapped[list[Any] | None]  # what it is limited to, as a coordinator is; None: all programs
    made_by: Mapped[str] = mapped_column(String(320))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]  # renewed at most once a minute


class RepeatableRequest(Base):
    """The answer to a request with an Idempotency-Key, given again when the request comes again."""

    __tablename__ = "repeatable_request"
    __table_args__ = (UniqueConstraint("token_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_id: Mapped[int] = mapped_column(ForeignKey("api_token.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(255))
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]  # None: still being worked on
    answer: Mapped[dict[str, Any] | None]
    asked_at: Mapped[datetime] = mapped_column(index=True)
