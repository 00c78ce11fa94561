"""`pods drift`: what Outlook has beside what was wanted, and how it is put right."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from integration.commands.terminal import console, this_account, tools_here
from integration.language import gettext as _

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from integration.scheduling.drift.kinds import Repair


@click.command(
    help=_(
        "Compare every series (of PROGRAM: its name or number) with Outlook, and print where they differ.\n\n"
        "Exits with 1 when one could not be compared."
    )
)
@click.argument("program", required=False)
@click.option("--repair", is_flag=True, help=_("Decide about each difference, after saying who will be mailed."))
@click.option(
    "--yes", is_flag=True, help=_("Do not ask: put back what is proposed to be, leave what needs a person.")
)
def drift(program: str | None, repair: bool, yes: bool) -> None:
    from integration.scheduling.drift import terminal
    from integration.scheduling.jobs import pull_series

    compared = terminal.print_drift(tools_here(), program, console(), compare=pull_series)
    if repair:
        terminal.repair_drift(
            tools_here(),
            compared.undecided,
            console(),
            ask=None if yes else _ask,
            confirm=lambda: yes or _confirm(),
            decide=_decide,
        )
    if compared.refused:
        sys.exit(1)


def _ask(number: int, choices: list[str]) -> str:
    return click.prompt(
        _("What is right in No. %(number)s?", number=number), type=click.Choice([*choices, "leave"]), default="leave"
    )


def _confirm() -> bool:
    return click.confirm(_("Do it?"))


def _decide(session: Session, drift_id: int, repair: Repair) -> None:
    from integration.admin.drift_decisions import decide_for

    decide_for(session, drift_id, repair, by=this_account(), now=tools_here().clock.now())
