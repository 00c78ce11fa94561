"""The doorbell: RQ tells a worker that something waits. It is never the truth: a sweep finds what it missed."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy.orm import Session

from integration.config import Settings
from integration.log import get_logger
from integration.outbox import RINGS

QUEUE = "pods"
DRAIN = "integration.jobs.drain"
LONGEST_SOCKET_PATH = 100  # the system's limit is 104 to 108 bytes
PATIENCE_SECONDS = 2

log = get_logger(__name__)


def embedded_redis_url(data_dir: Path) -> str:
    """Where the embedded server of a data folder listens: a socket that only this account can open."""
    socket = data_dir / "redis.sock"
    if len(bytes(socket)) > LONGEST_SOCKET_PATH:
        name = hashlib.sha256(bytes(data_dir)).hexdigest()[:16]
        socket = Path(tempfile.gettempdir()) / f"pods-{name}" / "redis.sock"
    return f"unix://{socket}"


class Doorbell:
    """Rings for a worker; a missing Redis is logged once and fails nobody."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = Redis.from_url(
            url, socket_connect_timeout=PATIENCE_SECONDS, socket_timeout=PATIENCE_SECONDS
        )
        self.queue = Queue(QUEUE, connection=self.connection, serializer=JSONSerializer)
        self._silent = False

    @classmethod
    def from_settings(cls, settings: Settings) -> Doorbell:
        return cls(settings.redis_url or embedded_redis_url(settings.data_dir))

    def ring(self) -> None:
        """Wake a worker, unless one is being rung for already."""
        try:
            if self.queue.count == 0:
                self.queue.enqueue(DRAIN, job_timeout=-1, result_ttl=0, failure_ttl=3600)
            self._silent = False
        except RedisError as error:
            self._log_silence(error)

    def ring_for(self, session: Session) -> None:
        """Ring for a committed transaction in which the outbox was added to."""
        if session.info.pop(RINGS, False):
            self.ring()

    def is_ringing(self) -> bool:
        """Whether a ring has not been answered yet; raises RedisError when nobody can tell."""
        return self.queue.count > 0

    def close(self) -> None:
        self.connection.close()

    def _log_silence(self, error: RedisError) -> None:
        if not self._silent:
            log.warning("doorbell silent", reason=type(error).__name__)
        self._silent = True
