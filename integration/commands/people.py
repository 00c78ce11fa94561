"""`pods people`: who takes part."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from integration.commands.terminal import READABLE, tools_here
from integration.language import gettext as _
from integration.language import ngettext


@click.group(help=_("Who takes part."))
def people() -> None:
    pass


@people.command(name="import", help=_("Add and change people as a CSV file says; nobody is removed."))
@click.argument("file", type=READABLE)
def import_people(file: Path) -> None:
    from integration.people.roster import import_roster
    from integration.people.roster_file import read_lines

    tools = tools_here()
    with tools.database.transaction() as session:
        done = import_roster(session, read_lines(file), now=tools.clock.now())
    click.echo(
        _(
            "%(added)s added, %(changed)s changed, %(unchanged)s unchanged.",
            added=done.added,
            changed=done.changed,
            unchanged=done.unchanged,
        )
    )
    if done.unknown_columns:
        click.echo(_("Columns not used: %(columns)s.", columns=", ".join(done.unknown_columns)), err=True)
    for line in done.refused:
        click.echo(_("Line %(number)s %(why)s.", number=line.number, why=line.reason), err=True)
    if done.refused:
        sys.exit(1)


@people.command(name="sync", help=_("Look everybody up in the directory again."))
def sync_people() -> None:
    from sqlalchemy import select

    from integration import outbox
    from integration.people.models import Person

    with tools_here().database.transaction() as session:
        ids = session.scalars(select(Person.id).where(Person.left_at.is_(None))).all()
        for person_id in ids:
            outbox.add(session, outbox.Task.PERSON_RESOLVE, person_id)
    click.echo(
        ngettext(
            "%(n)s person will be looked up by the workers.",
            "%(n)s people will be looked up by the workers.",
            len(ids),
        )
    )
