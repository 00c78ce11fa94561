"""The leader's summary: the figures of the weekly mail, with their definitions, and those of earlier weeks."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from integration.admin.door import needs, this_visitor
from integration.admin.permissions import Permission, programs_within_reach
from integration.admin.things import about_program
from integration.language import gettext as _
from integration.scheduling.models import Program
from integration.summaries.calendar_week import week_of
from integration.summaries.chart import chart_alt, chart_png
from integration.summaries.week import ShownWeek, kept_mondays, kept_week, last_issue, week_to_show
from integration.tools import Tools

summary = Blueprint("summary", __name__, url_prefix="/summary")


@summary.get("/")
@needs(Permission.SUMMARY_SEE)
def index() -> ResponseReturnValue:
    reach = programs_within_reach(this_visitor(), Permission.SUMMARY_SEE)
    wanted = select(Program).order_by(Program.ended_at.is_not(None), Program.name)
    with _tools().database.reading() as session:
        programs = session.scalars(wanted if reach is None else wanted.where(Program.id.in_(reach))).all()
    if len(programs) == 1:
        return redirect(url_for("summary.show", program_id=programs[0].id))
    return render_template("summary/index.html", programs=programs)


@summary.get("/<int:program_id>")
@needs(Permission.SUMMARY_SEE, about=about_program)
def show(program_id: int) -> ResponseReturnValue:
    shown = _asked_week(program_id)
    with _tools().database.reading() as session:
        program = session.get_one(Program, program_id)
        mondays = kept_mondays(session, program)
    if shown is None:
        return render_template("summary/nothing_yet.html", program=program)
    return render_template(
        "summary/show.html",
        program=program,
        shown=shown,
        summary=shown.summary,
        mondays=mondays,
        definitions=_definitions(),
        chart_alt=chart_alt(shown.bars, target=shown.targets.participation),
    )


@summary.get("/<int:program_id>/chart.png")
@needs(Permission.SUMMARY_SEE, about=about_program)
def chart(program_id: int) -> ResponseReturnValue:
    shown = _asked_week(program_id)
    if shown is None:
        abort(404)
    return Response(chart_png(shown.bars, target=shown.targets.participation), content_type="image/png")


def _tools() -> Tools:
    return current_app.extensions["tools"]


def _asked_week(program_id: int) -> ShownWeek | None:
    """The week that the address names, which must be kept, or that of the latest Monday at eight."""
    tools = _tools()
    asked = request.args.get("week")
    if asked:
        with tools.database.reading() as session:
            found = kept_week(session, session.get_one(Program, program_id), _monday(asked))
        return found or abort(404)
    zone = this_visitor().time_zone
    issued_at = last_issue(tools.clock.now(), zone)
    with tools.database.reading() as session:
        kept = kept_week(session, session.get_one(Program, program_id), week_of(issued_at, zone))
    if kept is not None:
        return kept
    # Whoever comes first decides what all others see: nobody finds out by coming twice what one person has done.
    with tools.database.transaction() as session:
        return week_to_show(session, session.get_one(Program, program_id), now=issued_at, zone=zone)


def _monday(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        abort(404)


def _definitions() -> tuple[str, ...]:
    """What each figure means, in the order of the summary's figures."""
    return (
        _(
            "Attended over invited, over sessions whose attendance is known. Invited are those on the invitation when"
            " a session starts, also those who declined. The headline counts people who could not be identified as"
            " absent; a session of unknown attendance is never counted as zero."
        ),
        _(
            "Sessions held per pod in 28 days. A session was held when two or more were present together for five"
            " minutes, or the facilitator said so."
        ),
        _(
            "The mean of the answers from 1 to 5, in halves. It changes only when answers of enough more people come"
            " in together, and is not shown when all agree."
        ),
    )
