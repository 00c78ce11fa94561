"""`pods simulator` and `pods demo`: the product without a tenant."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from integration.commands.terminal import FOLDER, READABLE, WRITABLE
from integration.language import gettext as _

INSTANT = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
RECORD = click.option("--record", type=WRITABLE, help=_("Write one JSON line per exchange with Graph."))


@click.command(help=_("Run Microsoft 365 in a box, and print the settings to reach it."))
@click.option("--port", type=click.IntRange(0, 65_535), default=8365, show_default=True)
@click.option("--people", type=click.IntRange(1, 5_000), default=24, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@RECORD
@click.option("--faults", type=READABLE, help=_("A JSON list of faults to inject."))
@click.option("--starts-at", type=INSTANT, help=_("Let the clock stand at this instant (UTC) until it is moved."))
@click.option(
    "--clock-file", type=WRITABLE, help=_("Write the instant here whenever the clock is moved: CLOCK_FILE.")
)
def simulator(
    port: int,
    people: int,
    seed: int,
    record: Path | None,
    faults: Path | None,
    starts_at: datetime | None,
    clock_file: Path | None,
) -> None:
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


@click.command(help=_("Play a whole pilot in virtual time, through the real parts, then serve its pages."))
@click.option("--people", type=int, default=24, show_default=True)
@click.option("--weeks", type=int, default=6, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option(
    "--out", type=FOLDER, default="demo-out", show_default=True, help=_("Where figures and mails are written.")
)
@RECORD
@click.option("--no-serve", is_flag=True, help=_("Leave when the pilot is over, instead of serving its pages."))
def demo(people: int, weeks: int, seed: int, out: Path, record: Path | None, no_serve: bool) -> None:
    from integration.demo.play import play

    play(people=people, weeks=weeks, seed=seed, out=out, record=record, serve=not no_serve)
