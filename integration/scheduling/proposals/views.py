"""The page behind the links of a time-proposal mail: a yes or a no to another time.

It works without cookies, sign-in and JavaScript: the token in the address is what proves who answers, and therefore
also the protection against forged posts from other sites. Link scanners GET every link of a mail, so a GET never
writes anything.
"""

from __future__ import annotations

import time

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.admin.keyed_pages import Closed, keep_keyed
from integration.errors import Conflict
from integration.formats import day_and_time
from integration.language import gettext as _
from integration.language import lazy, speak
from integration.pace import Pace
from integration.people.models import Participant
from integration.scheduling.proposals.answers import ANSWERS, answer_proposal, why_closed, why_impossible
from integration.scheduling.proposals.asking import PURPOSE
from integration.scheduling.proposals.models import TimeProposal
from integration.signing import read_signed
from integration.tools import Tools

POSTS = Pace(limit=20, seconds=60)

blueprint = Blueprint("proposals", __name__, url_prefix="/proposals", template_folder="templates")
keep_keyed(blueprint)


@blueprint.get("/<token>")
def show(token: str) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        proposal = _proposal(session, token)
        asked = request.args.get("answer", "")
        return _page(session, proposal, token, chosen=asked if asked in ANSWERS else proposal.answer)


@blueprint.post("/<token>")
def answer(token: str) -> ResponseReturnValue:
    if not POSTS.allows(token, at=time.monotonic()):
        raise Closed(
            429, lazy("That was too often."), remedy=lazy("Your last answer is kept; try again in a minute.")
        )
    tools, given = _tools(), request.form.get("answer", "")
    with tools.database.transaction() as session:
        proposal = _proposal(session, token)
        if given not in ANSWERS:
            return _page(session, proposal, token, chosen=None, fault=_("Please choose yes or no.")), 400
        try:
            answer_proposal(session, proposal, given, now=tools.clock.now())
        except Conflict as conflict:
            raise Closed(409, conflict.message, remedy=conflict.remedy) from conflict
    return redirect(url_for("proposals.show_thanks", token=token), 303)


@blueprint.get("/<token>/thanks")
def show_thanks(token: str) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        proposal = _proposal(session, token, even_if_over=True)
        if proposal.answer is None:
            return redirect(url_for("proposals.show", token=token), 303)
        return render_template("proposals/thanks.html", proposal=proposal, when=_when(session, proposal))


def _tools() -> Tools:
    return current_app.extensions["tools"]


def _proposal(session: Session, token: str, *, even_if_over: bool = False) -> TimeProposal:
    values = read_signed(token, purpose=PURPOSE, secret_key=_tools().settings.secret_key)
    if values is None or len(values) != 2:
        raise Closed(
            404, lazy("This link is not one of ours."), remedy=lazy("Open the link in the mail itself, whole.")
        )
    proposal = session.get(TimeProposal, int(values[0]))
    if proposal is None or proposal.nonce != values[1]:
        raise Closed(410, lazy("This question no longer exists."), remedy=lazy("What belonged to it was erased."))
    asked = _asked(session, proposal)
    if asked is not None and asked.person is not None and asked.person.language:
        speak(asked.person.language)  # as in the mail that led here
    reason = why_closed(proposal, now=_tools().clock.now())
    if reason is not None and not even_if_over and proposal.answer is None:
        raise Closed(410, reason, remedy=lazy("Nothing was changed. You can close this page."))
    return proposal


def _asked(session: Session, proposal: TimeProposal) -> Participant | None:
    return session.get(Participant, proposal.asked_id) if proposal.asked_id is not None else None


def _when(session: Session, proposal: TimeProposal) -> dict[str, str]:
    asked, occurrence = _asked(session, proposal), proposal.occurrence
    wall = (asked.person.time_zone if asked and asked.person else None) or occurrence.series.time_zone
    return {
        "now": day_and_time(occurrence.starts_at, occurrence.ends_at, time_zone=wall),
        "then": day_and_time(proposal.starts_at, proposal.ends_at, time_zone=wall),
    }


def _page(session: Session, proposal: TimeProposal, token: str, *, chosen: str | None, fault: str = "") -> str:
    impossible = why_impossible(proposal, now=_tools().clock.now()) if proposal.answer != "yes" else None
    return render_template(
        "proposals/question.html",
        proposal=proposal,
        pod=proposal.occurrence.series.pod.name,
        when=_when(session, proposal),
        impossible=impossible,
        **{"token": token, "chosen": chosen, "fault": fault},
    )
