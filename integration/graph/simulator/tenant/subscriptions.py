"""Change notification subscriptions, and the notifications that wait to be delivered."""

import re
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from .directory import Person
from .notifications import Delivered, Notification, NotificationFaults, item_of, lifecycle_item_of
from .refusals import Refused

if TYPE_CHECKING:
    from .tenant import Tenant

LONGEST = timedelta(minutes=10_080)
SHORTEST = timedelta(minutes=45)
"""Outlook resources without data. A shorter life is lengthened to 45 minutes. Facts 5.1, 5.7."""
CLIENT_STATE_LENGTH = 128
PER_MAILBOX = 1000
GIVE_UP_AFTER = timedelta(hours=4)
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 60, 180, 600, 1800, 3600, 3600, 3600))
CHANGE_TYPES = ("created", "updated", "deleted")
LIFECYCLE_EVENTS = ("reauthorizationRequired", "subscriptionRemoved", "missed")
_RESOURCE = re.compile(
    r"^/?users(?:/(?P<key>[^/(]+)|\('(?P<quoted>[^']+)'\))/"
    r"(?:mailFolders(?:/(?P<folder>[^/(]+)|\('(?P<folder_quoted>[^']+)'\))/)?(?P<what>events|messages)$",
    re.I,
)

Collection = Literal["events", "messages"]
Change = Literal["created", "updated", "deleted"]


@dataclass(frozen=True)
class Watched:
    """What a resource string names; `folder` is a well-known name."""

    person: Person
    collection: Collection
    folder: str | None = None


@dataclass
class Subscription:
    id: str
    resource: str
    watched: Watched
    change_types: tuple[str, ...]
    notification_url: str
    lifecycle_url: str | None
    client_state: str | None
    expires_at: datetime
    application_id: str
    creator_id: str
    immutable_ids: bool
    tls_version: str = "v1_2"
    reauthorization_sent: bool = False

    @property
    def combination(self) -> tuple[object, ...]:
        watched = self.watched
        return (
            watched.person.id,
            watched.collection,
            watched.folder,
            frozenset(self.change_types),
            self.application_id,
        )


@dataclass
class Subscriptions:
    tenant: "Tenant"
    faults: NotificationFaults = field(default_factory=NotificationFaults)
    waiting: list[Notification] = field(default_factory=list)
    in_flight: int = 0
    delivered: list[Delivered] = field(default_factory=list)
    discarded: int = 0
    wake: threading.Event = field(default_factory=threading.Event)
    _kept: dict[str, Subscription] = field(default_factory=dict)
    _count: int = 0

    # ----- subscriptions -----

    def watched_by(self, resource: str) -> Watched:
        """Raises Refused for a resource nobody can subscribe to here."""
        if resource.lstrip("/").casefold().startswith("me/"):
            raise Refused(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        found = _RESOURCE.match(resource.partition("?")[0])
        if found is None:
            raise Refused(
                400, "ExtensionError", f"Operation: Create; Exception: resource {resource!r} is not supported."
            )
        person = self.tenant.directory.find(found["key"] or found["quoted"])
        if person is None or not person.exchange:
            raise Refused(404, "ResourceNotFound", f"No mailbox for {found['key'] or found['quoted']!r}.")
        what: Collection = "events" if found["what"].casefold() == "events" else "messages"
        folder = found["folder"] or found["folder_quoted"]
        if folder and what == "events":
            raise Refused(400, "ExtensionError", "Operation: Create; Exception: folders hold messages, not events.")
        if what == "messages" and not self.tenant.writable(person):
            raise Refused(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        return Watched(person, what, self.tenant.mailboxes.of(person).folder(folder) if folder else None)

    def lifetime(self, expires_at: datetime) -> datetime:
        """The expiry granted. Raises Refused over the maximum and in the past."""
        now = self.tenant.clock.now()
        if expires_at > now + LONGEST:
            raise Refused(
                400,
                "ValidationError",
                f"Subscription expiration can only be {LONGEST.total_seconds() / 60:.0f} minutes in the future.",
            )
        if expires_at <= now:
            raise Refused(400, "ValidationError", "Subscription expiration is in the past.")
        return max(expires_at, now + SHORTEST)

    def check_free(self, subscription: Subscription) -> None:
        """Raises Refused: 409 for a second one of the same kind (a switch), 403 over the mailbox's quota."""
        alike = [one for one in self._kept.values() if one.combination == subscription.combination]
        if alike and self.tenant.switches.duplicate_subscription_refused:
            message = f"Subscription Id {alike[0].id} already exists for the requested combination"
            raise Refused(409, "Conflict", message)
        person = subscription.watched.person
        if sum(one.watched.person is person for one in self._kept.values()) >= PER_MAILBOX:
            raise Refused(403, "Forbidden", f"The mailbox has reached its maximum of {PER_MAILBOX} subscriptions.")

    def add(self, subscription: Subscription) -> None:
        self._kept[subscription.id] = subscription

    def find(self, subscription_id: str) -> Subscription:
        """Raises Refused (404) for one that is gone: expired, deleted or removed."""
        found = self._kept.get(subscription_id)
        if found is None:
            raise Refused(404, "ResourceNotFound", "The object was not found.")
        return found

    def all(self) -> list[Subscription]:
        return sorted(self._kept.values(), key=lambda one: one.id)

    def renew(self, subscription: Subscription, expires_at: datetime) -> None:
        """Raises Refused as `lifetime` does."""
        subscription.expires_at = self.lifetime(expires_at)
        subscription.reauthorization_sent = False

    def remove(self, subscription: Subscription) -> None:
        self._kept.pop(subscription.id, None)

    # ----- notifications -----

    def changed(
        self,
        person: Person,
        *,
        collection: Collection,
        item_id: str,
        change: Change,
        etag: str,
        immutable_id: str | None = None,
        folder: str | None = None,
    ) -> None:
        """Queues a notification for each subscription that asked for this."""
        for one in self._kept.values():
            watched = one.watched
            if watched.person is not person or watched.collection != collection or change not in one.change_types:
                continue
            if watched.folder not in (None, folder):
                continue
            named = immutable_id if one.immutable_ids and immutable_id else item_id
            item = item_of(one, item_id=named, change=change, etag=etag, tenant=self.tenant)
            self._queue(one.id, one.notification_url, item)

    def send_lifecycle(self, subscription: Subscription, event: str) -> None:
        """Raises Refused for a subscription without a lifecycleNotificationUrl. `subscriptionRemoved` removes it."""
        if event not in LIFECYCLE_EVENTS:
            raise Refused(400, "BadRequest", f"lifecycleEvent is one of {', '.join(LIFECYCLE_EVENTS)}.")
        if subscription.lifecycle_url is None:
            raise Refused(409, "Conflict", f"Subscription {subscription.id} has no lifecycleNotificationUrl.")
        item = lifecycle_item_of(subscription, event=event, tenant=self.tenant)
        self._queue(subscription.id, subscription.lifecycle_url, item)
        if event == "subscriptionRemoved":
            self.remove(subscription)

    def take_due(self) -> list[Notification]:
        """What is to be delivered now; it counts as in flight until `record_outcome`."""
        now = self.tenant.clock.now()
        due = [one for one in self.waiting if one.due_at <= now]
        self.waiting = [one for one in self.waiting if one.due_at > now]
        self.in_flight += len(due)
        return list(reversed(due)) if self.faults.reorder else due

    def record_outcome(self, notifications: list[Notification], *, status: int | None) -> None:
        """2xx is delivered; anything else is tried again, later each time, for four hours."""
        now = self.tenant.clock.now()
        self.in_flight -= len(notifications)
        for one in notifications:
            if status is not None and 200 <= status < 300:
                self.delivered.append(Delivered(one.url, one.item, now))
                continue
            one.attempts += 1
            again_at = now + BACK_OFF[min(one.attempts, len(BACK_OFF)) - 1]
            if again_at > one.queued_at + GIVE_UP_AFTER:
                self.discarded += 1
                continue
            one.due_at = again_at
            self.waiting.append(one)

    @property
    def undelivered(self) -> int:
        """Notifications due or on their way; those waiting for a later attempt show in `next_event_at`."""
        now = self.tenant.clock.now()
        return self.in_flight + sum(one.due_at <= now for one in self.waiting)

    def advance(self, now: datetime) -> None:
        """Expires subscriptions, announces expiry where switched on, wakes the delivery."""
        before = timedelta(minutes=self.tenant.switches.reauthorization_minutes_before_expiry)
        for one in self.all():
            if one.expires_at <= now:
                self.remove(one)
            elif before and one.lifecycle_url and not one.reauthorization_sent and one.expires_at - before <= now:
                one.reauthorization_sent = True
                self.send_lifecycle(one, "reauthorizationRequired")
        if any(one.due_at <= now for one in self.waiting):
            self.wake.set()

    def next_event_at(self) -> datetime | None:
        """The next attempt to deliver something, or the next announced expiry."""
        before = timedelta(minutes=self.tenant.switches.reauthorization_minutes_before_expiry)
        due = [one.due_at for one in self.waiting]
        if before:
            due += [
                one.expires_at - before for one in self.all() if one.lifecycle_url and not one.reauthorization_sent
            ]
        return min(due, default=None)

    def _queue(self, subscription_id: str, url: str, item: dict[str, object]) -> None:
        faults, now = self.faults, self.tenant.clock.now()
        if faults.drop > 0:
            faults.drop -= 1
            return
        delay = faults.delay_seconds or self.tenant.switches.notification_delay_seconds
        for _ in range(1 + faults.duplicates):
            self.waiting.append(Notification(url, subscription_id, item, now, now + timedelta(seconds=delay)))
        self.wake.set()
