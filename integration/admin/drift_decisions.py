"""Decisions about differences with Outlook, each written into the audit trail: from a page and from a terminal."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from integration.admin.audit import record
from integration.admin.permissions import Permission, Visitor
from integration.errors import NotThere
from integration.language import lazy
from integration.scheduling.drift import words
from integration.scheduling.drift.drifts import decide
from integration.scheduling.drift.kinds import Repair
from integration.scheduling.drift.models import Drift


def decide_for(session: Session, drift_id: int, repair: Repair, *, by: Visitor, now: datetime) -> Drift:
    """Somebody decides; the same decision twice is written down once. Raises NotThere and Conflict."""
    row = session.get(Drift, drift_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotThere(lazy("difference"), drift_id)
    before = row.decision
    mails = sum(words.proposed_mails(row, repair).values())
    decide(session, row, repair, by=by.mail, now=now)
    if before != repair:
        record(
            session,
            by,
            Permission.POD_REPAIR,
            thing="drift",
            thing_id=drift_id,
            before={"decision": before},
            after={"decision": str(repair), "kind": row.kind, "mails": mails},
        )
    return row
