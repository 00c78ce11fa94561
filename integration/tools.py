"""What a job is given: the settings, the database, the clock, Graph and the doorbell."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from integration.clock import Clock
from integration.config import Settings
from integration.db import Database
from integration.doorbell import Doorbell

if TYPE_CHECKING:
    from integration.graph.client import Graph


@dataclass(frozen=True)
class Tools:
    """Made once per process and shared by its threads."""

    settings: Settings
    database: Database
    clock: Clock
    doorbell: Doorbell
    _graphs: list[Graph] = field(default_factory=list, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> Tools:
        """Connects to nothing yet: database, Redis and Graph are reached when they are first used."""
        database = Database(settings.database_url)
        doorbell = Doorbell.from_settings(settings)
        database.after_commit.append(doorbell.ring_for)
        return cls(settings=settings, database=database, clock=Clock(settings.clock_file), doorbell=doorbell)

    @property
    def graph(self) -> Graph:
        """Microsoft Graph. The SDK costs half a second to import, so only those who use it pay."""
        with self._lock:
            if not self._graphs:
                from integration.graph.client import connect

                self._graphs.append(connect(self.settings, redis_url=self.doorbell.url))
            return self._graphs[0]

    def close(self) -> None:
        """Let go of every connection of this process."""
        with self._lock:
            while self._graphs:
                self._graphs.pop().close()
        self.doorbell.close()
        self.database.dispose()


def tools_of_this_process() -> Tools:
    """The tools made from this process's environment, made once (and again after a fork)."""
    return _tools_of(os.getpid())


@lru_cache(maxsize=1)
def _tools_of(_process_id: int) -> Tools:
    return Tools.from_settings(Settings.from_environment(os.environ))
