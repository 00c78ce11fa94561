"""`pods`: every command of the product, in the language of the terminal.

Each command imports what it needs when it runs, so that `pods --help` is quick.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from integration.commands.click_words import let_click_speak
from integration.errors import PodsError
from integration.language import gettext as _
from integration.language import language_of_locale, speaking

LANGUAGE = language_of_locale(os.environ)


class Commands(click.Group):
    """Prints an error that a user can read as its message and remedy, and exits with 1; usage errors exit with 2."""

    def main(self, *arguments: Any, **keywords: Any) -> Any:
        with speaking(LANGUAGE):
            return super().main(*arguments, **keywords)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except PodsError as error:
            click.echo(_("Error: {message}").format(message=error.message), err=True)
            if error.remedy:
                click.echo(error.remedy, err=True)
            sys.exit(1)


with speaking(LANGUAGE):  # a command says its help where it is declared
    let_click_speak()
    from integration.commands import attendance, drift, metrics, people, programs, running, tokens, trying

    pods = Commands(
        "pods",
        help=_("Peer-to-peer learning at work that runs itself on Microsoft 365."),
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    click.version_option(package_name="learning-pods")(pods)

for command in (
    running.web,
    running.worker,
    running.tick,
    running.serve,
    running.migrate,
    running.doctor,
    trying.simulator,
    trying.demo,
    people.people,
    programs.program,
    programs.plan,
    programs.apply,
    programs.undo,
    drift.drift,
    attendance.attendance,
    metrics.metrics,
    tokens.token,
):
    pods.add_command(command)


if __name__ == "__main__":
    pods()
