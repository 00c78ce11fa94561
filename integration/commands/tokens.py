"""`pods token`: keys of programs that use the API."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from integration.commands.terminal import this_account, tools_here
from integration.language import gettext as _
from integration.language import lazy

STATES = {"valid": lazy("valid"), "expired": lazy("expired"), "revoked": lazy("revoked")}


@click.group(help=_("Keys of programs that use the API."))
def token() -> None:
    pass


@token.command(name="create", help=_("Make a token and print it, once: only its hash is kept."))
@click.argument("name")
@click.option(
    "--may", "scopes", multiple=True, required=True, metavar="SCOPE", help=_("Such as people.see; repeatable.")
)
@click.option(
    "--program", "programs", multiple=True, help=_("Limit it to this program (name or number); repeatable.")
)
@click.option("--expires-on", type=click.DateTime(["%Y-%m-%d"]), help=_("It ends at the beginning of this day, UTC."))
def create_token(name: str, scopes: tuple[str, ...], programs: tuple[str, ...], expires_on: datetime | None) -> None:
    from integration.api import tokens
    from integration.clock import real_now
    from integration.scheduling.programs import find_program

    with tools_here().database.transaction() as session:
        _token, text = tokens.grant(
            session,
            name,
            tokens.scopes_named(scopes),
            by=this_account(),
            now=real_now(),
            expires_at=expires_on.replace(tzinfo=UTC) if expires_on else None,
            program_ids=[find_program(session, each).id for each in programs] or None,
        )
    click.echo(text)
    click.echo(_("Keep it now: nobody can read it again."), err=True)


@token.command(name="list", help=_("Show every token, without its secret."))
def list_tokens() -> None:
    from rich.markup import escape
    from rich.table import Table
    from sqlalchemy import select

    from integration.api.models import ApiToken
    from integration.api.tokens import state_of
    from integration.clock import real_now
    from integration.commands.terminal import console

    with tools_here().database.reading() as session:
        rows = session.scalars(select(ApiToken).order_by(ApiToken.name)).all()
    table = Table(
        _("Number"), _("Name"), _("State"), _("May"), _("Programs"), _("Made by"), _("Ends"), _("Last used")
    )
    for each in rows:
        programs = _("all") if each.program_ids is None else ", ".join(map(str, each.program_ids))
        state = str(STATES[state_of(each, now=real_now())])
        cells = (str(each.id), each.name, state, ", ".join(each.scopes), programs, each.made_by)
        table.add_row(*(escape(cell) for cell in cells), _day(each.expires_at), _day(each.used_at))
    console().print(table)


@token.command(name="revoke", help=_("Let the token of this NAME (or number) open nothing from now on."))
@click.argument("name")
def revoke_token(name: str) -> None:
    from integration.api import tokens
    from integration.clock import real_now

    with tools_here().database.transaction() as session:
        row = tokens.token_named(session, name)
        if not tokens.revoke(session, row, by=this_account(), now=real_now()):
            click.echo(_("Token %(name)s was revoked already.", name=row.name))
            return
    click.echo(_("Token %(name)s opens nothing any more.", name=row.name))


def _day(at: datetime | None) -> str:
    from integration.formats import day

    return day(at) if at else _("never")
