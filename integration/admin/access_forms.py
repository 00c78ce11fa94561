"""The forms of the access pages."""

from __future__ import annotations

from typing import Any, cast

from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # pyright: ignore[reportAttributeAccessIssue] (newer than its stubs)
from wtforms.validators import DataRequired, Length, Optional, Regexp, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from integration.announcing.announcements import Event
from integration.api.tokens import SCOPES
from integration.clock import real_now
from integration.language import gettext as _
from integration.language import joined, lazy

FILL_IN = cast(str, lazy("Fill this in."))
NO_NUL = Regexp(r"^[^\x00]*$", message=FILL_IN)


class Boxes(SelectMultipleField):
    """Several of a few, each with a box to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class TokenForm(FlaskForm):
    """A new token of the API."""

    name = StringField(
        cast(str, lazy("Name")),
        [DataRequired(FILL_IN), Length(max=100), NO_NUL],
        description=cast(str, lazy("Of the program that uses it; the audit trail shows it.")),
    )
    scopes = Boxes(
        cast(str, lazy("What it may do")),
        [DataRequired(cast(str, lazy("Choose one at least.")))],
        choices=[SelectChoice(str(each), joined(str(each), what, between=": ")) for each, what in SCOPES.items()],
    )
    programs = Boxes(
        cast(str, lazy("Limited to programs")),
        [Optional()],
        choices=[],
        description=cast(str, lazy("None chosen: all of them, those of later too.")),
    )
    expires_on = DateField(
        cast(str, lazy("Ends on")),
        [Optional()],
        description=cast(str, lazy("At the beginning of this day, UTC. Empty: never.")),
    )

    def validate_expires_on(self, field: DateField) -> None:
        if field.data and field.data <= real_now().date():
            raise ValidationError(_("Choose a day in the future."))


class ReceiverForm(FlaskForm):
    """A new receiver of webhooks."""

    url = StringField(
        cast(str, lazy("Address")),
        [DataRequired(FILL_IN), Length(max=2_000), NO_NUL],
        description=cast(str, lazy("It begins with https:// and can be reached from here.")),
    )
    events = Boxes(
        cast(str, lazy("Events")),
        [Optional()],
        choices=cast(Any, [str(each) for each in Event]),
        description=cast(str, lazy("None chosen: all of them.")),
    )


class LimitForm(FlaskForm):
    """One program that a coordinator is limited to."""

    mail = StringField(
        cast(str, lazy("Mail address of the coordinator")),
        [DataRequired(FILL_IN), Length(max=320), Regexp(r"^\s*[^@\s\x00]+@[^@\s\x00]+\s*$", message=FILL_IN)],
    )
    program_id = SelectField(cast(str, lazy("Program")), [DataRequired(FILL_IN)])
