"""People: the table, a person's page, and a roster file that is looked at before it is imported."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from typing import cast

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload
from werkzeug.datastructures import FileStorage
from wtforms.validators import StopValidation

from integration.admin import views_address
from integration.admin.absences import absence_words
from integration.admin.audit import record
from integration.admin.door import needs, this_visitor
from integration.admin.people_table import (
    FILTERS,
    LABELS,
    beside,
    departments,
    erased_count,
    people_columns,
    people_wanted,
    today_of,
    whereabouts_of,
)
from integration.admin.permissions import Permission, may, programs_within_reach
from integration.admin.tables import page_of
from integration.attendance.recognitions import recognitions_of
from integration.clock import real_now
from integration.csv_export import csv_text
from integration.errors import InputRefused, NotThere
from integration.language import gettext as _
from integration.language import lazy, ngettext
from integration.mail.models import Mail
from integration.people.models import Person
from integration.people.roster_file import lines_of
from integration.people.uploads import example_rows, import_upload, keep_upload, preview_of, upload_of
from integration.scheduling.models import Pod, PodMember
from integration.tools import Tools

LARGEST_ROSTER_BYTES = 5 * 1024 * 1024
MAILS_SHOWN = 100
REFUSED_SHOWN = 200

people = Blueprint("people", __name__, url_prefix="/admin/people")
ADDRESS = "/<int:person_id>/address"
people.add_url_rule(ADDRESS, "ask_for_address", views_address.ask, methods=["GET"])
people.add_url_rule(ADDRESS, "correct_address", views_address.correct, methods=["POST"])


class UploadForm(FlaskForm):
    """The roster file that somebody chose."""

    file = FileField(
        cast(str, lazy("Roster file")),
        description=cast(str, lazy("CSV in UTF-8, separated by commas, semicolons or tabs; 5 MB at most.")),
    )

    def validate_file(self, field: FileField) -> None:
        upload = field.data
        if not isinstance(upload, FileStorage) or not upload.filename:
            raise StopValidation(_("Choose a file."))
        if not upload.filename.lower().endswith(".csv") and upload.mimetype != "text/csv":
            raise StopValidation(_("This is not a CSV file: its name does not end in .csv."))


@people.get("/")
@needs(Permission.PEOPLE_SEE)
def index() -> ResponseReturnValue:
    today = today_of(_tools().clock.now())
    query = request.args.to_dict()
    with _tools().database.reading() as session:
        wanted = people_wanted(query, today=today)
        table = page_of(session, wanted, people_columns(), query, sort="name", filters=FILTERS)
        return render_template(
            "people/index.html",
            table=table,
            beside=beside(session, table.rows),
            departments=departments(session),
            erased=erased_count(session),
            whereabouts={person.id: LABELS[whereabouts_of(person, today=today)] for person in table.rows},
            absences=absence_words(session, [each.participant_id for each in table.rows], now=_tools().clock.now()),
            labels=LABELS,
            query={name: query.get(name, "") for name in FILTERS},
        )


@people.get("/<int:person_id>")
@needs(Permission.PEOPLE_SEE)
def show(person_id: int) -> ResponseReturnValue:
    visitor = this_visitor()
    with _tools().database.reading() as session:
        person = _person(session, person_id)
        return render_template(
            "people/show.html",
            person=person,
            whereabouts=LABELS[whereabouts_of(person, today=today_of(_tools().clock.now()))],
            absence=absence_words(session, [person.participant_id], now=_tools().clock.now()).get(
                person.participant_id
            ),
            memberships=_memberships(session, person),
            mails=_mails(session, person),
            recognitions=recognitions_of(session, person),
            corrects_address=person.is_here
            and may(visitor, Permission.PERSON_CORRECT, views_address.about_address(session, person_id)),
            sees_subjects=programs_within_reach(visitor, Permission.POD_SEE) is None,
            mails_shown=MAILS_SHOWN,
            pods_have_pages="pods.show" in current_app.view_functions,
        )


@people.get("/import")
@needs(Permission.PEOPLE_IMPORT)
def choose_file() -> ResponseReturnValue:
    return render_template("people/choose_file.html", form=UploadForm(formdata=None))


@people.post("/import")
@needs(Permission.PEOPLE_IMPORT)
def upload_file() -> ResponseReturnValue:
    form = UploadForm()
    if not form.validate_on_submit():
        return render_template("people/choose_file.html", form=form), 400
    try:
        with closing(form.file.data) as file:  # a large one lies in a temporary file
            upload_id = _keep(file)
    except InputRefused as refused:
        form.file.errors = [str(refused)]
        return render_template("people/choose_file.html", form=form), 400
    return redirect(url_for("people.preview", upload_id=upload_id), 303)


@people.get("/imports/<int:upload_id>")
@needs(Permission.PEOPLE_IMPORT)
def preview(upload_id: int) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        upload = upload_of(session, upload_id, by=this_visitor().mail, at=real_now())
        outcome = preview_of(session, upload, now=_tools().clock.now())
        return render_template("people/preview.html", upload=upload, outcome=outcome, shown=REFUSED_SHOWN)


@people.post("/imports/<int:upload_id>")
@needs(Permission.PEOPLE_IMPORT)
def import_file(upload_id: int) -> ResponseReturnValue:
    tools, visitor = _tools(), this_visitor()
    with tools.database.transaction() as session:
        upload = upload_of(session, upload_id, by=visitor.mail, at=real_now(), to_import=True)
        done = import_upload(session, upload, at=real_now(), now=tools.clock.now())
        if done is not None:
            counts = {**asdict(done), "refused": len(done.refused), "file": upload.file_name}
            record(session, visitor, Permission.PEOPLE_IMPORT, thing="roster", thing_id=upload.id, after=counts)
    if done is None:
        flash(_("This file was imported before; nothing was done twice."), "warning")
    else:
        added = ngettext("%(n)s person is new", "%(n)s people are new", done.added)
        flash(_("Imported: %(added)s, %(changed)s changed.", added=added, changed=done.changed), "good")
    return redirect(url_for("people.preview", upload_id=upload_id), 303)


@people.get("/imports/<int:upload_id>/refused.csv")
@needs(Permission.PEOPLE_IMPORT)
def refused_lines(upload_id: int) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        upload = upload_of(session, upload_id, by=this_visitor().mail, at=real_now())
        refused = preview_of(session, upload, now=_tools().clock.now()).refused
    rows = [(line.number, line.reason) for line in refused]
    return _csv(csv_text((_("line"), _("reason")), rows), name="refused-lines.csv")


@people.get("/import/example.csv")
@needs(Permission.PEOPLE_IMPORT)
def example() -> ResponseReturnValue:
    return _csv(csv_text(*example_rows()), name="roster-example.csv")


def _tools() -> Tools:
    return current_app.extensions["tools"]


def _person(session: Session, person_id: int) -> Person:
    with_rows = (selectinload(Person.skills), selectinload(Person.addresses))
    person = session.get(Person, person_id, options=with_rows)
    if person is None:
        raise NotThere(lazy("person"), person_id)
    return person


def _memberships(session: Session, person: Person) -> list[PodMember]:
    """Pods past and now, the latest first; a coordinator who is limited sees those of their programs."""
    wanted = select(PodMember).join(Pod).where(PodMember.participant_id == person.participant_id)
    reach = programs_within_reach(this_visitor(), Permission.POD_SEE)
    if reach is not None:
        wanted = wanted.where(Pod.program_id.in_(reach))
    with_names = joinedload(PodMember.pod).joinedload(Pod.program)
    return list(session.scalars(wanted.options(with_names).order_by(PodMember.joined_at.desc(), PodMember.id.desc())))


def _mails(session: Session, person: Person) -> list[Mail]:
    """The latest mails, without their words; a subject names programs, so not everybody sees it."""
    wanted = select(Mail).where(Mail.participant_id == person.participant_id)
    return list(session.scalars(wanted.order_by(Mail.created_at.desc(), Mail.id.desc()).limit(MAILS_SHOWN)))


def _keep(file: FileStorage) -> int:
    """Store an uploaded file; returns its id. Raises InputRefused when it cannot be used."""
    content = file.stream.read(LARGEST_ROSTER_BYTES + 1)
    if len(content) > LARGEST_ROSTER_BYTES:
        raise InputRefused(
            lazy("This file is larger than 5 MB."), remedy=lazy("Split it: each part needs the header line.")
        )
    name, tools = file.filename or "roster.csv", _tools()
    lines = lines_of(content, name=name)
    with tools.database.transaction() as session:
        upload = keep_upload(
            session, lines, file_name=name, by=this_visitor().mail, at=real_now(), now=tools.clock.now()
        )
        return upload.id


def _csv(text: str, *, name: str) -> Response:
    """A download that spreadsheets open as UTF-8: they ask for the byte order mark."""
    answer = Response("\ufeff" + text, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    return answer
