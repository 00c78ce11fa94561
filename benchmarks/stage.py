"""What the benchmarks have in common: a simulated tenant in a process of its own, a database, a queue, and tools."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from integration.config import Settings
from integration.migrate import upgrade
from integration.serve import start_embedded_redis, stop_processes
from integration.tools import Tools

QUICK = bool(os.environ.get("BENCH_QUICK"))
START_SECONDS = 60.0
IN_MEMORY = "/dev/shm"


@dataclass(frozen=True)
class Stage:
    tools: Tools
    environ: dict[str, str]
    tenant_url: str


@contextmanager
def stage(*, people: int, organizers: int | None = None, on_disk: bool = True) -> Iterator[Stage]:
    """Everything a worker needs, with real processes; ``organizers``: so many of the tenant's, None for all.

    Without ``on_disk`` no commit waits for one, where possible.
    """
    parent = IN_MEMORY if not on_disk and os.access(IN_MEMORY, os.W_OK | os.X_OK) else None
    with ExitStack() as closing:
        folder = Path(closing.enter_context(TemporaryDirectory(prefix="pods-bench-", dir=parent)))
        printed = folder / "tenant.txt"
        command = [sys.executable, "-u", "-m", "integration.cli", "simulator", "--port", "0", "--people", str(people)]
        with printed.open("wb") as out:
            tenant = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, start_new_session=True)
        closing.callback(stop_processes, [tenant])
        environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environ |= _printed_settings(printed) | {"DATA_DIR": str(folder), "WEBHOOKS": "off", "LOG_LEVEL": "ERROR"}
        environ["ORGANIZER_MAILBOXES"] = ",".join(environ["ORGANIZER_MAILBOXES"].split(",")[:organizers])
        queue = start_embedded_redis(folder)
        closing.callback(queue.stop)
        tools = Tools.from_settings(Settings.from_environment(environ))
        closing.callback(tools.close)
        upgrade(tools.settings.database_url)
        yield Stage(tools, environ, environ["GRAPH_BASE_URL"].removesuffix("/v1.0"))


@contextmanager
def worker(on: Stage) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker process."""
    command = [sys.executable, str(Path(__file__).parent.parent / "worker.py"), "work"]
    process = subprocess.Popen(command, env=on.environ, start_new_session=True)
    try:
        yield process
    finally:
        stop_processes([process])


def _printed_settings(printed: Path) -> dict[str, str]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        lines = (line.partition("=") for line in printed.read_text(encoding="utf-8").splitlines())
        found = {name: value for name, sign, value in lines if sign and name.isupper()}
        if "SENDER_MAILBOXES" in found:
            return found
        time.sleep(0.05)
    raise TimeoutError("The simulator did not start.")
