"""What ``pods plan``, ``apply``, ``undo`` and ``program`` print: plans as tables, and how far the workers are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.errors import NotThere
from integration.formats import day, moment
from integration.language import gettext as _
from integration.language import lazy, ngettext
from integration.people.models import Person
from integration.people.people import by_mail
from integration.scheduling.models import Plan, Pod, Program, ProgramMember, Series
from integration.scheduling.plan import Undoing, apply_plan, preview_undo, series_of, undo_plan
from integration.scheduling.planned import summary
from integration.scheduling.programs import ProgramDraft, add_leader, add_members, create_program, find_program
from integration.scheduling.taking_part import (
    Following,
    add_member,
    apart_words,
    preview_addition,
    preview_removal,
    remove_member,
)
from integration.wording import said

if TYPE_CHECKING:
    from integration.tools import Tools

LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Progress:
    """How far the workers are with the series of a plan that nobody has taken back."""

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
    console.print(
        _("Nothing has been sent. Apply it with: %(command)s", command=f"[bold]pods apply {plan_id}[/bold]")
    )
    return plan_id


def show_plan(tools: Tools, plan_id: int, console: Console) -> None:
    """Print what a plan would do."""
    with tools.database.reading() as session:
        content = _plan(session, plan_id).content
    console.print(_pods_table(plan_id, content["pods"]))
    console.print(f"[bold]{escape(summary(content))}[/bold]")
    most = max(content["mails"].values(), default=0)
    console.print(_("Mails per person: %(n)s (the invitation).", n=most), _duration(content["seconds"]))
    if content["held"]:
        held = ", ".join(content["held"])
        console.print(escape(_("Held back by MAIL_ALLOWLIST: %(mails)s", mails=held)))
    for mail in content["people_without_pod"]:
        console.print(escape(_("%(mail)s is alone and has no pod.", mail=mail)), style="yellow")
    for pod in content["pods"]:
        _print_problems(pod, console)


def _duration(seconds: int) -> str:
    if seconds < 100:
        return ngettext(
            "Everybody has it after about %(n)s second.", "Everybody has it after about %(n)s seconds.", seconds
        )
    minutes = round(seconds / 60)
    return ngettext(
        "Everybody has it after about %(n)s minute.", "Everybody has it after about %(n)s minutes.", minutes
    )


def apply(tools: Tools, plan_id: int, console: Console, *, wait: bool = True) -> Progress:
    """Apply a plan and watch until every series is invited to or in trouble; Ctrl-C only stops the watching."""
    with tools.database.transaction() as session:
        plan = _plan(session, plan_id)
        before = plan.applied_at
        count = len(apply_plan(session, plan, now=tools.clock.now()))
    if before is not None:
        when = moment(before, None)
        console.print(
            _("Plan %(plan)s was applied already: %(when)s. Nothing new is created.", plan=plan_id, when=when)
        )
    else:
        console.print(
            ngettext(
                "%(n)s series will be created by the workers. Take it back with: %(command)s",
                "%(n)s series will be created by the workers. Take it back with: %(command)s",
                count,
                command=f"pods undo {plan_id}",
            )
        )
    if not wait:
        return progress_of(tools, plan_id)
    try:
        return _watch(tools, plan_id, console)
    except KeyboardInterrupt:
        console.print(_("Stopped watching; the workers go on."))
        return progress_of(tools, plan_id)


def undo(tools: Tools, plan_id: int, console: Console, *, confirm: Callable[[], bool]) -> Undoing | None:
    """Say what undoing does, ask, and do it; None when the answer was no, or it was undone before."""
    with tools.database.reading() as session:
        plan = _plan(session, plan_id)
        undoing, undone_at = preview_undo(session, plan, now=tools.clock.now()), plan.undone_at
    if undone_at is not None:
        console.print(_("Plan %(plan)s was undone already: %(when)s.", plan=plan_id, when=moment(undone_at, None)))
        return None
    people = len(undoing.cancellations)
    console.print(
        ngettext("This cancels %(n)s series:", "This cancels %(n)s series:", undoing.series),
        ngettext("%(n)s person gets a cancellation mail.", "%(n)s people get a cancellation mail.", people),
    )
    if undoing.held_back:
        held = len(undoing.held_back)
        console.print(
            ngettext("%(n)s person was held back and gets none.", "%(n)s people were held back and get none.", held)
        )
    if undoing.meetings_past:
        console.print(
            ngettext(
                "%(n)s session is past; what is known of it stays.",
                "%(n)s sessions are past; what is known of them stays.",
                undoing.meetings_past,
            )
        )
    if not confirm():
        return None
    with tools.database.transaction() as session:
        undoing = undo_plan(session, _plan(session, plan_id), now=tools.clock.now())
    console.print(_("The workers cancel them now."))
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
    people_told = ngettext("%(n)s person", "%(n)s people", count)
    console.print(
        _("Program %(number)s: %(name)s, %(people)s.", number=program_id, name=escape(draft.name), people=people_told)
    )
    console.print(_("Plan it with: %(command)s", command=f"[bold]pods plan {program_id}[/bold]"))
    return program_id


def list_programs(tools: Tools, console: Console) -> None:
    """Print all programs with their people and pods."""
    table = Table(_("No."), _("Program"), _("Begins"), _("People"), _("Pods"), _("Ends"))
    with tools.database.reading() as session:
        for program in session.scalars(select(Program).order_by(Program.id)):
            table.add_row(
                str(program.id),
                escape(program.name),
                day(program.starts_on),
                str(_count(session, ProgramMember, program.id)),
                str(_count(session, Pod, program.id)),
                day(program.ended_at) if program.ended_at else "",
            )
    console.print(table)


def add_people(
    tools: Tools, key: str, mails: Sequence[str], console: Console, *, confirm: Callable[[], bool]
) -> None:
    """Let people take part: all of them, or none where one cannot.

    Who will be mailed is said before ``confirm`` is asked; where nobody will, nothing is asked.
    """
    now, costs_mail = tools.clock.now(), False
    with tools.database.reading() as session:
        program = find_program(session, key)
        for mail in mails:
            person, reach = by_mail(session, mail), tools.settings.may_mail(mail)
            following = preview_addition(session, program, person, now=now, may_mail=reach)
            if following.changes:
                console.print(f"{escape(mail)}: {_following(following)}")
            costs_mail = costs_mail or following.mails > 0
    if costs_mail and not confirm():
        return
    with tools.database.transaction() as session:
        program = find_program(session, key)
        for mail in mails:
            person, reach = by_mail(session, mail), tools.settings.may_mail(mail)
            done = add_member(session, program, person, now=now, may_mail=reach)
            new, known = _("%(mail)s takes part.", mail=mail), _("%(mail)s takes part already.", mail=mail)
            console.print(escape(new if done.changes else known))


def remove_person(tools: Tools, key: str, mail: str, console: Console, *, confirm: Callable[[], bool]) -> None:
    """Take somebody out of a program, once it was said what follows and ``confirm`` agreed."""
    with tools.database.reading() as session:
        program, person = find_program(session, key), by_mail(session, mail)
        following = preview_removal(session, program, person, now=tools.clock.now())
    if following.changes:
        console.print(_following(following))
        if not confirm():
            return
    with tools.database.transaction() as session:
        program, person = find_program(session, key), by_mail(session, mail)
        done = remove_member(session, program, person, now=tools.clock.now())
    no_longer, never = _("%(mail)s no longer takes part.", mail=mail), _("%(mail)s does not take part.", mail=mail)
    console.print(escape(no_longer if done.changes else never))


def _following(done: Following) -> str:
    """What follows for one person, in a line."""
    pods = _("Pod: %(pods)s.", pods=", ".join(done.pods)) if done.pods else ""
    mails = ngettext(
        "They get %(n)s mail; nobody else is mailed.", "They get %(n)s mails; nobody else is mailed.", done.mails
    )
    return escape(" ".join(filter(None, (pods, mails if done.mails else _("Nobody is mailed."), apart_words(done)))))


def progress_of(tools: Tools, plan_id: int) -> Progress:
    """How many series of a plan are wanted, are invited to, and are in trouble."""
    with tools.database.reading() as session:
        series = [one for one in series_of(session, _plan(session, plan_id)) if one.cancel_wanted_at is None]
    return Progress(
        series=len(series),
        invited=sum(one.invited_at is not None for one in series),
        in_trouble=sum(one.invited_at is None and one.trouble is not None for one in series),
    )


def _watch(tools: Tools, plan_id: int, console: Console) -> Progress:
    with console.status(_("Waiting for the workers")) as status:
        while not (progress := progress_of(tools, plan_id)).is_over:
            status.update(_progress_words(progress))
            time.sleep(LOOK_EVERY_SECONDS)
    console.print(_progress_words(progress))
    for subject, trouble in _troubles(tools, plan_id):
        console.print(f"[red]{escape(subject)}[/red]: {escape(trouble)}")
    return progress


def _progress_words(progress: Progress) -> str:
    return ngettext(
        "%(done)s of %(n)s series is invited to.",
        "%(done)s of %(n)s series are invited to.",
        progress.series,
        done=progress.invited,
    )


def _troubles(tools: Tools, plan_id: int) -> list[tuple[str, str]]:
    with tools.database.reading() as session:
        found = session.execute(
            select(Series.subject, Series.trouble).where(Series.plan_id == plan_id, Series.trouble.is_not(None))
        )
        return [(row[0], str(row[1] or "")) for row in found]


def _plan(session: Session, plan_id: int) -> Plan:
    plan = session.get(Plan, plan_id)
    if plan is None:
        raise NotThere(lazy("plan"), plan_id)
    return plan


def _pods_table(plan_id: int, pods: Sequence[dict[str, Any]]) -> Table:
    headings = (_("Pod"), _("People"), _("When"), _("Meetings"), _("Organizer"))
    table = Table(*headings, title=_("Plan %(plan)s", plan=plan_id))
    for pod in pods:
        names = ", ".join(pod["names"][mail] for mail in pod["members"])
        when = f"{_(pod['weekday'])} {pod['time']} {pod['time_zone']}" if pod["weekday"] else _("no slot")
        cells = (pod["name"], names, when, _dates(pod), pod["organizer"])
        table.add_row(*(escape(cell) for cell in cells))
    return table


def _dates(pod: dict[str, Any]) -> str:
    if not pod["dates"]:
        return _("none")
    first, last = (day(datetime.fromisoformat(pod["dates"][place])) for place in (0, -1))
    return _("%(n)s: %(first)s to %(last)s", n=pod["sessions"], first=first, last=last)


def _print_problems(pod: dict[str, Any], console: Console) -> None:
    for problem in pod["problems"]:
        console.print(f"[yellow]{escape(pod['name'])}[/yellow]: {escape(str(said(problem)))}")
    for slot in pod["compromises"]:
        missing = ", ".join(pod["names"][mail] for mail in slot["missing"])
        when = f"{_(slot['weekday'])} {slot['time']}"
        console.print(escape(_("    %(when)s would be without %(missing)s", when=when, missing=missing)))


def _count(session: Session, row: type[ProgramMember] | type[Pod], program_id: int) -> int:
    return session.scalar(select(func.count()).select_from(row).where(row.program_id == program_id)) or 0
