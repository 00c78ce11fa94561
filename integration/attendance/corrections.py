"""Putting right who came: by a coordinator, or by the facilitator of the session; people ask for it themselves.

What stood there before is kept, with who changed it, when and why. Where a program keeps counts only, a count is put
right, without names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from integration import outbox
from integration.attendance.layers import STILL_ASKED, lay_words
from integration.attendance.models import (
    CORRECTED,
    DECLARED,
    Attendance,
    AttendanceCorrection,
    CorrectionRequest,
    CountCorrection,
)
from integration.attendance.outcomes import COUNTS_ONLY, attendance_of, correct_attendance, detail_of
from integration.errors import Conflict, InputRefused, NotThere
from integration.formats import day
from integration.language import lazy
from integration.outbox import Task
from integration.people.models import Participant
from integration.scheduling.models import Occurrence, Pod, Series

LONGEST_WHY = 500
By = Participant | str  # the address of somebody from the office who is in no roster


@dataclass(frozen=True)
class Earlier:
    """One correction as it is shown: of whom (None: of the count), what stood there, what stands there, by whom."""

    name: str | None
    before: bool | int | None
    after: bool | int
    by: str
    at: datetime
    why: str


def correct_person(
    session: Session,
    occurrence: Occurrence,
    participant: Participant,
    *,
    attended: bool,
    by: By,
    why: str,
    at: datetime,
) -> None:
    """Say whether somebody came. Raises InputRefused without a reason, Conflict when no such fact is kept."""
    _refuse_before_end(occurrence, at=at)
    row = attendance_of(session, occurrence, participant)
    correct_attendance(session, row, attended=attended, by=by, why=_reason(why), at=at)


def correct_count(session: Session, occurrence: Occurrence, attended: int, *, by: By, why: str, at: datetime) -> None:
    """Put right how many came, where no names are kept.

    Raises InputRefused for a number that cannot be, or without a reason.
    """
    _refuse_before_end(occurrence, at=at)
    _put_count(session, occurrence, attended, CORRECTED, by=by, why=_reason(why), at=at)


def say_count(session: Session, occurrence: Occurrence, attended: int, *, by: By, at: datetime) -> None:
    """Host or facilitator say how many of the invited are there, where no names are kept: a fact, declared.

    Raises Conflict before the start and once it is known, and InputRefused for a number that cannot be.
    """
    if occurrence.cancelled_at is not None or occurrence.starts_at > at or occurrence.frozen_at is None:
        raise Conflict(
            lazy("The session on %(day)s has not begun.", day=day(occurrence.starts_at)), remedy=lazy("Say it then.")
        )
    if occurrence.attended_count is not None and occurrence.attendance in ("measured", "declared"):
        raise Conflict(lazy("How many came is known already."), remedy=lazy("Correct it, with a reason."))
    _put_count(session, occurrence, attended, DECLARED, by=by, why="", at=at)
    if attended and at - occurrence.ends_at <= STILL_ASKED:
        outbox.add(session, Task.OCCURRENCE_ASK, occurrence.id)


def _put_count(
    session: Session, occurrence: Occurrence, attended: int, provenance: str, *, by: By, why: str, at: datetime
) -> None:
    if detail_of(occurrence) != COUNTS_ONLY:
        raise Conflict(
            lazy("This program keeps who came, not only how many."), remedy=lazy("Correct it person by person.")
        )
    if not 0 <= attended <= len(occurrence.invited):
        raise InputRefused(
            lazy(
                "%(n)s people cannot have come: %(invited)s were invited.",
                n=attended,
                invited=len(occurrence.invited),
            ),
            remedy=lazy("Guests are counted apart."),
        )
    session.add(
        CountCorrection(
            occurrence_id=occurrence.id,
            provenance=provenance,
            earlier_attended=occurrence.attended_count,
            earlier_unknown=occurrence.unknown_count,
            attended=attended,
            corrected_by_id=None if isinstance(by, str) else by.id,
            corrected_by_mail=by if isinstance(by, str) else None,
            corrected_at=at,
            why=why,
        )
    )
    session.flush()
    lay_words(session, occurrence, at=at)


def ask_for_correction(
    session: Session, occurrence: Occurrence, participant: Participant, *, attended: bool, why: str, at: datetime
) -> CorrectionRequest:
    """Ask that one's own attendance be put right; asking again changes what was asked, until it is decided.

    Raises InputRefused without a reason, and Conflict when that is what stands there already.
    """
    reason = _reason(why)
    row = attendance_of(session, occurrence, participant)
    if row.attended is attended:
        raise Conflict(
            lazy("That is what stands there for %(day)s already.", day=day(occurrence.starts_at)),
            remedy=lazy("There is nothing to be corrected."),
        )
    request = open_request(session, occurrence, participant)
    if request is None:
        request = CorrectionRequest(occurrence=occurrence, participant=participant)
        session.add(request)
    request.attended, request.why, request.asked_at = attended, reason, at
    session.flush()
    return request


def open_request(session: Session, occurrence: Occurrence, participant: Participant) -> CorrectionRequest | None:
    """What somebody asked about a session and nobody has decided yet."""
    wanted = select(CorrectionRequest).where(
        CorrectionRequest.occurrence_id == occurrence.id,
        CorrectionRequest.participant_id == participant.id,
        CorrectionRequest.decided_at.is_(None),
    )
    return session.scalar(wanted)


def request_to_decide(session: Session, request_id: int) -> CorrectionRequest:
    """A request, locked. Raises NotThere, or Conflict when somebody has decided it meanwhile."""
    request = session.get(CorrectionRequest, request_id, with_for_update=True)
    if request is None:
        raise NotThere(lazy("request for a correction"), request_id)
    if request.decided_at is not None:
        raise Conflict(lazy("This was decided meanwhile."), remedy=lazy("Nothing was changed."))
    return request


def accept(session: Session, request: CorrectionRequest, *, by: By, at: datetime) -> None:
    """Do what was asked for: a correction, for the reason that was given."""
    row = attendance_of(session, request.occurrence, request.participant)
    correct_attendance(session, row, attended=request.attended, by=by, why=request.why, at=at)
    _decide(request, accepted=True, by=by, at=at)


def refuse(session: Session, request: CorrectionRequest, *, by: By, why: str, at: datetime) -> None:
    """Leave it as it is; whoever asked is told why. Raises InputRefused without a reason."""
    request.answer = _reason(why)
    _decide(request, accepted=False, by=by, at=at)
    session.flush()


def waiting_requests(programs: frozenset[int] | None) -> Select[CorrectionRequest]:
    """What waits for a decision in these programs (None: all)."""
    wanted = (
        select(CorrectionRequest)
        .join(CorrectionRequest.occurrence)
        .join(Occurrence.series)
        .join(Series.pod)
        .where(CorrectionRequest.decided_at.is_(None))
        .options(
            joinedload(CorrectionRequest.participant).joinedload(Participant.person),
            joinedload(CorrectionRequest.occurrence).joinedload(Occurrence.series).joinedload(Series.pod),
        )
    )
    return wanted if programs is None else wanted.where(Pod.program_id.in_(programs))


def corrections_of(session: Session, occurrence: Occurrence) -> list[Earlier]:
    """Every correction of a session, the latest first."""
    people = (
        select(AttendanceCorrection)
        .join(AttendanceCorrection.attendance)
        .where(Attendance.occurrence_id == occurrence.id)
        .order_by(AttendanceCorrection.id.desc())
    )
    counts = (
        select(CountCorrection)
        .where(CountCorrection.occurrence_id == occurrence.id)
        .order_by(CountCorrection.id.desc())
    )
    found = [
        Earlier(
            each.attendance.participant.name,
            each.earlier_attended,
            each.attended,
            who(each),
            each.corrected_at,
            each.why,
        )
        for each in session.scalars(people)
    ]
    return found + [
        Earlier(None, each.earlier_attended, each.attended, who(each), each.corrected_at, each.why)
        for each in session.scalars(counts)
    ]


def latest_corrections(session: Session, attendances: Sequence[int]) -> dict[int, AttendanceCorrection]:
    """The latest correction of each of these rows, by the id of the row."""
    wanted = select(AttendanceCorrection).where(AttendanceCorrection.attendance_id.in_(attendances))
    rows = session.scalars(wanted.order_by(AttendanceCorrection.id))
    return {each.attendance_id: each for each in rows}


def who(correction: AttendanceCorrection | CountCorrection) -> str:
    """The name of whoever corrected; an address where they are in no roster."""
    return correction.corrected_by.name if correction.corrected_by else (correction.corrected_by_mail or "")


def _decide(request: CorrectionRequest, *, accepted: bool, by: By, at: datetime) -> None:
    request.accepted, request.decided_at = accepted, at
    request.decided_by_id = None if isinstance(by, str) else by.id
    request.decided_by_mail = by if isinstance(by, str) else None


def _reason(why: str) -> str:
    reason = " ".join(why.split())
    if not reason:
        raise InputRefused(lazy("A reason is missing."), remedy=lazy("Say in a few words why this is right."))
    if len(reason) > LONGEST_WHY:
        raise InputRefused(
            lazy("The reason has %(n)s characters.", n=len(reason)),
            remedy=lazy("Say it in %(n)s.", n=LONGEST_WHY),
        )
    return reason


def _refuse_before_end(occurrence: Occurrence, *, at: datetime) -> None:
    if occurrence.cancelled_at is not None or occurrence.ends_at > at:
        raise Conflict(
            lazy("The session on %(day)s is not over.", day=day(occurrence.starts_at)),
            remedy=lazy("Correct it afterwards."),
        )
