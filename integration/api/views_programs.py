"""Programs, their pods and their figures in the API."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from integration.admin import audit
from integration.admin.permissions import Permission, programs_within_reach
from integration.admin.things import about_pod, about_program
from integration.api.answers import figures_answer, pod_answer
from integration.api.operations import Call, operation
from integration.api.paging import page_after
from integration.api.shapes import (
    FiguresAnswer,
    Page,
    PageQuery,
    PodAnswer,
    PodSummary,
    ProgramAnswer,
    ProgramRequest,
)
from integration.errors import InputRefused
from integration.language import lazy
from integration.metrics.figures import competency_figures, program_figures
from integration.people.models import Person
from integration.scheduling.models import Pod, PodMember, Program, ProgramMember
from integration.scheduling.programs import DEFAULT_AGENDA, ProgramDraft, add_leader, add_members, create_program


@operation("GET", "/programs", Permission.PROGRAMS_SEE, query=PageQuery, answer=Page[ProgramAnswer])
def list_programs(call: Call) -> Page[ProgramAnswer]:
    """Programs within reach, the oldest first"""
    reach = programs_within_reach(call.visitor, Permission.PROGRAMS_SEE)
    wanted = select(Program) if reach is None else select(Program).where(Program.id.in_(reach))
    query: PageQuery = call.query
    rows, following = page_after(call.session, wanted, Program.id, cursor=query.cursor, limit=query.limit)
    return Page(_programs(call.session, list(rows)), following)


@operation(
    "POST", "/programs", Permission.PROGRAM_CREATE, body=ProgramRequest, answer=ProgramAnswer, status=201,
    location="/programs/{id}",
)  # fmt: skip
def add_program(call: Call) -> ProgramAnswer:
    """Add a program; nobody hears of it until a plan of it is applied"""
    wanted: ProgramRequest = call.body
    session, now = call.session, call.tools.clock.now()
    members, leaders = _people(session, wanted.members), _people(session, wanted.leaders)
    program = create_program(session, _draft(wanted), now=now)
    add_members(session, program, members)
    for leader in leaders:
        add_leader(session, program, leader, now=now)
    after = {"name": program.name, "members": len(members), "leaders": len(leaders)}
    audit.record(session, call.visitor, Permission.PROGRAM_CREATE, thing="program", thing_id=program.id, after=after)
    session.flush()
    return _programs(session, [program])[0]


@operation("GET", "/programs/{program_id}", Permission.PROGRAM_SEE, about=about_program, answer=ProgramAnswer)
def get_program(call: Call, program_id: int) -> ProgramAnswer:
    """A program"""
    return _programs(call.session, [call.session.get_one(Program, program_id)])[0]


@operation(
    "GET", "/programs/{program_id}/pods", Permission.POD_SEE, about=about_program, query=PageQuery,
    answer=Page[PodSummary],
)  # fmt: skip
def list_pods(call: Call, program_id: int) -> Page[PodSummary]:
    """The pods of a program"""
    query: PageQuery = call.query
    wanted = select(Pod).where(Pod.program_id == program_id)
    rows, following = page_after(call.session, wanted, Pod.id, cursor=query.cursor, limit=query.limit)
    counts = _counts(call.session, PodMember.pod_id, [each.id for each in rows], PodMember.left_at.is_(None))
    return Page([_summary(each, counts.get(each.id, 0)) for each in rows], following)


@operation("GET", "/pods/{pod_id}", Permission.POD_SEE, about=about_pod, answer=PodAnswer)
def get_pod(call: Call, pod_id: int) -> PodAnswer:
    """A pod with its people, series and meetings"""
    return pod_answer(call.session, pod_id, now=call.tools.clock.now())


@operation("GET", "/programs/{program_id}/figures", Permission.PROGRAM_SEE, about=about_program, answer=FiguresAnswer)
def get_figures(call: Call, program_id: int) -> FiguresAnswer:
    """A program's figures as they are now"""
    program, at = call.session.get_one(Program, program_id), call.tools.clock.now()
    figures = program_figures(call.session, program, at=at)
    return figures_answer(program_id, figures, competency_figures(call.session, program, at=at))


def _draft(wanted: ProgramRequest) -> ProgramDraft:
    return ProgramDraft(
        name=wanted.name.strip(),
        outcome=wanted.outcome,
        metric=wanted.metric,
        baseline=wanted.baseline,
        starts_on=wanted.starts_on,
        format=wanted.format,
        minutes=wanted.minutes,
        weeks=wanted.weeks,
        pod_size=wanted.pod_size,
        holidays=tuple(day.isoformat() for day in wanted.holidays),
        attendance_detail=wanted.attendance_detail,
        agenda=DEFAULT_AGENDA if wanted.agenda is None else wanted.agenda,
    )


def _people(session: Session, mails: list[str]) -> list[Person]:
    """The people with these addresses; raises InputRefused, naming those that are nobody's."""
    wanted = {mail.strip().lower() for mail in mails}
    people = session.scalars(select(Person).where(Person.mail.in_(wanted), Person.left_at.is_(None))).all()
    unknown = sorted(wanted - {person.mail for person in people})
    if unknown:
        raise InputRefused(
            lazy("Nobody here has the address %(mails)s.", mails=", ".join(unknown[:5])),
            remedy=lazy("Import the roster first."),
        )
    return list(people)


def _programs(session: Session, programs: list[Program]) -> list[ProgramAnswer]:
    ids = [program.id for program in programs]
    members = _counts(session, ProgramMember.program_id, ids)
    pods = _counts(session, Pod.program_id, ids)
    return [_program(each, members.get(each.id, 0), pods.get(each.id, 0)) for each in programs]


def _counts(
    session: Session, by: InstrumentedAttribute[int], ids: list[int], *more: ColumnElement[bool]
) -> dict[int, int]:
    rows = session.execute(select(by, func.count()).where(by.in_(ids), *more).group_by(by)).all()
    return {row[0]: row[1] for row in rows}


def _program(program: Program, members: int, pods: int) -> ProgramAnswer:
    return ProgramAnswer(
        id=program.id,
        name=program.name,
        outcome=program.outcome,
        metric=program.metric,
        baseline=program.baseline,
        starts_on=program.starts_on,
        format=program.format,
        minutes=program.minutes,
        weeks=program.weeks,
        pod_size=program.pod_size,
        holidays=list(program.holidays),
        attendance_detail=program.attendance_detail,
        agenda=program.agenda,
        created_at=program.created_at,
        ended_at=program.ended_at,
        members=members,
        pods=pods,
    )


def _summary(pod: Pod, members: int) -> PodSummary:
    return PodSummary(id=pod.id, program_id=pod.program_id, name=pod.name, time_zone=pod.time_zone, members=members)
