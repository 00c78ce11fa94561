"""Never more than four requests in flight per mailbox: what Exchange allows one application.

https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits. Without Redis each process keeps its own
count; with Redis all workers share one, by leases that expire when a worker dies.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from redis.asyncio import Redis

IN_FLIGHT_PER_MAILBOX = 4
LEASE_SECONDS = 150  # longer than any request of ours may take
LOOK_AGAIN_SECONDS = 0.05


class Governor(Protocol):
    """Hands out leases; ``wanted`` says how many for each mailbox, none above IN_FLIGHT_PER_MAILBOX."""

    def leases(self, wanted: Mapping[str, int]) -> AbstractAsyncContextManager[None]: ...

    async def close(self) -> None: ...


class ProcessGovernor:
    """The count of one process, on one event loop. All leases of a request are taken at once, so none deadlock."""

    def __init__(self, limit: int = IN_FLIGHT_PER_MAILBOX) -> None:
        self._limit = limit
        self._held: Counter[str] = Counter()
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def leases(self, wanted: Mapping[str, int]) -> AsyncIterator[None]:
        if not wanted:
            yield
            return
        async with self._freed:
            await self._freed.wait_for(lambda: self._fits(wanted))
            self._held.update(wanted)
        try:
            yield
        finally:
            await asyncio.shield(self._release(wanted))

    async def close(self) -> None:
        """Nothing to close."""

    def _fits(self, wanted: Mapping[str, int]) -> bool:
        return all(self._held[mailbox] + count <= self._limit for mailbox, count in wanted.items())

    async def _release(self, wanted: Mapping[str, int]) -> None:
        async with self._freed:
            self._held.subtract(wanted)
            for mailbox in wanted:
                if self._held[mailbox] <= 0:
                    del self._held[mailbox]  # else thousands of mailboxes stay in memory
            self._freed.notify_all()


# KEYS: one sorted set per mailbox, lease -> expiry. ARGV: limit, seconds, token, then how many for each key.
# The clock is Redis's own, so that workers need not agree on the time.
_TAKE = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1000000
for i, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', at)
  if redis.call('ZCARD', key) + tonumber(ARGV[3 + i]) > tonumber(ARGV[1]) then return 0 end
end
for i, key in ipairs(KEYS) do
  for n = 1, tonumber(ARGV[3 + i]) do redis.call('ZADD', key, at + tonumber(ARGV[2]), ARGV[3] .. ':' .. n) end
  redis.call('EXPIRE', key, math.ceil(tonumber(ARGV[2])))
end
return 1
"""


class RedisGovernor:
    """One count for all workers on a Redis. Waits in the process first, so that few tasks ask Redis."""

    def __init__(self, redis_url: str, *, lease_seconds: float = LEASE_SECONDS) -> None:
        from redis.asyncio import Redis

        self._redis: Redis = Redis.from_url(redis_url)
        self._take = self._redis.register_script(_TAKE)
        self._lease_seconds = lease_seconds
        self._own = ProcessGovernor()

    @asynccontextmanager
    async def leases(self, wanted: Mapping[str, int]) -> AsyncIterator[None]:
        if not wanted:
            yield
            return
        async with self._own.leases(wanted):
            token = secrets.token_hex(8)
            await self._wait_for(wanted, token)
            try:
                yield
            finally:
                await asyncio.shield(self._release(wanted, token))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _wait_for(self, wanted: Mapping[str, int], token: str) -> None:
        keys = [_key(mailbox) for mailbox in wanted]
        terms = [IN_FLIGHT_PER_MAILBOX, self._lease_seconds, token, *wanted.values()]
        while not await self._take(keys=keys, args=terms):
            await asyncio.sleep(LOOK_AGAIN_SECONDS * (1 + random.random()))

    async def _release(self, wanted: Mapping[str, int], token: str) -> None:
        for mailbox, count in wanted.items():
            await self._redis.zrem(_key(mailbox), *(f"{token}:{n}" for n in range(1, count + 1)))


def _key(mailbox: str) -> str:
    return f"graph:in-flight:{mailbox}"
