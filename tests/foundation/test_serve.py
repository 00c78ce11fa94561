"""The supervisor of `pods serve`, with the queue alone: whatever it started, it keeps alive and takes along."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from integration.doorbell import embedded_redis_url

PATIENCE_SECONDS = 40.0
QUEUE_ALONE = """
import os
from integration.config import Settings
from integration.serve import serve

serve(Settings.from_environment(os.environ), os.environ, parts=())
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    environ = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", QUEUE_ALONE], env=environ, start_new_session=True)
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def queue_process(folder: Path) -> int | None:
    """The id of the process that answers for this folder's queue; None when nobody does."""
    with Redis.from_url(embedded_redis_url(folder), socket_connect_timeout=1, socket_timeout=1) as connection:
        try:
            return int(connection.info("server")["process_id"])  # type: ignore[index]
        except RedisError:
            return None


def wait_until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < ends_at, "waited in vain"
        time.sleep(0.05)


def test_a_queue_that_dies_is_started_again_and_stopped_with_the_rest(
    supervisor: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    wait_until(lambda: queue_process(tmp_path) is not None)
    first = queue_process(tmp_path)
    assert first is not None
    wait_until((tmp_path / "pods.sqlite3").exists)  # a queue that dies while it starts ends the supervisor, too

    os.kill(first, signal.SIGKILL)

    wait_until(lambda: queue_process(tmp_path) not in (None, first))
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(PATIENCE_SECONDS) == 0
    assert queue_process(tmp_path) is None
