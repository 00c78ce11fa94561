"""What somebody sees of their own pods: the next session, the past ones with their own attendance, open questions.

Of others only the names: whether a colleague came is not theirs to read.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from integration.attendance.corrections import latest_corrections, who
from integration.attendance.models import Attendance, CorrectionRequest
from integration.attendance.sharing import sharing_of
from integration.feedback.models import FeedbackRequest, MetRequest, SharedRequest
from integration.language import Wording
from integration.people.models import Participant, Person
from integration.scheduling.models import Invited, Occurrence, Pod, PodMember, Series
from integration.scheduling.reading import open_link


@dataclass(frozen=True)
class NextSession:
    """A session that is to come or is running; ``link``: where it is joined, None before Outlook has made one."""

    pod: Pod
    occurrence: Occurrence
    link: str | None


@dataclass(frozen=True)
class PastSession:
    """A session that is over, to which the person was invited, and what is known of their own part in it.

    ``attended`` None: nobody can say. ``provenance`` is a word of the definitions, or "pending" while the reports may
    still come, or "counts only" where the program keeps no names. ``corrected_by``: who put it right last. ``asked``:
    the latest correction that the person asked for, decided or not.
    """

    occurrence: Occurrence
    attended: bool | None
    seconds: int | None
    provenance: str
    reason: Wording | None
    corrected_by: str | None = None
    asked: CorrectionRequest | None = None

    @property
    def may_ask(self) -> bool:
        """Whether a correction can be asked for: something is kept of this person."""
        return self.provenance not in ("pending", "counts only")


@dataclass(frozen=True)
class OpenQuestions:
    """Questions that can still be answered, the oldest first."""

    feedback: list[FeedbackRequest]
    met: list[MetRequest]
    shared: list[SharedRequest]


def my_person(session: Session, person_id: int) -> Person | None:
    return session.scalar(select(Person).where(Person.id == person_id, Person.left_at.is_(None)))


def memberships_of(session: Session, person: Person) -> list[PodMember]:
    """The pods somebody is or was in, those of now first, with everything that their pages show."""
    to_pod = joinedload(PodMember.pod)
    series = to_pod.selectinload(Pod.series)
    members = to_pod.selectinload(Pod.members).joinedload(PodMember.participant).joinedload(Participant.person)
    wanted = (
        select(PodMember)
        .where(PodMember.participant_id == person.participant_id)
        .options(to_pod.joinedload(Pod.program), members)
        .options(series.selectinload(Series.meetings), series.selectinload(Series.occurrences))
        .order_by(PodMember.left_at.is_not(None), PodMember.joined_at.desc(), PodMember.id.desc())
    )
    return list(session.scalars(wanted))


def to_come(pod: Pod, *, now: datetime) -> list[NextSession]:
    """The pod's sessions that are not over, in order; those that were invited to and not cancelled."""
    found = [
        NextSession(pod, occurrence, open_link(series))
        for series in pod.series
        if series.invited_at is not None and series.cancel_wanted_at is None
        for occurrence in series.occurrences
        if occurrence.ends_at > now and occurrence.cancelled_at is None
    ]
    return sorted(found, key=lambda one: one.occurrence.starts_at)


def past_sessions(session: Session, person: Person, pod: Pod, *, now: datetime) -> list[PastSession]:
    """The sessions of a pod to which somebody was invited and that are over, the latest first."""
    mine = (Attendance.occurrence_id == Occurrence.id) & (Attendance.participant_id == person.participant_id)
    rows = session.execute(
        select(Occurrence, Attendance)
        .join(Series)
        .join(Invited, Invited.occurrence_id == Occurrence.id)
        .outerjoin(Attendance, mine)
        .where(Series.pod_id == pod.id, Invited.participant_id == person.participant_id)
        .where(Occurrence.ends_at <= now, Occurrence.cancelled_at.is_(None))
        .order_by(Occurrence.starts_at.desc())
    )
    detail, found = pod.program.attendance_detail, rows.all()
    by = latest_corrections(session, [each.id for _occurrence, each in found if each is not None])
    asked = _asked(session, person, [each.id for each, _attendance in found])
    return [
        replace(
            _past(occurrence, attendance, detail=detail),
            corrected_by=who(by[attendance.id]) if attendance is not None and attendance.id in by else None,
            asked=asked.get(occurrence.id),
        )
        for occurrence, attendance in found
    ]


def open_questions(session: Session, person: Person, *, now: datetime) -> OpenQuestions:
    """What somebody was asked and has not answered, as long as an answer is taken."""
    feedback = (
        select(FeedbackRequest)
        .where(FeedbackRequest.participant_id == person.participant_id, FeedbackRequest.expires_at > now)
        .where(~FeedbackRequest.answer.has())
        .options(joinedload(FeedbackRequest.occurrence).joinedload(Occurrence.series).joinedload(Series.pod))
    )
    met = (
        select(MetRequest)
        .where(MetRequest.participant_id == person.participant_id, MetRequest.expires_at > now)
        .where(MetRequest.met.is_(None))
        .options(joinedload(MetRequest.occurrence).joinedload(Occurrence.series).joinedload(Series.pod))
    )
    shared = (
        select(SharedRequest)
        .where(SharedRequest.participant_id == person.participant_id, SharedRequest.expires_at > now)
        .where(SharedRequest.answered_at.is_(None))
        .options(joinedload(SharedRequest.occurrence).joinedload(Occurrence.series).joinedload(Series.pod))
    )
    found = session.scalars(shared.order_by(SharedRequest.asked_at, SharedRequest.id)).all()
    return OpenQuestions(
        list(session.scalars(feedback.order_by(FeedbackRequest.asked_at, FeedbackRequest.id))),
        list(session.scalars(met.order_by(MetRequest.asked_at, MetRequest.id))),
        [each for each in found if (asked := sharing_of(session, each.occurrence)) and asked.candidates],
    )


def facilitators(session: Session, occurrences: Collection[Occurrence]) -> dict[int, Participant]:
    """Who facilitates, by the id of the occurrence, with their names, in one query."""
    ids = {each.facilitator_id for each in occurrences if each.facilitator_id is not None}
    wanted = select(Participant).where(Participant.id.in_(ids)).options(joinedload(Participant.person))
    people = {each.id: each for each in session.scalars(wanted)}
    return {each.id: people[each.facilitator_id] for each in occurrences if each.facilitator_id in people}


def _asked(session: Session, person: Person, occurrences: Collection[int]) -> dict[int, CorrectionRequest]:
    """The latest correction that somebody asked for, by session."""
    wanted = select(CorrectionRequest).where(
        CorrectionRequest.participant_id == person.participant_id, CorrectionRequest.occurrence_id.in_(occurrences)
    )
    return {each.occurrence_id: each for each in session.scalars(wanted.order_by(CorrectionRequest.id))}


def _past(occurrence: Occurrence, attendance: Attendance | None, *, detail: str) -> PastSession:
    if attendance is not None:
        return PastSession(
            occurrence, attendance.attended, attendance.seconds, attendance.provenance, attendance.reason
        )
    if occurrence.attendance == "pending":
        return PastSession(occurrence, None, None, "pending", None)
    return PastSession(
        occurrence, None, None, "counts only" if detail == "counts only" else "unknown", occurrence.attendance_reason
    )
