"""Programs: what is to become better, who takes part, who hears of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from integration.announcing.announcements import Event, announce
from integration.errors import Conflict, InputRefused, NotThere
from integration.language import Lazy, lazy
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
    participation_target: float = 0.60  # the targets of a pilot of three months; shares, and sessions in 28 days
    sessions_target: float = 4.0
    onboarding_target: float = 0.20


def create_program(session: Session, draft: ProgramDraft, *, now: datetime) -> Program:
    """Add a program; raises InputRefused for a value that cannot be, Conflict for a name that is taken."""
    _refuse_wrong(draft)
    if session.scalar(select(Program.id).where(Program.name == draft.name)):
        raise _name_is_taken(draft.name)
    program = Program(created_at=now)
    _write(session, program, _columns(draft))
    announce(session, Event.PROGRAM_CREATED, {}, program.id)
    return program


def edit_program(session: Session, program: Program, draft: ProgramDraft) -> dict[str, tuple[Any, Any]]:
    """Describe a program otherwise; returns what changed, as column -> (before, after).

    Pods keep the series they have; a plan that was made before no longer fits. Raises as ``create_program``.
    """
    _refuse_wrong(draft)
    lock_program(session, program.id)
    taken = select(Program.id).where(Program.name == draft.name, Program.id != program.id)
    if session.scalar(taken):
        raise _name_is_taken(draft.name)
    before = {name: getattr(program, name) for name in _columns(draft)}
    changed = {name: (before[name], value) for name, value in _columns(draft).items() if before[name] != value}
    _write(session, program, {name: value for name, (_, value) in changed.items()})
    return changed


def lock_program(session: Session, program_id: int) -> None:
    """One at a time per program, until the end of this transaction (SQLite lets only one write anyway)."""
    session.scalar(select(Program.id).where(Program.id == program_id).with_for_update())


def find_program(session: Session, key: str) -> Program:
    """The program of this name or number; raises NotThere."""
    program = session.scalar(select(Program).where(Program.name == key))
    if program is None and key.isdecimal():
        program = session.get(Program, int(key))
    if program is None:
        raise NotThere(lazy("program"), key)
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


def set_leaders(session: Session, program: Program, people: Iterable[Person], *, now: datetime) -> None:
    """Let exactly these people have the weekly summary: new ones from next Monday on, the others no longer."""
    wanted = {person.id: person for person in people}
    for leader in list(program.leaders):
        if leader.person_id not in wanted:
            program.leaders.remove(leader)
            session.delete(leader)
    known = {leader.person_id for leader in program.leaders}
    for person in wanted.values():
        if person.id not in known:
            add_leader(session, program, person, now=now)
    session.flush()


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


def _name_is_taken(name: str) -> Conflict:
    return Conflict(
        lazy("There is a program %(name)s already.", name=repr(name)), remedy=lazy("Choose another name.")
    )


def _refuse_wrong(draft: ProgramDraft) -> None:
    for name in ("name", "outcome", "metric", "baseline"):
        if not getattr(draft, name).strip():
            raise InputRefused(
                lazy("The program has no %(part)s.", part=name),
                remedy=lazy("A program starts from what is to become better."),
            )
    for name, allowed in (("format", FORMATS), ("attendance_detail", ATTENDANCE_DETAILS)):
        if getattr(draft, name) not in allowed:
            raise InputRefused(
                _as_it_is(draft, name), remedy=lazy("Use one of: %(words)s.", words=", ".join(allowed))
            )
    for name in ("participation_target", "onboarding_target"):
        if not 0 <= getattr(draft, name) <= 1:
            raise InputRefused(_as_it_is(draft, name), remedy=lazy("Use a share from 0 to 1."))
    for name, numbers in (("minutes", MINUTES), ("weeks", WEEKS), ("pod_size", POD_SIZES)):
        if getattr(draft, name) not in numbers:
            remedy = lazy("Use a whole number from %(least)s to %(most)s.", least=numbers.start, most=numbers[-1])
            raise InputRefused(_as_it_is(draft, name), remedy=remedy)


def _as_it_is(draft: ProgramDraft, name: str) -> Lazy:
    return lazy("%(name)s is %(text)s.", name=name, text=repr(getattr(draft, name)))


def _columns(draft: ProgramDraft) -> dict[str, Any]:
    columns = {each.name: getattr(draft, each.name) for each in fields(draft)}
    return {**columns, "holidays": sorted(day.isoformat() for day in parse_holidays(draft.holidays))}


def _write(session: Session, program: Program, values: dict[str, Any]) -> None:
    """Names are unique: of two who take one at the same moment, the second is told so."""
    name = values.get("name")
    try:
        with session.begin_nested():
            for column, value in values.items():
                setattr(program, column, value)
            session.add(program)
    except IntegrityError:
        raise _name_is_taken(str(name)) from None
