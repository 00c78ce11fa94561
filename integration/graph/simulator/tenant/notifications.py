"""The shapes of change notifications and lifecycle notifications, and what may go wrong on their way."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .subscriptions import Subscription
    from .tenant import Tenant

_TYPES = {"events": ("Events", "#Microsoft.Graph.Event"), "messages": ("Messages", "#Microsoft.Graph.Message")}


@dataclass
class Notification:
    """One item for one address. `attempts` failed so far; the next is due at `due_at` (the tenant's clock)."""

    url: str
    subscription_id: str
    item: dict[str, object]
    queued_at: datetime
    due_at: datetime
    attempts: int = 0


@dataclass(frozen=True)
class Delivered:
    url: str
    item: dict[str, object]
    at: datetime


@dataclass
class NotificationFaults:
    """`drop` loses that many, `duplicates` sends each so many times more, `reorder` sends the newest first."""

    delay_seconds: int = 0
    duplicates: int = 0
    reorder: bool = False
    drop: int = 0


def item_of(
    subscription: "Subscription", *, item_id: str, change: str, etag: str, tenant: "Tenant"
) -> dict[str, object]:
    """The basic form: no data of the item but its id and etag. Facts 5.4."""
    collection, odata_type = _TYPES[subscription.watched.collection]
    path = f"Users/{subscription.watched.person.id}/{collection}/{item_id}"
    return {
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": instant(subscription.expires_at),
        "changeType": change,
        "resource": path,
        "resourceData": {"@odata.type": odata_type, "@odata.id": path, "@odata.etag": etag, "id": item_id},
        "clientState": subscription.client_state,
        "tenantId": tenant.id,
    }


def lifecycle_item_of(subscription: "Subscription", *, event: str, tenant: "Tenant") -> dict[str, object]:
    return {
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": instant(subscription.expires_at),
        "tenantId": tenant.id,
        "clientState": subscription.client_state,
        "lifecycleEvent": event,
    }


def instant(at: datetime) -> str:
    """As Graph prints instants in subscriptions: seven digits and a Z."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
