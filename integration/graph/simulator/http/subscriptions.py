"""/subscriptions: create with a handshake, read, renew, reauthorize, delete. Facts 5."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from ..tenant.notifications import instant
from ..tenant.refusals import Refused
from ..tenant.resources import Watched, watched_by
from ..tenant.sealing import Recipient, recipient
from ..tenant.subscriptions import CHANGE_TYPES, CLIENT_STATE_LENGTH, Subscription
from .delivery import handshake
from .odata import Json, body, collection, context_url, current_tenant, known_properties, preferences, respond, select
from .permissions import allowed, has_role
from .resource_data import check_names

blueprint = Blueprint("subscriptions", __name__)

WRITABLE = {
    "changeType",
    "clientState",
    "encryptionCertificate",
    "encryptionCertificateId",
    "expirationDateTime",
    "includeResourceData",
    "latestSupportedTlsVersion",
    "lifecycleNotificationUrl",
    "notificationQueryOptions",
    "notificationUrl",
    "notificationUrlAppId",
    "resource",
}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CHANGEABLE = {"expirationDateTime", "notificationUrl", "encryptionCertificate", "encryptionCertificateId"}
TEAMS_WITHOUT_LIFECYCLE = timedelta(hours=1)
"""Subscriptions on Teams resources that live longer need a lifecycleNotificationUrl. Facts 5.1."""


@blueprint.post("/v1.0/subscriptions")
@blueprint.post("/beta/subscriptions")
@allowed("POST /subscriptions", locked=False)
def create_subscription() -> Response:
    """The caller waits while both addresses are asked to prove that they listen; the tenant does not."""
    tenant = current_tenant()
    sent = body()
    known_properties(sent, WRITABLE, "subscription")
    with tenant.lock:
        subscription = _from_body(sent)
        tenant.subscriptions.check_free(subscription)
        tokens = [
            f"Validation: Testing client application reachability for subscription Request-Id: {tenant.new_guid()}"
            for _ in range(2)
        ]
    urls = [subscription.notification_url, subscription.lifecycle_url]
    for url, token in zip(urls, tokens, strict=True):
        failure = handshake(url, token) if url else None
        if failure:
            raise Refused(400, "ValidationError", f"Subscription validation request failed. {failure}")
    with tenant.lock:
        tenant.subscriptions.check_free(subscription)
        tenant.subscriptions.add(subscription)
    return respond({"@odata.context": context_url("subscriptions/$entity"), **_json(subscription)}, 201)


@blueprint.get("/v1.0/subscriptions")
@blueprint.get("/beta/subscriptions")
@allowed("GET /subscriptions")
def list_subscriptions() -> Response:
    items = [_json(one) for one in current_tenant().subscriptions.all()]
    return collection(
        items, context="subscriptions", type_name="subscription", default_page=100, next_by="$skiptoken"
    )


@blueprint.get("/v1.0/subscriptions/<subscription_id>")
@blueprint.get("/beta/subscriptions/<subscription_id>")
@allowed("GET /subscriptions/{subscription-id}")
def get_subscription(subscription_id: str) -> Response:
    return _entity(current_tenant().subscriptions.find(subscription_id))


@blueprint.patch("/v1.0/subscriptions/<subscription_id>")
@blueprint.patch("/beta/subscriptions/<subscription_id>")
@allowed("PATCH /subscriptions/{subscription-id}", locked=False)
def renew_subscription(subscription_id: str) -> Response:
    """Takes a new expiry, another certificate, and a new notificationUrl, which has to prove that it listens."""
    tenant = current_tenant()
    sent = body()
    known_properties(sent, WRITABLE, "subscription")
    for name in sorted(sent.keys() - _CHANGEABLE):
        if "@" not in name:
            raise Refused(400, "BadRequest", f"{name} cannot be changed; delete the subscription and create another.")
    with tenant.lock:
        _check_roles(tenant.subscriptions.find(subscription_id).watched)
        token = f"Validation: Testing client application reachability: {tenant.new_guid()}"
    if "notificationUrl" in sent and (failure := handshake(_address(sent, "notificationUrl"), token)):
        raise Refused(400, "ValidationError", f"Subscription validation request failed. {failure}")
    with tenant.lock:
        subscription = tenant.subscriptions.find(subscription_id)
        rotated = _rotated(subscription, sent)
        if "expirationDateTime" in sent:
            tenant.subscriptions.renew(subscription, _expiry(sent))
        if "notificationUrl" in sent:
            subscription.notification_url = _address(sent, "notificationUrl")
        subscription.recipient = rotated
        return _entity(subscription)


@blueprint.delete("/v1.0/subscriptions/<subscription_id>")
@blueprint.delete("/beta/subscriptions/<subscription_id>")
@allowed("DELETE /subscriptions/{subscription-id}")
def delete_subscription(subscription_id: str) -> Response:
    subscriptions = current_tenant().subscriptions
    subscriptions.remove(subscriptions.find(subscription_id))
    return respond(status=204)


@blueprint.post("/v1.0/subscriptions/<subscription_id>/reauthorize")
@blueprint.post("/beta/subscriptions/<subscription_id>/reauthorize")
@allowed("POST /subscriptions/{subscription-id}/reauthorize")
def reauthorize_subscription(subscription_id: str) -> Response:
    """Keeps the subscription alive until its expiry, which does not move."""
    subscriptions = current_tenant().subscriptions
    subscription = subscriptions.find(subscription_id)
    _check_roles(subscription.watched)
    subscriptions.reauthorize(subscription)
    return respond(status=204)


def _from_body(sent: Json) -> Subscription:
    tenant = current_tenant()
    for name in ("changeType", "notificationUrl", "resource", "expirationDateTime"):
        if not isinstance(sent.get(name), str) or not sent[name]:
            raise Refused(400, "InvalidRequest", f"The property {name} is required to create a subscription.")
    client_state = sent.get("clientState")
    if client_state is not None and len(str(client_state)) > CLIENT_STATE_LENGTH:
        raise Refused(400, "ValidationError", f"clientState is longer than {CLIENT_STATE_LENGTH} characters.")
    with_data = sent.get("includeResourceData") is True
    beta = request.path.startswith("/beta/")
    watched = watched_by(tenant, str(sent["resource"]), with_data=with_data, beta=beta)
    _check_roles(watched)
    check_names(watched)
    to = recipient(sent.get("encryptionCertificate"), sent.get("encryptionCertificateId")) if with_data else None
    expires_at = tenant.subscriptions.lifetime(watched, _expiry(sent), with_data=with_data)
    long = expires_at > tenant.clock.now() + TEAMS_WITHOUT_LIFECYCLE
    if watched.kind.is_teams and long and not sent.get("lifecycleNotificationUrl"):
        message = "lifecycleNotificationUrl is required for subscriptions on this resource longer than 1 hour."
        raise Refused(400, "ValidationError", message)
    return Subscription(
        id=tenant.new_guid(),
        resource=str(sent["resource"]),
        watched=watched,
        change_types=_change_types(str(sent["changeType"])),
        notification_url=_address(sent, "notificationUrl"),
        lifecycle_url=_address(sent, "lifecycleNotificationUrl") if sent.get("lifecycleNotificationUrl") else None,
        client_state=None if client_state is None else str(client_state),
        expires_at=expires_at,
        application_id=tenant.app_id,
        creator_id=tenant.app_id,
        immutable_ids=preferences().get("idtype") == "ImmutableId",
        tls_version=str(sent.get("latestSupportedTlsVersion") or "v1_2"),
        recipient=to,
    )


def _check_roles(watched: Watched) -> None:
    if not has_role(*watched.kind.roles):
        raise Refused(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def _rotated(subscription: Subscription, sent: Json) -> Recipient | None:
    """The certificate from now on; certificate and id change together, and only where there was one."""
    if not sent.keys() & {"encryptionCertificate", "encryptionCertificateId"}:
        return subscription.recipient
    if subscription.recipient is None:
        raise Refused(400, "BadRequest", "This subscription has no resource data, so no encryptionCertificate.")
    return recipient(sent.get("encryptionCertificate"), sent.get("encryptionCertificateId"))


def _change_types(sent: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(part.strip() for part in sent.split(",")))
    if not set(named) <= set(CHANGE_TYPES):
        raise Refused(400, "InvalidRequest", f"changeType takes {', '.join(CHANGE_TYPES)}, not {sent!r}.")
    return named


def _address(sent: Json, name: str) -> str:
    """https, or http on this machine."""
    url = str(sent[name])
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url
    raise Refused(400, "InvalidRequest", f"{name} must be an https address.")


def _expiry(sent: Json) -> datetime:
    try:
        at = datetime.fromisoformat(str(sent["expirationDateTime"]))
    except ValueError as error:
        raise Refused(400, "BadRequest", f"expirationDateTime is no date-time: {error}") from error
    if at.tzinfo is None:
        raise Refused(400, "BadRequest", "expirationDateTime needs an offset or a Z.")
    return at


def _entity(subscription: Subscription) -> Response:
    item = select(_json(subscription), type_name="subscription")
    return respond({"@odata.context": context_url("subscriptions/$entity"), **item})


def _json(subscription: Subscription) -> Json:
    to = subscription.recipient
    return {
        "id": subscription.id,
        "resource": subscription.resource,
        "applicationId": subscription.application_id,
        "changeType": ",".join(subscription.change_types),
        "clientState": subscription.client_state,
        "notificationUrl": subscription.notification_url,
        "notificationQueryOptions": None,
        "lifecycleNotificationUrl": subscription.lifecycle_url,
        "expirationDateTime": instant(subscription.expires_at),
        "creatorId": subscription.creator_id,
        "includeResourceData": True if to else None,
        "latestSupportedTlsVersion": subscription.tls_version,
        "encryptionCertificate": to.certificate if to else None,
        "encryptionCertificateId": to.certificate_id if to else None,
        "notificationUrlAppId": None,
    }
