"""The web application: probes, security headers, error pages, and the blueprints of the packages."""

from __future__ import annotations

import os
import secrets

from flask import Flask, Response, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, InternalServerError

from integration import log
from integration.config import Settings
from integration.errors import Conflict, InputRefused, NotThere, PodsError
from integration.feedback import views as feedback
from integration.gauges import Gauges
from integration.portal import views as portal
from integration.readiness import Readiness
from integration.summaries import views as summaries
from integration.tools import Tools
from integration.webhooks import views as webhooks

LARGEST_UPLOAD_BYTES = 8 * 1024 * 1024
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STATUS_OF: dict[type[PodsError], int] = {InputRefused: 400, NotThere: 404, Conflict: 409}

logger = log.get_logger(__name__)


def create_app(settings: Settings) -> Flask:
    """The application; it starts with Graph, Redis and the sign-in out of reach, and connects when asked."""
    app = Flask(__name__, static_folder="admin/static", template_folder="admin/templates")
    secure = settings.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="__Host-pods" if secure else "pods",
        MAX_CONTENT_LENGTH=LARGEST_UPLOAD_BYTES,
    )
    tools = Tools.from_settings(settings)
    app.extensions["tools"] = tools
    _add_probes(app, tools)
    _add_headers(app, secure=secure)
    _add_error_pages(app)
    _add_pages(app)
    return app


def create_app_from_environment() -> Flask:
    """What the web server calls in each of its processes."""
    settings = Settings.from_environment(os.environ)
    log.configure(level=settings.log_level, as_json=settings.log_json)
    return create_app(settings)


def _add_probes(app: Flask, tools: Tools) -> None:
    readiness, gauges = Readiness(tools), Gauges(tools)
    gauges.watch(app)

    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return {"status": "alive"}

    @app.get("/readyz")
    def readyz() -> ResponseReturnValue:
        reasons = readiness.reasons()
        return {"status": "not ready" if reasons else "ready", "reasons": reasons}, 503 if reasons else 200

    @app.get("/metrics")
    def metrics() -> ResponseReturnValue:
        return Response(gauges.text(), content_type=gauges.content_type)


def _add_headers(app: Flask, *, secure: bool) -> None:
    @app.before_request
    def name_request() -> None:
        g.reference = secrets.token_hex(5)

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if request.endpoint != "static":
            headers.setdefault("Cache-Control", "no-store")
        if secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response


def _add_error_pages(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> ResponseReturnValue:
        status = error.code or 500
        if status < 400:
            return error  # a redirect
        return _error(status, error.name, error.description or "")

    @app.errorhandler(PodsError)
    def explain(error: PodsError) -> ResponseReturnValue:
        status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), 503)
        return _error(status, error.message, error.remedy)

    @app.errorhandler(Exception)
    def apologise(error: Exception) -> ResponseReturnValue:
        logger.exception("request broke", reference=g.reference, endpoint=request.endpoint)
        return _error(500, InternalServerError().name, "The reference below leads to the details in the log.")


def _error(status: int, title: str, advice: str) -> ResponseReturnValue:
    reference = g.get("reference", "")
    if request.path.startswith(("/api/", "/webhooks/")):
        return jsonify(error={"title": title, "advice": advice, "reference": reference}), status
    return render_template("error.html", status=status, title=title, advice=advice, reference=reference), status


def _add_pages(app: Flask) -> None:
    @app.get("/")
    def landing() -> ResponseReturnValue:
        return render_template("landing.html")

    for blueprint in (webhooks.blueprint, feedback.blueprint, summaries.blueprint, portal.blueprint):
        app.register_blueprint(blueprint)
