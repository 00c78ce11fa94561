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
from integration.language import Wording, lazy
from integration.tools import Tools

CONNECT_SECONDS = 1.0
ANSWER_KEPT_SECONDS = 10.0  # so that a probe each second is not a connection each second


class Readiness:
    """Asks and remembers for a few seconds."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._lock = threading.Lock()
        self._asked_at = -ANSWER_KEPT_SECONDS
        self._outside: dict[str, Wording] = {}

    def reasons(self) -> dict[str, Wording]:
        """Part -> why it is not ready; empty when everything is."""
        found = {
            "database": database_reason(self._tools),
            "queue": queue_reason(self._tools),
            **self._asked_outside(),
        }
        return {part: reason for part, reason in found.items() if reason}

    def _asked_outside(self) -> dict[str, Wording]:
        with self._lock:
            if time.monotonic() - self._asked_at >= ANSWER_KEPT_SECONDS:
                self._outside = {"graph": _graph(self._tools.settings), "sign-in": _issuer(self._tools.settings)}
                self._asked_at = time.monotonic()
            return self._outside


def database_reason(tools: Tools) -> Wording:
    """Why the database cannot be used; empty when it can."""
    from integration.migrate import is_current  # brings Alembic, a third of what a worker would import

    try:
        with tools.database.engine.connect() as connection:
            return "" if is_current(connection) else lazy("The database is not up to date: run `pods migrate`.")
    except SQLAlchemyError as error:
        return lazy("The database cannot be reached (%(why)s).", why=type(error).__name__)


def queue_reason(tools: Tools) -> Wording:
    """Why the queue cannot be used; empty when it can."""
    try:
        tools.doorbell.is_ringing()
    except RedisError as error:
        return lazy("Redis cannot be reached (%(why)s).", why=type(error).__name__)
    return ""


def _graph(settings: Settings) -> Wording:
    try:
        for name in ("TENANT_ID", "CLIENT_ID", "ORGANIZER_MAILBOXES"):
            settings.required(name)
    except PodsError as error:
        return error.wording
    return _reached(settings.graph_base_url)


def _issuer(settings: Settings) -> Wording:
    return _reached(settings.oidc_issuer) if settings.oidc_issuer else ""


def _reached(url: str) -> Wording:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=CONNECT_SECONDS).close()
    except OSError:
        return lazy("%(host)s cannot be reached.", host=f"{parts.hostname}:{port}")
    return ""
