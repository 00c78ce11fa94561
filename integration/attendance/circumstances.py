"""What decides, beside who was seen, what came of an occurrence: its window, whom we know, what people have said."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from integration.attendance.definitions import Outcome, outcome
from integration.attendance.identities import Presence
from integration.attendance.intervals import Interval
from integration.attendance.models import Recognition, SharedDeclaration, UnmatchedRecord
from integration.attendance.presences import Knowledge, informed, united
from integration.attendance.windows import window_of
from integration.people.models import OtherAddress, Person
from integration.scheduling.models import Occurrence

Trace = tuple[str, str]


def outcome_of(session: Session, occurrence: Occurrence, presences: Iterable[Presence]) -> Outcome:
    """What these presences mean, with everything applied that people have said since."""
    seen = united(presences)
    return outcome_with(
        knowledge_of(session, occurrence, [trace for one in seen for trace in one.traces]), occurrence, seen
    )


def outcome_with(known: Knowledge, occurrence: Occurrence, presences: Iterable[Presence]) -> Outcome:
    """What these presences mean, with this much applied of what people have said."""
    return outcome(
        informed(presences, known),
        invited=(each.participant_id for each in occurrence.invited),
        window=window_in(occurrence),
        threshold=occurrence.series.pod.program.attendance_threshold,
        was_declared=known.shared is not None,
    )


def window_in(occurrence: Occurrence) -> Interval:
    """The window of an occurrence, cut half-way to the others of its series."""
    others = (
        Interval(each.starts_at, each.ends_at)
        for each in occurrence.series.occurrences
        if each.id != occurrence.id and each.cancelled_at is None
    )
    return window_of(Interval(occurrence.starts_at, occurrence.ends_at), others)


def knowledge_of(session: Session, occurrence: Occurrence, traces: Collection[Trace]) -> Knowledge:
    """What people have said about an occurrence, and whom the traces lead to."""
    decided = select(UnmatchedRecord.key, UnmatchedRecord.participant_id).where(
        UnmatchedRecord.occurrence_id == occurrence.id, UnmatchedRecord.verdict.is_not(None)
    )
    told = latest_declaration(session, occurrence)
    return Knowledge(
        verdicts={key: participant_id for key, participant_id in session.execute(decided) if key},
        recognised=_recognised(session, traces, pod_id=occurrence.series.pod_id),
        shared=None if told is None else tuple(told.participant_ids),
        facilitator=told.declared_by_id if told else None,
    )


def latest_declaration(session: Session, occurrence: Occurrence) -> SharedDeclaration | None:
    wanted = select(SharedDeclaration).where(SharedDeclaration.occurrence_id == occurrence.id)
    return session.scalar(wanted.order_by(SharedDeclaration.id.desc()).limit(1))


def in_roster(session: Session, traces: Collection[Trace]) -> dict[Trace, int]:
    """Participants by object ids and addresses, as the roster and the directory know them."""
    ids = {value for kind, value in traces if kind == "object id"}
    addresses = {value for kind, value in traces if kind == "address"}
    by_id = select(func.lower(Person.object_id), Person.participant_id).where(func.lower(Person.object_id).in_(ids))
    by_mail = select(Person.mail, Person.participant_id).where(Person.mail.in_(addresses))
    by_other = (
        select(OtherAddress.mail, Person.participant_id)
        .join(OtherAddress.person)
        .where(OtherAddress.mail.in_(addresses))
    )
    found: dict[Trace, int] = {("address", row[0]): row[1] for row in session.execute(by_other)}
    found |= {("address", row[0]): row[1] for row in session.execute(by_mail)}
    return found | {("object id", row[0]): row[1] for row in session.execute(by_id)}


def _recognised(session: Session, traces: Collection[Trace], *, pod_id: int) -> dict[Trace, int]:
    """Participants by traces: what the roster says now, and over it what coordinators have taught us."""
    if not traces:
        return {}
    learnt = (
        select(Recognition.kind, Recognition.value, Person.participant_id)
        .join(Recognition.person)
        .where(Recognition.value.in_({value for _, value in traces}))
        .where(or_(Recognition.pod_id.is_(None), Recognition.pod_id == pod_id))
    )
    taught: dict[Trace, int] = {(row[0], row[1]): row[2] for row in session.execute(learnt)}
    return in_roster(session, traces) | taught
