"""Every part that pages are made of, in every state; only where the product runs at home."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from integration.admin.door import needs
from integration.admin.permissions import Permission
from integration.admin.tables import Column, TablePage
from integration.tools import Tools

blueprint = Blueprint("style", __name__, url_prefix="/style")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
LONG = "Wilhelmina-Alexandrina Featherstonehaugh-Cholmondeley of Donaudampfschifffahrtsgesellschaft"
FORMATS = ["learning pod", "peer coaching"]
DETAILS = ["minutes", "present", "counts only"]
COLUMNS = (Column("name", "Name"), Column("pods", "Pods"), Column("state", "State"))


class Example(FlaskForm):
    """A field of each kind."""

    name = StringField("Name", description="As colleagues know it.", validators=[InputRequired()])
    wrong = StringField("Weeks", default="none")
    choice = SelectField("Format", choices=FORMATS)  # pyright: ignore[reportArgumentType] (its stubs are older)
    several = RadioField("Attendance detail", choices=DETAILS)  # pyright: ignore[reportArgumentType]
    starts_on = DateField("First day")
    words = TextAreaField("Outcome")
    agreed = BooleanField("Skip the holidays", description="Of the country of the pod.")


@blueprint.get("")
@needs(Permission.STYLE_SEE)
def show() -> ResponseReturnValue:
    tools: Tools = current_app.extensions["tools"]
    if urlsplit(tools.settings.public_url).hostname not in LOOPBACK:
        abort(404)
    form = Example(formdata=None)
    form.wrong.errors = ["A number from 1 to 52 is needed."]
    return render_template("style.html", form=form, table=_table(), long=LONG)


@blueprint.get("/confirm")
@needs(Permission.STYLE_SEE)
def confirm() -> ResponseReturnValue:
    tools: Tools = current_app.extensions["tools"]
    if urlsplit(tools.settings.public_url).hostname not in LOOPBACK:
        abort(404)
    return render_template(
        "confirm.html",
        title="Apply this plan?",
        sentence="14 series are created in Outlook, and everybody in them is invited.",
        mails=[("Grace Hopper", 1), (LONG, 2)],
        label="Invite 2 people",
        back="/style",
    )


def _table() -> TablePage:
    rows = [("Ada Lovelace", 2, "here"), (LONG, 12345, "paused"), ("Alan Turing", 0, "left")]
    return TablePage(COLUMNS, rows, total=120, page=2, sort="name", descending=False, filters={})
