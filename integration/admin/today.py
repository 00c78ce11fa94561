"""What the office wants to know in the morning: what is about to happen, went wrong, or waits for a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true
from sqlalchemy.orm import Session, aliased, joinedload

from integration.admin.reach import Programs, parked_messages, to_people_of
from integration.admin.subjects import Subject, subjects_of
from integration.attendance.corrections import waiting_requests
from integration.attendance.models import CorrectionRequest
from integration.mail.models import HELD, UNCLEAR, Mail
from integration.outbox import Message
from integration.people.models import Participant, Person
from integration.scheduling.drift.lists import MailboxTrouble, mailbox_troubles, waiting
from integration.scheduling.drift.models import Drift
from integration.scheduling.models import Occurrence, Plan, Pod, PodMember, Program, ProgramMember, Series

AHEAD = timedelta(days=7)
BACK = timedelta(days=28)
MOST = 20  # of one kind on the page; the rest is counted


@dataclass(frozen=True)
class Part:
    """The first rows of one kind, and how many there are."""

    rows: Sequence[Any]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.rows)


@dataclass(frozen=True)
class WithoutPod:
    """How many members of a program are in none of its pods."""

    program_id: int
    program: str
    people: int


@dataclass(frozen=True)
class Today:
    sessions: Part  # of Occurrence, the next first
    troubles: Part  # of Series
    parked: Sequence[tuple[Message, Subject]]
    parked_total: int
    unclear: int  # mails
    held: int
    returned: int
    unknown: Part  # of Occurrence, the latest first
    plans: Part  # of Plan
    drift: Part  # of Drift that nobody has decided
    mailboxes: Sequence[MailboxTrouble]
    corrections: Part  # of CorrectionRequest, the oldest first
    without_pod: Sequence[WithoutPod]

    @property
    def is_all_well(self) -> bool:
        mails = self.unclear + self.held + self.returned
        wrong = self.troubles.total or self.parked_total or self.mailboxes
        return not (wrong or mails or self.unknown.total)

    @property
    def has_decisions(self) -> bool:
        return bool(self.plans.total or self.corrections.total or self.without_pod or self.drift.total)


@dataclass(frozen=True)
class Beginning:
    """How far a fresh installation is."""

    people: int
    programs: int


def beginning(session: Session) -> Beginning:
    """How many people and programs there are at all."""
    counts = (select(func.count()).select_from(each).scalar_subquery() for each in (Person, Program))
    return Beginning(*session.execute(select(*counts)).one())


def today(session: Session, *, programs: Programs, now: datetime, webhooks: bool = True) -> Today:
    """The page's content, of the programs that the visitor reaches; in a fixed number of queries."""
    needing = _part(session, parked_messages(session, programs), Message.first_asked_at, Message.id)
    subjects = subjects_of(session, needing.rows)
    mails = _mails(session, programs, now=now)
    return Today(
        sessions=_part(session, _sessions(programs, now=now), Occurrence.starts_at, Occurrence.id),
        troubles=_part(session, _troubles(programs), Series.id),
        parked=[(each, subjects[each.id]) for each in needing.rows],
        parked_total=needing.total,
        unclear=mails[0],
        held=mails[1],
        returned=mails[2],
        unknown=_part(session, _unknown(programs, now=now), Occurrence.starts_at.desc(), Occurrence.id),
        plans=_part(session, _plans(programs), Plan.made_at.desc(), Plan.id),
        drift=_part(session, waiting(now=now).where(_of(programs)), Drift.first_seen_at, Drift.id),
        mailboxes=mailbox_troubles(session, now=now, webhooks=webhooks),
        corrections=_part(session, waiting_requests(programs), CorrectionRequest.asked_at, CorrectionRequest.id),
        without_pod=_without_pod(session, programs),
    )


def _part(session: Session, wanted: Select[Any], *order: Any) -> Part:
    found = session.execute(wanted.add_columns(func.count().over()).order_by(*order).limit(MOST)).unique().all()
    return Part([row[0] for row in found], found[0][1] if found else 0)


def _of(programs: Programs) -> ColumnElement[bool]:
    return true() if programs is None else Program.id.in_(programs)


def _occurrences(programs: Programs) -> Select[Occurrence]:
    pod = joinedload(Occurrence.series).joinedload(Series.pod).joinedload(Pod.program)
    led_by = joinedload(Occurrence.facilitator).joinedload(Participant.person)
    joined = select(Occurrence).join(Occurrence.series).join(Series.pod).join(Pod.program)
    return joined.where(_of(programs), Occurrence.cancelled_at.is_(None)).options(pod, led_by)


def _sessions(programs: Programs, *, now: datetime) -> Select[Occurrence]:
    soon = Occurrence.ends_at > now, Occurrence.starts_at < now + AHEAD
    return _occurrences(programs).where(*soon, Series.cancel_wanted_at.is_(None))


def _unknown(programs: Programs, *, now: datetime) -> Select[Occurrence]:
    return _occurrences(programs).where(
        Occurrence.attendance == "unknown", Occurrence.starts_at.between(now - BACK, now)
    )


def _troubles(programs: Programs) -> Select[Series]:
    joined = select(Series).join(Series.pod).join(Pod.program)
    open_troubles = Series.trouble.is_not(None), Series.cancelled_at.is_(None)
    return joined.where(_of(programs), *open_troubles).options(joinedload(Series.pod).joinedload(Pod.program))


def _mails(session: Session, programs: Programs, *, now: datetime) -> tuple[int, int, int]:
    """How many are unclear, held, and came back of late."""
    returned = and_(Mail.returned_at.is_not(None), Mail.returned_at > now - BACK)
    wanted = select(
        func.count().filter(Mail.state == UNCLEAR),
        func.count().filter(Mail.state == HELD),
        func.count().filter(returned),
    ).where(or_(Mail.state.in_([UNCLEAR, HELD]), returned))
    unclear, held, came_back = session.execute(wanted.where(to_people_of(programs))).one()
    return unclear, held, came_back


def _plans(programs: Programs) -> Select[Plan]:
    """The latest plan of each program, unless it was applied, or a worker is still drafting it."""
    later = aliased(Plan)
    newest = ~exists().where(later.program_id == Plan.program_id, later.id > Plan.id)
    waits = Plan.applied_at.is_(None), Plan.undone_at.is_(None), Plan.state != "drafting", Program.ended_at.is_(None)
    return select(Plan).join(Plan.program).where(_of(programs), newest, *waits).options(joinedload(Plan.program))


def _without_pod(session: Session, programs: Programs) -> list[WithoutPod]:
    """Only of programs that have pods: before the first plan nobody has one."""
    in_pod = exists().where(
        PodMember.participant_id == ProgramMember.participant_id,
        PodMember.left_at.is_(None),
        PodMember.pod_id == Pod.id,
        Pod.program_id == Program.id,
    )
    has_pods = exists().where(Pod.program_id == Program.id)
    wanted = (
        select(Program.id, Program.name, func.count())
        .join(ProgramMember, ProgramMember.program_id == Program.id)
        .join(Person, Person.participant_id == ProgramMember.participant_id)
        .where(_of(programs), Program.ended_at.is_(None), Person.left_at.is_(None), has_pods, ~in_pod)
        .group_by(Program.id, Program.name)
        .order_by(Program.name)
    )
    return [WithoutPod(*row) for row in session.execute(wanted)]
