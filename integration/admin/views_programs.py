"""Programs: the list, one program with its people, pods and plans, and the form that describes one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, defer, joinedload

from integration.admin import views_taking_part
from integration.admin.audit import record
from integration.admin.door import needs, this_visitor
from integration.admin.models import CoordinatorLimit
from integration.admin.permissions import Permission, Thing, Visitor, programs_within_reach
from integration.admin.pod_table import POD_FILTERS, beside_pods, filtered_pods, pod_columns
from integration.admin.program_form import DETAIL_LABELS, FORMAT_LABELS, ProgramForm, form_of, leaders_of, members_of
from integration.admin.tables import Column, page_of
from integration.admin.things import about_program
from integration.errors import Conflict, InputRefused, NotThere
from integration.language import gettext as _
from integration.language import lazy, ngettext
from integration.people.models import Person
from integration.scheduling.models import (
    Occurrence,
    Plan,
    Pod,
    PodMember,
    Program,
    ProgramLeader,
    ProgramMember,
    Series,
)
from integration.scheduling.planning import ask_for_plan
from integration.scheduling.programs import add_members, create_program, edit_program, set_leaders
from integration.tools import Tools

NEXT_SESSIONS = 10
PLANS_SHOWN = 20

programs = Blueprint("programs", __name__, url_prefix="/admin/programs")
ADDITION, REMOVAL = "/<int:program_id>/people/addition", "/<int:program_id>/people/<int:person_id>/removal"
programs.add_url_rule(ADDITION, "ask_to_add", views_taking_part.ask_to_add, methods=["GET"])
programs.add_url_rule(ADDITION, "add", views_taking_part.add, methods=["POST"])
programs.add_url_rule(REMOVAL, "ask_to_remove", views_taking_part.ask_to_remove, methods=["GET"])
programs.add_url_rule(REMOVAL, "remove", views_taking_part.remove, methods=["POST"])


@programs.app_context_processor
def labels() -> dict[str, object]:
    """The words for what the form lets choose, and what permissions are asked about."""
    return {"format_labels": dict(FORMAT_LABELS), "detail_labels": dict(DETAIL_LABELS), "Thing": Thing}


@programs.get("")
@needs(Permission.PROGRAMS_SEE)
def index() -> ResponseReturnValue:
    query = request.args.to_dict()
    with _tools().database.reading() as session:
        table = page_of(session, _within_reach(query), _columns(), query, sort="name", filters=("q",))
        return render_template("programs/index.html", table=table, counts=_counts(session, table.rows), q=query)


@programs.route("/new", methods=["GET", "POST"])
@needs(Permission.PROGRAM_CREATE)
def create() -> ResponseReturnValue:
    if request.method == "GET":
        with _tools().database.reading() as session:
            return render_template("programs/form.html", form=form_of(session), program=None)
    with _tools().database.transaction() as session:
        form = form_of(session)
        program = _save(session, form, None)
        if program is None:
            return render_template("programs/form.html", form=form, program=None), 400
        _keep_in_reach(session, this_visitor(), program)
        after = {"name": program.name, "people": len(program.members), "leaders": len(program.leaders)}
        record(session, this_visitor(), Permission.PROGRAM_CREATE, thing="program", thing_id=program.id, after=after)
        count = len(program.members)
    flash(
        ngettext("The program is there, with %(n)s person.", "The program is there, with %(n)s people.", count),
        "good",
    )
    return redirect(url_for("programs.show", program_id=program.id), code=303)


@programs.get("/<int:program_id>")
@needs(Permission.PROGRAM_SEE, about=about_program)
def show(program_id: int) -> ResponseReturnValue:
    now, query = _tools().clock.now(), request.args.to_dict()
    with _tools().database.reading() as session:
        program = _program(session, program_id)
        wanted = filtered_pods(query, now=now).where(Pod.program_id == program_id)
        table = page_of(session, wanted, pod_columns(now), query, sort="name", filters=POD_FILTERS)
        return render_template(
            "programs/show.html",
            program=program,
            table=table,
            beside=beside_pods(session, table.rows, now=now),
            counts=_counts(session, [program])[program.id],
            plans=_plans(session, program),
            sessions=_next_sessions(session, program, now=now),
        )


@programs.get("/<int:program_id>/people")
@needs(Permission.PROGRAM_SEE, about=about_program)
def people(program_id: int) -> ResponseReturnValue:
    query = request.args.to_dict()
    columns = (
        Column("name", _("Name"), Person.name),
        Column("mail", _("Address"), Person.mail),
        Column("department", _("Department"), Person.department),
        Column("pod", _("Pod")),
    )
    wanted = select(Person).join(ProgramMember, ProgramMember.participant_id == Person.participant_id)
    wanted = _matching(wanted.where(ProgramMember.program_id == program_id), query.get("q"), Person.name, Person.mail)
    with _tools().database.reading() as session:
        program = _program(session, program_id)
        table = page_of(session, wanted, columns, query, sort="name", filters=("q",))
        pods = _pods_of(session, program, table.rows)
        return render_template("programs/people.html", program=program, table=table, pods=pods, q=query)


@programs.route("/<int:program_id>/edit", methods=["GET", "POST"])
@needs(Permission.PROGRAM_PLAN, about=about_program)
def edit(program_id: int) -> ResponseReturnValue:
    if request.method == "GET":
        with _tools().database.reading() as session:
            program = _program(session, program_id)
            return render_template("programs/form.html", form=form_of(session, program), program=program)
    with _tools().database.transaction() as session:
        program = _program(session, program_id)
        form = form_of(session, program)
        if _save(session, form, program) is None:
            return render_template("programs/form.html", form=form, program=program), 400
    flash(_("The program is changed. Pods that were invited stay as they are."), "good")
    return redirect(url_for("programs.show", program_id=program_id), code=303)


@programs.post("/<int:program_id>/plan")
@needs(Permission.PROGRAM_PLAN, about=about_program)
def plan(program_id: int) -> ResponseReturnValue:
    with _tools().database.transaction() as session:
        asked = ask_for_plan(session, _program(session, program_id), now=_tools().clock.now())
        record(session, this_visitor(), Permission.PROGRAM_PLAN, thing="plan", thing_id=asked.id)
    return redirect(url_for("plans.show", plan_id=asked.id), code=303)


@dataclass(frozen=True)
class Counts:
    """How many people, pods and pods in trouble a program has."""

    people: int
    pods: int
    in_trouble: int


def _tools() -> Tools:
    return current_app.extensions["tools"]


def _within_reach(query: dict[str, str]) -> Select[Any]:
    reach = programs_within_reach(this_visitor(), Permission.PROGRAMS_SEE)
    wanted = select(Program) if reach is None else select(Program).where(Program.id.in_(reach))
    return _matching(wanted, query.get("q"), Program.name)


def _matching(wanted: Select[Any], text: str | None, *columns: Any) -> Select[Any]:
    if not text:
        return wanted
    found = columns[0].icontains(text, autoescape=True)
    for column in columns[1:]:
        found = found | column.icontains(text, autoescape=True)
    return wanted.where(found)


def _columns() -> tuple[Column, ...]:
    return (
        Column("name", _("Name"), Program.name),
        Column("format", _("Format"), Program.format),
        Column("starts_on", _("First week"), Program.starts_on),
        Column("weeks", _("Sessions"), Program.weeks, is_number=True),
        Column("people", _("People"), is_number=True),
        Column("pods", _("Pods"), is_number=True),
        Column("state", _("State")),
    )


def _counts(session: Session, rows: Any) -> dict[int, Counts]:
    ids = [program.id for program in rows]
    people = _by_program(session, select(ProgramMember.program_id, func.count()), ProgramMember.program_id, ids)
    pods = _by_program(session, select(Pod.program_id, func.count()), Pod.program_id, ids)
    troubled = select(Pod.program_id, func.count()).join(Series).where(Series.trouble.is_not(None))
    trouble = _by_program(session, troubled.where(Series.cancelled_at.is_(None)), Pod.program_id, ids)
    return {each: Counts(people.get(each, 0), pods.get(each, 0), trouble.get(each, 0)) for each in ids}


def _by_program(session: Session, counted: Select[int, int], column: Any, ids: list[int]) -> dict[int, int]:
    return dict(session.execute(counted.where(column.in_(ids)).group_by(column)).all())


def _save(session: Session, form: ProgramForm, program: Program | None) -> Program | None:
    """The program as it was typed; None when something is wrong, which then stands at its field."""
    is_valid = form.validate_on_submit()
    leaders, members = leaders_of(session, form), members_of(session, form)
    if not is_valid or form.leaders.errors or form.chosen.errors:
        return None
    now = _tools().clock.now()
    try:
        if program is None:
            program = create_program(session, form.draft(), now=now)
        else:
            _record_edit(session, program, edit_program(session, program, form.draft()))
    except (Conflict, InputRefused) as error:
        form.name.errors = [*form.name.errors, str(error)]
        return None
    add_members(session, program, members)
    set_leaders(session, program, leaders, now=now)
    return program


def _record_edit(session: Session, program: Program, changed: dict[str, tuple[Any, Any]]) -> None:
    before = {name: _plain(values[0]) for name, values in changed.items()}
    after = {name: _plain(values[1]) for name, values in changed.items()}
    visitor = this_visitor()
    record(
        session, visitor, Permission.PROGRAM_PLAN, thing="program", thing_id=program.id, before=before, after=after
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _keep_in_reach(session: Session, visitor: Visitor, program: Program) -> None:
    """Whoever is limited to programs would not see the one they have just made."""
    if visitor.coordinates is not None:
        session.add(CoordinatorLimit(mail=visitor.mail, program_id=program.id))


def _program(session: Session, program_id: int) -> Program:
    program = session.get(Program, program_id, options=[joinedload(Program.leaders).joinedload(ProgramLeader.person)])
    if program is None:
        raise NotThere(lazy("program"), program_id)
    return program


def _plans(session: Session, program: Program) -> list[Plan]:
    wanted = select(Plan).where(Plan.program_id == program.id).options(defer(Plan.content))
    return list(session.scalars(wanted.order_by(Plan.id.desc()).limit(PLANS_SHOWN)))


def _next_sessions(session: Session, program: Program, *, now: datetime) -> list[Occurrence]:
    wanted = (
        select(Occurrence)
        .join(Series)
        .join(Pod)
        .where(Pod.program_id == program.id, Occurrence.ends_at > now, Occurrence.cancelled_at.is_(None))
        .options(joinedload(Occurrence.series).joinedload(Series.pod))
    )
    return list(session.scalars(wanted.order_by(Occurrence.starts_at, Occurrence.id).limit(NEXT_SESSIONS)))


def _pods_of(session: Session, program: Program, people: Any) -> dict[int, Pod]:
    ids = [person.participant_id for person in people]
    found = session.execute(
        select(PodMember.participant_id, Pod)
        .join(Pod)
        .where(Pod.program_id == program.id, PodMember.left_at.is_(None), PodMember.participant_id.in_(ids))
    )
    return {row[0]: row[1] for row in found}
