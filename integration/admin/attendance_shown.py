"""What a pod's page shows of the reports of each session that is over: what they left open, and who was told since.

Who came, person by person, stands on the page of the session.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, joinedload

from integration.attendance.models import (
    Attendance,
    AttendanceReport,
    SharedDeclaration,
    UnmatchedRecord,
)
from integration.attendance.unmatched import can_be_told
from integration.language import Lazy, lazy
from integration.people.models import Participant
from integration.scheduling.models import Invited, Occurrence

KINDS: Mapping[str, Lazy] = {
    "phone": lazy("by phone"),
    "anonymous": lazy("without signing in"),
    "masked": lazy("with a hidden name"),
    "room": lazy("a room's device"),
    "unknown": lazy("under an address nobody knows"),
}


Row = TypeVar("Row", UnmatchedRecord, AttendanceReport, SharedDeclaration)
Rows = defaultdict[int, list[Row]]  # by the id of the occurrence


@dataclass(frozen=True)
class RecordShown:
    """An unmatched record; ``choices`` are whom it can be assigned to, the likeliest first; none: it cannot be."""

    row: UnmatchedRecord
    choices: Sequence[Participant]

    @property
    def kind(self) -> Lazy:
        return KINDS[self.row.kind]


@dataclass(frozen=True)
class AttendanceShown:
    records: Sequence[RecordShown] = ()
    reports: int = 0  # that were read
    shared_by: Participant | None = None  # who said who shared the room
    shared: Sequence[str] = field(default=())  # names

    @property
    def is_waiting_for_somebody(self) -> bool:
        """Whether a coordinator can say something that is not known."""
        return any(each.row.verdict is None and each.choices for each in self.records)


def attendance_shown(session: Session, occurrences: Collection[Occurrence]) -> dict[int, AttendanceShown]:
    """By the id of the occurrence, in a few queries for all of them."""
    ids = [each.id for each in occurrences]
    records, reports = _rows(session, UnmatchedRecord, ids), _rows(session, AttendanceReport, ids)
    told = _latest(_rows(session, SharedDeclaration, ids))
    likeliest = _likeliest(session, [each for each in ids if records[each] or each in told])
    return {
        each: _shown(records[each], likeliest[each], reports=len(reports[each]), told=told.get(each)) for each in ids
    }


def _shown(
    records: Sequence[UnmatchedRecord],
    likeliest: Sequence[Participant],
    *,
    reports: int,
    told: SharedDeclaration | None,
) -> AttendanceShown:
    return AttendanceShown(
        records=[RecordShown(row, likeliest if can_be_told(row) else ()) for row in records],
        reports=reports,
        shared_by=told.declared_by if told else None,
        shared=[each.name for each in likeliest if told and each.id in told.participant_ids],
    )


def _rows(session: Session, of: type[Row], ids: Collection[int]) -> Rows[Row]:
    found: Rows[Row] = defaultdict(list)
    wanted = select(of).where(of.occurrence_id.in_(ids)).order_by(of.id)
    for row in session.scalars(wanted):
        found[row.occurrence_id].append(row)
    return found


def _latest(told: Mapping[int, Sequence[SharedDeclaration]]) -> dict[int, SharedDeclaration]:
    return {occurrence_id: rows[-1] for occurrence_id, rows in told.items() if rows}


def _likeliest(session: Session, ids: Collection[int]) -> defaultdict[int, list[Participant]]:
    """Who was invited to each, with their names: first those who are not known to have come."""
    found: defaultdict[int, list[Participant]] = defaultdict(list)
    if not ids:
        return found
    same = (Attendance.occurrence_id == Invited.occurrence_id, Attendance.participant_id == Invited.participant_id)
    came = func.coalesce(Attendance.attended, False)
    wanted = select(Invited).outerjoin(Attendance, and_(*same)).where(Invited.occurrence_id.in_(ids))
    named = joinedload(Invited.participant).joinedload(Participant.person)
    for row in session.scalars(wanted.options(named).order_by(came, Invited.id)):
        found[row.occurrence_id].append(row.participant)
    return found
