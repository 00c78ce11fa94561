"""Control of notifications: what waits, what goes wrong on the way, how receivers stand, tokens they check."""

from dataclasses import asdict, fields
from datetime import timedelta
from typing import cast

from flask import Blueprint, Response, current_app, jsonify, request

from ..tenant.endpoints import STATES, WINDOW
from ..tenant.notifications import NotificationFaults
from ..tenant.refusals import Refused
from .odata import current_tenant
from .openid_state import Wrong
from .signatures import SIGNATURES
from .validation_tokens import ValidationTokens

blueprint = Blueprint("notification_control", __name__)


@blueprint.get("/control/notifications")
def list_notifications() -> Response:
    tenant = current_tenant()
    with tenant.lock:
        kept = tenant.subscriptions.deliveries
        shown = {
            "undelivered": kept.undelivered,
            "waiting": [
                {"url": one.url, "due_at": one.due_at.isoformat(), "attempts": one.attempts, "item": one.item}
                for one in kept.waiting
            ],
            "delivered": len(kept.delivered),
            "discarded": kept.discarded,
            "lost": kept.lost,
            "faults": asdict(kept.faults),
            "ordered": [one.as_json() for one in kept.orders],
        }
    return jsonify(shown)


@blueprint.post("/control/notifications")
def order_notification_faults() -> Response:
    """`delay_seconds`, `duplicates`, `reorder`, `drop`; what is not named goes back to no fault."""
    sent, tenant = request.get_json(), current_tenant()
    known = {field.name: type(field.default) for field in fields(NotificationFaults)}
    for name, value in sent.items():
        if name not in known or not isinstance(value, known[name]):
            raise Refused(400, "BadRequest", f"{name!r} is none of {', '.join(known)}, or {value!r} does not fit it.")
    with tenant.lock:
        tenant.subscriptions.deliveries.faults = NotificationFaults(**sent)
    return jsonify(sent)


@blueprint.get("/control/subscriptions")
def list_subscriptions() -> Response:
    tenant = current_tenant()
    with tenant.lock:
        shown = [
            {
                "id": one.id,
                "resource": one.resource,
                "expires_at": one.expires_at.isoformat(),
                "with_data": one.recipient is not None,
                "paused": tenant.subscriptions.paused(one.id),
            }
            for one in tenant.subscriptions.all()
        ]
    return jsonify(shown)


@blueprint.post("/control/lifecycle")
def send_lifecycle() -> Response:
    """`event` (reauthorizationRequired, subscriptionRemoved, missed) to `subscription_id`, or to all that listen."""
    sent, tenant = request.get_json(), current_tenant()
    with tenant.lock:
        kept = tenant.subscriptions
        event = str(sent.get("event", ""))
        listening = [one for one in kept.all() if one.lifecycle_url and event in one.watched.kind.lifecycle]
        chosen = [kept.find(str(sent["subscription_id"]))] if sent.get("subscription_id") else listening
        for one in chosen:
            kept.send_lifecycle(one, event)
    return jsonify({"sent": len(chosen)})


@blueprint.get("/control/endpoints")
def list_endpoints() -> Response:
    tenant = current_tenant()
    with tenant.lock:
        return jsonify(tenant.subscriptions.deliveries.endpoints.as_json())


@blueprint.post("/control/endpoints")
def put_endpoint() -> Response:
    """`host` (with port, as in the address) is `normal`, `slow` or `drop` (`state`), for `minutes` (10)."""
    sent, tenant = request.get_json(), current_tenant()
    if sent.get("state") not in STATES or not sent.get("host"):
        raise Refused(400, "BadRequest", f"host and state are needed; state is one of {', '.join(STATES)}.")
    lasts = timedelta(minutes=float(sent["minutes"])) if "minutes" in sent else WINDOW
    with tenant.lock:
        tenant.subscriptions.deliveries.endpoints.put(str(sent["host"]), sent["state"], lasts=lasts)
    return list_endpoints()


@blueprint.post("/control/validation-tokens")
def order_wrong_tokens() -> Response:
    """`claims` (null removes one) or `signature` (RS256, none, HS256, unknown, forged) of the next tokens, for so
    many `times`."""
    sent = request.get_json()
    if set(sent) - {"claims", "signature", "times"} or sent.get("signature", "RS256") not in SIGNATURES:
        raise Refused(400, "BadRequest", f"claims, signature ({', '.join(SIGNATURES)}) and times can be ordered.")
    _tokens().order(Wrong(**sent))
    return jsonify({"ordered": 1})


@blueprint.delete("/control/validation-tokens")
def forget_wrong_tokens() -> Response:
    _tokens().forget_orders()
    return jsonify({"ordered": 0})


def _tokens() -> ValidationTokens:
    return cast(ValidationTokens, current_app.extensions["validation_tokens"])
