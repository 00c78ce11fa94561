"""The audit trail: written in the transaction of what it tells, so that neither is there without the other."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask import g, has_request_context
from sqlalchemy.orm import Session

from integration.admin.models import AuditEntry
from integration.admin.permissions import Permission, Visitor
from integration.clock import real_now


class Visit(StrEnum):
    """What somebody did at the door, which needs no permission."""

    SIGNED_IN = "sign-in"
    REFUSED = "sign-in.refused"
    SIGNED_OUT = "sign-out"
    SIGNED_OUT_EVERYWHERE = "sign-out.everywhere"


def record(
    session: Session,
    visitor: Visitor,
    action: Permission,
    *,
    thing: str,
    thing_id: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Note what somebody did; ``before`` and ``after`` hold only what changed, never a secret."""
    session.add(_entry(visitor.mail, action, thing=thing, thing_id=thing_id, before=before, after=after))


def record_visit(session: Session, mail: str, visit: Visit, *, after: dict[str, Any] | None = None) -> None:
    """Note that somebody came, was refused, or left; ``mail`` is empty when nobody knows who. Never a token."""
    session.add(_entry(mail, visit, thing="session", after=after))


def _entry(actor: str, action: str, **content: Any) -> AuditEntry:
    reference = g.get("reference", "") if has_request_context() else ""
    return AuditEntry(at=real_now(), actor=actor, action=action, reference=reference, **content)
