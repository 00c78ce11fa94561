"""The desk at which posts are taken in. Those that come while a transaction is under way share the next one.

A post is answered once the transaction that holds it is committed: what takes time is the disk, and it takes no
longer for many than for one. Forged items are told apart with what this process remembers of the subscriptions.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from integration.errors import PodsError
from integration.language import lazy
from integration.log import get_logger
from integration.tools import Tools
from integration.webhooks import refusals, subscriptions
from integration.webhooks.intake import Delivery, Item
from integration.webhooks.models import Subscription
from integration.webhooks.recording import Proven, record_notifications

DEBOUNCE = timedelta(seconds=5)  # Graph sends several notifications for one change, within seconds
PATIENCE_SECONDS = 8.0  # Graph waits for ten seconds at most
REMEMBERED_SECONDS = 30.0

log = get_logger(__name__)


class NotStored(PodsError):
    """The database did not take it: whoever sent it has to send it again."""

    passes_by_itself = True


@dataclass(frozen=True)
class Speaker:
    """A subscription of ours, and the secret by which its notifications are known."""

    row_id: int
    kind: str
    mailbox: str | None
    client_state: bytes


@dataclass(eq=False)
class _Ticket:
    """One post on its way into the database."""

    delivery: Delivery
    is_stored: bool = False  # only after the commit: whatever breaks before it, nobody is told 202
    failure: Exception | None = None
    leads: bool = False
    woken: threading.Event = field(default_factory=threading.Event)


class Desk:
    """One for the application; safe to use from many threads."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._speakers = Speakers(tools)
        self._lock = threading.Lock()  # of the two below; never held while something is stored
        self._waiting: list[_Ticket] = []
        self._is_led = False

    def take(self, delivery: Delivery) -> None:
        """Return once the items that prove to be Graph's are safe. Raises NotStored when they may not be."""
        ticket = _Ticket(delivery)
        with self._lock:
            self._waiting.append(ticket)
            if not self._is_led:
                self._is_led = ticket.leads = True
        if not ticket.leads and not ticket.woken.wait(PATIENCE_SECONDS):
            self._give_up(ticket)
        if ticket.leads:
            self._lead()
        if not ticket.is_stored:
            raise NotStored(lazy("The notifications could not be stored.")) from ticket.failure

    def _lead(self) -> None:
        """Store all that wait, this thread's own among them; the first that came meanwhile leads the next ones."""
        with self._lock:
            group, self._waiting = self._waiting, []
        try:
            self._settle(group)
        finally:
            with self._lock:
                self._is_led = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].leads = True
                    self._waiting[0].woken.set()
            for each in group:
                each.woken.set()

    def _give_up(self, ticket: _Ticket) -> None:
        """Raises NotStored, unless the thread has been chosen to lead this very moment."""
        with self._lock:
            if ticket.leads:
                return
            if ticket in self._waiting:
                self._waiting.remove(ticket)
        raise NotStored(lazy("The notifications could not be stored in time."))

    def _settle(self, group: Sequence[_Ticket]) -> None:
        try:
            self._store(group)
        except OperationalError as error:
            log.error("notifications not stored", posts=len(group), error=type(error).__name__)
            _fail(group, error)
        except SQLAlchemyError as error:
            self._speakers.forget()  # a subscription may have gone meanwhile
            if len(group) > 1:
                for each in group:
                    self._settle([each])  # one that cannot be stored does not take the others along
            else:
                self._store_again(group, error)

    def _store_again(self, group: Sequence[_Ticket], first: Exception) -> None:
        try:
            self._store(group)
        except SQLAlchemyError as error:
            log.error("notifications not stored", posts=len(group), error=type(first).__name__)
            _fail(group, error)

    def _store(self, group: Sequence[_Ticket]) -> None:
        refused: Counter[str] = Counter()
        proven: list[Proven] = []
        asked_at = time.monotonic()
        for ticket in group:
            refused[refusals.UNREADABLE_ITEM] += ticket.delivery.unreadable
            for item in ticket.delivery.items:
                found = self._speakers.prove(item, ticket.delivery.tokens, asked_at=asked_at)
                if isinstance(found, Proven):
                    proven.append(found)
                else:
                    refused[found] += 1
        refused += Counter()  # drops zeros
        if proven or refused:
            self._record(proven, refused, posts=len(group))
        for ticket in group:
            ticket.is_stored = True

    def _record(self, proven: Sequence[Proven], refused: Counter[str], *, posts: int) -> None:
        clock = self._tools.clock
        now = clock.now()
        # A clock that is moved by hand waits for the outbox to be empty: there is nothing to wait for.
        debounce = timedelta() if clock.movable else DEBOUNCE
        with self._tools.database.transaction() as session:
            new = record_notifications(session, proven, now=now, debounce=debounce)
            refusals.count(session, refused, now=now)
        if any(each.proven.item.is_lifecycle for each in new):
            self._speakers.forget()
        level = log.warning if refused else log.info
        level(
            "notifications received",
            posts=posts,
            stored=len(new),
            repeated=len(proven) - len(new),
            refused=refused.total(),
        )

    def refuse(self) -> None:
        """Count a post that is no notification at all; what cannot be counted now is only logged."""
        try:
            with self._tools.database.transaction() as session:
                refusals.count(session, {refusals.UNREADABLE_POST: 1}, now=self._tools.clock.now())
        except OperationalError as error:
            log.error("refusal not counted", error=type(error).__name__)


class Speakers:
    """The subscriptions of ours, as this process remembers them.

    A subscription id of Graph's has one secret for ever, so what is remembered cannot be wrong, only incomplete: an
    id that is not known has the table read again, once for all that came before.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._lock = threading.Lock()
        self._known: dict[str, Speaker] = {}
        self._read_at = float("-inf")

    def prove(self, item: Item, tokens: tuple[str, ...], *, asked_at: float) -> Proven | str:
        """The item with its subscription; or why it is refused."""
        speaker = self._find(item.subscription_id, asked_at=asked_at)
        if speaker is None:
            # Graph may notify before our own POST was answered. Nothing is lost: a sweep follows each subscription.
            return refusals.UNKNOWN_SUBSCRIPTION
        given = (item.client_state or "").encode("utf-8", "surrogatepass")
        if not speaker.client_state or not hmac.compare_digest(given, speaker.client_state):
            return refusals.WRONG_CLIENT_STATE
        has_content = item.encrypted_content is not None
        return Proven(item, speaker.row_id, speaker.kind, speaker.mailbox, tokens if has_content else ())

    def forget(self) -> None:
        with self._lock:
            self._read_at = float("-inf")

    def _find(self, subscription_id: str, *, asked_at: float) -> Speaker | None:
        with self._lock:
            is_old = asked_at - self._read_at > REMEMBERED_SECONDS
            if is_old or (subscription_id not in self._known and self._read_at < asked_at):
                self._read_at = time.monotonic()
                self._known = self._read()
            return self._known.get(subscription_id)

    def _read(self) -> dict[str, Speaker]:
        settings = self._tools.settings
        with self._tools.database.reading() as session:
            rows = session.scalars(select(Subscription).where(Subscription.subscription_id.is_not(None))).all()
        return {
            row.subscription_id: Speaker(
                row.id, row.kind, row.mailbox, (subscriptions.client_state_of(row, settings) or "").encode()
            )
            for row in rows
            if row.subscription_id is not None
        }


def _fail(group: Sequence[_Ticket], error: Exception) -> None:
    for each in group:
        each.failure = error
