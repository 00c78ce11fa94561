"""What is true about visits: who is signed in, which programs a coordinator is limited to, and who did what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from integration.db import Base


class WebSession(Base):
    """A browser's session, kept here and not in its cookie. All dates are of the real clock."""

    __tablename__ = "web_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    key_hash: Mapped[str] = mapped_column(
        String(64), unique=True
    )  # SHA-256 of the cookie, so that reading it opens nothing
    content: Mapped[dict[str, Any]]  # what Flask calls the session
    mail: Mapped[str | None] = mapped_column(String(320), index=True)  # None until somebody has signed in
    name: Mapped[str | None]
    roles: Mapped[list[Any]]
    begun_at: Mapped[datetime]
    seen_at: Mapped[datetime]  # renewed at most once a minute
    ends_at: Mapped[datetime] = mapped_column(index=True)  # whatever happens
    in_teams: Mapped[bool]  # opened in a Teams tab: its cookie is partitioned


class CoordinatorLimit(Base):
    """One program that a coordinator is limited to; a coordinator without any row is limited to none, so sees all."""

    __tablename__ = "coordinator_limit"
    __table_args__ = (UniqueConstraint("mail", "program_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mail: Mapped[str] = mapped_column(String(320))
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id", ondelete="CASCADE"))


class OfficeMember(Base):
    """A coordinator or administrator, as of their last sign-in: whom messages can be passed on to.

    ``seen_at`` is of the real clock.
    """

    __tablename__ = "office_member"

    id: Mapped[int] = mapped_column(primary_key=True)
    mail: Mapped[str] = mapped_column(String(320), unique=True)
    roles: Mapped[list[Any]]
    seen_at: Mapped[datetime]


class AuditEntry(Base):
    """Who did what to what, with what was true before and after."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(320))  # a person's address, an API token's name; "": nobody knows
    action: Mapped[str]  # a Permission, such as "program.apply", or a Visit
    thing: Mapped[str]  # such as "plan"
    thing_id: Mapped[int | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    reference: Mapped[str]  # of the request, as in the log


class Checkup(Base):
    """A check of every permission by a worker. ``findings``: [{"check": Kept, "remedy": Kept}], empty if all is well.

    All dates are of the real clock.
    """

    __tablename__ = "checkup"

    id: Mapped[int] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(String(320))
    begun_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    findings: Mapped[list[Any]]
