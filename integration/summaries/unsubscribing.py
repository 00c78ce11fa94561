"""Links by which a leader stops a program's summaries, and starts them again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from integration.errors import NotThere
from integration.language import lazy
from integration.scheduling.dues import summary_due
from integration.scheduling.models import ProgramLeader
from integration.signing import read_signed, signed

PURPOSE = "weekly-summary-unsubscribe"


def unsubscribe_url(public_url: str, secret_key: str, leader_id: int) -> str:
    """The address of the page on which this leader can stop this program's summaries."""
    token = signed([leader_id], purpose=PURPOSE, secret_key=secret_key)
    return f"{public_url.rstrip('/')}/summaries/{token}"


def leader_of(session: Session, token: str, *, secret_key: str) -> ProgramLeader:
    """Whom a link belongs to. Raises NotThere for a forged link and for a leader who is no longer one."""
    values = read_signed(token, purpose=PURPOSE, secret_key=secret_key)
    leader = session.get(ProgramLeader, values[0]) if values else None
    if leader is None:
        raise NotThere(lazy("summary link"), "…")
    return leader


def stop_summaries(leader: ProgramLeader, *, now: datetime) -> None:
    """Send this leader no more summaries of this program. Stopping twice changes nothing."""
    leader.unsubscribed_at = leader.unsubscribed_at or now
    leader.summary_due_at = None


def start_summaries(leader: ProgramLeader, *, now: datetime) -> None:
    """Send summaries again from next Monday on."""
    leader.unsubscribed_at = None
    leader.summary_due_at = summary_due(now, leader.person.time_zone or "UTC")
