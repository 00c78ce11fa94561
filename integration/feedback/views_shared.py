"""The page behind "who shared the room?": names to tick. A GET never writes; the token in the address is the key."""

from __future__ import annotations

from flask import current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.admin.keyed_pages import Closed
from integration.attendance.sharing import Sharing, declare_shared, sharing_of
from integration.errors import Conflict
from integration.feedback.letters import when
from integration.feedback.models import SharedRequest
from integration.feedback.tokens import Purpose
from integration.feedback.views import blueprint, posted_form, still_open, ticket_of
from integration.language import gettext as _
from integration.language import lazy
from integration.tools import Tools


@blueprint.get("/shared/<token>")
def show_shared(token: str) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        asked = _shared_request(session, token)
        return _page(asked, token, _sharing(session, asked))


@blueprint.post("/shared/<token>")
def answer_shared(token: str) -> ResponseReturnValue:
    posted_form(token)
    who = {int(each) for each in request.form.getlist("who") if each.isascii() and each.isdigit()}
    tools = _tools()
    with tools.database.transaction() as session:
        asked = _shared_request(session, token)
        sharing = _sharing(session, asked)
        is_nobody = request.form.get("nobody") == "yes"
        if not who and not is_nobody:
            fault = _("Tick at least one name, or say that none of them was there.")
            return _page(asked, token, sharing, fault=fault), 400
        at = tools.clock.now()
        try:
            declare_shared(session, asked.occurrence, () if is_nobody else who, by=asked.participant, at=at)
        except Conflict as conflict:
            raise Closed(410, conflict.message, remedy=conflict.remedy) from conflict
        asked.answered_at = at
    return redirect(url_for("feedback.show_shared_thanks", token=token), 303)


@blueprint.get("/shared/<token>/thanks")
def show_shared_thanks(token: str) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        asked = _shared_request(session, token)
        if asked.answered_at is None:
            return redirect(url_for("feedback.show_shared", token=token), 303)
        sharing = _sharing(session, asked)
        names = [each.name for each in sharing.candidates if each.id in sharing.ticked]
        return render_template("feedback/shared_thanks.html", names=names, token=token)


def _tools() -> Tools:
    return current_app.extensions["tools"]


def _shared_request(session: Session, token: str) -> SharedRequest:
    ticket = ticket_of(token, Purpose.SHARED)
    return still_open(session.get(SharedRequest, ticket.request_id), ticket)


def _sharing(session: Session, asked: SharedRequest) -> Sharing:
    sharing = sharing_of(session, asked.occurrence)
    if sharing is None or not sharing.candidates:
        remedy = _("All were found in the reports meanwhile, or a coordinator has corrected the attendance.")
        raise Closed(410, lazy("Nobody is missing from this session any more."), remedy=remedy)
    return sharing


def _page(asked: SharedRequest, token: str, sharing: Sharing, *, fault: str = "") -> str:
    return render_template(
        "feedback/shared.html",
        pod=asked.occurrence.series.pod.name,
        when=when(asked.occurrence, asked.participant.person),
        candidates=sharing.candidates,
        ticked=sharing.ticked,
        has_room=sharing.has_room,
        token=token,
        fault=fault,
    )
