"""The world outside the product, as a visitor of the simulated tenant meets it: its control API over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx


@dataclass(frozen=True)
class TenantState:
    """What the tenant still has to do; ``next_event_at`` is when it does something by itself."""

    now: datetime
    in_flight: int
    undelivered: int
    next_event_at: datetime | None
    graph_requests: int

    @property
    def is_idle(self) -> bool:
        return self.in_flight == 0 and self.undelivered == 0


class Outside:
    """One door to the tenant at ``base_url`` (without /v1.0). Raises httpx.HTTPError when it does not answer."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=30)
        self._letters_read = 0

    def close(self) -> None:
        self._http.close()

    def state(self) -> TenantState:
        said = self._get("/control/state")
        at = said["next_event_at"]
        return TenantState(
            now=datetime.fromisoformat(said["now"]),
            in_flight=said["in_flight"],
            undelivered=said["undelivered_notifications"],
            next_event_at=datetime.fromisoformat(at) if at else None,
            graph_requests=said["graph_requests"],
        )

    def move_clock(self, at: datetime) -> None:
        self._post("/control/clock", {"to": at.isoformat()})

    def people(self) -> list[dict[str, Any]]:
        return self._get("/control/people")

    def series(self) -> list[dict[str, Any]]:
        """Everything organized, with attendees and instances, in the order of their subjects."""
        return sorted(self._get("/control/events"), key=lambda series: str(series["subject"]))

    def new_letters(self) -> list[dict[str, Any]]:
        """What has left a mailbox since the last call, oldest first."""
        letters = self._get("/control/messages", after=self._letters_read)
        self._letters_read += len(letters)
        return letters

    def all_letters(self) -> list[dict[str, Any]]:
        return self._get("/control/messages")

    def reply(self, mail: str, **answer: Any) -> None:
        self._post(f"/control/people/{mail}/reply", answer)

    def join(self, **who: Any) -> None:
        self._post("/control/calls/join", who)

    def leave(self, **who: Any) -> None:
        self._post("/control/calls/leave", who)

    def disable(self, mail: str) -> None:
        self._http.patch(f"/control/people/{mail}", json={"enabled": False}).raise_for_status()

    def _get(self, path: str, **query: Any) -> Any:
        return self._http.get(path, params=query).raise_for_status().json()

    def _post(self, path: str, sent: dict[str, Any]) -> None:
        self._http.post(path, json=sent).raise_for_status()
