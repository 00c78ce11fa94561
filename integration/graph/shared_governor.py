"""One count of requests in flight for all workers, kept in Redis by leases that expire when a worker dies.

Leases are short and renewed while the request runs: those of a dead worker must not keep a mailbox from the others.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from integration.graph.errors import Unavailable
from integration.graph.governor import IN_FLIGHT_PER_MAILBOX, LocalGovernor
from integration.language import lazy

LEASE_SECONDS = 5.0  # one that lapses although its request runs costs a 429 at worst, which is tried again
LOOK_AGAIN_SECONDS = 0.05

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

# The same, for leases that are held; one that lapsed meanwhile is taken again.
_RENEW = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1000000
for i, key in ipairs(KEYS) do
  for n = 1, tonumber(ARGV[2 + i]) do redis.call('ZADD', key, at + tonumber(ARGV[1]), ARGV[2] .. ':' .. n) end
  redis.call('EXPIRE', key, math.ceil(tonumber(ARGV[1])))
end
"""


class RedisGovernor:
    """One count for all workers on a Redis. Waits in the process first, so that few tasks ask Redis."""

    def __init__(self, redis_url: str, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._redis: Redis = Redis.from_url(redis_url)
        self._take = self._redis.register_script(_TAKE)
        self._renew = self._redis.register_script(_RENEW)
        self._lease_seconds = lease_seconds
        self._own = LocalGovernor()

    @asynccontextmanager
    async def leases(self, wanted: Mapping[str, int]) -> AsyncIterator[None]:
        if not wanted:
            yield
            return
        async with self._own.leases(wanted):
            token = secrets.token_hex(8)
            await self._wait_for(wanted, token)
            renewing = asyncio.create_task(self._keep(wanted, token))
            try:
                yield
            finally:
                await asyncio.shield(self._let_go(wanted, token, renewing))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _wait_for(self, wanted: Mapping[str, int], token: str) -> None:
        keys = [_key(mailbox) for mailbox in wanted]
        terms = [IN_FLIGHT_PER_MAILBOX, self._lease_seconds, token, *wanted.values()]
        try:
            while not await self._take(keys=keys, args=terms):
                await asyncio.sleep(LOOK_AGAIN_SECONDS * (1 + random.random()))
        except RedisError as failure:
            # Better late than throttled: without the shared count nobody knows how many are in flight.
            raise Unavailable(
                lazy("Redis does not count our requests: %(why)s.", why=type(failure).__name__),
                remedy=lazy("Check REDIS_URL."),
            ) from None

    async def _keep(self, wanted: Mapping[str, int], token: str) -> None:
        terms = [self._lease_seconds, token, *wanted.values()]
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            with suppress(RedisError):  # the next time may be soon enough
                await self._renew(keys=[_key(mailbox) for mailbox in wanted], args=terms)

    async def _let_go(self, wanted: Mapping[str, int], token: str, renewing: asyncio.Task[None]) -> None:
        renewing.cancel()
        await asyncio.wait([renewing])  # a renewal under way would take the lease again behind us
        await self._release(wanted, token)

    async def _release(self, wanted: Mapping[str, int], token: str) -> None:
        with suppress(RedisError):  # the answer is here and must not be lost; the lease expires by itself
            await self._give_back(wanted, token)

    async def _give_back(self, wanted: Mapping[str, int], token: str) -> None:
        for mailbox, count in wanted.items():
            await self._redis.zrem(_key(mailbox), *(f"{token}:{n}" for n in range(1, count + 1)))


def _key(mailbox: str) -> str:
    return f"graph:in-flight:{mailbox}"
