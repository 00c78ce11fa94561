"""Links by which a leader stops a program's summaries, and starts them again."""

from __future__ import annotations

from datetime import datetime

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from integration.errors import NotThere
from integration.scheduling.dues import summary_due
from integration.scheduling.models import ProgramLeader

PURPOSE = "weekly-summary-unsubscribe"


def unsubscribe_url(public_url: str, secret_key: str, leader_id: int) -> str:
    """The address of the page on which this leader can stop this program's summaries."""
    return f"{public_url.rstrip('/')}/summaries/{_signer(secret_key).dumps(leader_id)}"


def leader_of(session: Session, token: str, *, secret_key: str) -> ProgramLeader:
    """Whom a link belongs to. Raises NotThere for a forged link and for a leader who is no longer one."""
    try:
        leader_id = _signer(secret_key).loads(token)
    except BadSignature:
        raise NotThere("summary link", "this one") from None
    leader = session.get(ProgramLeader, leader_id)
    if leader is None:
        raise NotThere("summary link", "this one")
    return leader


def stop_summaries(leader: ProgramLeader, *, now: datetime) -> None:
    """Send this leader no more summaries of this program. Stopping twice changes nothing."""
    leader.unsubscribed_at = leader.unsubscribed_at or now
    leader.summary_due_at = None


def start_summaries(leader: ProgramLeader, *, now: datetime) -> None:
    """Send summaries again from next Monday on."""
    leader.unsubscribed_at = None
    leader.summary_due_at = summary_due(now, leader.person.time_zone or "UTC")


def _signer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt=PURPOSE)
