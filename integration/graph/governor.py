"""Never more than four requests in flight per mailbox: what Exchange allows one application.

https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits. Without Redis each process keeps its own
count; shared_governor.py has one for all workers.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

IN_FLIGHT_PER_MAILBOX = 4


class Governor(Protocol):
    """Hands out leases; ``wanted`` says how many for each mailbox, none above IN_FLIGHT_PER_MAILBOX."""

    def leases(self, wanted: Mapping[str, int]) -> AbstractAsyncContextManager[None]: ...

    async def close(self) -> None: ...


class LocalGovernor:
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
