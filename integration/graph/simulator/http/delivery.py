"""Delivers notifications over HTTP in the background, as Graph does: grouped, with deadlines, again on failure."""

import threading
import time
from collections import defaultdict

import httpx

from ..tenant.notifications import Notification
from ..tenant.tenant import Tenant

FIRST_DEADLINE_SECONDS = 3.0
RETRY_DEADLINE_SECONDS = 10.0
HANDSHAKE_DEADLINE_SECONDS = 10.0
MOST_ITEMS_PER_POST = 100
IDLE_SECONDS = 0.25
"""How long the thread sleeps when nobody wakes it: a clock may run by itself."""


class Delivery:
    """One thread. Deadlines are real time; when something is due is the tenant's clock."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the last POST under way has ended."""
        self._stopping.set()
        self._tenant.subscriptions.wake.set()
        if self._thread.is_alive():
            self._thread.join(RETRY_DEADLINE_SECONDS + 1)

    def _run(self) -> None:
        subscriptions = self._tenant.subscriptions
        with httpx.Client(trust_env=False, follow_redirects=False) as client:
            while not self._stopping.is_set():
                subscriptions.wake.wait(IDLE_SECONDS)
                subscriptions.wake.clear()
                deliver_due(self._tenant, client)


def deliver_due(tenant: Tenant, client: httpx.Client) -> None:
    """One round: everything due now, several items in one POST where they go to the same address."""
    with tenant.lock:
        due = tenant.subscriptions.take_due()
    for url, group in _groups(due):
        status = _post(client, url, group)
        with tenant.lock:
            tenant.subscriptions.record_outcome(group, status=status)


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


def _post(client: httpx.Client, url: str, group: list[Notification]) -> int | None:
    """The status answered in time, None for none."""
    deadline = RETRY_DEADLINE_SECONDS if group[0].attempts else FIRST_DEADLINE_SECONDS
    started = time.monotonic()
    try:
        answer = client.post(url, json={"value": [one.item for one in group]}, timeout=deadline)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    return answer.status_code if time.monotonic() - started <= deadline else None
