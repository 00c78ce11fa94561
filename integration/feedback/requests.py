"""Who is asked about an occurrence: everybody who came gets exactly one question; one person is asked if it met."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from integration.attendance.models import CORRECTED, DECLARED, MEASURED, UPLOADED, Attendance
from integration.attendance.sharing import sharing_of
from integration.feedback.models import FeedbackRequest, MetRequest, SharedRequest
from integration.people.models import Participant
from integration.scheduling.models import Invited, Occurrence

ANSWERABLE_FOR = timedelta(days=14)
REMIND_AFTER = timedelta(days=2)
KNOWS_WHO_CAME = (MEASURED, UPLOADED, DECLARED, CORRECTED)

Request = TypeVar("Request", FeedbackRequest, MetRequest, SharedRequest)


def request_feedback(session: Session, occurrence: Occurrence, *, now: datetime) -> list[FeedbackRequest]:
    """Write a request for everybody who came and was not asked yet; returns the new ones.

    Who came is known from reports, a facilitator who said who shared the room, or a correction; asking again asks
    only those that were added. With
    "counts only" nobody knows who came: then all are asked who were invited to a held session and did not decline.
    """
    of_it = select(FeedbackRequest.participant_id).where(FeedbackRequest.occurrence_id == occurrence.id)
    known = set(session.scalars(of_it))
    asked = [
        _written(session, _feedback_request(occurrence, each, now=now))
        for each in _who_came(session, occurrence)
        if each.id not in known and _is_here(each)
    ]
    return [request for request in asked if request is not None]


def request_met(session: Session, occurrence: Occurrence, *, now: datetime) -> MetRequest | None:
    """Ask one person, once, whether an occurrence took place: the facilitator, else the first invited who is here.

    None when it was asked already, or nobody is there to be asked.
    """
    if session.scalar(select(MetRequest.id).where(MetRequest.occurrence_id == occurrence.id)):
        return None
    person = next((each for each in _who_could_tell(occurrence) if _is_here(each)), None)
    if person is None:
        return None
    return _written(
        session,
        MetRequest(
            occurrence=occurrence,
            participant=person,
            nonce=_nonce(),
            asked_at=now,
            expires_at=now + ANSWERABLE_FOR,
        ),
    )


def request_shared(session: Session, occurrence: Occurrence, *, now: datetime) -> SharedRequest | None:
    """Ask one person, once, who shared a device, if that may explain who was not found; else None."""
    if session.scalar(select(SharedRequest.id).where(SharedRequest.occurrence_id == occurrence.id)):
        return None
    sharing = sharing_of(session, occurrence)
    person = next((each for each in _who_could_tell(occurrence) if _is_here(each)), None)
    if sharing is None or sharing.is_answered or person is None:
        return None
    return _written(
        session,
        SharedRequest(
            occurrence=occurrence,
            participant=person,
            nonce=_nonce(),
            asked_at=now,
            expires_at=now + ANSWERABLE_FOR,
        ),
    )


def may_be_absent(occurrence: Occurrence) -> bool:
    """Whether people are asked of whom nobody knows if they came."""
    return occurrence.series.pod.program.attendance_detail == "counts only"


def _who_came(session: Session, occurrence: Occurrence) -> list[Participant]:
    if may_be_absent(occurrence):
        held = occurrence.held and occurrence.attendance == MEASURED
        return [each.participant for each in occurrence.invited if held and _may_have_come(each)]
    came = (Attendance.attended.is_(True), Attendance.provenance.in_(KNOWS_WHO_CAME))
    chosen = select(Participant).join(Attendance, Attendance.participant_id == Participant.id)
    return list(
        session.scalars(chosen.where(Attendance.occurrence_id == occurrence.id, *came).order_by(Attendance.id))
    )


def _who_could_tell(occurrence: Occurrence) -> list[Participant]:
    others = [each.participant for each in occurrence.invited if _may_have_come(each)]
    return ([occurrence.facilitator] if occurrence.facilitator else []) + others


def _may_have_come(invited: Invited) -> bool:
    return invited.response != "declined" and not invited.away


def _is_here(participant: Participant) -> bool:
    return participant.person is not None and participant.person.is_here


def _feedback_request(occurrence: Occurrence, participant: Participant, *, now: datetime) -> FeedbackRequest:
    return FeedbackRequest(
        occurrence=occurrence,
        participant=participant,
        nonce=_nonce(),
        asked_at=now,
        expires_at=now + ANSWERABLE_FOR,
        reminder_due_at=now + REMIND_AFTER,
    )


def _written(session: Session, request: Request) -> Request | None:
    """The row, or None when somebody else wrote it between our look and our insert: then it is theirs to mail."""
    try:
        with session.begin_nested():
            session.add(request)
            session.flush()
    except IntegrityError:
        return None
    return request


def _nonce() -> str:
    return secrets.token_urlsafe(9)
