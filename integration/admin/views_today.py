"""The page on which a coordinator's day begins."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.admin import checkups
from integration.admin.audit import record
from integration.admin.door import needs, this_visitor
from integration.admin.letters import letter_within_reach, letters_of_today
from integration.admin.permissions import Permission, Thing, programs_within_reach
from integration.admin.subjects import task_words
from integration.admin.today import beginning, today
from integration.inbox.keeping import mark_done, open_again
from integration.inbox.models import Letter
from integration.language import gettext as _
from integration.scheduling.drift import words
from integration.tools import Tools

blueprint = Blueprint("today", __name__, url_prefix="/admin")


@blueprint.get("/")
@needs(Permission.TODAY_SEE)
def show() -> ResponseReturnValue:
    tools: Tools = current_app.extensions["tools"]
    programs = programs_within_reach(this_visitor(), Permission.TODAY_SEE)
    now = tools.clock.now()
    with tools.database.reading() as session:
        start = beginning(session)
        if not start.programs:
            return render_template("today/beginning.html", start=start, checkup=checkups.latest_ended(session))
        shown = today(session, programs=programs, now=now, webhooks=tools.settings.webhooks)
        said = {"task_words": task_words, "drift_words": words, "zone": this_visitor().time_zone}
        letters = letters_of_today(session, tools.settings, programs=programs, now=now)
        return render_template("today/show.html", today=shown, letters=letters, now=now, **said)


def _about_letter(session: Session, letter_id: int) -> Thing:
    """The program within the visitor's reach that a message is of, be it one of several; raises NotThere."""
    reach = programs_within_reach(this_visitor(), Permission.INBOX_ANSWER)
    letter = letter_within_reach(session, letter_id, programs=reach)
    return Thing(program_id=letter.program_id if letter.program_id or not reach else min(reach))


@blueprint.post("/letters/<int:letter_id>/done")
@needs(Permission.INBOX_ANSWER, about=_about_letter)
def mark_letter_done(letter_id: int) -> ResponseReturnValue:
    """Somebody has seen to what was written."""
    tools: Tools = current_app.extensions["tools"]
    by, now = this_visitor().mail, tools.clock.now()
    return _change_letter(
        letter_id,
        lambda letter: mark_done(letter, by=by, now=now),
        told=_("Done. It is deleted 30 days from now; until then it can be opened again."),
    )


@blueprint.post("/letters/<int:letter_id>/open")
@needs(Permission.INBOX_ANSWER, about=_about_letter)
def open_letter(letter_id: int) -> ResponseReturnValue:
    """It was not done after all."""
    return _change_letter(letter_id, open_again, told=_("The message is open again."))


def _change_letter(letter_id: int, change: Callable[[Letter], bool], *, told: str) -> ResponseReturnValue:
    tools: Tools = current_app.extensions["tools"]
    visitor = this_visitor()
    programs = programs_within_reach(visitor, Permission.INBOX_ANSWER)
    with tools.database.transaction() as session:
        letter = letter_within_reach(session, letter_id, programs=programs)
        before = {"done": letter.done_at is not None}
        is_changed = change(letter)
        if is_changed:
            after = {"done": letter.done_at is not None}
            about = {"thing": "letter", "thing_id": letter_id, "before": before, "after": after}
            record(session, visitor, Permission.INBOX_ANSWER, **about)
    if is_changed:
        flash(told, "good")
    else:  # a second click, or somebody else was first
        flash(_("Somebody was faster. Nothing was changed."), "warning")
    return redirect(url_for("today.show", _anchor="letters"), code=303)
