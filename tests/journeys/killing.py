"""A worker that is killed at its calls to Graph, again and again, while a story goes on.

Every request of the worker is held by the simulator. The executioner looks at each: one it has not seen yet costs the
worker its life (SIGKILL), at the moment the test is about; one it has seen is let through. So the story goes on, and
in the end the worker has died once at every call of it.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO

import psycopg
from sqlalchemy import make_url, select

from integration.db import Base
from integration.graph.simulator.faults import Fault, Faults, Held
from integration.scheduling.models import Series
from integration.tools import Tools

ROOT = Path(__file__).parents[2]
GRAPH = r"^/v1\.0/"
LOOK_SECONDS = 0.004
GATHERS_FOR_SECONDS = 0.04  # what a worker does at once is in flight together after so long
DIGESTS_WITHIN_SECONDS = 3.0
DIGESTING, RESTING = 0.001, 0.0005  # seconds of processor time: an answer costs more, waiting for a lock costs less
RESTS_FOR_SECONDS = 0.04
STRAY_SECONDS = 0.03  # what a dead worker had sent may still arrive for so long
OPAQUE = re.compile(r"(?<=/)[A-Za-z0-9_-]{20,}={0,2}(?=[/?(]|$)|(?<=/)[^/@]+@[^/]+?(?=[/?]|$)|(?<=/)MSo[^/?]*")


class Moment(StrEnum):
    """When the worker dies, seen from one of its calls."""

    BEFORE_IT_IS_SENT = "before the call is sent"
    BEFORE_THE_ANSWER = "after the server acted and before the answer"
    BEFORE_THE_COMMIT = "after the answer and before the commit"


class Worker:
    """The real worker as a process of its own; started again each time it has died."""

    def __init__(self, environ: Mapping[str, str], log: IO[bytes]) -> None:
        self._environ, self._log = dict(environ), log
        self._process: subprocess.Popen[bytes] | None = None
        self.lives = 0

    def start(self) -> None:
        command = [sys.executable, "worker.py", "work"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._environ, stderr=self._log, stdout=self._log)
        self.lives += 1

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait_until_it_rests(self) -> None:
        """Return once the worker has read the answer just given and waits, for the database or for its next answer.

        Time alone would not do: on a busy machine the worker may not have come to read it.
        """
        ends_at, began = time.monotonic() + DIGESTS_WITHIN_SECONDS, self._processor_seconds()
        while time.monotonic() < ends_at and self._processor_seconds() < began + DIGESTING:
            time.sleep(LOOK_SECONDS)
        used, rest = began, 0
        while time.monotonic() < ends_at and rest < 2:
            time.sleep(RESTS_FOR_SECONDS / 2)
            before, used = used, self._processor_seconds()
            rest = rest + 1 if used < before + RESTING else 0

    def _processor_seconds(self) -> float:
        """Of all threads, to the nanosecond (proc_pid_schedstat); what psutil knows comes in hundredths."""
        assert self._process is not None
        tasks = Path(f"/proc/{self._process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


Verdict = Callable[["Executioner", tuple[object, ...]], bool]


def at_every_call_once(executioner: Executioner, key: tuple[object, ...]) -> bool:
    """The verdict that kills at each distinct call."""
    return key not in executioner.seen


def at_the_nth_call(number: int) -> Verdict:
    """The verdict that kills once in a story, at its n-th call."""
    return lambda executioner, _key: not executioner.kills and executioner.calls == number


@dataclass(frozen=True)
class Kill:
    """A call at which the worker died, without its ids, and the calls that it had gone on to."""

    chapter: str
    call: str
    went_on_to: frozenset[str]


@dataclass
class Executioner:
    """Decides over each call. ``chapter`` is the part of the story that equal calls are told apart by."""

    moment: Moment
    tools: Tools
    faults: Faults
    worker: Worker
    in_flight: Callable[[], int]
    verdict: Verdict = at_every_call_once
    chapter: str = ""
    calls: int = 0
    kills: list[Kill] = field(default_factory=list)
    seen: set[tuple[object, ...]] = field(default_factory=set)
    _let_through: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _in_this_life: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def hold_everything(self) -> None:
        when = "before" if self.moment is Moment.BEFORE_IT_IS_SENT else "after"
        self.faults.order(Fault(do="hold", when=when, path=GRAPH, times=None))

    def judge(self) -> None:
        """Look at what is held; returns at once when there is nothing.

        Calls that are in flight together die together, each at the moment this test is about.
        """
        held = self._held()
        if any(key not in self.seen for key in self._keys(held)):
            time.sleep(GATHERS_FOR_SECONDS)
            held = self._held()
        doomed: list[Held] = []
        for each, key in zip(held, self._keys(held), strict=True):
            self.calls += 1
            if self.verdict(self, key):
                doomed.append(each)
            self.seen.add(key)
        if doomed:
            self._execute(doomed)
            return
        for each in held:
            self._let_through[self._call(each)] += 1
            self._in_this_life[self._call(each)] += 1
            self.faults.decide(each.id)

    def _held(self) -> list[Held]:
        return sorted(self.faults.held(), key=lambda each: int(each.id.partition("-")[2]))

    def _keys(self, held: list[Held]) -> list[tuple[object, ...]]:
        """What makes calls other ones than those seen so far.

        Equal reads are told apart by their number in one life of the worker, and by how far the series is; equal
        writes by how many were let through, since a write that came through is progress.
        """
        keys: list[tuple[object, ...]] = []
        beside: Counter[tuple[str, ...]] = Counter()
        for each in held:
            call = self._call(each)
            number = (self._in_this_life if is_read(each) else self._let_through)[call] + beside[call]
            beside[call] += 1
            is_step = "/events/" in each.path or "/onlineMeetings" in each.path
            keys.append((*call, number, self._progress() if is_step else ()))
        return keys

    def _call(self, held: Held) -> tuple[str, ...]:
        path, _, query = held.path.partition("?")
        if "delta" in path:
            return (held.method, path)  # its link is another one each time
        return (self.chapter, held.method, path, query if "filter" in query else "")

    def _progress(self) -> tuple[bool, ...]:
        steps = select(Series.created_at, Series.checked_at, Series.invited_at)
        with self.tools.database.reading() as session:
            return tuple(at is not None for row in session.execute(steps) for at in row)

    def _execute(self, doomed: list[Held]) -> None:
        known = {each.id for each in self._held()}
        if self.moment is Moment.BEFORE_THE_COMMIT:
            # The call after these must not act: it is to have a death of its own.
            self.faults.order(Fault(do="hold", when="before", path=GRAPH, times=None))
            with nobody_may_write(self.tools):
                for each in doomed:
                    self.faults.decide(each.id)
                self.worker.wait_until_it_rests()
                self.worker.kill()
        else:
            self.worker.kill()
        went_on_to = frozenset(shape(each) for each in self._held() if each.id not in known)
        self._bury()
        self.faults.clear()
        self.hold_everything()
        self.kills += [Kill(self.chapter, shape(each), went_on_to) for each in doomed]
        self._in_this_life.clear()
        self.worker.start()

    def _bury(self) -> None:
        """Drop what the dead worker had sent, also what arrives late."""
        ends_at = time.monotonic() + STRAY_SECONDS
        while self.in_flight() or time.monotonic() < ends_at:
            for held in self.faults.held():
                self.faults.decide(held.id, drop=True)
            time.sleep(LOOK_SECONDS)


def is_read(held: Held) -> bool:
    return held.method == "GET" or held.path.endswith("/getSchedule")


def shape(held: Held) -> str:
    """The call without ids and options: ``POST /users/-/events``."""
    path = held.path.removeprefix("/v1.0").partition("?")[0]
    return f"{held.method} {OPAQUE.sub('-', path)}"


@contextmanager
def nobody_may_write(tools: Tools) -> Iterator[None]:
    """Keep every other connection from writing; reading goes on. Nothing is changed."""
    url = make_url(tools.settings.database_url)
    if tools.database.is_sqlite:
        connection = sqlite3.connect(url.database or "", timeout=20, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
            connection.close()
        return
    tables = ", ".join(Base.metadata.tables)
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        connection.execute(f"LOCK TABLE {tables} IN EXCLUSIVE MODE".encode())
        yield
        connection.rollback()
