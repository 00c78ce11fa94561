"""The form that describes a program: each rule is said at the field that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import (
    DateField,
    FloatField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # pyright: ignore[reportAttributeAccessIssue] (newer than its stubs)
from wtforms.meta import DefaultMeta
from wtforms.validators import InputRequired, Optional, StopValidation, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from integration.errors import InputRefused
from integration.language import Lazy, language, lazy
from integration.language import gettext as _
from integration.people.models import Person
from integration.scheduling.models import ATTENDANCE_DETAILS, FORMATS, Program
from integration.scheduling.programs import DEFAULT_AGENDA, MINUTES, POD_SIZES, WEEKS, ProgramDraft
from integration.scheduling.recurrence import parse_holidays

PERCENT = range(101)
LONGEST_NAME = 120
FORMAT_LABELS = (
    ("learning pod", lazy("Learning pod")),
    ("micro-lesson", lazy("Micro-lesson")),
    ("peer coaching", lazy("Peer coaching")),
    ("skill-swap", lazy("Skill-swap")),
    ("problem clinic", lazy("Problem clinic")),
    ("shadow shift", lazy("Shadow shift")),
    ("lunch-and-learn", lazy("Lunch-and-learn")),
)
DETAIL_LABELS = (
    ("minutes", lazy("Minutes per person")),
    ("present", lazy("Only whether somebody came")),
    ("counts only", lazy("Only how many came")),
)
MEMBERS = (
    ("all", lazy("Everybody on the roster")),
    ("departments", lazy("Everybody in the departments ticked below")),
    ("chosen", lazy("The people listed below")),
)
assert tuple(key for key, _label in FORMAT_LABELS) == FORMATS
assert tuple(key for key, _label in DETAIL_LABELS) == ATTENDANCE_DETAILS


def words(text: str) -> str:
    """A text that is translated when the form is shown; WTForms says str for what it turns into one."""
    return cast(str, lazy(text))


def choices(labels: Iterable[tuple[str, Lazy]]) -> list[SelectChoice]:
    """What can be chosen, with labels in the language of the page."""
    return [SelectChoice(key, cast(str, label)) for key, label in labels]


class Within:
    """The number is one of a range."""

    def __init__(self, numbers: range) -> None:
        self.numbers = numbers
        self.field_flags = {"min": numbers.start, "max": numbers.stop - 1}

    def __call__(self, _form: FlaskForm, field: IntegerField) -> None:
        if field.data not in self.numbers:
            first, last = self.numbers.start, self.numbers.stop - 1
            raise ValidationError(_("Use %(first)s to %(last)s.", first=first, last=last))


class Filled:
    """There is something in the field besides spaces."""

    field_flags = {"required": True}  # noqa: RUF012 (read by WTForms)

    def __call__(self, _form: FlaskForm, field: StringField) -> None:
        if not (field.data or "").strip():
            raise StopValidation(_("Fill this in: a program starts from what is to become better."))


class ProgramForm(FlaskForm):
    """A program as a coordinator describes it; people are named by address, one a line."""

    class Meta(FlaskForm.Meta):
        @property
        def locales(self) -> list[str]:  # type: ignore[override]
            return [language()]

        def get_translations(self, form: Any) -> Any:
            return DefaultMeta.get_translations(self, form)  # WTForms's own; Flask-WTF would ask Flask-Babel

    name = StringField(words("Name"), [Filled()])
    outcome = TextAreaField(
        words("Outcome"), [Filled()], description=words("What people can do afterwards. It stands in the invitation.")
    )
    metric = StringField(words("Metric"), [Filled()], description=words("How you see it: days to the first call."))
    baseline = StringField(words("Baseline"), [Filled()], description=words("Where you are today: 60 days."))
    format = SelectField(words("Format"), choices=choices(FORMAT_LABELS))
    starts_on = DateField(
        words("First week"), [InputRequired()], description=words("Any day in the week in which pods meet first.")
    )
    weeks = IntegerField(
        words("Sessions"),
        [InputRequired(), Within(WEEKS)],
        default=6,
        description=words("Pods meet once a week; weeks with a holiday are made up for at the end."),
    )
    minutes = IntegerField(words("Minutes per session"), [InputRequired(), Within(MINUTES)], default=30)
    pod_size = IntegerField(
        words("People in a pod"),
        [InputRequired(), Within(POD_SIZES)],
        default=4,
        description=words("With fewer than five, satisfaction is shown for the whole program only."),
    )
    holidays = TextAreaField(
        words("Days without a session"), [Optional()], description=words("One a line, as 2026-12-25.")
    )
    participation_target = IntegerField(
        words("Target: participation in percent"), [InputRequired(), Within(PERCENT)], default=60
    )
    sessions_target = FloatField(words("Target: sessions of a pod in 28 days"), [InputRequired()], default=4.0)
    onboarding_target = IntegerField(
        words("Target: onboarding faster by percent"), [InputRequired(), Within(PERCENT)], default=20
    )
    attendance_detail = SelectField(
        words("What is kept of attendance"),
        choices=choices(DETAIL_LABELS),
        description=words("Applied when a report is read: what is not kept is never stored."),
    )
    agenda = TextAreaField(words("Agenda"), default=DEFAULT_AGENDA)
    leaders = TextAreaField(
        words("Leaders"), description=words("They get the weekly summary. One address a line; they have to be known.")
    )
    members = RadioField(words("Who takes part"), choices=choices(MEMBERS), default="all")
    departments = SelectMultipleField(
        words("Departments"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), choices=[]
    )
    chosen = TextAreaField(words("People"), description=words("One address a line."))

    def validate_name(self, field: StringField) -> None:
        if len(field.data or "") > LONGEST_NAME:
            raise ValidationError(_("Use %(last)s characters at most.", last=LONGEST_NAME))

    def validate_holidays(self, field: TextAreaField) -> None:
        try:
            parse_holidays(_lines(field.data))
        except InputRefused as error:
            raise ValidationError(str(error)) from error

    def validate_sessions_target(self, field: FloatField) -> None:
        if field.data is None or not 0 < field.data <= 28:
            raise ValidationError(_("Use a number above 0, 28 at most."))

    def validate_departments(self, field: SelectMultipleField) -> None:
        if self.members.data == "departments" and not field.data:
            raise ValidationError(_("Tick at least one department."))

    def validate_chosen(self, field: TextAreaField) -> None:
        if self.members.data == "chosen" and not _lines(field.data):
            raise ValidationError(_("List at least one address."))

    def draft(self) -> ProgramDraft:
        """What was typed, once it is valid."""
        plain = ("format", "starts_on", "weeks", "minutes", "pod_size", "sessions_target", "attendance_detail")
        texts = ("name", "outcome", "metric", "baseline")
        return ProgramDraft(
            **{name: self[name].data.strip() for name in texts},
            **{name: self[name].data for name in plain},
            holidays=tuple(_lines(self.holidays.data)),
            participation_target=(self.participation_target.data or 0) / 100,
            onboarding_target=(self.onboarding_target.data or 0) / 100,
            agenda=(self.agenda.data or "").replace("\r\n", "\n").strip(),
        )


def form_of(session: Session, program: Program | None = None) -> ProgramForm:
    """The form, with what the program says where nothing was typed, and with the departments there are."""
    form = ProgramForm(data=_columns(program) if program else None)
    named = select(Person.department).where(Person.left_at.is_(None), Person.department.is_not(None)).distinct()
    names = [name for name in session.scalars(named.order_by(Person.department)) if name]
    form.departments.choices = [SelectChoice(name) for name in names]
    if program is not None:
        form.members.choices = choices((("none", lazy("Nobody else")), *MEMBERS))
    return form


def leaders_of(session: Session, form: ProgramForm) -> list[Person]:
    """The people listed as leaders; those who are unknown are said at the field."""
    return _people(session, form.leaders)


def members_of(session: Session, form: ProgramForm) -> Sequence[Person]:
    """The people who are to take part; those who are unknown are said at the field."""
    here = select(Person).where(Person.left_at.is_(None)).order_by(Person.mail)
    if form.members.data == "all":
        return session.scalars(here).all()
    if form.members.data == "departments":
        return session.scalars(here.where(Person.department.in_(form.departments.data or []))).all()
    return _people(session, form.chosen) if form.members.data == "chosen" else []


def _people(session: Session, field: TextAreaField) -> list[Person]:
    mails = [line.lower() for line in _lines(field.data)]
    found = session.scalars(select(Person).where(Person.mail.in_(mails), Person.left_at.is_(None)))
    by_mail = {person.mail: person for person in found}
    unknown = [mail for mail in mails if mail not in by_mail]
    if unknown:
        field.errors = [
            *field.errors,
            _("Nobody on the roster has this address: %(mails)s.", mails=", ".join(unknown)),
        ]
    return [by_mail[mail] for mail in dict.fromkeys(mails) if mail in by_mail]


def _columns(program: Program) -> dict[str, Any]:
    same = ("name", "outcome", "metric", "baseline", "format", "starts_on", "weeks", "minutes", "pod_size", "agenda")
    return {
        **{name: getattr(program, name) for name in same},
        "attendance_detail": program.attendance_detail,
        "sessions_target": program.sessions_target,
        "holidays": "\n".join(program.holidays),
        "participation_target": round(program.participation_target * 100),
        "onboarding_target": round(program.onboarding_target * 100),
        "leaders": "\n".join(leader.person.mail for leader in program.leaders),
        "members": "none",
    }


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").replace(",", "\n").splitlines() if line.strip()]
