"""`pods`: every command of the product. Each imports what it needs when it runs, so that `pods --help` is quick."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integration.errors import PodsError

if TYPE_CHECKING:
    from rich.console import Console

    from integration.tools import Tools


class Commands(click.Group):
    """Prints an error that a user can read as its message and remedy, and exits with 1; usage errors exit with 2."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except PodsError as error:
            click.echo(f"Error: {error.message}", err=True)
            if error.remedy:
                click.echo(error.remedy, err=True)
            sys.exit(1)


INSTANT = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITABLE = click.Path(dir_okay=False, writable=True, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="learning-pods")
def pods() -> None:
    """Peer-to-peer learning at work that runs itself on Microsoft 365."""


@pods.command()
@click.option("--host", help="Address to listen on; default: HOST.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port to listen on; default: PORT.")
def web(host: str | None, port: int | None) -> None:
    """Serve the pages and receive change notifications."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from integration.config import Settings

    settings = Settings.from_environment(os.environ)
    Granian(
        "integration.app:create_app_from_environment",
        factory=True,
        interface=Interfaces.WSGI,
        address=host or settings.host,
        port=port or settings.port,
        workers=1,
        blocking_threads=8,
        log_level=LogLevels.error,
        process_name=None,
    ).serve()


@pods.command()
def worker() -> None:
    """Do what the outbox asks for, until stopped."""
    from integration.workers import work

    work(_tools())


@pods.command()
def tick() -> None:
    """Notice what falls due, until stopped."""
    from integration.workers import keep_ticking

    keep_ticking(_tools())


@pods.command()
def serve() -> None:
    """Run web, worker and tick together on one machine, with an embedded database and queue."""
    from integration import log
    from integration import serve as supervisor
    from integration.config import Settings

    settings = Settings.from_environment(os.environ)
    log.configure(level=settings.log_level, as_json=settings.log_json)
    click.echo(f"Learning Pods on http://{settings.host}:{settings.port}")
    supervisor.serve(settings, os.environ)


@pods.command()
@click.option("--downgrade-to", metavar="REVISION", help="Go back to an earlier revision; `base` removes all tables.")
@click.option("--write", metavar="MESSAGE", help="Write the next migration from what the models want (developers).")
def migrate(downgrade_to: str | None, write: str | None) -> None:
    """Bring the database up to date."""
    from integration import migrate as migrations
    from integration.config import Settings

    url = Settings.from_environment(os.environ).database_url
    if write:
        migrations.write_migration(url, write)
    elif downgrade_to:
        migrations.downgrade(url, downgrade_to)
    else:
        migrations.upgrade(url)


@pods.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8365, show_default=True)
@click.option("--people", type=click.IntRange(1, 5_000), default=24, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--record", type=WRITABLE, help="Write one JSON line per exchange with Graph.")
@click.option("--faults", type=READABLE, help="A JSON list of faults to inject.")
@click.option("--starts-at", type=INSTANT, help="Let the clock stand at this instant (UTC) until it is moved.")
@click.option("--clock-file", type=WRITABLE, help="Write the instant here whenever the clock is moved: CLOCK_FILE.")
def simulator(
    port: int,
    people: int,
    seed: int,
    record: Path | None,
    faults: Path | None,
    starts_at: datetime | None,
    clock_file: Path | None,
) -> None:
    """Run Microsoft 365 in a box, and print the settings to reach it."""
    from integration.graph.simulator.http.server import run_simulator

    run_simulator(
        port=port,
        people=people,
        seed=seed,
        record=record,
        faults_file=faults,
        clock_file=clock_file,
        starts_at=starts_at.replace(tzinfo=UTC) if starts_at else None,
    )


@pods.command()
@click.option("--people", type=int, default=24, show_default=True)
@click.option("--weeks", type=int, default=6, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option(
    "--out", type=FOLDER, default="demo-out", show_default=True, help="Where figures and mails are written."
)
@click.option("--record", type=WRITABLE, help="Write one JSON line per exchange with Graph.")
@click.option("--no-serve", is_flag=True, help="Leave when the pilot is over, instead of serving its pages.")
def demo(people: int, weeks: int, seed: int, out: Path, record: Path | None, no_serve: bool) -> None:
    """Play a whole pilot in virtual time, through the real parts, then serve its pages."""
    from integration.demo.play import play

    play(people=people, weeks=weeks, seed=seed, out=out, record=record, serve=not no_serve)


@pods.command()
def doctor() -> None:
    """Prove each permission and policy by a real call, and name what is missing."""
    from integration.doctor import examine

    findings = []
    for finding in examine(_tools()):
        findings.append(finding)
        click.echo(f"{'ok  ' if finding.is_well else 'FAIL'}  {finding.check}")
        if not finding.is_well:
            click.echo(f"      {finding.remedy}")
    if not all(finding.is_well for finding in findings):
        sys.exit(1)


@pods.group()
def people() -> None:
    """Who takes part."""


@people.command(name="import")
@click.argument("file", type=READABLE)
def import_people(file: Path) -> None:
    """Add and change people as a CSV file says; nobody is removed."""
    from integration.people.roster import import_roster
    from integration.people.roster_file import read_lines

    tools = _tools()
    with tools.database.transaction() as session:
        done = import_roster(session, read_lines(file), now=tools.clock.now())
    click.echo(f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged.")
    if done.unknown_columns:
        click.echo(f"Columns not used: {', '.join(done.unknown_columns)}.", err=True)
    for line in done.refused:
        click.echo(f"Line {line.number} {line.reason}.", err=True)
    if done.refused:
        sys.exit(1)


@people.command(name="sync")
def sync_people() -> None:
    """Look everybody up in the directory again."""
    from sqlalchemy import select

    from integration import outbox
    from integration.people.models import Person

    with _tools().database.transaction() as session:
        ids = session.scalars(select(Person.id).where(Person.left_at.is_(None))).all()
        for person_id in ids:
            outbox.add(session, outbox.Task.PERSON_RESOLVE, person_id)
    click.echo(f"{len(ids)} people will be looked up by the workers.")


@pods.group()
def program() -> None:
    """Programs of peer learning."""


@program.command(name="list")
def list_programs() -> None:
    """Show all programs with their people and pods."""
    from integration.scheduling import commands

    commands.list_programs(_tools(), _console())


@program.command(name="create")
@click.argument("name")
@click.option("--starts-on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Any day of the first week.")
@click.option("--outcome", required=True, help="What is to be better afterwards.")
@click.option("--metric", required=True, help="How that is measured.")
@click.option("--baseline", default="not measured yet", show_default=True, help="What it is today.")
@click.option("--format", "form", default="learning pod", show_default=True)
@click.option("--minutes", type=int, default=30, show_default=True)
@click.option("--weeks", type=int, default=6, show_default=True)
@click.option("--size", type=int, default=4, show_default=True, help="People in a pod.")
@click.option("--member", "members", multiple=True, metavar="MAIL", help="Default: everybody on the roster.")
@click.option("--leader", "leaders", multiple=True, metavar="MAIL", help="Gets the weekly summary.")
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
    """Add a program; nobody hears of it until its plan is applied."""
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
    commands.create(_tools(), draft, _console(), members=members, leaders=leaders)


@pods.command()
@click.argument("program")
def plan(program: str) -> None:
    """Plan pods and times for PROGRAM (its name or number); nothing is sent until the plan is applied."""
    from integration.scheduling import commands

    commands.plan_program(_tools(), program, _console())


@pods.command()
@click.argument("plan_id", type=int, metavar="PLAN")
@click.option("--no-wait", is_flag=True, help="Do not watch the workers.")
def apply(plan_id: int, no_wait: bool) -> None:
    """Let the workers create and invite what PLAN says, and watch them."""
    from integration.scheduling import commands

    commands.apply(_tools(), plan_id, _console(), wait=not no_wait)


@pods.command()
@click.argument("plan_id", type=int, metavar="PLAN")
@click.option("--yes", is_flag=True, help="Do not ask.")
def undo(plan_id: int, yes: bool) -> None:
    """Cancel everything that PLAN has made, after saying what that does."""
    from integration.scheduling import commands

    commands.undo(_tools(), plan_id, _console(), confirm=lambda: yes or click.confirm("Undo the plan?"))


@pods.group()
def metrics() -> None:
    """The figures."""


@metrics.command()
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="json", show_default=True)
def export(form: str) -> None:
    """Write the figures of all programs to standard output."""
    import json

    from integration.metrics.export import pods_as_csv, programs_as_json

    tools = _tools()
    with tools.database.reading() as session:
        at = tools.clock.now()
        text = (
            pods_as_csv(session, at=at) if form == "csv" else json.dumps(programs_as_json(session, at=at), indent=2)
        )
    click.echo(text)


def _console() -> Console:
    from rich.console import Console

    return Console()


def _tools() -> Tools:
    from integration import log
    from integration.tools import tools_of_this_process

    tools = tools_of_this_process()
    log.configure(level=tools.settings.log_level, as_json=tools.settings.log_json)
    return tools


if __name__ == "__main__":
    pods()
