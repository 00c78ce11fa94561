"""The page on which a leader stops a program's weekly mail, or starts it again. A GET never changes anything.

Mail scanners open every link, so the link only shows a page with one button. The token in the address is the
permission: there is no cookie that another site could make the browser send along.
"""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from integration.errors import NotThere
from integration.language import speak
from integration.summaries.unsubscribing import leader_of, start_summaries, stop_summaries
from integration.tools import Tools

blueprint = Blueprint("summaries", __name__, template_folder="templates")


@blueprint.errorhandler(NotThere)
def show_unknown_link(_error: NotThere) -> tuple[str, int]:
    return render_template("summaries/unknown_link.html"), 404


@blueprint.get("/summaries/<token>")
def show_choice(token: str) -> str:
    tools = _tools()
    with tools.database.reading() as session:
        leader = leader_of(session, token, secret_key=tools.settings.secret_key)
        if leader.person.language:
            speak(leader.person.language)  # as in the mail that led here
        return render_template(
            "summaries/choice.html", program=leader.program.name, stopped=leader.unsubscribed_at is not None
        )


@blueprint.post("/summaries/<token>")
def choose(token: str) -> Response:
    tools = _tools()
    with tools.database.transaction() as session:
        leader = leader_of(session, token, secret_key=tools.settings.secret_key)
        if request.form.get("choice") == "start":
            start_summaries(leader, now=tools.clock.now())
        else:
            stop_summaries(leader, now=tools.clock.now())
    return redirect(url_for("summaries.show_choice", token=token), code=303)


def _tools() -> Tools:
    return current_app.extensions["tools"]
