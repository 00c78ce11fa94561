"""Taking in what Graph sends: decode, check, remember, and ask for a look; never more. A notification is a hint.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

import msgspec

from integration.errors import InputRefused
from integration.language import lazy

LONGEST_BODY = 4 * 1024 * 1024  # a delivery carries many items, each of about a kilobyte
LONGEST_ID = 1024  # characters of an id or etag
LONGEST_SECRET = 128
LONGEST_DATA = 512 * 1024
MOST_TOKENS = 20


class ResourceData(msgspec.Struct, frozen=True):
    id: str | None = None
    etag: str | None = msgspec.field(default=None, name="@odata.etag")


class EncryptedItem(msgspec.Struct, frozen=True, rename="camel"):
    data: str
    data_key: str
    data_signature: str
    encryption_certificate_id: str


class Item(msgspec.Struct, frozen=True, rename="camel"):
    """One changeNotification of Graph, as far as it is believed: ids, and the secret that proves its sender."""

    subscription_id: str
    client_state: str | None = None
    change_type: str | None = None
    lifecycle_event: str | None = None
    resource_data: ResourceData | None = None
    id: str | None = None
    subscription_expiration_date_time: str | None = None
    tenant_id: str | None = None
    encrypted_content: EncryptedItem | None = None

    @property
    def is_lifecycle(self) -> bool:
        return self.lifecycle_event is not None

    @property
    def resource_id(self) -> str | None:
        return self.resource_data.id if self.resource_data else None

    @property
    def etag(self) -> str | None:
        return self.resource_data.etag if self.resource_data else None

    def dedupe_key(self, *, once_per_resource: bool = False) -> str:
        """The same for each delivery of the same change; never the same for two changes that cannot be told apart.

        ``once_per_resource``: what is notified of never changes again in a way that matters, such as a call record.
        """
        data = self.encrypted_content.data_signature if self.encrypted_content else None
        telling = self.id or self.etag or data or (self.is_lifecycle and self.subscription_expiration_date_time)
        telling = telling or (once_per_resource and self.resource_id)
        what = (self.subscription_id, self.change_type, self.lifecycle_event, self.resource_id)
        parts = (*what, self.id, self.etag, telling or secrets.token_hex(16))
        return hashlib.sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()


class _Collection(msgspec.Struct, frozen=True, rename="camel"):
    value: list[msgspec.Raw]
    validation_tokens: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True)
class Delivery:
    """What one POST brought: the items that can be read, how many could not, and tokens for those with content."""

    items: tuple[Item, ...]
    unreadable: int
    tokens: tuple[str, ...] = ()


def decode(body: bytes) -> Delivery:
    """Read a changeNotificationCollection; raises InputRefused for what is none.

    A single bad item does not spoil the others: Graph delivers for several subscriptions at once.
    """
    try:
        collection = msgspec.json.decode(body, type=_Collection)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputRefused(lazy("This is no collection of change notifications.")) from error
    items = tuple(item for part in collection.value if (item := _item(part)) is not None)
    has_content = any(item.encrypted_content for item in items)
    tokens = _tokens(collection.validation_tokens) if has_content else ()
    return Delivery(items, unreadable=len(collection.value) - len(items), tokens=tokens)


def _item(part: msgspec.Raw) -> Item | None:
    try:
        item = msgspec.json.decode(part, type=Item)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # counted as unreadable
    return item if _is_sound(item) else None


def _is_sound(item: Item) -> bool:
    """Whether every text can be stored: no NUL, which PostgreSQL refuses, nothing endless, no half characters."""
    short = (item.subscription_id, item.change_type, item.lifecycle_event, item.resource_id, item.etag, item.id)
    short = (*short, item.subscription_expiration_date_time, item.tenant_id)
    content = item.encrypted_content
    sealed = (content.data, content.data_key, content.data_signature) if content else ()
    names = (content.encryption_certificate_id,) if content else ()
    return (
        all(text is None or (len(text) <= LONGEST_ID and _is_text(text)) for text in short)
        and len(item.client_state or "") <= LONGEST_SECRET
        and all(len(text) <= LONGEST_DATA and text.isascii() and "\x00" not in text for text in sealed)
        and len(content.data_signature if content else "") <= LONGEST_SECRET
        and len(item.tenant_id or "") <= 64
        and all(len(text) <= LONGEST_SECRET and _is_text(text) for text in names)
    )


def _is_text(text: str) -> bool:
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _tokens(raw: msgspec.Raw) -> tuple[str, ...]:
    """The validation tokens; what is none proves nothing later."""
    try:
        found = msgspec.json.decode(raw, type=list[str] | None) or []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    return tuple(text for text in found[:MOST_TOKENS] if text.isascii() and "\x00" not in text)
