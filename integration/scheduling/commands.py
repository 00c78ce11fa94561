"""What ``pods plan``, ``apply``, ``undo`` and ``program`` print: plans as tables, and how far the workers are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.errors import NotThere
from integration.people.models import Person
from integration.people.people import by_mail
from integration.scheduling.models import Plan, Pod, Program, ProgramMember, Series
from integration.scheduling.plan import Undoing, apply_plan, preview_undo, series_of, undo_plan
from integration.scheduling.planned import summary
from integration.scheduling.programs import ProgramDraft, add_leader, add_members, create_program, find_program

if TYPE_CHECKING:
    from integration.tools import Tools

LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Progress:
    """How far the workers are with the series of a plan."""

    series: int
    invited: int
    in_trouble: int

    @property
    def is_over(self) -> bool:
        return self.invited + self.in_trouble >= self.series


def plan_program(tools: Tools, key: str, console: Console) -> int:
    """Plan a program (its name or number) and show the plan; returns the plan's id."""
    from integration.scheduling.jobs import draft_plan  # only this one needs Graph

    with tools.database.reading() as session:
        program_id = find_program(session, key).id
    plan_id = draft_plan(tools, program_id)
    show_plan(tools, plan_id, console)
    console.print(f"Nothing has been sent. Apply it with: [bold]pods apply {plan_id}[/bold]")
    return plan_id


def show_plan(tools: Tools, plan_id: int, console: Console) -> None:
    """Print what a plan would do."""
    with tools.database.reading() as session:
        content = _plan(session, plan_id).content
    console.print(_pods_table(plan_id, content["pods"]))
    console.print(f"[bold]{escape(summary(content))}[/bold]")
    most = max(content["mails"].values(), default=0)
    console.print(f"Mails per person: {most} (the invitation). It takes about {content['seconds']} seconds.")
    if content["held"]:
        console.print(f"Held back by MAIL_ALLOWLIST: {escape(', '.join(content['held']))}")
    for mail in content["people_without_pod"]:
        console.print(f"[yellow]{escape(mail)} is alone and has no pod.[/yellow]")
    for pod in content["pods"]:
        _print_problems(pod, console)


def apply(tools: Tools, plan_id: int, console: Console, *, wait: bool = True) -> Progress:
    """Apply a plan and watch until every series is invited to or in trouble; Ctrl-C only stops the watching."""
    with tools.database.transaction() as session:
        plan = _plan(session, plan_id)
        before, when = plan.applied_at is not None, plan.applied_at
        count = len(apply_plan(session, plan, now=tools.clock.now()))
    if before:
        console.print(f"Plan {plan_id} was applied on {when:%d %B %Y %H:%M} UTC already: nothing new is created.")
    else:
        console.print(f"{count} series will be created by the workers. Take it back with: pods undo {plan_id}")
    if not wait:
        return progress_of(tools, plan_id)
    try:
        return _watch(tools, plan_id, console)
    except KeyboardInterrupt:
        console.print("Stopped watching; the workers go on.")
        return progress_of(tools, plan_id)


def undo(tools: Tools, plan_id: int, console: Console, *, confirm: Callable[[], bool]) -> Undoing | None:
    """Say what undoing does, ask, and do it; None when the answer was no."""
    with tools.database.reading() as session:
        undoing = preview_undo(session, _plan(session, plan_id), now=tools.clock.now())
    people = len(undoing.cancellations)
    console.print(f"This cancels {undoing.series} series: {people} people get a cancellation mail.")
    if undoing.held_back:
        console.print(f"{len(undoing.held_back)} people were held back and get none.")
    if undoing.meetings_past:
        console.print(f"{undoing.meetings_past} meetings are past; what is known of them stays.")
    if not confirm():
        return None
    with tools.database.transaction() as session:
        undoing = undo_plan(session, _plan(session, plan_id), now=tools.clock.now())
    console.print("The workers cancel them now.")
    return undoing


def create(
    tools: Tools, draft: ProgramDraft, console: Console, *, members: Sequence[str] = (), leaders: Sequence[str] = ()
) -> int:
    """Add a program with members (mails; none: everybody on the roster) and leaders; returns its id."""
    now = tools.clock.now()
    with tools.database.transaction() as session:
        program = create_program(session, draft, now=now)
        people = [by_mail(session, mail) for mail in members] or session.scalars(select(Person)).all()
        count = add_members(session, program, people)
        for mail in leaders:
            add_leader(session, program, by_mail(session, mail), now=now)
        program_id = program.id
    console.print(f"Program {program_id}: {escape(draft.name)} with {count} people.")
    console.print(f"Plan it with: [bold]pods plan {program_id}[/bold]")
    return program_id


def list_programs(tools: Tools, console: Console) -> None:
    """Print all programs with their people and pods."""
    table = Table("No.", "Program", "Begins", "People", "Pods", "Ends")
    with tools.database.reading() as session:
        for program in session.scalars(select(Program).order_by(Program.id)):
            table.add_row(
                str(program.id),
                escape(program.name),
                program.starts_on.isoformat(),
                str(_count(session, ProgramMember, program.id)),
                str(_count(session, Pod, program.id)),
                f"{program.ended_at:%Y-%m-%d}" if program.ended_at else "",
            )
    console.print(table)


def progress_of(tools: Tools, plan_id: int) -> Progress:
    """How many series of a plan there are, are invited to, and are in trouble."""
    with tools.database.reading() as session:
        series = series_of(session, _plan(session, plan_id))
    return Progress(
        series=len(series),
        invited=sum(one.invited_at is not None for one in series),
        in_trouble=sum(one.invited_at is None and one.trouble is not None for one in series),
    )


def _watch(tools: Tools, plan_id: int, console: Console) -> Progress:
    with console.status("Waiting for the workers") as status:
        while not (progress := progress_of(tools, plan_id)).is_over:
            status.update(f"{progress.invited} of {progress.series} series are invited to")
            time.sleep(LOOK_EVERY_SECONDS)
    console.print(f"{progress.invited} of {progress.series} series are invited to.")
    for subject, trouble in _troubles(tools, plan_id):
        console.print(f"[red]{escape(subject)}[/red]: {escape(trouble)}")
    return progress


def _troubles(tools: Tools, plan_id: int) -> list[tuple[str, str]]:
    with tools.database.reading() as session:
        found = session.execute(
            select(Series.subject, Series.trouble).where(Series.plan_id == plan_id, Series.trouble.is_not(None))
        )
        return [(row[0], row[1] or "") for row in found]


def _plan(session: Session, plan_id: int) -> Plan:
    plan = session.get(Plan, plan_id)
    if plan is None:
        raise NotThere("plan", plan_id)
    return plan


def _pods_table(plan_id: int, pods: Sequence[dict[str, Any]]) -> Table:
    table = Table("Pod", "People", "When", "Meetings", "Organizer", title=f"Plan {plan_id}")
    for pod in pods:
        names = ", ".join(pod["names"][mail] for mail in pod["members"])
        when = f"{pod['weekday']} {pod['time']} {pod['time_zone']}" if pod["weekday"] else "no slot"
        dates = f"{pod['sessions']}: {pod['dates'][0][:10]} to {pod['dates'][-1][:10]}" if pod["dates"] else "none"
        table.add_row(*(escape(cell) for cell in (pod["name"], names, when, dates, pod["organizer"])))
    return table


def _print_problems(pod: dict[str, Any], console: Console) -> None:
    for problem in pod["problems"]:
        console.print(f"[yellow]{escape(pod['name'])}[/yellow]: {escape(problem)}")
    for slot in pod["compromises"]:
        missing = ", ".join(pod["names"][mail] for mail in slot["missing"])
        console.print(f"    {slot['weekday']} {slot['time']} would be without {escape(missing)}")


def _count(session: Session, row: type[ProgramMember] | type[Pod], program_id: int) -> int:
    return session.scalar(select(func.count()).select_from(row).where(row.program_id == program_id)) or 0
