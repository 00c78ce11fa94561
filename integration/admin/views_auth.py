"""Signing in with Entra ID, and out."""

from __future__ import annotations

import time
from typing import Any, cast

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from integration import log
from integration.admin import views_sessions
from integration.admin.audit import Visit, record_visit
from integration.admin.door import public
from integration.admin.oidc import Issuer
from integration.admin.oidc_errors import SignInRefused, refused_by_issuer
from integration.admin.oidc_identity import Identity, known_in_roster
from integration.admin.sessions import BrowserSession, end_session, open_session
from integration.clock import real_now
from integration.language import lazy
from integration.pace import Pace, whose_address
from integration.tools import Tools
from integration.wording import kept

BEGUN = "sign_ins"  # in the session: state -> what is needed when the browser comes back
MOST_BEGUN = 5  # tabs in which somebody is signing in at once
REFUSALS_PER_MINUTE = 60  # that are written into the audit trail, of all addresses together
PER_MINUTE = 300  # at each step, of one address: a whole company may come from a single one
LONGEST_PATH = 2_000

auth = Blueprint("auth", __name__, url_prefix="/auth")
auth.add_url_rule("/sessions", "sessions", views_sessions.show, methods=["GET"])
auth.add_url_rule("/sessions/sign-out", "end_sessions", views_sessions.end_all, methods=["POST"])
auth.add_url_rule("/sessions/<int:session_id>/sign-out", "end_session", views_sessions.end_one, methods=["POST"])

logger = log.get_logger(__name__)


@auth.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    return render_template("auth/sign_in.html", next=own_path(request.args.get("next")))


@auth.get("/start")
@public
def start() -> ResponseReturnValue:
    """Send the browser to the issuer; what it must bring back stays in the session, out of its reach."""
    brake()
    wanted = g.wanted = own_path(request.args.get("next"))
    begun = issuer().begin(redirect_uri=callback_url())
    kept = dict(list(session.get(BEGUN, {}).items())[1 - MOST_BEGUN :])
    session[BEGUN] = {**kept, begun.state: {"nonce": begun.nonce, "verifier": begun.verifier, "next": wanted}}
    return redirect(begun.url)


@auth.get("/callback")
@public
def callback() -> ResponseReturnValue:
    """Where the issuer sends the browser back to; each sign-in comes back once."""
    brake()
    begun = _take_begun(request.args.get("state", ""))
    g.wanted = own_path(begun["next"])
    if "error" in request.args:
        raise refused_by_issuer(request.args["error"], request.args.get("error_description", ""))
    identity = issuer().finish(
        code=request.args.get("code", ""),
        nonce=begun["nonce"],
        verifier=begun["verifier"],
        redirect_uri=callback_url(),
    )
    begin_session(identity)
    return redirect(g.wanted, code=303)


@auth.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """End our session first: whether the issuer then ends its own is not for us to wait for."""
    browser = cast(BrowserSession, session)
    if browser.key:
        with _tools().database.transaction() as database:
            end_session(database, browser.key)
            if browser.mail:
                record_visit(database, browser.mail, Visit.SIGNED_OUT)
    known = issuer().sign_out_url(after="") is not None and not browser.in_teams
    answer = make_response(redirect(url_for("auth.signed_out", leave="microsoft" if known else None), code=303))
    answer.delete_cookie(
        current_app.config["SESSION_COOKIE_NAME"],
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]) or browser.in_teams,
        httponly=True,
        samesite="None" if browser.in_teams else "Lax",
        partitioned=browser.in_teams,
    )
    return answer


@auth.get("/signed-out")
@public
def signed_out() -> ResponseReturnValue:
    """Leads on to the issuer's own sign-out by itself: a form may not be redirected to another site."""
    back = f"{_tools().settings.public_url}{url_for('auth.signed_out')}"
    leave = issuer().sign_out_url(after=back) if "leave" in request.args else None
    return render_template("auth/signed_out.html", leave=leave)


@auth.errorhandler(SignInRefused)
def show_refusal(error: SignInRefused) -> ResponseReturnValue:
    note_refusal(error)
    again = url_for("auth.start", next=g.get("wanted", "/"))
    page = render_template("auth/refused.html", error=error, again=again, reference=g.get("reference", ""))
    return page, error.status


def note_refusal(error: SignInRefused) -> None:
    """Write down why somebody was not signed in; beyond what people cause, only the log has it."""
    logger.warning("sign-in refused", reason=error.code or error.status, reference=g.get("reference", ""))
    pace: Pace = current_app.extensions["refusal_pace"]
    if not error.noted or not pace.allows("refusals", at=time.monotonic()):
        return
    after = {"reason": kept(error.said_message), "code": error.code}
    with _tools().database.transaction() as database:
        record_visit(database, error.mail, Visit.REFUSED, after={key: value for key, value in after.items() if value})


def begin_session(identity: Identity, *, in_teams: bool = False) -> None:
    """Sign somebody in with a new key: the one the browser had before, and whoever knows it, stays outside."""
    browser = cast(BrowserSession, session)
    with _tools().database.transaction() as database:
        known = known_in_roster(database, identity)
        if browser.key:
            end_session(database, browser.key)
        key = open_session(
            database, now=real_now(), mail=known.mail, name=known.name, roles=known.roles, in_teams=in_teams
        )
        after = {"roles": sorted(known.roles), "in_teams": in_teams}
        record_visit(database, known.mail, Visit.SIGNED_IN, after=after)
    browser.clear()
    browser.key, browser.mail, browser.in_teams = key, known.mail, in_teams
    logger.info("signed in", roles=sorted(known.roles), in_teams=in_teams, reference=g.get("reference", ""))


def own_path(text: str | None) -> str:
    """The path when it leads to a page of ours, "/" otherwise: no other site, and no second line in a header.

    Browsers read a backslash as a slash and drop tabs and line ends, so that "/\\evil" and "/<tab>/evil" lead away.
    """
    path = text or "/"
    is_ours = path.startswith("/") and not path.startswith("//") and len(path) <= LONGEST_PATH
    if not is_ours or "\\" in path or not path.isprintable():
        return "/"
    return path if path.startswith("/auth/sessions") or not path.startswith("/auth/") else "/"


def brake() -> None:
    """Raises SignInRefused for an address (IPv6: its network) that signs in more often than people do."""
    pace: Pace = current_app.extensions["sign_in_pace"]
    if not pace.allows(f"{request.endpoint} {whose_address(request.remote_addr)}", at=time.monotonic()):
        raise SignInRefused(
            lazy("Too many people signed in at once."),
            remedy=lazy("Try again in a minute."),
            status=429,
            noted=False,
        )


def issuer() -> Issuer:
    return cast(Issuer, current_app.extensions["issuer"])


def callback_url() -> str:
    """As it is registered in Entra: by PUBLIC_URL, whatever the request says of its host."""
    return f"{_tools().settings.public_url}{url_for('auth.callback')}"


def _take_begun(state: str) -> dict[str, Any]:
    kept = dict(session.get(BEGUN, {}))
    begun = kept.pop(state, None)
    if begun is None:
        raise SignInRefused(
            lazy("This sign-in did not begin in this browser, was used already, or began too long ago."),
            remedy=lazy("Sign in again."),
            noted=False,
        )
    session[BEGUN] = kept
    return begun


def _tools() -> Tools:
    return cast(Tools, current_app.extensions["tools"])
