"""The web application: probes, security headers, error pages, and the blueprints of the packages."""

from __future__ import annotations

import os
import secrets
from typing import Any

from flask import Flask, Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound, ServiceUnavailable
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from integration import log
from integration.admin import door
from integration.admin import views as admin
from integration.admin.error_words import words_of
from integration.admin.navigation import add_navigation, first_page
from integration.admin.oidc import Issuer
from integration.admin.sessions import StoredSessions
from integration.admin.showing import register_filters
from integration.admin.views_auth import PER_MINUTE, REFUSALS_PER_MINUTE
from integration.admin.views_auth_teams import FRAMES, begin, may_be_framed
from integration.api import problems
from integration.api import views as api
from integration.api.repeating import KeyReused
from integration.attendance import views_checkins as check_in
from integration.config import Settings
from integration.errors import Conflict, InputRefused, NotThere, PodsError
from integration.feedback import views_shared as feedback  # adds its page to those of views
from integration.gauges import Gauges
from integration.language import LANGUAGES, gettext, language, ngettext, speak
from integration.pace import Pace
from integration.portal import views as portal
from integration.readiness import Readiness
from integration.scheduling.proposals import views as proposals
from integration.summaries import views as summaries
from integration.tools import Tools
from integration.webhooks.desk import Desk
from integration.webhooks.receiver import HTTPS_FOR_A_YEAR, Receiver

LARGEST_ID = 2**31 - 1  # of an INTEGER column on PostgreSQL
LARGEST_UPLOAD_BYTES = 8 * 1024 * 1024
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STATUS_OF: dict[type[PodsError], int] = {InputRefused: 400, NotThere: 404, Conflict: 409, KeyReused: 422}

CSRF = CSRFProtect()

logger = log.get_logger(__name__)


class RowId(IntegerConverter):
    """A number in an address: one that is larger than any row's id leads nowhere, instead of breaking the query."""

    def __init__(self, url_map: Map, *, max: int = LARGEST_ID, **more: Any) -> None:
        super().__init__(url_map, max=max, **more)


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
        WTF_CSRF_SSL_STRICT=False,  # it would ask for the Referer that our own headers keep browsers from sending
    )
    app.url_map.converters["int"] = RowId
    _trust_proxies(app, settings.trusted_proxies)
    tools = Tools.from_settings(settings)
    app.extensions["tools"] = tools
    app.extensions["issuer"] = Issuer(settings)
    app.extensions["sign_in_pace"] = Pace(limit=PER_MINUTE, seconds=60)
    app.extensions["refusal_pace"] = Pace(limit=REFUSALS_PER_MINUTE, seconds=60)
    app.session_interface = StoredSessions(tools.database)
    gauges = Gauges(tools)
    _add_probes(app, tools, gauges)  # first what counts and names every request, even one that is refused
    _add_headers(app, secure=secure)
    _add_languages(app)  # before the door, which may refuse in words
    door.install(app, tools, [api.visitor_by_token, door.visitor_by_session])
    CSRF.init_app(app)
    add_navigation(app)
    register_filters(app)
    _add_error_pages(app)
    _add_pages(app)
    door.refuse_open_views(app)
    app.extensions["desk"] = desk = Desk(tools)
    app.wsgi_app = Receiver(app.wsgi_app, desk, count=gauges.count, secure=secure)
    return app


def _trust_proxies(app: Flask, count: int) -> None:
    """Believe the client's address as so many proxies of ours tell it; without any, what the connection says counts.

    Anybody can write the header: what stands further left than our own proxies wrote is never read.
    """
    if count:
        # Of the scheme and the host we believe nobody: PUBLIC_URL says both.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=0, x_host=0, x_port=0, x_prefix=0)


def create_app_from_environment() -> Flask:
    """What the web server calls in each of its processes."""
    settings = Settings.from_environment(os.environ)
    log.configure(level=settings.log_level, as_json=settings.log_json)
    return create_app(settings)


def _add_probes(app: Flask, tools: Tools, gauges: Gauges) -> None:
    readiness = Readiness(tools)
    gauges.watch(app)

    @app.get("/healthz")
    @door.public
    def healthz() -> ResponseReturnValue:
        return {"status": "alive"}

    @app.get("/readyz")
    @door.public
    def readyz() -> ResponseReturnValue:
        reasons = {part: str(reason) for part, reason in readiness.reasons().items()}
        return {"status": "not ready" if reasons else "ready", "reasons": reasons}, 503 if reasons else 200

    @app.get("/metrics")
    @door.public
    def metrics() -> ResponseReturnValue:
        return Response(gauges.text(), content_type=gauges.content_type)


def _add_headers(app: Flask, *, secure: bool) -> None:
    @app.before_request
    def name_request() -> None:
        g.reference = secrets.token_hex(5)

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", _content_security_policy())
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if request.endpoint != "static":
            headers.setdefault("Cache-Control", "no-store")
        if secure:
            headers.setdefault(*HTTPS_FOR_A_YEAR)
        return response


def _content_security_policy() -> str:
    if not may_be_framed():
        return CONTENT_SECURITY_POLICY
    return CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {FRAMES}")


def _add_languages(app: Flask) -> None:
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.globals.update(gettext=gettext, ngettext=ngettext, _=gettext)

    @app.before_request
    def choose() -> None:
        visitor = door.known_visitor()
        preferred = visitor.language if visitor else ""
        speak(preferred or request.accept_languages.best_match(LANGUAGES))

    @app.context_processor
    def tell() -> dict[str, object]:
        return {"language": language()}

    @app.after_request
    def name_language(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.headers.setdefault("Content-Language", language())
            response.vary.add("Accept-Language")
        return response

    @app.teardown_request
    def fall_silent(_error: BaseException | None) -> None:
        speak(None)  # whatever this thread says next is not said to this visitor


def _add_error_pages(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> ResponseReturnValue:
        status = error.code or 500
        if status < 400:
            return error  # a redirect
        if request.path.startswith(api.PATH):
            return problems.problem_of(error, reference=g.get("reference", ""))
        return _error(status, *words_of(error))

    @app.errorhandler(PodsError)
    def explain(error: PodsError) -> ResponseReturnValue:
        if isinstance(error, NotThere) and not request.path.startswith(api.PATH):
            return _error(404, *words_of(NotFound()))  # like a thing out of reach, so that nobody can tell which
        status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), 503)
        return _error(status, error.message, error.remedy)

    @app.errorhandler(OperationalError)
    def wait(error: OperationalError) -> ResponseReturnValue:
        logger.error("database away", reference=g.reference, endpoint=request.endpoint)
        g.setdefault("visitor", None)  # who they are stands there, too
        return _error(503, *words_of(ServiceUnavailable()))

    @app.errorhandler(Exception)
    def apologise(error: Exception) -> ResponseReturnValue:
        logger.exception("request broke", reference=g.reference, endpoint=request.endpoint)
        return _error(500, *words_of(InternalServerError()))


def _error(status: int, title: str, advice: str) -> ResponseReturnValue:
    reference = g.get("reference", "")
    if request.path.startswith(api.PATH):
        return problems.problem(status, f"{title} {advice}".strip(), reference=reference)
    return render_template("error.html", status=status, title=title, advice=advice, reference=reference), status


def _add_pages(app: Flask) -> None:
    @app.get("/")
    @door.public
    def landing() -> ResponseReturnValue:
        visitor = door.known_visitor()
        first = first_page(app, visitor) if visitor else None
        return redirect(first) if first else render_template("landing.html")

    for blueprint in (
        feedback.blueprint,
        summaries.blueprint,
        proposals.blueprint,
        portal.feeds,
        check_in.blueprint,
    ):
        CSRF.exempt(blueprint)  # a token in the address is the key there, and no cookie is asked for
        app.register_blueprint(blueprint)
    CSRF.exempt(api.blueprint)  # a cookie opens nothing there, so nobody's browser can be made to ask
    app.register_blueprint(api.blueprint)
    CSRF.exempt(begin)  # the token of Teams is the proof there
    for blueprint in admin.BLUEPRINTS:
        app.register_blueprint(blueprint)
