"""The tenant over HTTP: every Graph address, the sign-in, the pages people see, and the control API."""

import copy
import functools

from flask import Flask, Response, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from ..faults import Faults
from ..tenant.refusals import Refused
from ..tenant.tenant import Tenant
from . import (
    auth,
    batch,
    calendar_control,
    calendarview,
    call_records,
    control,
    delegate_pages,
    eventactions,
    events,
    inbox_control,
    mail_control,
    mailbox_settings,
    meetings,
    messages,
    notification_control,
    openid,
    openid_control,
    pages,
    schedule,
    subscriptions,
    teams_control,
    user_delta,
    users,
)
from .auth import claims_of_request, signing_key
from .door import GRAPH, Door, refusal
from .odata import GraphFault, current_tenant
from .openid_state import OpenIdState
from .record import Recorder
from .resource_data import content_of
from .throttle import MailboxThrottle
from .validation_tokens import ValidationTokens

BLUEPRINTS = (
    auth.blueprint,
    openid.blueprint,
    openid_control.blueprint,
    users.blueprint,
    user_delta.blueprint,
    mailbox_settings.blueprint,
    schedule.blueprint,
    batch.blueprint,
    events.blueprint,
    eventactions.blueprint,
    calendar_control.blueprint,
    calendarview.blueprint,
    meetings.blueprint,
    call_records.blueprint,
    messages.blueprint,
    subscriptions.blueprint,
    pages.blueprint,
    delegate_pages.blueprint,
    control.blueprint,
    mail_control.blueprint,
    inbox_control.blueprint,
    notification_control.blueprint,
    teams_control.blueprint,
)


def create_simulator(tenant: Tenant, *, faults: Faults | None = None, recorder: Recorder | None = None) -> Flask:
    """A WSGI application. Its views find the tenant by `odata.current_tenant()`."""
    app = copy.copy(_addresses())
    faults = faults or Faults()
    throttle = MailboxThrottle(tenant)
    door = Door(Flask.wsgi_app.__get__(app), tenant=tenant, faults=faults, throttle=throttle, recorder=recorder)
    app.extensions = {"tenant": tenant, "faults": faults, "throttle": throttle, "tokens": {}, "door": door}
    app.extensions["openid"] = OpenIdState(signing_key)
    app.extensions["validation_tokens"] = ValidationTokens(tenant, app.extensions["openid"].keys)
    tenant.subscriptions.content_of = functools.partial(content_of, app)
    app.wsgi_app = door  # type: ignore[method-assign]
    return app


@functools.cache
def _addresses() -> Flask:
    """Every address with its view, compiled once per process: that takes ten times as long as seeding a tenant.

    A simulator is a copy which shares these and has its own `extensions`, the only place its state is kept.
    """
    app = Flask(__name__)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.before_request(admit)
    app.register_error_handler(GraphFault, refused)
    app.register_error_handler(Refused, turned_down)
    app.register_error_handler(NotFound, unknown_address)
    app.register_error_handler(MethodNotAllowed, unknown_method)
    app.url_map.update()
    return app


def admit() -> None:
    """Lets the tenant catch up with its clock; for Graph, asks for a token before anything else."""
    tenant = current_tenant()
    tenant.advance()
    if request.path.startswith(GRAPH):
        claims_of_request()


def refused(fault: GraphFault) -> Response:
    answer = refusal(fault, request.environ, tenant=current_tenant())
    return Response(answer.body, status=fault.status, headers=answer.headers)


def turned_down(refusal: Refused) -> Response:
    return refused(GraphFault(refusal.status, refusal.code, refusal.message, details=refusal.details))


def unknown_address(_: NotFound) -> Response:
    if not request.path.startswith(GRAPH):
        return Response("There is nothing here.\n", status=404, content_type="text/plain")
    segment = request.path.rstrip("/").rsplit("/", 1)[-1]
    return refused(GraphFault(400, "BadRequest", f"Resource not found for the segment '{segment}'."))


def unknown_method(_: MethodNotAllowed) -> Response:
    message = "Specified HTTP method is not allowed for the request target."
    return refused(GraphFault(405, "Request_BadRequest", message))
