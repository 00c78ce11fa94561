"""Who is away, as their mailboxes said: shown beside people, and used by nothing that counts or judges."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from integration.formats import day
from integration.inbox.absence import absences_of
from integration.language import gettext as _


def absence_words(session: Session, participant_ids: Collection[int], *, now: datetime) -> Mapping[int, str]:
    """By participant: "away until 5 Apr", or when their mailbox answered where the end is not certain."""
    found = absences_of(session, participant_ids, now=now)
    return {
        participant_id: _("away until %(day)s", day=day(answer.away_until))
        if answer.away_until is not None
        else _("answered automatically on %(day)s", day=day(answer.answered_at.date()))
        for participant_id, answer in found.items()
    }
