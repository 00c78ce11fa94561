"""Delivers notifications over HTTP in the background, as Graph does: grouped, with deadlines, again on failure."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable

import httpx

from ..tenant.notifications import Notification
from ..tenant.tenant import Tenant

HANDSHAKE_DEADLINE_SECONDS = 10.0
MOST_ITEMS_PER_POST = 100
IDLE_SECONDS = 0.25
"""How long the thread sleeps when nobody wakes it: a clock may run by itself."""


Tokens = Callable[[], list[str] | None]
"""Validation tokens for one POST with resource data; None when they cannot be issued."""


class Delivery:
    """One thread. Deadlines are real time; when something is due is the tenant's clock."""

    def __init__(self, tenant: Tenant, tokens: Tokens) -> None:
        self._tenant = tenant
        self._tokens = tokens
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the last POST under way has ended."""
        self._stopping.set()
        self._tenant.subscriptions.deliveries.wake.set()
        if self._thread.is_alive():
            self._thread.join(self._tenant.switches.retry_deadline_seconds + 1)

    def _run(self) -> None:
        wake = self._tenant.subscriptions.deliveries.wake
        with httpx.Client(trust_env=False, follow_redirects=False) as client:
            while not self._stopping.is_set():
                wake.wait(IDLE_SECONDS)
                wake.clear()
                deliver_due(self._tenant, client, self._tokens)


def deliver_due(tenant: Tenant, client: httpx.Client, tokens: Tokens) -> None:
    """One round: everything due now, several items in one POST where they go to the same address."""
    deliveries = tenant.subscriptions.deliveries
    with tenant.lock:
        due = deliveries.take_due()
    for url, group in _groups(due):
        body: dict[str, object] = {"value": [one.item for one in group]}
        if any("encryptedContent" in one.item for one in group):
            body["validationTokens"] = tokens()
        is_retry = group[0].attempts > 0
        switches = tenant.switches
        deadline = switches.retry_deadline_seconds if is_retry else switches.first_deadline_seconds
        status, seconds = _post(client, url, body, deadline=deadline)
        with tenant.lock:
            deliveries.record_outcome(group, status=status, seconds=seconds)


def handshake(url: str, token: str) -> str | None:
    """None when the receiver proved that it listens; else why not. Waits at most ten seconds."""
    started = time.monotonic()
    try:
        with httpx.Client(trust_env=False, timeout=HANDSHAKE_DEADLINE_SECONDS) as client:
            answer = client.post(
                url, params={"validationToken": token}, headers={"Content-Type": "text/plain; charset=utf-8"}
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"The request failed: {type(error).__name__}."
    if time.monotonic() - started > HANDSHAKE_DEADLINE_SECONDS:
        return "The answer took longer than 10 seconds."
    if answer.status_code != 200:
        return f"Validation response must be 200 OK, was {answer.status_code}."
    if not answer.headers.get("Content-Type", "").startswith("text/plain"):
        return "Validation response must be text/plain."
    return None if answer.text == token else "Validation response body did not match the token."


def _groups(due: list[Notification]) -> list[tuple[str, list[Notification]]]:
    by_url: dict[tuple[str, bool], list[Notification]] = defaultdict(list)
    for one in due:
        by_url[one.url, one.attempts > 0].append(one)
    return [
        (url, group[at : at + MOST_ITEMS_PER_POST])
        for (url, _), group in by_url.items()
        for at in range(0, len(group), MOST_ITEMS_PER_POST)
    ]


def _post(
    client: httpx.Client, url: str, body: dict[str, object], *, deadline: float
) -> tuple[int | None, float | None]:
    """The status answered in time, None for none; and the seconds it took, None when nobody was there."""
    started = time.monotonic()
    try:
        answer = client.post(url, json=body, timeout=deadline)
    except httpx.TimeoutException:
        return None, max(deadline, time.monotonic() - started) + 0.001
    except (httpx.HTTPError, httpx.InvalidURL):
        return None, None
    seconds = time.monotonic() - started
    return (answer.status_code if seconds <= deadline else None), seconds
