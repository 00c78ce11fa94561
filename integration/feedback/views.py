"""The two pages behind the links of our mails: the question after a session, and "did you meet?".

They work without cookies, sign-in and JavaScript: the token in the address is what proves who answers, and because
nothing else does (no cookie is sent by itself), it also is the protection against forged posts from other sites.
Link scanners GET every link of a mail, so a GET never writes anything.
"""

from __future__ import annotations

import time
from typing import TypeVar

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.admin.keyed_pages import Closed, keep_keyed
from integration.attendance.outcomes import declare_met
from integration.errors import Conflict, InputRefused
from integration.feedback.answers import LONGEST_COMMENT, record_answer
from integration.feedback.letters import when
from integration.feedback.models import FeedbackRequest, MetRequest, SharedRequest
from integration.feedback.questions import FACES, question_for, who_sees
from integration.feedback.tokens import Purpose, Ticket, read_token
from integration.language import gettext as _
from integration.language import lazy, speak
from integration.pace import Pace
from integration.tools import Tools

LARGEST_FORM_BYTES = 32 * 1024
POSTS = Pace(limit=20, seconds=60)

Asked = TypeVar("Asked", FeedbackRequest, MetRequest, SharedRequest)

blueprint = Blueprint("feedback", __name__, url_prefix="/feedback", template_folder="templates")
keep_keyed(blueprint)


@blueprint.get("/<token>")
def show_question(token: str) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        asked = _feedback_request(session, token)
        stored = asked.answer
        chosen = _score(request.args.get("score", "")) or (stored.score if stored else None)
        comment, consent = (stored.comment or "", stored.consent) if stored else ("", False)
        return _question_page(asked, token, chosen=chosen, comment=comment, consent=consent)


@blueprint.post("/<token>")
def answer_question(token: str) -> ResponseReturnValue:
    form, tools = posted_form(token), _tools()
    chosen, comment = _score(form.get("score", "")), form.get("comment", "")
    consent = form.get("consent") == "yes"
    with tools.database.transaction() as session:
        asked = _feedback_request(session, token)
        if chosen is None:
            fault = _("Please choose one of the five answers.")
            return _question_page(asked, token, chosen=None, comment=comment, consent=consent, fault=fault), 400
        try:
            at = tools.clock.now()
            record_answer(session, asked, score=chosen, comment=comment, consent=consent, at=at)
        except InputRefused as refused:
            fault = str(refused)
            return _question_page(asked, token, chosen=chosen, comment=comment, consent=consent, fault=fault), 400
    return redirect(url_for("feedback.show_thanks", token=token), 303)


@blueprint.get("/<token>/thanks")
def show_thanks(token: str) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        asked = _feedback_request(session, token)
        if asked.answer is None:
            return redirect(url_for("feedback.show_question", token=token), 303)
        face = FACES[asked.answer.score - 1]
        pod = asked.occurrence.series.pod.name
        return render_template("feedback/thanks.html", face=face, answer=asked.answer, pod=pod, token=token)


@blueprint.get("/met/<token>")
def show_met(token: str) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        asked = _met_request(session, token)
        chosen = _yes_or_no(request.args.get("met", ""))
        return _met_page(asked, token, chosen=asked.met if chosen is None else chosen)


@blueprint.post("/met/<token>")
def answer_met(token: str) -> ResponseReturnValue:
    met, tools = _yes_or_no(posted_form(token).get("met", "")), _tools()
    with tools.database.transaction() as session:
        asked = _met_request(session, token)
        if met is None:
            return _met_page(asked, token, chosen=None, fault=_("Please choose yes or no.")), 400
        _declare(session, asked, met=met)
    return redirect(url_for("feedback.show_met_thanks", token=token), 303)


@blueprint.get("/met/<token>/thanks")
def show_met_thanks(token: str) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        asked = _met_request(session, token)
        if asked.met is None:
            return redirect(url_for("feedback.show_met", token=token), 303)
        return render_template("feedback/met_thanks.html", asked=asked, token=token)


def _tools() -> Tools:
    return current_app.extensions["tools"]


def posted_form(token: str) -> dict[str, str]:
    """What was posted under a link; raises Closed (429) when that was too often."""
    if not POSTS.allows(token, at=time.monotonic()):
        raise Closed(
            429, lazy("That was too often."), remedy=lazy("Your last answer is kept; try again in a minute.")
        )
    request.max_content_length = LARGEST_FORM_BYTES
    return request.form.to_dict()


def _feedback_request(session: Session, token: str) -> FeedbackRequest:
    ticket = ticket_of(token, Purpose.FEEDBACK)
    return still_open(session.get(FeedbackRequest, ticket.request_id), ticket)


def _met_request(session: Session, token: str) -> MetRequest:
    ticket = ticket_of(token, Purpose.MET)
    return still_open(session.get(MetRequest, ticket.request_id), ticket)


def ticket_of(token: str, purpose: Purpose) -> Ticket:
    """What a link says; raises Closed (404) when it is none of ours for this purpose."""
    ticket = read_token(token, purpose=purpose, secret_key=_tools().settings.secret_key)
    if ticket is None:
        raise Closed(
            404, lazy("This link is not one of ours."), remedy=lazy("Open the link in the mail itself, whole.")
        )
    return ticket


def still_open(asked: Asked | None, ticket: Ticket) -> Asked:
    """The request behind a link, in the language of whom it asks; raises Closed (410) when it is open no more."""
    if asked is None or asked.participant.person is None:
        raise Closed(410, lazy("This question no longer exists."), remedy=lazy("What belonged to it was erased."))
    if asked.participant.person.language:
        speak(asked.participant.person.language)  # as in the mail that led here
    if asked.nonce != ticket.nonce:
        remedy = _("Use the link in the latest mail about this session.")
        raise Closed(410, lazy("This link was replaced."), remedy=remedy)
    if _tools().clock.now() >= asked.expires_at:
        remedy = _("It was open for two weeks. An answer given is kept.")
        raise Closed(410, lazy("This question is closed."), remedy=remedy)
    return asked


def _declare(session: Session, asked: MetRequest, *, met: bool) -> None:
    at = _tools().clock.now()
    try:
        declare_met(session, asked.occurrence, met=met, by=asked.participant, at=at)
    except Conflict as conflict:  # the report came after all
        raise Closed(410, conflict.message, remedy=conflict.remedy) from conflict
    asked.met, asked.answered_at = met, at


def _score(text: str) -> int | None:
    return next((face.score for face in FACES if str(face.score) == text), None)


def _yes_or_no(text: str) -> bool | None:
    return {"yes": True, "no": False}.get(text)


def _question_page(
    asked: FeedbackRequest, token: str, *, chosen: int | None, comment: str, consent: bool, fault: str = ""
) -> str:
    pod = asked.occurrence.series.pod
    return render_template(
        "feedback/question.html",
        question=question_for(pod.program.format),
        pod=pod.name,
        when=when(asked.occurrence, asked.participant.person),
        faces=FACES,
        who_sees=who_sees(pod.program.small_group),
        longest=LONGEST_COMMENT,
        is_change=asked.answer is not None,
        **{"token": token, "chosen": chosen, "comment": comment, "consent": consent, "fault": fault},
    )


def _met_page(asked: MetRequest, token: str, *, chosen: bool | None, fault: str = "") -> str:
    return render_template(
        "feedback/met.html",
        pod=asked.occurrence.series.pod.name,
        when=when(asked.occurrence, asked.participant.person),
        **{"token": token, "chosen": chosen, "fault": fault},
    )
