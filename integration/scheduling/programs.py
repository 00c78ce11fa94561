"""Programs: what is to become better, who takes part, who hears of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import Conflict, InputRefused, NotThere
from integration.people.models import Person
from integration.scheduling.dues import summary_due
from integration.scheduling.models import (
    ATTENDANCE_DETAILS,
    FORMATS,
    Pod,
    PodMember,
    Program,
    ProgramLeader,
    ProgramMember,
)
from integration.scheduling.recurrence import parse_holidays

DEFAULT_AGENDA = """Check-in: what did you try since last time? (5 minutes)
One of us shows something learnt on the job (15 minutes)
What will each of us try until next time? (10 minutes)"""
MINUTES = range(10, 181)
WEEKS = range(1, 53)
POD_SIZES = range(2, 13)


@dataclass(frozen=True)
class ProgramDraft:
    """A program as a coordinator describes it. ``weeks`` counts meetings; ``holidays`` are ISO dates without one."""

    name: str
    outcome: str
    metric: str
    baseline: str
    starts_on: date
    format: str = "learning pod"
    minutes: int = 30
    weeks: int = 6
    pod_size: int = 4
    holidays: tuple[str, ...] = ()
    attendance_detail: str = "minutes"
    agenda: str = DEFAULT_AGENDA


def create_program(session: Session, draft: ProgramDraft, *, now: datetime) -> Program:
    """Add a program; raises InputRefused for a value that cannot be, Conflict for a name that is taken."""
    _refuse_wrong(draft)
    if session.scalar(select(Program.id).where(Program.name == draft.name)):
        raise Conflict(f"There is a program {draft.name!r} already.", remedy="Choose another name.")
    program = Program(
        name=draft.name,
        outcome=draft.outcome,
        metric=draft.metric,
        baseline=draft.baseline,
        format=draft.format,
        minutes=draft.minutes,
        weeks=draft.weeks,
        pod_size=draft.pod_size,
        starts_on=draft.starts_on,
        holidays=sorted(day.isoformat() for day in parse_holidays(draft.holidays)),
        attendance_detail=draft.attendance_detail,
        agenda=draft.agenda,
        created_at=now,
    )
    session.add(program)
    session.flush()
    return program


def find_program(session: Session, key: str) -> Program:
    """The program of this name or number; raises NotThere."""
    program = session.scalar(select(Program).where(Program.name == key))
    if program is None and key.isdecimal():
        program = session.get(Program, int(key))
    if program is None:
        raise NotThere("program", key)
    return program


def add_members(session: Session, program: Program, people: Iterable[Person]) -> int:
    """Let people take part; whoever does so already is not added again. Returns how many were new."""
    known = {member.participant_id for member in program.members}
    new = [person for person in people if person.is_here and person.participant_id not in known]
    program.members += [ProgramMember(participant_id=person.participant_id) for person in new]
    session.flush()
    return len(new)


def add_leader(session: Session, program: Program, person: Person, *, now: datetime) -> ProgramLeader:
    """Let somebody have the weekly summary, from next Monday at eight in their zone on."""
    leader = session.scalar(
        select(ProgramLeader).where(ProgramLeader.program_id == program.id, ProgramLeader.person_id == person.id)
    )
    if leader is None:
        leader = ProgramLeader(program=program, person=person)
        session.add(leader)
    if leader.summary_due_at is None or leader.unsubscribed_at is not None:
        leader.summary_due_at = summary_due(now, person.time_zone or "UTC")
        leader.unsubscribed_at = None
    session.flush()
    return leader


def people_without_pod(session: Session, program: Program, *, on: date) -> list[Person]:
    """Members who are here, not paused on the first day, and in no pod of the program now; by mail."""
    in_pods = (
        select(PodMember.participant_id).join(Pod).where(Pod.program_id == program.id, PodMember.left_at.is_(None))
    )
    people = session.scalars(
        select(Person)
        .join(ProgramMember, ProgramMember.participant_id == Person.participant_id)
        .where(ProgramMember.program_id == program.id, Person.left_at.is_(None))
        .where(Person.participant_id.not_in(in_pods))
        .order_by(Person.mail)
    )
    return [person for person in people if person.paused_until is None or person.paused_until <= on]


def _refuse_wrong(draft: ProgramDraft) -> None:
    for name in ("name", "outcome", "metric", "baseline"):
        if not getattr(draft, name).strip():
            raise InputRefused(
                f"The program has no {name}.", remedy="A program starts from what is to become better."
            )
    for name, allowed in (("format", FORMATS), ("attendance_detail", ATTENDANCE_DETAILS)):
        if getattr(draft, name) not in allowed:
            raise InputRefused(f"The {name} {getattr(draft, name)!r} is none.", remedy=f"Use {', '.join(allowed)}.")
    for name, numbers in (("minutes", MINUTES), ("weeks", WEEKS), ("pod_size", POD_SIZES)):
        if getattr(draft, name) not in numbers:
            raise InputRefused(
                f"{name} is {getattr(draft, name)}.", remedy=f"Use {numbers.start} to {numbers.stop - 1}."
            )
