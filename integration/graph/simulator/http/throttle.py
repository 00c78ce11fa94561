"""Exchange's limits per app and mailbox: requests in flight at once, and requests in ten minutes. Real time."""

import re
import threading
import time
from collections import Counter

from ..tenant.tenant import Tenant
from .odata import GraphFault

WINDOW_SECONDS = 600
OUTLOOK_PATH = re.compile(
    r"^/v1\.0/users/([^/]+)/"
    r"(?:calendars?|calendarView|events|messages|mailFolders|sendMail|mailboxSettings|outlook)(?:/|$)"
)


class MailboxThrottle:
    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._lock = threading.Lock()
        self._in_flight: Counter[str] = Counter()
        self._made: Counter[str] = Counter()
        self._window_ends = time.monotonic() + WINDOW_SECONDS

    def mailbox(self, path: str) -> str | None:
        """The object id of the mailbox that a path is about, None for anything outside Outlook."""
        found = OUTLOOK_PATH.match(path)
        person = self._tenant.directory.find(found.group(1)) if found else None
        return person.id if person else None

    def take(self, mailbox: str) -> None:
        """Counts a request in; raises the 429 of Exchange beyond a limit."""
        switches = self._tenant.switches
        with self._lock:
            self._turn_window()
            self._made[mailbox] += 1
            if self._in_flight[mailbox] >= switches.concurrent_requests_per_mailbox:
                raise self._too_many("Application is over its MailboxConcurrency limit.")
            if self._made[mailbox] > switches.requests_per_mailbox_per_10_minutes:
                raise self._too_many("Application is over its MailboxRequests limit.")
            self._in_flight[mailbox] += 1

    def release(self, mailbox: str) -> None:
        with self._lock:
            self._in_flight[mailbox] -= 1

    def _turn_window(self) -> None:
        if time.monotonic() < self._window_ends:
            return
        self._made.clear()
        self._window_ends = time.monotonic() + WINDOW_SECONDS

    def _too_many(self, message: str) -> GraphFault:
        seconds = self._tenant.switches.throttle_retry_after_seconds
        headers = {"Retry-After": str(seconds)} if seconds else {}
        return GraphFault(429, self._tenant.switches.throttle_code, message, headers)
