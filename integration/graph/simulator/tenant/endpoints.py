"""Receivers by host: those that answer slowly get their notifications late, or not at all. Facts 5.3."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from .tenant import Tenant

WINDOW = timedelta(minutes=10)
SLOW_SHARE, DROP_SHARE = 0.10, 0.15
State = Literal["normal", "slow", "drop"]
STATES: tuple[State, ...] = get_args(State)


@dataclass
class Endpoint:
    """`answers` are instants of the tenant's clock with real seconds; a state lasts until `until`."""

    answers: deque[tuple[datetime, float]] = field(default_factory=deque)
    state: State = "normal"
    until: datetime | None = None


class Endpoints:
    """Judged per host and port, all subscriptions together, every ten minutes."""

    def __init__(self, tenant: "Tenant") -> None:
        self._tenant = tenant
        self._known: dict[str, Endpoint] = {}

    def at(self, url: str) -> Endpoint:
        """How the receiver behind this address stands now."""
        endpoint = self._known.setdefault(urlsplit(url).netloc.casefold(), Endpoint())
        if endpoint.until is not None and endpoint.until <= self._tenant.clock.now():
            endpoint.state, endpoint.until = "normal", None
            self._judge(endpoint)
        return endpoint

    def answered(self, url: str, *, seconds: float) -> None:
        endpoint = self.at(url)
        endpoint.answers.append((self._tenant.clock.now(), seconds))
        if endpoint.state == "normal":
            self._judge(endpoint)

    def put(self, host: str, state: State, *, lasts: timedelta) -> None:
        """Into a state by order, whatever it answered; "normal" forgets its answers too."""
        endpoint = self._known.setdefault(host.casefold(), Endpoint())
        endpoint.answers.clear()
        endpoint.state = state
        endpoint.until = None if state == "normal" else self._tenant.clock.now() + lasts

    def as_json(self) -> dict[str, dict[str, object]]:
        return {
            host: {
                "state": one.state,
                "until": one.until.isoformat() if one.until else None,
                "answers": len(one.answers),
            }
            for host, one in self._known.items()
        }

    def _judge(self, endpoint: Endpoint) -> None:
        now, switches = self._tenant.clock.now(), self._tenant.switches
        while endpoint.answers and endpoint.answers[0][0] <= now - WINDOW:
            endpoint.answers.popleft()
        count = len(endpoint.answers)
        if not count or count < switches.endpoint_judged_after_answers:
            return
        dropping = sum(seconds > switches.retry_deadline_seconds for _, seconds in endpoint.answers) / count
        slow = sum(seconds > switches.first_deadline_seconds for _, seconds in endpoint.answers) / count
        if dropping > DROP_SHARE or slow > SLOW_SHARE:
            endpoint.state = "drop" if dropping > DROP_SHARE else "slow"
            endpoint.until = now + WINDOW
