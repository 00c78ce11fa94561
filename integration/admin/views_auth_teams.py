"""Signing in inside Teams, Outlook and Microsoft 365: in a frame nobody can be redirected to a sign-in page, so the
page hands over the token that Teams got for its user.

Source: https://learn.microsoft.com/microsoftteams/platform/tabs/how-to/authentication/tab-sso-overview
Off (404) without APPLICATION_ID_URI.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, jsonify, render_template, request, send_file, session
from flask.typing import ResponseReturnValue

from integration.admin.door import public
from integration.admin.oidc_errors import SignInRefused
from integration.admin.sessions import BrowserSession
from integration.admin.views_auth import begin_session, brake, issuer, note_refusal, own_path
from integration.tools import Tools

# https://learn.microsoft.com/microsoftteams/platform/tabs/how-to/tab-requirements
FRAMES = (
    "https://*.cloud.microsoft https://teams.microsoft.com https://*.teams.microsoft.com "
    "https://*.microsoft365.com https://*.office.com "
    "https://outlook.office.com https://outlook.office365.com"
)
LIBRARY = "MicrosoftTeams.min.js"  # Microsoft's, put into DATA_DIR/teams by whoever looks after us
LARGEST_TOKEN_BYTES = 48 * 1024

teams = Blueprint("teams", __name__, url_prefix="/auth/teams")


def may_be_framed() -> bool:
    """Whether this answer may be shown inside Microsoft 365: a page of a session that was opened there."""
    if not _tools().settings.application_id_uri:
        return False
    return request.blueprint == teams.name or cast(BrowserSession, session).in_teams


@teams.before_request
def only_when_set_up() -> None:
    if not _tools().settings.application_id_uri:
        abort(404)


@teams.get("")
@public
def show() -> ResponseReturnValue:
    wanted = own_path(request.args.get("next"))
    return render_template("auth/teams.html", next=wanted, has_library=_library().is_file(), library=LIBRARY)


@teams.get(f"/{LIBRARY}")
@public
def library() -> ResponseReturnValue:
    if not _library().is_file():
        abort(404)
    return send_file(_library(), mimetype="text/javascript")


@teams.post("")
@public
def begin() -> ResponseReturnValue:
    """Takes {"token": ...}; the token is the proof, but only our own page may bring it: another site could bring that
    of its owner, and watch what is typed in their name."""
    brake()
    settings = _tools().settings
    own = urlsplit(settings.public_url)
    if request.headers.get("Origin") != f"{own.scheme}://{own.netloc}":
        abort(403, description="This sign-in begins on a page of ours.")
    request.max_content_length = LARGEST_TOKEN_BYTES
    sent = request.get_json()
    token = sent.get("token") if isinstance(sent, dict) else None
    if not isinstance(token, str):
        abort(400, description="A token is expected.")
    begin_session(issuer().identity_in_teams(token), in_teams=True)
    return jsonify(signed_in=True)


@teams.errorhandler(SignInRefused)
def show_refusal(error: SignInRefused) -> ResponseReturnValue:
    note_refusal(error)
    return jsonify(error={"message": error.message, "remedy": error.remedy, "code": error.code}), error.status


def _library() -> Path:
    return _tools().settings.data_dir / "teams" / LIBRARY


def _tools() -> Tools:
    return cast(Tools, current_app.extensions["tools"])
