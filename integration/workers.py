"""The two loops behind `worker.py`: one answers the doorbell, one watches the clock.

Neither forks: the event loop and the threads that talk to Graph would not survive it.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

from redis import Redis
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from integration.doorbell import QUEUE
from integration.jobs import STOP, begin, drain, tick, tidy
from integration.log import get_logger
from integration.tools import Tools

LISTEN_SECONDS = 5  # then the outbox is looked at in any case, should the doorbell have been deaf
TICK_SECONDS = 1.0
GLANCE_SECONDS, HURRIED_TICK_SECONDS = 0.002, 0.01  # at a clock that is moved by hand, and at what was committed
TIDY_EVERY_SECONDS = 3_600.0
REST_SECONDS = 1.0  # after Redis or the database could not be reached

log = get_logger(__name__)


class DoorbellAway(Exception):
    """Redis cannot be reached; the outbox is watched without it."""


class Listener(SimpleWorker):
    """An RQ worker that gives up when Redis is away (RQ would wait for it) and that finishes its job on SIGTERM."""

    answering = False

    def execute_job(self, job: Job, queue: Queue) -> None:
        self.answering = True
        try:
            super().execute_job(job, queue)
        finally:
            self.answering = False

    def heartbeat(self, *args: object, **keywords: object) -> None:
        try:
            super().heartbeat(*args, **keywords)  # type: ignore[arg-type]
        except RedisError as error:
            raise DoorbellAway from error

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        STOP.set()
        self._stop_requested = True
        if not self.answering:
            raise StopRequested


def work(tools: Tools) -> None:
    """Answer the doorbell until SIGTERM or SIGINT; what is claimed then is finished."""
    _stop_on_signals()
    connection = Redis.from_url(tools.doorbell.url)
    while not STOP.is_set():
        try:
            drain(tools)
            if not STOP.is_set():
                _listen(connection)
        except (DoorbellAway, RedisError, SQLAlchemyError) as error:
            log.warning("worker waits", reason=type(error).__name__)
            STOP.wait(REST_SECONDS)
        finally:
            _stop_on_signals()  # RQ puts its own in place while it listens
    connection.close()
    tools.close()


def keep_ticking(tools: Tools) -> None:
    """Do what falls due until SIGTERM or SIGINT; any number of processes may do this."""
    _stop_on_signals()
    wait = _until_something_moves(tools) if tools.clock.movable else partial(STOP.wait, TICK_SECONDS)
    tidied_at, begun = -TIDY_EVERY_SECONDS, False
    while not STOP.is_set():
        try:
            if not begun:
                begin(tools)
                begun = True
            tick(tools)
            if time.monotonic() - tidied_at > TIDY_EVERY_SECONDS:
                tidy(tools)
                tidied_at = time.monotonic()
            wait()
        except (SQLAlchemyError, OSError, ExceptionGroup) as error:
            log.error("tick failed", reason=type(error).__name__)
            STOP.wait(REST_SECONDS)
    tools.close()


def _until_something_moves(tools: Tools) -> Callable[[], object]:
    """A wait that ends when somebody has moved the clock or committed something, after a second in any case."""
    has_changed, now = tools.database.watch(), tools.clock.now()

    def wait() -> None:
        nonlocal now
        began = time.monotonic()
        while not STOP.wait(GLANCE_SECONDS):
            before, now = now, tools.clock.now()
            waited = time.monotonic() - began
            if now != before or waited > TICK_SECONDS or (waited > HURRIED_TICK_SECONDS and has_changed()):
                return

    return wait


def _listen(connection: Redis) -> None:
    queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
    listener = Listener(
        [queue],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=LISTEN_SECONDS + 20,  # RQ listens for 15 s less than this
        maintenance_interval=60,
    )
    listener.log_job_description = False
    listener.work(max_idle_time=LISTEN_SECONDS, logging_level="ERROR")


def _stop_on_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: STOP.set())
