"""A light brake on what anybody with a link, or a program, may ask for; each process counts for itself."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict

SUBSCRIBER_BITS = 64  # what an IPv6 subscriber is given at least (RFC 6177): any address in it is theirs to take


def whose_address(address: str | None) -> str:
    """Whom to count for a client's address: the address for IPv4, its /64 network for IPv6.

    An IPv4 address written as IPv6 (::ffff:192.0.2.1) is that IPv4 address; what is no address counts as it stands.
    """
    text = address or ""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    mapped = found.ipv4_mapped
    return str(mapped or ipaddress.ip_network((found, SUBSCRIBER_BITS), strict=False))


class Pace:
    """Lets each key act ``limit`` times at once, and so many times again in each ``seconds``, evenly.

    Only the latest ``most_keys`` keys are remembered. Threads may share it.
    """

    def __init__(self, *, limit: int, seconds: float, most_keys: int = 10_000) -> None:
        self.limit, self._seconds, self._most_keys = limit, seconds, most_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key -> acts left, when that was so
        self._lock = threading.Lock()

    def allows(self, key: str, *, at: float) -> bool:
        """Count one act at ``at`` (seconds of a monotonic clock), or refuse it, which does not count."""
        return not self.seconds_to_wait(key, at=at)

    def seconds_to_wait(self, key: str, *, at: float) -> float:
        """0 when an act at ``at`` is counted; else it is refused, and this many seconds later one is not."""
        per_second = self.limit / self._seconds
        with self._lock:
            left, since = self._buckets.pop(key, (float(self.limit), at))
            left = min(float(self.limit), left + (at - since) * per_second)
            is_allowed = left >= 1
            self._buckets[key] = (left - 1 if is_allowed else left, at)
            while len(self._buckets) > self._most_keys:
                self._buckets.popitem(last=False)
            return 0.0 if is_allowed else (1 - left) / per_second
