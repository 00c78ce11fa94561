"""Real processes, killed as machines kill them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from integration.outbox import Message, Task, add
from integration.tools import Tools

Start = Callable[..., subprocess.Popen[bytes]]
PATIENCE_SECONDS = 40.0


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    file = tmp_path / "journal"
    file.touch()
    return file


@pytest.fixture
def start(environ: dict[str, str], journal: Path) -> Iterator[Start]:
    """Starts a worker or ticker whose task writes to the journal; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start_one(role: str, *how: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.foundation.probe", role, str(journal), *how]
        process = subprocess.Popen(command, env={**os.environ, **environ})
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.wait()


def ask_for(tools: Tools, *subjects: int) -> None:
    with tools.database.transaction() as session:
        for subject in subjects:
            add(session, Task.SERIES_PUSH, subject)


def states(tools: Tools) -> list[str]:
    with tools.database.reading() as session:
        return list(session.scalars(select(Message.state)).all())


def wait_until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < ends_at, "waited in vain"
        time.sleep(0.05)


def test_killing_a_worker_in_the_middle_loses_nothing(tools: Tools, start: Start, journal: Path) -> None:
    ask_for(tools, 1, 2, 3)
    doomed = start("work", "hang")
    wait_until(lambda: journal.read_text().count("begun") == 3)
    doomed.kill()
    doomed.wait()
    start("tick")
    start("work")
    wait_until(lambda: states(tools) == ["done"] * 3)
    assert sorted(journal.read_text().split("\n"))[-3:] == ["done 1", "done 2", "done 3"]


def test_wiping_redis_loses_nothing(tools: Tools, start: Start, journal: Path) -> None:
    ask_for(tools, *range(20))
    tools.doorbell.connection.flushall()
    start("tick")
    start("work")
    wait_until(lambda: "done" in journal.read_text())
    tools.doorbell.connection.flushall()
    wait_until(lambda: states(tools) == ["done"] * 20)
    assert journal.read_text().count("done") == 20


def test_a_worker_told_to_leave_finishes_what_it_has_begun(tools: Tools, start: Start, journal: Path) -> None:
    worker = start("work")
    ask_for(tools, *range(60))
    wait_until(lambda: "begun" in journal.read_text())
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_SECONDS) == 0
    lines = journal.read_text()
    assert lines.count("begun") == lines.count("done") == states(tools).count("done") < 60
    assert "claimed" not in states(tools)


def test_an_idle_worker_leaves_at_once(tools: Tools, start: Start, journal: Path) -> None:
    worker = start("work")
    ask_for(tools, 1)
    wait_until(lambda: states(tools) == ["done"])
    time.sleep(0.3)  # it listens now
    asked_at = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_SECONDS) == 0
    assert time.monotonic() - asked_at < 5
