"""A gate in front of the simulated tenant that kills the worker at each call it has not seen before."""

import hashlib
import io
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import cast
from urllib.parse import unquote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from integration.graph.simulator.clock import MovableClock

ROOT = Path(__file__).parents[3]
MOMENT_SECONDS = 0.2  # from the answer until the worker stands before its commit, or has sent its next call
START_SECONDS = 30.0
MOST_KILLS_A_CALL = 8  # of one method and path in one instant: more means that it never gets past it
MOST_INSTANTS_OF_A_READ = 3  # a look at the same thing is a call of its own at a later instant, but not for ever

KINDS = (
    ("find people", "GET", r"/users/[^/]+$"),
    ("create event", "POST", r"/users/[^/]+/(calendar/)?events$"),
    ("read event", "GET", r"/users/[^/]+/(calendar/)?events/[^/]+$"),
    ("read instances", "GET", r"/events/[^/]+/instances$"),
    ("change event", "PATCH", r"/events/[^/]+$"),
    ("find meeting", "GET", r"/onlineMeetings(\(|$)"),
    ("list reports", "GET", r"/attendanceReports$"),
    ("read report", "GET", r"/attendanceReports/[^/]+"),
    ("read calendar changes", "GET", r"/calendarView/delta"),
    ("ask who is away", "POST", r"/getSchedule$"),
    ("create draft", "POST", r"/messages$"),
    ("read message", "GET", r"/messages/[^/]+$"),
    ("look for message", "GET", r"/messages$"),
    ("send draft", "POST", r"/messages/[^/]+/send$"),
)


class Moment(StrEnum):
    """When, in the life of a call, the process that made it is killed."""

    BEFORE = "before the call is sent"
    ACTED = "after the tenant acted and before the answer"
    ANSWERED = "after the answer and before the commit"


@dataclass(frozen=True)
class Call:
    """A call as it would be made again after a crash, in one instant of the movable clock."""

    at: datetime
    method: str
    target: str
    body: str

    @property
    def kind(self) -> str:
        path = unquote(self.target.partition("?")[0])
        found = (name for name, method, pattern in KINDS if method == self.method and re.search(pattern, path))
        return next(found, f"{self.method} {path}")


class Worker:
    """`worker.py work`, started again and again.

    The next one has done its imports and waits for its client secret, which comes through a pipe, while the present
    one works: so a restart takes as long as the lease of what the killed one held, not as long as the imports.
    """

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self._log = (folder / "worker.log").open("wb")
        self._started = 0
        self._secret = environ["CLIENT_SECRET"]
        self._running: subprocess.Popen[bytes] | None = None
        self._spare, self._pipe = self._prepare()
        self.lives = 0

    @property
    def life(self) -> int | None:
        """The number of the living worker's life; None while none lives."""
        return self.lives if self._running else None

    def keep_alive(self) -> None:
        """Start a worker if none runs. A worker that ended without being killed is a failure of its own."""
        if self._running and self._running.poll() is not None:
            raise AssertionError(f"the worker ended by itself:\n{self.log()}")
        if self._running:
            return
        self._let_begin(self._pipe, self._spare)
        self.lives += 1
        self._running = self._spare
        self._spare, self._pipe = self._prepare()

    def kill(self) -> None:
        """SIGKILL, by the id of the process; returns when it is dead."""
        assert self._running
        self._running.kill()
        self._running.wait()
        self._running = None

    def log(self) -> str:
        return (self._folder / "worker.log").read_text(encoding="utf-8")[-6000:]

    def close(self) -> None:
        for process in (self._running, self._spare):
            if process:
                process.kill()
                process.wait()
        self._log.close()

    def _prepare(self) -> tuple[subprocess.Popen[bytes], Path]:
        self._started += 1
        pipe = self._folder / f"secret-{self._started}"
        os.mkfifo(pipe, 0o600)
        environ = {name: value for name, value in self._environ.items() if name != "CLIENT_SECRET"}
        environ["CLIENT_SECRET_FILE"] = str(pipe)
        command = [sys.executable, str(ROOT / "worker.py"), "work"]
        return subprocess.Popen(command, env=environ, stdout=self._log, stderr=self._log, cwd=ROOT), pipe

    def _let_begin(self, pipe: Path, process: subprocess.Popen[bytes]) -> None:
        ends_at = time.monotonic() + START_SECONDS
        while time.monotonic() < ends_at:
            try:
                descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # it does not read yet
                assert process.poll() is None, f"the worker does not start:\n{self.log()}"
                time.sleep(0.01)
                continue
            os.write(descriptor, self._secret.encode())
            os.close(descriptor)
            return
        raise AssertionError("the worker never asked for its secret")


@dataclass
class Killings:
    """What was killed where."""

    seen: set[Call] = field(default_factory=set)
    by_kind: Counter[str] = field(default_factory=Counter)
    before_commit: int = 0
    before_next_call: int = 0
    _again: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _often: Counter[tuple[datetime, str, str]] = field(default_factory=Counter)
    stuck: str | None = None

    def is_new(self, call: Call) -> bool:
        if call in self.seen:
            return False
        # A send that is tried again minutes later is the same send: killed at each instant, it would never leave.
        same = (call.method, call.target, call.body)
        if self._again[same] >= (MOST_INSTANTS_OF_A_READ if call.method == "GET" else 1):
            return False
        self._again[same] += 1
        self.seen.add(call)
        self.by_kind[call.kind] += 1
        place = (call.at, call.method, call.target)
        self._often[place] += 1
        if self._often[place] > MOST_KILLS_A_CALL:
            self.stuck = f"{call.method} {call.target} differs at each try, at {call.at}"
        return True


class Gate:
    """WSGI middleware: every call of the worker passes here, and the first of its kind is the worker's last."""

    def __init__(
        self,
        inner: WSGIApplication,
        *,
        worker: Worker,
        clock: MovableClock,
        moment: Moment,
        lock_database: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._inner = inner
        self._worker = worker
        self._clock = clock
        self._moment = moment
        self._lock_database = lock_database
        self._deciding = threading.Lock()
        self._next_call = threading.Event()
        self.killings = Killings()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        life = self._worker.life
        if life is None or not str(environ["PATH_INFO"]).startswith("/v1.0/"):
            return self._inner(environ, start_response)
        self._next_call.set()
        call = _call(environ, at=self._clock.now())
        if self._moment == Moment.BEFORE and self._kills_at(call, life):
            return _cut(environ, start_response)
        if self._worker.life != life:  # it died of another call meanwhile
            return _cut(environ, start_response)
        answer = b"".join(self._inner(environ, start_response))
        if self._moment == Moment.ACTED and self._kills_at(call, life):
            return _cut(environ, lambda *_: lambda _: None)
        if self._moment == Moment.ANSWERED:
            self._doom_at(call, life)
        return [answer]

    def _kills_at(self, call: Call, life: int) -> bool:
        """Whether the worker is dead now; one that died of another call counts, but is not this call's."""
        with self._deciding:
            if self._worker.life != life:
                return True
            if not self.killings.is_new(call):
                return False
            self._worker.kill()
            return True

    def _doom_at(self, call: Call, life: int) -> None:
        """From here until the worker is dead nothing can be committed, and no other answer is given."""
        self._deciding.acquire()
        if self._worker.life != life or not self.killings.is_new(call):
            self._deciding.release()
            return
        locked = self._lock_database()
        locked.__enter__()
        self._next_call.clear()
        threading.Thread(target=self._kill_soon, args=(locked,), daemon=True).start()

    def _kill_soon(self, locked: AbstractContextManager[None]) -> None:
        try:
            if self._next_call.wait(MOMENT_SECONDS):
                self.killings.before_next_call += 1
            else:
                self.killings.before_commit += 1
            self._worker.kill()
        finally:
            locked.__exit__(None, None, None)
            self._deciding.release()


@contextmanager
def sqlite_locked(file: Path):
    """While it is open nobody else can write to the database."""
    with closing(sqlite3.connect(file, timeout=20, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def _call(environ: WSGIEnvironment, *, at: datetime) -> Call:
    stream = cast(io.BufferedIOBase, environ["wsgi.input"])
    length = str(environ.get("CONTENT_LENGTH") or "")
    chunked = "chunked" in str(environ.get("HTTP_TRANSFER_ENCODING", "")).lower()
    sent = stream.read(int(length)) if length else (stream.read() if chunked else b"")
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(sent), str(len(sent))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    query = str(environ.get("QUERY_STRING", ""))
    target = f"{environ['PATH_INFO']}?{query}" if query else str(environ["PATH_INFO"])
    return Call(at, str(environ["REQUEST_METHOD"]), target, hashlib.sha256(sent).hexdigest())


def _cut(environ: WSGIEnvironment, start_response: Callable[..., object]) -> Iterable[bytes]:
    cut = environ.get("simulator.cut")
    assert callable(cut)
    cut()
    start_response("503 Service Unavailable", [("Connection", "close")])
    return [b""]
