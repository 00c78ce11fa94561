"""`pods`, as it is typed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from redis import Redis
from sqlalchemy import inspect

from integration.db import Database
from integration.doorbell import embedded_redis_url
from integration.migrate import differences, downgrade, is_current, upgrade

PATIENCE_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(folder: Path, **environ: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "DATA_DIR": str(folder / "var"), "LOG_FORMAT": "json", **environ}


def pods(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "integration.cli", *words]
    return subprocess.run(command, env=environment(folder, **environ), capture_output=True, text=True, timeout=60)


def test_an_error_is_its_message_and_its_remedy(tmp_path: Path) -> None:
    answer = pods(tmp_path, "migrate", WEBHOOKS="perhaps")
    assert answer.returncode == 1
    assert answer.stderr == "Error: WEBHOOKS is 'perhaps'.\nUse on or off.\n"


def test_a_slip_of_the_keyboard_is_a_usage_error(tmp_path: Path) -> None:
    assert pods(tmp_path, "migrat").returncode == 2


def test_the_worker_script_refuses_a_wrong_setting_at_start(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "worker.py"
    environ = environment(tmp_path, PORT="http")
    answer = subprocess.run([sys.executable, script, "work"], env=environ, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert "PORT" in answer.stderr
    assert subprocess.run([sys.executable, script], capture_output=True, timeout=60).returncode == 2


def test_migrating_makes_what_the_models_want(tmp_path: Path) -> None:
    assert pods(tmp_path, "migrate").returncode == 0
    url = f"sqlite:///{tmp_path}/var/pods.sqlite3"
    assert differences(url) == []
    database = Database(url)
    with database.engine.connect() as connection:
        assert is_current(connection)
    database.dispose()


def test_migrations_lead_there_and_back_on_both_databases(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    upgrade(empty_database_url)  # again: nothing to do
    assert differences(empty_database_url) == []
    downgrade(empty_database_url, "base")
    database = Database(empty_database_url)
    assert inspect(database.engine).get_table_names() == ["alembic_version"]
    database.dispose()
    upgrade(empty_database_url)
    assert differences(empty_database_url) == []


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    command = [sys.executable, "-m", "integration.cli", "serve"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment(tmp_path, PORT=str(port)), stderr=log, stdout=log, start_new_session=True
        )
        yield process, f"http://127.0.0.1:{port}"
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)


def healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def wait_until_healthy(url: str) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while not healthy(url):
        assert time.monotonic() < ends_at, "the server does not start"
        time.sleep(0.1)


def children_of(folder: Path) -> list[int]:
    """The processes whose environment or command names this test's own folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            alive = "State:\tZ" not in (process / "status").read_text()
        except OSError:
            continue
        if str(folder).encode() in told and alive and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def commandline(process_id: int) -> bytes:
    try:
        return (Path("/proc") / str(process_id) / "cmdline").read_bytes()
    except OSError:
        return b""  # it has just ended


def stop_queue(folder: Path) -> None:
    """The queue is no part of ours: it stays for the next supervisor, which takes it over."""
    with Redis.from_url(embedded_redis_url(folder)) as connection:
        connection.shutdown(nosave=True)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at /proc, which only Linux has")
def test_serve_starts_everything_and_stops_it_cleanly(
    server: tuple[subprocess.Popen[bytes], str], tmp_path: Path
) -> None:
    process, url = server
    wait_until_healthy(url)
    not_ready = httpx.get(f"{url}/readyz")
    assert not_ready.status_code == 503
    assert set(not_ready.json()["reasons"]) == {"graph"}
    assert "TENANT_ID is not set." in not_ready.json()["reasons"]["graph"]
    assert b"pods_doorbell_reached 1.0" in httpx.get(f"{url}/metrics").content
    assert len(children_of(tmp_path)) >= 5, "supervisor, queue, web, worker and tick"
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_SECONDS) == 0
    assert children_of(tmp_path) == []
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at /proc, which only Linux has")
def test_when_the_supervisor_itself_is_killed_its_parts_leave_and_the_port_is_free_again(
    server: tuple[subprocess.Popen[bytes], str], tmp_path: Path
) -> None:
    process, url = server
    wait_until_healthy(url)
    process.kill()
    process.wait(PATIENCE_SECONDS)
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while parts := [each for each in children_of(tmp_path) if b"integration.cli" in commandline(each)]:
        assert time.monotonic() < ends_at, f"{len(parts)} parts go on without their supervisor"
        time.sleep(0.1)
    assert not healthy(url)
    stop_queue(tmp_path / "var")
