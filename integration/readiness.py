"""Whether this process can do its work: the database, the queue, Microsoft Graph and the sign-in can be reached.

Nothing here signs in anywhere: a page must never wait for Microsoft. `pods doctor` proves each permission.
"""

from __future__ import annotations

import socket
import threading
import time
from urllib.parse import urlsplit

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from integration.config import Settings
from integration.errors import PodsError
from integration.migrate import is_current
from integration.tools import Tools

CONNECT_SECONDS = 1.0
ANSWER_KEPT_SECONDS = 10.0  # so that a probe each second is not a connection each second


class Readiness:
    """Asks and remembers for a few seconds."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._lock = threading.Lock()
        self._asked_at = -ANSWER_KEPT_SECONDS
        self._outside: dict[str, str] = {}

    def reasons(self) -> dict[str, str]:
        """Part -> why it is not ready; empty when everything is."""
        found = {
            "database": database_reason(self._tools),
            "queue": queue_reason(self._tools),
            **self._asked_outside(),
        }
        return {part: reason for part, reason in found.items() if reason}

    def _asked_outside(self) -> dict[str, str]:
        with self._lock:
            if time.monotonic() - self._asked_at >= ANSWER_KEPT_SECONDS:
                self._outside = {"graph": _graph(self._tools.settings), "sign-in": _issuer(self._tools.settings)}
                self._asked_at = time.monotonic()
            return self._outside


def database_reason(tools: Tools) -> str:
    """Why the database cannot be used; empty when it can."""
    try:
        with tools.database.engine.connect() as connection:
            return "" if is_current(connection) else "The database is not up to date: run `pods migrate`."
    except SQLAlchemyError as error:
        return f"The database cannot be reached ({type(error).__name__})."


def queue_reason(tools: Tools) -> str:
    """Why the queue cannot be used; empty when it can."""
    try:
        tools.doorbell.is_ringing()
    except RedisError as error:
        return f"Redis cannot be reached ({type(error).__name__})."
    return ""


def _graph(settings: Settings) -> str:
    try:
        for name in ("TENANT_ID", "CLIENT_ID", "ORGANIZER_MAILBOXES"):
            settings.required(name)
    except PodsError as error:
        return str(error)
    return _reached(settings.graph_base_url)


def _issuer(settings: Settings) -> str:
    return _reached(settings.oidc_issuer) if settings.oidc_issuer else ""


def _reached(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=CONNECT_SECONDS).close()
    except OSError:
        return f"{parts.hostname}:{port} cannot be reached."
    return ""
