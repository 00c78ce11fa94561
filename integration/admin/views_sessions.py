"""Where somebody is signed in: their browsers, each of which they can sign out."""

from __future__ import annotations

from typing import cast

from flask import abort, current_app, flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, select

from integration.admin.audit import Visit, record_visit
from integration.admin.door import needs, this_visitor
from integration.admin.models import WebSession
from integration.admin.permissions import Permission
from integration.admin.sessions import IDLE, BrowserSession, end_sessions_of
from integration.clock import real_now
from integration.language import gettext as _
from integration.tools import Tools

MOST_SHOWN = 50


@needs(Permission.HOME_SEE)
def show() -> ResponseReturnValue:
    now = real_now()
    mine = (
        select(WebSession)
        .where(WebSession.mail == this_visitor().mail, WebSession.ends_at > now, WebSession.seen_at > now - IDLE)
        .order_by(WebSession.seen_at.desc())
        .limit(MOST_SHOWN)
    )
    with _tools().database.reading() as database:
        rows = list(database.scalars(mine))
    return render_template("auth/sessions.html", rows=rows, here=cast(BrowserSession, session).id)


@needs(Permission.HOME_SEE)
def end_one(session_id: int) -> ResponseReturnValue:
    """404 for a session of somebody else, as for one that is not there."""
    ours = (WebSession.id == session_id, WebSession.mail == this_visitor().mail)
    with _tools().database.transaction() as database:
        ended = database.scalar(delete(WebSession).where(*ours).returning(WebSession.id))
        if ended is not None:
            record_visit(database, this_visitor().mail, Visit.SIGNED_OUT, after={"browser": ended})
    if ended is None:
        abort(404)
    if ended == cast(BrowserSession, session).id:
        return redirect(url_for("auth.signed_out"), code=303)
    flash(_("That browser is signed out."), "good")
    return redirect(url_for("auth.sessions"), code=303)


@needs(Permission.HOME_SEE)
def end_all() -> ResponseReturnValue:
    """This browser too: whoever fears for their account begins anew everywhere."""
    with _tools().database.transaction() as database:
        ended = end_sessions_of(database, this_visitor().mail)
        record_visit(database, this_visitor().mail, Visit.SIGNED_OUT_EVERYWHERE, after={"browsers": ended})
    return redirect(url_for("auth.signed_out"), code=303)


def _tools() -> Tools:
    return cast(Tools, current_app.extensions["tools"])
