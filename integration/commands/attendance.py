"""`pods attendance`: who came, by a file that an organizer downloaded from Teams."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from integration.commands.terminal import READABLE, tools_here
from integration.language import gettext as _
from integration.language import lazy, ngettext

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from integration.attendance.exports import Reading
    from integration.attendance.exports_file import ExportFile
    from integration.attendance.exports_words import Column

ORDERS = {"dmy": lazy("day first"), "mdy": lazy("month first"), "ymd": lazy("year first")}
DONE = {
    "new": lazy("Imported"),
    "replaced": lazy("Imported, instead of an earlier upload"),
    "again": lazy("Imported before"),
}


@click.group(help=_("Who came."))
def attendance() -> None:
    pass


@attendance.command(
    name="import",
    help=_(
        "Take over who came from a Teams attendance export, as downloaded by an organizer.\n\n"
        "Nothing is guessed: what the file does not say is asked for by the name of an option, "
        "and nothing is changed."
    ),
)
@click.argument("file", type=READABLE)
@click.option(
    "--time-zone", metavar="ZONE", help=_("Of the computer that downloaded the file, such as Europe/Zurich.")
)
@click.option(
    "--date-order", type=click.Choice(list(ORDERS)), help=_("When the dates of the file can be read twofold.")
)
@click.option("--occurrence", type=int, metavar="ID", help=_("Which session it is of, when several fit."))
@click.option("--columns", metavar="NAME=N,...", help=_("For headers we cannot read: name=1,joined=2,left=3,mail=5."))
def import_attendance(
    file: Path, time_zone: str | None, date_order: str | None, occurrence: int | None, columns: str | None
) -> None:
    from integration.attendance.exports import import_export

    tools = tools_here()
    content = file.read_bytes()
    export = _read(content, columns)
    with tools.database.transaction() as session:
        reading = _reading(session, export, time_zone=time_zone, date_order=date_order, occurrence=occurrence)
        done, at_once = import_export(session, content, export, reading, at=tools.clock.now())
        said = _session(session, reading)
    count = len({row.name for row in export.rows})
    people = ngettext("%(n)s person in the file", "%(n)s people in the file", count)
    click.echo(f"{DONE[done]}: {said}, {people}.")
    if not at_once:
        click.echo(_("Reports of Teams were read as well: the workers unite both at their next look."))


def _read(content: bytes, columns: str | None) -> ExportFile:
    from integration.attendance.exports_file import ColumnsUnknown, read_export

    try:
        return read_export(content, columns=_columns(columns) if columns else None)
    except ColumnsUnknown as unknown:
        for number, cells in enumerate(zip(*unknown.table[:3], strict=False), start=1):
            click.echo("  " + _("column %(n)s: %(cells)s", n=number, cells=" | ".join(cells)), err=True)
        _refuse(f"{unknown.message} {unknown.remedy}", "--columns name=1,joined=2,left=3,mail=5")


def _columns(text: str) -> Mapping[Column, int]:
    from integration.attendance.exports_words import Column

    found: dict[Column, int] = {}
    for part in text.split(","):
        name, sign, number = part.strip().partition("=")
        if not sign or name not in list(Column) or not number.isdecimal() or number == "0":
            _refuse(_("'%(part)s' names no column.", part=part), "--columns name=1,joined=2,left=3,mail=5")
        found[Column(name)] = int(number) - 1
    return found


def _reading(
    session: Session,
    export: ExportFile,
    *,
    time_zone: str | None,
    date_order: str | None,
    occurrence: int | None,
) -> Reading:
    from integration.attendance.exports import only_one, readings
    from integration.attendance.exports_times import Order

    zones = _zones(session, time_zone)
    orders = [Order(date_order)] if date_order else sorted(export.orders)
    found = readings(session, export, orders=orders, zones=zones, programs=None)
    if len(export.orders) > 1 and date_order is None:
        _list(session, found)
        _refuse(_("The dates of this file can be read in two orders."), _("--date-order dmy or --date-order mdy"))
    if not found:
        tried = ", ".join(zones)
        _refuse(
            _("No session was then, with the time zone %(zones)s.", zones=tried),
            _("--time-zone, or look at the dates of the file"),
        )
    if time_zone is None:
        _list(session, found)
        _refuse(_("The file does not say in which time zone it was downloaded."), f"--time-zone {found[0].zone}")
    if occurrence is not None:
        chosen = next((each for each in found if each.occurrence_id == occurrence), None)
        if chosen is None:
            _list(session, found)
            _refuse(
                _("The file is not of the session %(session)s.", session=occurrence),
                _("--occurrence with one of these"),
            )
        return chosen
    only = only_one(found)
    if only is None:
        _list(session, found)
        _refuse(_("It is not certain which session this file is of."), _("--occurrence with one of these"))
    return only


def _zones(session: Session, time_zone: str | None) -> Sequence[str]:
    """The zone that was told; else those on whose walls our pods meet, to propose one."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from sqlalchemy import select

    from integration.scheduling.models import Pod

    if time_zone is None:
        return session.scalars(select(Pod.time_zone).distinct().order_by(Pod.time_zone)).all() or ("UTC",)
    try:
        return (ZoneInfo(time_zone).key,)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        _refuse(
            _("There is no time zone '%(zone)s'.", zone=time_zone),
            _("--time-zone Europe/Zurich, as in the IANA list"),
        )


def _list(session: Session, found: Sequence[Reading]) -> None:
    for each in found:
        order = _("dates %(order)s", order=ORDERS[each.order])
        click.echo(f"  {_session(session, each)}: {order}, {each.zone}, {_fit(each)}", err=True)


def _session(session: Session, reading: Reading) -> str:
    from integration.formats import moment
    from integration.scheduling.models import Occurrence

    occurrence = session.get_one(Occurrence, reading.occurrence_id)
    pod = occurrence.series.pod
    at = moment(occurrence.starts_at, pod.time_zone)
    return _("session %(session)s of %(pod)s, %(at)s", session=occurrence.id, pod=pod.name, at=at)


def _fit(reading: Reading) -> str:
    minutes = int(reading.overlap.total_seconds() // 60)
    shared = ngettext("%(n)s minute in common", "%(n)s minutes in common", minutes)
    known = _("of its people %(n)s were invited", n=reading.known)
    return ", ".join((shared, known, *([_("the title fits")] if reading.has_title else [])))


def _refuse(what: str, option: str) -> NoReturn:
    click.echo(_("%(what)s Nothing was imported. Say: %(option)s.", what=what, option=option), err=True)
    sys.exit(1)
