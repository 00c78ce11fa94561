"""`pods web`, `worker`, `tick` and `serve`: the parts that run; `migrate` and `doctor` before them.

The parts run in no language of the terminal: what they write down is for readers of any, and their logs are English.
"""

from __future__ import annotations

import os
import sys

import click

from integration.commands.terminal import tools_here
from integration.language import gettext as _
from integration.language import speaking


def _leave_with_supervisor(_context: click.Context, _option: click.Parameter, supervised: bool) -> None:
    if supervised:
        from integration.serve import leave_with_supervisor

        leave_with_supervisor()


# Said by `pods serve` to its parts; nobody else needs it.
SUPERVISED = click.option(
    "--supervised", is_flag=True, hidden=True, expose_value=False, callback=_leave_with_supervisor
)
WEB_THREADS = 32  # requests at once; notifications that wait for the same commit take one each


@click.command(help=_("Serve the pages and receive change notifications."))
@click.option("--host", help=_("Address to listen on; default: HOST."))
@click.option("--port", type=click.IntRange(1, 65_535), help=_("Port to listen on; default: PORT."))
@SUPERVISED
def web(host: str | None, port: int | None) -> None:
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
        blocking_threads=WEB_THREADS,
        log_level=LogLevels.error,
        process_name=None,
    ).serve()


@click.command(help=_("Do what the outbox asks for, until stopped."))
@SUPERVISED
def worker() -> None:
    from integration.workers import work

    with speaking(None):
        work(tools_here())


@click.command(help=_("Notice what falls due, until stopped."))
@SUPERVISED
def tick() -> None:
    from integration.workers import keep_ticking

    with speaking(None):
        keep_ticking(tools_here())


@click.command(help=_("Run web, worker and tick together on one machine, with an embedded database and queue."))
def serve() -> None:
    from integration import log
    from integration import serve as supervisor
    from integration.config import Settings

    settings = Settings.from_environment(os.environ)
    log.configure(level=settings.log_level, as_json=settings.log_json)
    click.echo(_("Learning Pods on %(url)s", url=f"http://{settings.host}:{settings.port}"))
    with speaking(None):
        supervisor.serve(settings, os.environ)


@click.command(help=_("Bring the database up to date."))
@click.option(
    "--downgrade-to", metavar="REVISION", help=_("Go back to an earlier revision; `base` removes all tables.")
)
@click.option(
    "--write", metavar="MESSAGE", help=_("Write the next migration from what the models want (developers).")
)
def migrate(downgrade_to: str | None, write: str | None) -> None:
    from integration import migrate as migrations
    from integration.config import Settings

    url = Settings.from_environment(os.environ).database_url
    if write:
        migrations.write_migration(url, write)
    elif downgrade_to:
        migrations.downgrade(url, downgrade_to)
    else:
        migrations.upgrade(url)


@click.command(help=_("Prove each permission and policy by a real call, and name what is missing."))
def doctor() -> None:
    from integration.doctor import examine

    findings = []
    for finding in examine(tools_here()):
        findings.append(finding)
        click.echo(f"{_('ok  ') if finding.is_well else _('FAIL')}  {finding.check}")
        if not finding.is_well:
            click.echo(f"      {finding.remedy}")
    if not all(finding.is_well for finding in findings):
        sys.exit(1)
