"""Uploading an attendance export of Teams: it is looked at, somebody says what it does not say, then it is imported.

Each step is one post of the same form; the file travels in it, sealed, and is stored nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.admin.audit import record
from integration.admin.door import needs, this_visitor
from integration.admin.permissions import Permission
from integration.admin.things import about_program
from integration.attendance.exports import Done, Preview, Reading, call_of, import_export, only_one, preview, readings
from integration.attendance.exports_file import LARGEST_BYTES, ColumnsUnknown, ExportFile, read_export
from integration.attendance.exports_kept import sealed_file, unsealed_file
from integration.attendance.exports_times import Order
from integration.attendance.exports_words import Column
from integration.errors import Conflict, InputRefused
from integration.language import gettext as _
from integration.language import lazy
from integration.scheduling.models import Occurrence, Pod, Program
from integration.tools import Tools

SHOWN = 6  # readings with everything they would say
ORDERS = {
    Order.DAY_FIRST: lazy("day before month"),
    Order.MONTH_FIRST: lazy("month before day"),
    Order.YEAR_FIRST: lazy("year first"),
}
ASKED = (
    (Column.NAME, lazy("Name"), True),
    (Column.JOINED, lazy("Joined at"), True),
    (Column.LEFT, lazy("Left at"), True),
    (Column.MAIL, lazy("Mail address"), False),
)

blueprint = Blueprint("attendance_import", __name__, url_prefix="/admin/programs")


@dataclass(frozen=True)
class Choice:
    """A reading as the page offers it."""

    key: str
    reading: Reading
    occurrence: Occurrence
    order: str
    said: Preview | None
    trouble: str


@blueprint.get("/<int:program_id>/attendance/import")
@needs(Permission.ATTENDANCE_IMPORT, about=about_program)
def choose_file(program_id: int) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        return _file_page(session.get_one(Program, program_id))


@blueprint.post("/<int:program_id>/attendance/import")
@needs(Permission.ATTENDANCE_IMPORT, about=about_program)
def look_at_file(program_id: int) -> ResponseReturnValue:
    try:
        content = _content(program_id)
        return _looked_at(program_id, content)
    except InputRefused as refused:
        with _tools().database.reading() as session:
            return _file_page(session.get_one(Program, program_id), fault=str(refused)), 400


def _looked_at(program_id: int, content: bytes) -> ResponseReturnValue:
    try:
        export = read_export(content, columns=_columns())
    except ColumnsUnknown as unknown:
        with _tools().database.reading() as session:
            program, seal = session.get_one(Program, program_id), _sealed(content, program_id)
            return _columns_page(program, unknown.table, seal, asked="c-name" in request.form)
    seal = _sealed(content, program_id)
    if request.form.get("step") != "import":
        return _readings_page(program_id, export, seal)
    try:
        pod_id = _imported(program_id, content, export)
    except (Conflict, InputRefused) as refused:
        return _readings_page(program_id, export, seal, fault=str(refused))
    return redirect(url_for("pods.show", pod_id=pod_id), 303)


def _imported(program_id: int, content: bytes, export: ExportFile) -> int:
    """Import in the way that was chosen; returns the pod. Raises InputRefused or Conflict."""
    tools, visitor = _tools(), this_visitor()
    with tools.database.transaction() as session:
        found = _readings(session, program_id, export)
        chosen = next((each for each in found if _key(each) == request.form.get("reading")), None)
        if chosen is None:
            raise InputRefused(lazy("Choose which session this file is of."), remedy="")
        done, at_once = import_export(session, content, export, chosen, at=tools.clock.now())
        occurrence = session.get_one(Occurrence, chosen.occurrence_id)
        if done is not Done.AGAIN:
            after = {"import": str(done), "attended": occurrence.attended_count}
            record(
                session,
                visitor,
                Permission.ATTENDANCE_IMPORT,
                thing="occurrence",
                thing_id=occurrence.id,
                after=after,
            )
        pod_id = occurrence.series.pod_id
    _tell(done, at_once=at_once)
    return pod_id


def _tell(done: Done, *, at_once: bool) -> None:
    if done is Done.AGAIN:
        flash(_("This call was imported before; nothing was changed."), "warning")
    elif at_once:
        flash(_("Imported: the session now says who came."), "good")
    else:
        flash(_("Imported. Teams reported other calls of this session: both are united in a moment."), "good")


def _content(program_id: int) -> bytes:
    """The file that was chosen now, or before; raises InputRefused."""
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        with closing(upload):  # a large one lies in a temporary file
            return upload.stream.read(LARGEST_BYTES + 1)
    seal = request.form.get("kept", "")
    if not seal:
        raise InputRefused(lazy("Choose a file."), remedy="")
    by, key = this_visitor().mail, _tools().settings.secret_key
    return unsealed_file(seal, program_id=program_id, by=by, secret_key=key)


def _sealed(content: bytes, program_id: int) -> str:
    by, key = this_visitor().mail, _tools().settings.secret_key
    return sealed_file(content, program_id=program_id, by=by, secret_key=key)


def _columns() -> Mapping[Column, int] | None:
    """The columns that somebody told, by their place; None: nobody was asked, or some are missing."""
    told = {column: request.form.get(f"c-{column}", "") for column, _label, _needed in ASKED}
    if any(not told[column].isdecimal() for column, _label, needed in ASKED if needed):
        return None
    return {column: int(place) for column, place in told.items() if place.isdecimal() and int(place) < 1_000}


def _zones(session: Session, program_id: int) -> list[str]:
    """The zone that somebody told; else that of the visitor and those of the program's pods. Raises InputRefused."""
    told = request.form.get("zone", "").strip()
    if told:
        try:
            return [ZoneInfo(told).key]
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            message = _("There is no time zone '%(zone)s'.", zone=told[:60])
            raise InputRefused(message, remedy=lazy("Write it like Europe/Zurich.")) from error
    walls = session.scalars(select(Pod.time_zone).where(Pod.program_id == program_id).distinct())
    return list(dict.fromkeys([this_visitor().time_zone, *sorted(walls)]))


def _readings(session: Session, program_id: int, export: ExportFile) -> list[Reading]:
    zones = _zones(session, program_id)
    return readings(session, export, orders=export.orders, zones=zones, programs=frozenset({program_id}))


def _key(reading: Reading) -> str:
    return f"{reading.order}|{reading.zone}|{reading.occurrence_id}"


def _file_page(program: Program, *, fault: str = "") -> str:
    return render_template("attendance/choose_file.html", program=program, fault=fault)


def _columns_page(program: Program, table: Sequence[Sequence[str]], seal: str, *, asked: bool) -> ResponseReturnValue:
    fault = _("Say which column holds the name, the joining and the leaving.") if asked else ""
    page = render_template(
        "attendance/columns.html",
        program=program,
        width=max(len(line) for line in table),
        asked=ASKED,
        **{"table": table, "kept": seal, "fault": fault},
    )
    return (page, 400) if fault else page


def _readings_page(program_id: int, export: ExportFile, seal: str, *, fault: str = "") -> ResponseReturnValue:
    with _tools().database.reading() as session:
        program = session.get_one(Program, program_id)
        try:
            zones = _zones(session, program_id)
            found = _readings(session, program_id, export)
        except InputRefused as refused:
            zones, found, fault = [this_visitor().time_zone], [], str(refused)
        only = only_one(found) if len(export.orders) == 1 else None
        page = render_template(
            "attendance/readings.html",
            program=program,
            people=len({row.name for row in export.rows}),
            choices=[_choice(session, export, each, at=place) for place, each in enumerate(found)],
            chosen=request.form.get("reading") or (_key(only) if only else ""),
            days=_days(export, zones[0]) if len(export.orders) > 1 else [],
            has_breaks=export.has_breaks,
            zone=request.form.get("zone", ""),
            told={f"c-{column}": request.form.get(f"c-{column}", "") for column, _label, _needed in ASKED},
            **{"zones": zones, "kept": seal, "fault": fault},
        )
    return (page, 400) if fault else page


def _choice(session: Session, export: ExportFile, reading: Reading, *, at: int) -> Choice:
    occurrence = session.get_one(Occurrence, reading.occurrence_id)
    said, trouble = None, ""
    try:
        said = preview(session, export, reading) if at < SHOWN else None
    except (Conflict, InputRefused) as refused:
        trouble = str(refused)
    return Choice(_key(reading), reading, occurrence, str(ORDERS[reading.order]), said, trouble)


def _days(export: ExportFile, zone: str) -> list[tuple[str, datetime, timedelta]]:
    """What each order of the dates would mean: when the call began, and how long it was."""
    calls = ((order, call_of(export, order=order, zone=ZoneInfo(zone))) for order in sorted(export.orders))
    return [(str(ORDERS[order]), call.starts_at, call.ends_at - call.starts_at) for order, call in calls if call]


def _tools() -> Tools:
    return current_app.extensions["tools"]
