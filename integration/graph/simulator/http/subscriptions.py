"""/subscriptions: create with a handshake, read, renew, reauthorize, delete. Facts 5."""

from datetime import datetime
from urllib.parse import urlsplit

from flask import Blueprint, Response

from ..tenant.notifications import instant
from ..tenant.refusals import Refused
from ..tenant.subscriptions import CHANGE_TYPES, CLIENT_STATE_LENGTH, Subscription
from .delivery import handshake
from .odata import Json, body, collection, context_url, current_tenant, known_properties, preferences, respond, select
from .permissions import allowed, has_role

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
_ROLES = {
    "events": ("Calendars.Read", "Calendars.ReadWrite"),
    "messages": ("Mail.Read", "Mail.ReadWrite", "Mail.ReadBasic.All"),
}


@blueprint.post("/v1.0/subscriptions")
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
@allowed("GET /subscriptions")
def list_subscriptions() -> Response:
    items = [_json(one) for one in current_tenant().subscriptions.all()]
    return collection(
        items, context="subscriptions", type_name="subscription", default_page=100, next_by="$skiptoken"
    )


@blueprint.get("/v1.0/subscriptions/<subscription_id>")
@allowed("GET /subscriptions/{subscription-id}")
def get_subscription(subscription_id: str) -> Response:
    return _entity(current_tenant().subscriptions.find(subscription_id))


@blueprint.patch("/v1.0/subscriptions/<subscription_id>")
@allowed("PATCH /subscriptions/{subscription-id}", locked=False)
def renew_subscription(subscription_id: str) -> Response:
    """Takes a new expiry and a new notificationUrl, which is asked to prove that it listens."""
    tenant = current_tenant()
    sent = body()
    known_properties(sent, WRITABLE, "subscription")
    for name in sorted(sent.keys() - {"expirationDateTime", "notificationUrl"}):
        if "@" not in name:
            raise Refused(400, "BadRequest", f"{name} cannot be changed; delete the subscription and create another.")
    with tenant.lock:
        tenant.subscriptions.find(subscription_id)
        token = f"Validation: Testing client application reachability: {tenant.new_guid()}"
    if "notificationUrl" in sent and (failure := handshake(_address(sent, "notificationUrl"), token)):
        raise Refused(400, "ValidationError", f"Subscription validation request failed. {failure}")
    with tenant.lock:
        subscription = tenant.subscriptions.find(subscription_id)
        if "expirationDateTime" in sent:
            tenant.subscriptions.renew(subscription, _expiry(sent))
        if "notificationUrl" in sent:
            subscription.notification_url = _address(sent, "notificationUrl")
        return _entity(subscription)


@blueprint.delete("/v1.0/subscriptions/<subscription_id>")
@allowed("DELETE /subscriptions/{subscription-id}")
def delete_subscription(subscription_id: str) -> Response:
    subscriptions = current_tenant().subscriptions
    subscriptions.remove(subscriptions.find(subscription_id))
    return respond(status=204)


@blueprint.post("/v1.0/subscriptions/<subscription_id>/reauthorize")
@allowed("POST /subscriptions/{subscription-id}/reauthorize")
def reauthorize_subscription(subscription_id: str) -> Response:
    """Keeps the subscription alive until its expiry, which does not move."""
    current_tenant().subscriptions.find(subscription_id)
    return respond(status=204)


def _from_body(sent: Json) -> Subscription:
    tenant = current_tenant()
    for name in ("changeType", "notificationUrl", "resource", "expirationDateTime"):
        if not isinstance(sent.get(name), str) or not sent[name]:
            raise Refused(400, "InvalidRequest", f"The property {name} is required to create a subscription.")
    if sent.get("includeResourceData"):
        raise Refused(400, "NotSupported", "This simulator has no notifications with resource data; leave them out.")
    client_state = sent.get("clientState")
    if client_state is not None and len(str(client_state)) > CLIENT_STATE_LENGTH:
        raise Refused(400, "ValidationError", f"clientState is longer than {CLIENT_STATE_LENGTH} characters.")
    watched = tenant.subscriptions.watched_by(str(sent["resource"]))
    if not has_role(*_ROLES[watched.collection]):
        raise Refused(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    return Subscription(
        id=tenant.new_guid(),
        resource=str(sent["resource"]),
        watched=watched,
        change_types=_change_types(str(sent["changeType"])),
        notification_url=_address(sent, "notificationUrl"),
        lifecycle_url=_address(sent, "lifecycleNotificationUrl") if sent.get("lifecycleNotificationUrl") else None,
        client_state=None if client_state is None else str(client_state),
        expires_at=tenant.subscriptions.lifetime(_expiry(sent)),
        application_id=tenant.app_id,
        creator_id=tenant.app_id,
        immutable_ids=preferences().get("idtype") == "ImmutableId",
        tls_version=str(sent.get("latestSupportedTlsVersion") or "v1_2"),
    )


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
        "includeResourceData": None,
        "latestSupportedTlsVersion": subscription.tls_version,
        "encryptionCertificate": None,
        "encryptionCertificateId": None,
        "notificationUrlAppId": None,
    }
