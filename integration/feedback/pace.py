"""A light brake for pages that anybody with a link can post to; each process counts for itself."""

from __future__ import annotations

import threading
from collections import OrderedDict


class Pace:
    """Lets each key act ``limit`` times in any window of ``seconds``.

    Only the latest ``most_keys`` keys are remembered.
    """

    def __init__(self, *, limit: int, seconds: float, most_keys: int = 10_000) -> None:
        self._limit, self._seconds, self._most_keys = limit, seconds, most_keys
        self._times: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, key: str, *, at: float) -> bool:
        """Count one act at ``at`` (seconds of a monotonic clock), or refuse it, which does not count."""
        with self._lock:
            recent = [time for time in self._times.pop(key, []) if time > at - self._seconds]
            is_allowed = len(recent) < self._limit
            self._times[key] = [*recent, at] if is_allowed else recent
            while len(self._times) > self._most_keys:
                self._times.popitem(last=False)
            return is_allowed
