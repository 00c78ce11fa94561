"""The simulated tenant: one clock, one lock, one source of chance, and the parts that hold its state."""

import base64
import random
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from ..clock import MovableClock
from ..switches import Switches
from .calendars import Calendars
from .directory import Directory, Person
from .mailboxes import Mailboxes
from .subscriptions import Subscriptions
from .teams import Teams

ALL_ROLES = (
    "Calendars.ReadWrite",
    "Mail.ReadWrite",
    "Mail.Send",
    "MailboxSettings.Read",
    "OnlineMeetingArtifact.Read.All",
    "OnlineMeetings.ReadWrite.All",
    "Organization.Read.All",
    "User.Read.All",
)


@dataclass
class AppRegistration:
    """The client application: how it signs in, and the application roles an administrator granted it.

    A token carries the roles of the moment it was issued; `signed_out_at` (real time, seconds since 1970)
    refuses every token issued before it.
    """

    id: str
    secret: str
    roles: tuple[str, ...] = ALL_ROLES
    certificates: list[str] = field(default_factory=list)
    signed_out_at: float = 0.0


class Tenant:
    """State and rules; no HTTP. Whoever changes or reads more than one thing holds `lock`."""

    def __init__(
        self, directory: Directory, *, clock: MovableClock, seed: int = 7, domain: str = "pods.example"
    ) -> None:
        self.lock = threading.RLock()
        self.rng = random.Random(seed)
        self.clock = clock
        self.switches = Switches()
        self.domain = domain
        self.id = self.new_guid()
        self.name = "Learning Pods Pilot"
        self.app = AppRegistration(id=self.new_guid(), secret=f"secret-{self.rng.getrandbits(64):016x}")
        self.directory = directory
        self.calendars = Calendars(self)
        self.mailboxes = Mailboxes(self)
        self.teams = Teams(self)
        self.subscriptions = Subscriptions(self)

    @property
    def app_id(self) -> str:
        return self.app.id

    @property
    def organizers(self) -> list[Person]:
        return [person for person in self.directory.people if person.kind == "organizer"]

    @property
    def senders(self) -> list[Person]:
        return [person for person in self.directory.people if person.kind == "sender"]

    def writable(self, person: Person) -> bool:
        """Whether the app's Exchange roles reach this mailbox: those of organizers and senders only."""
        return person.kind in ("organizer", "sender")

    def new_guid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def new_id(self, prefix: str) -> str:
        """An opaque id, safe in a URL, long and case-sensitive as Exchange's are."""
        with self.lock:
            drawn = self.rng.getrandbits(72 * 8).to_bytes(72, "big")
        return prefix + base64.urlsafe_b64encode(drawn).decode()

    def advance(self) -> None:
        """Lets every part do what has become due: mail leaves, reports appear, notifications are retried."""
        now = self.clock.now()
        with self.lock:
            for part in (self.teams, self.mailboxes, self.subscriptions):
                part.advance(now)

    def next_event_at(self) -> datetime | None:
        """The next instant at which the tenant does something by itself, None when it waits for others."""
        with self.lock:
            parts = (self.teams, self.mailboxes, self.subscriptions)
            due = [at for at in (part.next_event_at() for part in parts) if at is not None]
        return min(due, default=None)
