"""Pages behind a link in a mail or a code on a wall: the token in the address is the key, and nobody signs in."""

from __future__ import annotations

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from integration.errors import PodsError
from integration.language import Wording


class Closed(PodsError):
    """A link that leads nowhere: forged (404), impossible (409), over or erased (410), or used too often (429)."""

    def __init__(self, status: int, message: Wording, *, remedy: Wording = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


def keep_keyed(blueprint: Blueprint) -> None:
    """Let all answers of a blueprint be private, and its closed links say why in words."""
    blueprint.register_error_handler(Closed, _show_closed)
    blueprint.after_request(_keep_private)


def _show_closed(error: Closed) -> ResponseReturnValue:
    return render_template("closed.html", error=error), error.status


def _keep_private(response: Response) -> Response:
    """No copy of the page, and no other site that learns the address."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
