"""Several people in front of one device: a room, or a colleague's screen. Whoever was there says who shared it.

Teams knows accounts, not people. So somebody is asked when a room's device was there and invited people were not
found, and when fewer accounts of ours were there than people had accepted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.attendance.circumstances import latest_declaration
from integration.attendance.models import CORRECTED, Attendance, SharedDeclaration, UnmatchedRecord
from integration.attendance.outcomes import COUNTS_ONLY, detail_of
from integration.attendance.reckoning import calls_of, reckon_again
from integration.errors import Conflict
from integration.language import lazy
from integration.people.models import Participant
from integration.scheduling.models import Occurrence

FOUND = ("account", "address", "recognised", "assigned")


@dataclass(frozen=True)
class Sharing:
    """Who may have shared a device. ``has_room``: a room's device was there, so that somebody certainly did.

    ``candidates`` are invited people of whom no record was found; ``ticked`` those named by the latest answer.
    """

    has_room: bool
    candidates: tuple[Participant, ...]
    ticked: frozenset[int]
    is_answered: bool


def sharing_of(session: Session, occurrence: Occurrence) -> Sharing | None:
    """What is to be asked about an occurrence; None when there is nothing to ask, or no names are kept."""
    if occurrence.attendance != "measured" or detail_of(occurrence) == COUNTS_ONLY:
        return None
    if not calls_of(session, occurrence):
        return None  # it was measured by an uploaded file, which says nothing of a device's minutes
    told = latest_declaration(session, occurrence)
    rows = session.scalars(select(Attendance).where(Attendance.occurrence_id == occurrence.id)).all()
    found = {row.participant_id for row in rows if row.matched_by in FOUND}
    fixed = {row.participant_id for row in rows if row.provenance == CORRECTED}
    missing = [each for each in occurrence.invited if each.participant_id not in found]
    candidates = tuple(each.participant for each in missing if each.participant_id not in fixed)
    has_room = _has_room(session, occurrence)
    has_missed = bool(found) and any(each.response == "accepted" for each in missing)
    if told is None and not (candidates and (has_room or has_missed)):
        return None
    return Sharing(has_room, candidates, frozenset(told.participant_ids if told else ()), told is not None)


def declare_shared(
    session: Session, occurrence: Occurrence, who: Collection[int], *, by: Participant, at: datetime
) -> bool:
    """Write down who shared the room, by participant ids; answering again changes it, nobody ticked is an answer too.

    They are present, *declared*, as long as the room's device was. What a coordinator has corrected stays. Returns
    whether the facts were reckoned already. Raises Conflict when nobody can be named (any more).
    """
    sharing = sharing_of(session, occurrence)
    allowed = {each.id for each in sharing.candidates} if sharing else set()
    chosen = [each for each in sorted(set(who)) if each in allowed]
    if not allowed or (who and not chosen):
        raise Conflict(
            lazy("Nobody is missing from this session any more."),
            remedy=lazy("Either all were found meanwhile, or a coordinator has corrected the attendance."),
        )
    told = latest_declaration(session, occurrence)
    if told is not None and list(told.participant_ids) == chosen:
        return True
    session.add(
        SharedDeclaration(occurrence_id=occurrence.id, declared_by_id=by.id, participant_ids=chosen, declared_at=at)
    )
    session.flush()
    return reckon_again(session, occurrence, at=at)


def _has_room(session: Session, occurrence: Occurrence) -> bool:
    rooms = select(UnmatchedRecord.id).where(
        UnmatchedRecord.occurrence_id == occurrence.id, UnmatchedRecord.kind == "room"
    )
    return session.scalar(rooms.limit(1)) is not None
