"""The shapes of change notifications and lifecycle notifications."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .sealing import seal

if TYPE_CHECKING:
    from .subscriptions import Subscription
    from .tenant import Tenant


@dataclass
class Notification:
    """One item for one address. `attempts` failed so far; the next is due at `due_at` (the tenant's clock)."""

    url: str
    subscription_id: str
    item: dict[str, object]
    queued_at: datetime
    due_at: datetime
    attempts: int = 0

    @property
    def is_lifecycle(self) -> bool:
        return "lifecycleEvent" in self.item


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
    subscription: "Subscription",
    *,
    item_id: str,
    change: str,
    tenant: "Tenant",
    etag: str | None = None,
    content: dict[str, object] | None = None,
) -> dict[str, object]:
    """Id and etag of the item, and its data for a subscription that asked for them. Facts 5.4, 5.5."""
    watched = subscription.watched
    path = watched.path if watched.meeting is not None else f"{watched.path}/{item_id}"
    item: dict[str, object] = {
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": instant(subscription.expires_at),
        "changeType": change,
        "resource": path,
        "resourceData": {
            "@odata.type": watched.kind.odata_type,
            "@odata.id": path,
            **({"@odata.etag": etag} if etag else {}),
            "id": item_id,
        },
        "clientState": subscription.client_state,
        "tenantId": tenant.id,
    }
    if content is not None and subscription.recipient is not None:
        item["encryptedContent"] = seal(content, subscription.recipient)
    return item


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
