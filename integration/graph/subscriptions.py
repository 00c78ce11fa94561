"""Subscriptions to change notifications. https://learn.microsoft.com/graph/api/resources/subscription"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from integration.graph import operations
from integration.graph.errors import GraphError, NotFound, Rejected
from integration.graph.resources import Subscription
from integration.graph.translate import WireSubscription, subscription_in
from integration.graph.transport import Page, Request, Transport, decoded, instant


@dataclass(frozen=True)
class Encryption:
    """For whom Graph encrypts the data in notifications: base64 of an X.509 certificate, and our name of it."""

    certificate_id: str
    certificate: str


def call_events_of(join_url: str) -> str:
    """The resource of the call events of a meeting; a beta interface.

    https://learn.microsoft.com/graph/changenotifications-for-onlinemeeting
    """
    return f"communications/onlineMeetings(joinWebUrl='{quote(join_url, safe='')}')/meetingCallEvents"


class SubscriptionCalls:
    """What Graph tells us about. Every call raises GraphError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        resource: str,
        url: str,
        *,
        lifecycle_url: str,
        client_state: str,
        expires_at: datetime,
        change_type: str = "created,updated,deleted",
        encryption: Encryption | None = None,
    ) -> Subscription:
        """Subscribe; Graph calls ``url`` to check it before it answers.

        Where the same subscription exists already (409) it is adopted and renewed. It then still speaks with the
        client state it was made with: delete it and create anew where that one is not known any more.

        With ``encryption`` notifications carry data; what offers that (call events) is beta only.
        """
        request = Request(
            operation=operations.CREATE_SUBSCRIPTION,
            builder=None if encryption else self._transport.root.subscriptions,
            link=f"{self._transport.base_url.removesuffix('/v1.0')}/beta/subscriptions" if encryption else None,
            body={
                "changeType": change_type,
                "notificationUrl": url,
                "lifecycleNotificationUrl": lifecycle_url,
                "resource": resource,
                "expirationDateTime": instant(expires_at),
                "clientState": client_state,
                **({"includeResourceData": True} if encryption else {}),
                **_encrypted_for(encryption),
            },
        )
        try:
            return self._subscription(request)
        except Rejected as error:
            if error.status != 409:
                raise
            return self._adopted(resource, url, expires_at, encryption, error)

    def renew(
        self, subscription_id: str, expires_at: datetime, *, encryption: Encryption | None = None
    ) -> Subscription:
        """Extend it, and have data encrypted for this certificate from now on.

        Raises NotFound when it is gone: create it anew and read what was missed.
        """
        request = Request(
            operation=operations.RENEW_SUBSCRIPTION,
            builder=self._transport.root.subscriptions.by_subscription_id(subscription_id),
            body={"expirationDateTime": instant(expires_at), **_encrypted_for(encryption)},
        )
        return self._subscription(request)

    def delete(self, subscription_id: str) -> None:
        """End it; already gone counts as done."""
        request = Request(
            operation=operations.DELETE_SUBSCRIPTION,
            builder=self._transport.root.subscriptions.by_subscription_id(subscription_id),
        )
        with suppress(NotFound):
            self._transport.send(request)

    def list(self) -> tuple[Subscription, ...]:
        """All subscriptions of this application in the tenant. Graph allows few of these calls: 25 in 20 seconds."""
        request = Request(operation=operations.LIST_SUBSCRIPTIONS, builder=self._transport.root.subscriptions)
        return tuple(subscription_in(wire) for wire in self._transport.collect(request, Page[WireSubscription]))

    def _subscription(self, request: Request) -> Subscription:
        wire = decoded(self._transport.send(request), WireSubscription, operation=request.operation)
        return subscription_in(wire)

    def _adopted(
        self,
        resource: str,
        url: str,
        expires_at: datetime,
        encryption: Encryption | None,
        refusal: GraphError,
    ) -> Subscription:
        for found in self.list():
            if found.resource.strip("/").lower() == resource.strip("/").lower() and found.notification_url == url:
                return self.renew(found.id, expires_at, encryption=encryption)
        raise refusal


def _encrypted_for(encryption: Encryption | None) -> dict[str, object]:
    if encryption is None:
        return {}
    return {
        "encryptionCertificate": encryption.certificate,
        "encryptionCertificateId": encryption.certificate_id,
    }
