"""`pods metrics`: the figures."""

from __future__ import annotations

import click

from integration.commands.terminal import tools_here
from integration.language import gettext as _


@click.group(help=_("The figures."))
def metrics() -> None:
    pass


@metrics.command(help=_("Write the figures of all programs to standard output."))
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="json", show_default=True)
def export(form: str) -> None:
    import json

    from integration.metrics.export import pods_as_csv, programs_as_json

    tools = tools_here()
    with tools.database.reading() as session:
        at = tools.clock.now()
        text = (
            pods_as_csv(session, at=at) if form == "csv" else json.dumps(programs_as_json(session, at=at), indent=2)
        )
    click.echo(text)
