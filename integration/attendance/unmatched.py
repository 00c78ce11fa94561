"""What a coordinator says about a record that leads to nobody: it was one of the invited, or none of ours.

Each returns whether the facts were reckoned already; where no minutes are kept the reports are read again first.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from integration.attendance.models import UnmatchedRecord
from integration.attendance.reckoning import reckon_again
from integration.attendance.recognitions import forget, remember
from integration.errors import Conflict, NotThere
from integration.language import lazy
from integration.people.models import Participant
from integration.scheduling.models import Occurrence

ONE_OF_OURS, NONE_OF_OURS = "one of ours", "none of ours"


def record_of(session: Session, occurrence_id: int, record_id: int) -> UnmatchedRecord:
    """A record of an occurrence, which is locked: looks write the same rows. Raises NotThere."""
    session.get(Occurrence, occurrence_id, with_for_update=True)
    record = session.get(UnmatchedRecord, record_id)
    if record is None or record.occurrence_id != occurrence_id:
        raise NotThere(lazy("unmatched record"), record_id)
    return record


def assign(session: Session, record: UnmatchedRecord, participant: Participant, *, by: str, at: datetime) -> bool:
    """It was this one of the invited, who is recognised by the same from now on. Raises Conflict."""
    _refuse_what_cannot_be_told(record)
    if participant.id not in {each.participant_id for each in record.occurrence.invited}:
        raise Conflict(
            lazy("%(name)s was not invited to this session.", name=participant.name),
            remedy=lazy("Choose one of the invited, or say that it was none of ours."),
        )
    forget(session, record)
    _decide(record, ONE_OF_OURS, participant.id, by=by, at=at)
    if participant.person is not None:
        remember(session, record, participant.person, by=by, at=at)
    session.flush()
    return reckon_again(session, record.occurrence, at=at)


def set_aside(session: Session, record: UnmatchedRecord, *, by: str, at: datetime) -> bool:
    """It was none of ours: a guest, who leaves no doubt about anybody. Raises Conflict."""
    _refuse_what_cannot_be_told(record)
    forget(session, record)
    _decide(record, NONE_OF_OURS, None, by=by, at=at)
    session.flush()
    return reckon_again(session, record.occurrence, at=at)


def take_back(session: Session, record: UnmatchedRecord, *, at: datetime) -> bool:
    """Nobody knows again who it was, and what was learnt from it is forgotten."""
    forget(session, record)
    record.verdict, record.participant_id, record.decided_by, record.decided_at = None, None, None, None
    session.flush()
    return reckon_again(session, record.occurrence, at=at)


def can_be_told(record: UnmatchedRecord) -> bool:
    """Whether a coordinator can say who it was: not of a room, which several share, nor where no names are kept."""
    return record.key is not None and record.kind != "room"


def _decide(record: UnmatchedRecord, verdict: str, participant_id: int | None, *, by: str, at: datetime) -> None:
    record.verdict, record.participant_id = verdict, participant_id
    record.decided_by, record.decided_at = by, at


def _refuse_what_cannot_be_told(record: UnmatchedRecord) -> None:
    if record.kind == "room":
        raise Conflict(
            lazy("A room's device can stand for several people."),
            remedy=lazy("The facilitator is asked who shared the room; or correct the attendance person by person."),
        )
    if record.key is None:
        raise Conflict(
            lazy("It is not kept whose record this is."),
            remedy=lazy("Correct the attendance of the session by hand."),
        )
