"""Change notification subscriptions: what is watched for whom, how long, and what their owner is told about them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from .deliveries import Deliveries
from .directory import Person
from .notifications import item_of, lifecycle_item_of
from .refusals import Refused
from .resources import Change, Collection, Watched
from .sealing import Recipient

if TYPE_CHECKING:
    from .tenant import Tenant

SHORTEST = timedelta(minutes=45)
"""A shorter life is lengthened to 45 minutes. Facts 5.1, 5.7."""
CLIENT_STATE_LENGTH = 128
CHANGE_TYPES = ("created", "updated", "deleted")
LIFECYCLE_EVENTS = ("reauthorizationRequired", "subscriptionRemoved", "missed")


@dataclass
class Subscription:
    """`recipient` has the certificate of a subscription with resource data; `deaf_to` is a call that had begun."""

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
    recipient: Recipient | None = None
    authorized_until: datetime | None = None
    reauthorization_sent: bool = False
    revocation_told: bool = False
    missed_due_at: datetime | None = None
    deaf_to: str | None = None

    @property
    def combination(self) -> tuple[object, ...]:
        watched = self.watched
        return (
            watched.person.id if watched.person else None,
            watched.collection,
            watched.folder,
            watched.meeting.id if watched.meeting else None,
            frozenset(self.change_types),
            self.application_id,
        )


@dataclass
class Subscriptions:
    """`content_of` tells the data of an item (by subscription, id, immutable id), for those that asked for it."""

    tenant: "Tenant"
    content_of: Callable[[Subscription, str], dict[str, object] | None] | None = None
    _kept: dict[str, Subscription] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.deliveries = Deliveries(self.tenant)

    # ----- subscriptions -----

    def lifetime(self, watched: Watched, expires_at: datetime, *, with_data: bool) -> datetime:
        """The expiry granted. Raises Refused over the maximum (a switch) and in the past."""
        now, longest = self.tenant.clock.now(), watched.kind.longest_for(with_data=with_data)
        if expires_at > now + longest:
            if not self.tenant.switches.too_long_subscription_refused:
                return now + longest
            minutes = f"{longest.total_seconds() / 60:.0f}"
            message = f"Subscription expiration can only be {minutes} minutes in the future."
            raise Refused(400, "ValidationError", message)
        if expires_at <= now:
            raise Refused(400, "ValidationError", "Subscription expiration is in the past.")
        return max(expires_at, now + SHORTEST)

    def check_free(self, subscription: Subscription) -> None:
        """Raises Refused: 409 for a second one of the same kind (a switch), 403 over a limit of facts 5.9."""
        watched, switches, others = subscription.watched, self.tenant.switches, list(self._kept.values())
        if watched.meeting is not None:
            same = [one for one in others if one.watched.meeting is watched.meeting]
            _below(1, same, "this application and this online meeting")
        alike = [one for one in others if one.combination == subscription.combination]
        if alike and switches.duplicate_subscription_refused:
            message = f"Subscription Id {alike[0].id} already exists for the requested combination"
            raise Refused(409, "Conflict", message)
        if watched.person is not None:
            same = [one for one in others if one.watched.person is watched.person]
            _below(switches.subscriptions_per_mailbox, same, "this mailbox")
        if watched.collection == "callRecords":
            same = [one for one in others if one.watched.collection == "callRecords"]
            _below(switches.call_record_subscriptions, same, "callRecords in this organization")
        if watched.kind.is_teams:
            same = [one for one in others if one.watched.kind.is_teams]
            _below(switches.teams_subscriptions, same, "Teams resources in this organization")

    def add(self, subscription: Subscription) -> None:
        self._authorize(subscription)
        running = subscription.watched.meeting.running if subscription.watched.meeting else None
        if running is not None and not self.tenant.switches.call_events_of_running_calls:
            subscription.deaf_to = running.id
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
        """A new expiry, which authorizes anew. Raises Refused as `lifetime` does."""
        with_data = subscription.recipient is not None
        subscription.expires_at = self.lifetime(subscription.watched, expires_at, with_data=with_data)
        self.reauthorize(subscription)

    def reauthorize(self, subscription: Subscription) -> None:
        """What was held back meanwhile is delivered."""
        self._authorize(subscription)
        for one in self.deliveries.waiting:
            if one.subscription_id == subscription.id and one.attempts:
                one.due_at = self.tenant.clock.now()
        self.deliveries.wake.set()

    def remove(self, subscription: Subscription) -> None:
        self._kept.pop(subscription.id, None)

    def allowed(self, subscription: Subscription) -> bool:
        """Whether the app may still see what is watched: its roles, the mailbox, the person."""
        person = subscription.watched.person
        if person is not None and (not person.exchange or self.tenant.directory.find(person.id) is None):
            return False
        return not _granted(self.tenant.app.roles).isdisjoint(subscription.watched.kind.roles)

    def paused(self, subscription_id: str) -> bool:
        """Whether its token has run out: nothing is delivered until it is renewed or authorized anew."""
        found = self._kept.get(subscription_id)
        return found is not None and found.authorized_until is not None and found.authorized_until <= self._now

    # ----- what they are told -----

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
            if watched.folder in (None, folder):
                named = immutable_id if one.immutable_ids and immutable_id else item_id
                self.tell(one, item_id=named, change=change, etag=etag, content=self._content(one, named, change))

    def tell(
        self,
        one: Subscription,
        *,
        item_id: str,
        change: Change,
        etag: str | None = None,
        content: dict[str, object] | None = None,
    ) -> None:
        """Changes during a revocation are told to nobody, ever (facts 5.6)."""
        if one.revocation_told:
            return
        item = item_of(one, item_id=item_id, change=change, etag=etag, content=content, tenant=self.tenant)
        self.deliveries.queue(one.id, one.notification_url, item)

    def watching(self, collection: Collection) -> list[Subscription]:
        return [one for one in self._kept.values() if one.watched.collection == collection]

    def send_lifecycle(self, subscription: Subscription, event: str) -> None:
        """Raises Refused for an event its resource does not have, and for a subscription without a
        lifecycleNotificationUrl. `subscriptionRemoved` removes it."""
        known = subscription.watched.kind.lifecycle
        if event not in known:
            raise Refused(
                400, "BadRequest", f"lifecycleEvent of {subscription.resource} is one of {', '.join(known)}."
            )
        if subscription.lifecycle_url is None:
            raise Refused(409, "Conflict", f"Subscription {subscription.id} has no lifecycleNotificationUrl.")
        self._send_lifecycle(subscription, event)
        if event == "subscriptionRemoved":
            self.remove(subscription)

    def note_loss(self, subscription_id: str, *, until: datetime | None) -> None:
        """Something was not delivered; `missed` is sent once it can arrive again (Outlook only, facts 5.6)."""
        one = self._kept.get(subscription_id)
        if one is not None and one.lifecycle_url is not None and "missed" in one.watched.kind.lifecycle:
            one.missed_due_at = max(until or self._now, one.missed_due_at or self._now)

    def advance(self, now: datetime) -> None:
        """Expires subscriptions, tells of expiry, revocation and losses where it is time, wakes the delivery."""
        for one in self.all():
            if one.expires_at <= now:
                self.remove(one)
                continue
            self._watch_permission(one)
            due_at = self._reauthorization_due_at(one)
            if due_at is not None and due_at <= now:
                one.reauthorization_sent = True
                self._send_lifecycle(one, "reauthorizationRequired")
            if one.missed_due_at is not None and one.missed_due_at <= now:
                one.missed_due_at = None
                self._send_lifecycle(one, "missed")
        self.deliveries.advance(now)

    def next_event_at(self) -> datetime | None:
        """The next attempt to deliver something, or the next thing a subscription is told."""
        due = [self.deliveries.next_event_at()]
        for one in self.all():
            due += [one.missed_due_at, self._reauthorization_due_at(one)]
        return min((at for at in due if at is not None), default=None)

    @property
    def undelivered(self) -> int:
        return self.deliveries.undelivered

    @property
    def discarded(self) -> int:
        return self.deliveries.discarded

    @property
    def _now(self) -> datetime:
        return self.tenant.clock.now()

    def _watch_permission(self, one: Subscription) -> None:
        """A revoked permission or a lost mailbox: removed with a word, or asked to authorize anew (a switch)."""
        if self.allowed(one):
            return
        removes = self.tenant.switches.revocation_removes_subscriptions
        if removes and "subscriptionRemoved" in one.watched.kind.lifecycle:
            self._send_lifecycle(one, "subscriptionRemoved")
            self.remove(one)
        elif not one.revocation_told:
            one.revocation_told = True
            self._send_lifecycle(one, "reauthorizationRequired")

    def _reauthorization_due_at(self, one: Subscription) -> datetime | None:
        """Before expiry, and when the token runs out, where that is switched on."""
        if one.reauthorization_sent or one.lifecycle_url is None:
            return None
        minutes = self.tenant.switches.reauthorization_minutes_before_expiry
        before_expiry = one.expires_at - timedelta(minutes=minutes) if minutes else None
        return min((at for at in (before_expiry, one.authorized_until) if at is not None), default=None)

    def _authorize(self, subscription: Subscription) -> None:
        minutes = self.tenant.switches.subscription_token_minutes
        subscription.authorized_until = self._now + timedelta(minutes=minutes) if minutes else None
        subscription.reauthorization_sent = subscription.revocation_told = False

    def _content(self, one: Subscription, named: str, change: Change) -> dict[str, object] | None:
        if one.recipient is None or self.content_of is None or change == "deleted":
            return None
        return self.content_of(one, named)

    def _send_lifecycle(self, one: Subscription, event: str) -> None:
        if one.lifecycle_url is not None:
            self.deliveries.queue(one.id, one.lifecycle_url, lifecycle_item_of(one, event=event, tenant=self.tenant))


@cache
def _granted(roles: tuple[str, ...]) -> frozenset[str]:
    """Calendars.ReadBasic is called Calendars.ReadBasic.All among older application roles: either name counts."""
    return frozenset(roles) | {role.removesuffix(".All") for role in roles if "ReadBasic" in role}


def _below(limit: int, same: list[Subscription], of: str) -> None:
    if len(same) >= limit:
        raise Refused(403, "Forbidden", f"The maximum of {limit} subscriptions for {of} has been reached.")
