"""Notifications that wait to be delivered: when each is due, what gets lost on the way, what is tried again."""

import random
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..delivery_faults import DeliveryFault
from .endpoints import WINDOW, Endpoints
from .notifications import Delivered, Notification, NotificationFaults

if TYPE_CHECKING:
    from .tenant import Tenant

GIVE_UP_AFTER = timedelta(hours=4)
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 60, 180, 600, 1800, 3600, 3600, 3600))


@dataclass
class Deliveries:
    tenant: "Tenant"
    faults: NotificationFaults = field(default_factory=NotificationFaults)
    orders: list[DeliveryFault] = field(default_factory=list)
    waiting: list[Notification] = field(default_factory=list)
    in_flight: int = 0
    delivered: list[Delivered] = field(default_factory=list)
    discarded: int = 0
    lost: int = 0
    wake: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.endpoints = Endpoints(self.tenant)

    def queue(self, subscription_id: str, url: str, item: dict[str, object]) -> None:
        """To be delivered as soon as the state of the receiver and the faults on order let it."""
        now, endpoint = self.tenant.clock.now(), self.endpoints.at(url)
        one = Notification(url, subscription_id, item, now, now)
        if self.faults.drop > 0:
            self.faults.drop -= 1
            self.lost += 1
            return
        if endpoint.state == "drop":
            self._lose(one, until=endpoint.until)
            return
        delay = self.faults.delay_seconds or self.tenant.switches.notification_delay_seconds
        first = now + timedelta(seconds=delay) + (WINDOW if endpoint.state == "slow" else timedelta())
        for due_at in self._bent(one, [first] * (1 + self.faults.duplicates)):
            self.waiting.append(Notification(url, subscription_id, item, now, due_at))
        self.wake.set()

    def take_due(self) -> list[Notification]:
        """What is to be delivered now; it counts as in flight until `record_outcome`."""
        now = self.tenant.clock.now()
        due = [one for one in self.waiting if one.due_at <= now]
        self.waiting = [one for one in self.waiting if one.due_at > now]
        paused = [
            one for one in due if not one.is_lifecycle and self.tenant.subscriptions.paused(one.subscription_id)
        ]
        for one in paused:
            due.remove(one)
            self._try_again(one, now=now)
        self.in_flight += len(due)
        shuffled = next((one for one in self.orders if one.word == "reorder" and one.is_on(now)), None)
        if shuffled is not None:
            random.Random(f"{shuffled.seed}{now}").shuffle(due)
        return list(reversed(due)) if self.faults.reorder else due

    def record_outcome(self, notifications: list[Notification], *, status: int | None, seconds: float | None) -> None:
        """2xx is delivered; anything else is tried again, later each time, for four hours.

        `seconds` (real) is how long the receiver took, None when nobody answered at all.
        """
        now = self.tenant.clock.now()
        self.in_flight -= len(notifications)
        if seconds is not None:
            self.endpoints.answered(notifications[0].url, seconds=seconds)
        for one in notifications:
            if status is not None and 200 <= status < 300:
                self.delivered.append(Delivered(one.url, one.item, now))
            else:
                self._try_again(one, now=now)

    @property
    def undelivered(self) -> int:
        """Notifications due or on their way; those waiting for a later attempt show in `next_event_at`."""
        now = self.tenant.clock.now()
        return self.in_flight + sum(one.due_at <= now for one in self.waiting)

    def next_event_at(self) -> datetime | None:
        return min((one.due_at for one in self.waiting), default=None)

    def advance(self, now: datetime) -> None:
        if any(one.due_at <= now for one in self.waiting):
            self.wake.set()

    def _bent(self, one: Notification, due: list[datetime]) -> list[datetime]:
        """After every fault on order; a loss may be told once its period is over."""
        text = f"{one.item.get('resource', '')} {one.url}"
        for fault in self.orders:
            if not fault.strikes(text, at=one.queued_at, is_lifecycle=one.is_lifecycle):
                continue
            due = fault.bend(due)
            if not due:
                self.lost += 1
                if fault.missed:
                    self.tenant.subscriptions.note_loss(one.subscription_id, until=fault.ends_at)
                break
        return due

    def _try_again(self, one: Notification, *, now: datetime) -> None:
        one.attempts += 1
        again_at = now + BACK_OFF[min(one.attempts, len(BACK_OFF)) - 1]
        if again_at > one.queued_at + GIVE_UP_AFTER:
            self.discarded += 1
            self._tell_missed(one, until=None)
            return
        one.due_at = again_at
        self.waiting.append(one)

    def _lose(self, one: Notification, *, until: datetime | None) -> None:
        self.lost += 1
        self._tell_missed(one, until=until)

    def _tell_missed(self, one: Notification, *, until: datetime | None) -> None:
        if self.tenant.switches.missed_after_drops and not one.is_lifecycle:
            self.tenant.subscriptions.note_loss(one.subscription_id, until=until)
