"""`pods`: every command of the product. Each imports what it needs when it runs, so that `pods --help` is quick."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integration.errors import PodsError

if TYPE_CHECKING:
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


READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
        log_level=LogLevels.warning,
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


def _tools() -> Tools:
    from integration import log
    from integration.tools import tools_of_this_process

    tools = tools_of_this_process()
    log.configure(level=tools.settings.log_level, as_json=tools.settings.log_json)
    return tools


if __name__ == "__main__":
    pods()
