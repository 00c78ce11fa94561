"""`pods program`, and `pods plan`, `apply` and `undo`: from a program to its series."""

from __future__ import annotations

from datetime import datetime

import click

from integration.commands.terminal import console, tools_here
from integration.language import gettext as _


@click.group(help=_("Programs of peer learning."))
def program() -> None:
    pass


@program.command(name="list", help=_("Show all programs with their people and pods."))
def list_programs() -> None:
    from integration.scheduling import commands

    commands.list_programs(tools_here(), console())


@program.command(name="create", help=_("Add a program; nobody hears of it until its plan is applied."))
@click.argument("name")
@click.option("--starts-on", type=click.DateTime(["%Y-%m-%d"]), required=True, help=_("Any day of the first week."))
@click.option("--outcome", required=True, help=_("What is to be better afterwards."))
@click.option("--metric", required=True, help=_("How that is measured."))
@click.option("--baseline", default=_("not measured yet"), show_default=True, help=_("What it is today."))
@click.option("--format", "form", default="learning pod", show_default=True)
@click.option("--minutes", type=int, default=30, show_default=True)
@click.option("--weeks", type=int, default=6, show_default=True)
@click.option("--size", type=int, default=4, show_default=True, help=_("People in a pod."))
@click.option("--member", "members", multiple=True, metavar="MAIL", help=_("Default: everybody on the roster."))
@click.option("--leader", "leaders", multiple=True, metavar="MAIL", help=_("Gets the weekly summary."))
def create_program(
    name: str,
    starts_on: datetime,
    outcome: str,
    metric: str,
    baseline: str,
    form: str,
    minutes: int,
    weeks: int,
    size: int,
    members: tuple[str, ...],
    leaders: tuple[str, ...],
) -> None:
    from integration.scheduling import commands
    from integration.scheduling.programs import ProgramDraft

    draft = ProgramDraft(
        name=name,
        outcome=outcome,
        metric=metric,
        baseline=baseline,
        starts_on=starts_on.date(),
        format=form,
        minutes=minutes,
        weeks=weeks,
        pod_size=size,
    )
    commands.create(tools_here(), draft, console(), members=members, leaders=leaders)


@program.command(
    name="add",
    help=_("Let people take part; whoever was in a pod that still meets comes back into it and is invited."),
)
@click.argument("program_key", metavar="PROGRAM")
@click.argument("mails", nargs=-1, required=True, metavar="MAIL...")
@click.option("--yes", is_flag=True, help=_("Do not ask."))
def add_people(program_key: str, mails: tuple[str, ...], yes: bool) -> None:
    from integration.scheduling import commands

    commands.add_people(
        tools_here(), program_key, mails, console(), confirm=lambda: yes or click.confirm(_("Go on?"))
    )


@program.command(name="remove", help=_("Take somebody out of a program and its pods, after saying what that does."))
@click.argument("program_key", metavar="PROGRAM")
@click.argument("mail")
@click.option("--yes", is_flag=True, help=_("Do not ask."))
def remove_person(program_key: str, mail: str, yes: bool) -> None:
    from integration.scheduling import commands

    commands.remove_person(
        tools_here(), program_key, mail, console(), confirm=lambda: yes or click.confirm(_("Go on?"))
    )


@click.command(
    help=_("Plan pods and times for PROGRAM (its name or number); nothing is sent until the plan is applied.")
)
@click.argument("program")
def plan(program: str) -> None:
    from integration.scheduling import commands

    commands.plan_program(tools_here(), program, console())


@click.command(help=_("Let the workers create and invite what PLAN says, and watch them."))
@click.argument("plan_id", type=int, metavar="PLAN")
@click.option("--no-wait", is_flag=True, help=_("Do not watch the workers."))
def apply(plan_id: int, no_wait: bool) -> None:
    from integration.scheduling import commands

    commands.apply(tools_here(), plan_id, console(), wait=not no_wait)


@click.command(help=_("Cancel everything that PLAN has made, after saying what that does."))
@click.argument("plan_id", type=int, metavar="PLAN")
@click.option("--yes", is_flag=True, help=_("Do not ask."))
def undo(plan_id: int, yes: bool) -> None:
    from integration.scheduling import commands

    commands.undo(tools_here(), plan_id, console(), confirm=lambda: yes or click.confirm(_("Undo the plan?")))
