"""Faults on order: what goes wrong on the way to the tenant, or on the way back after it acted."""

import itertools
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Moment = Literal["before", "after"]
KINDS = ("status", "drop", "hold", "delay", "throttle")


class BadFault(ValueError):
    """A fault that says something unknown; the message names it and what would be right."""


class Dropped(ConnectionAbortedError):
    """The connection is to be closed without an answer."""


@dataclass(frozen=True)
class Refusal:
    """An error to answer instead of the tenant's own answer."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str]


@dataclass
class Fault:
    """Strikes the matching exchanges from the `nth` on, `times` times (None: always).

    `path` is a regular expression searched in path and query; `when` is before or after the tenant acted.
    """

    do: str
    when: Moment = "before"
    method: str | None = None
    path: str = ""
    nth: int = 1
    times: int | None = 1
    status: int = 503
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    seen: int = 0
    struck: int = 0

    def strikes(self, method: str, path: str, when: Moment) -> bool:
        if when != self.when or (self.method and self.method.upper() != method) or not re.search(self.path, path):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.struck >= self.times):
            return False
        self.struck += 1
        return True


@dataclass
class Held:
    """An exchange that waits until somebody releases or drops it."""

    id: str
    method: str
    path: str
    when: Moment
    decided: threading.Event = field(default_factory=threading.Event)
    dropped: bool = False


class Faults:
    """The faults ordered, and the exchanges held by them. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ordered: list[Fault] = []
        self._held: dict[str, Held] = {}
        self._ids = itertools.count(1)
        self._over = False

    def order(self, fault: Fault) -> None:
        with self._lock:
            self._ordered.append(fault)

    def clear(self) -> None:
        """Forgets every fault and releases what is held."""
        with self._lock:
            self._ordered.clear()
        for held in self.held():
            self.decide(held.id)

    def end(self) -> None:
        """Drops what is held, and from now on whatever would be: the server is stopping, nobody will decide it."""
        with self._lock:
            self._over = True
        for held in self.held():
            self.decide(held.id, drop=True)

    def held(self) -> list[Held]:
        with self._lock:
            return list(self._held.values())

    def decide(self, held_id: str, *, drop: bool = False) -> bool:
        """Lets a held exchange go on, or drops it. False when nothing of that id is held."""
        with self._lock:
            held = self._held.pop(held_id, None)
        if held is None:
            return False
        held.dropped = drop
        held.decided.set()
        return True

    def meet(self, method: str, path: str, when: Moment) -> Refusal | None:
        """Suffers the first fault that strikes: waits, answers with a refusal, or raises Dropped."""
        if not self._ordered:
            return None
        with self._lock:
            fault = next((one for one in self._ordered if one.strikes(method, path, when)), None)
        if fault is None:
            return None
        if fault.do == "drop":
            raise Dropped(f"{method} {path}: dropped {when} the tenant acted")
        if fault.do == "hold":
            self._wait(method, path, when)
            return None
        if fault.do == "delay":
            time.sleep(fault.seconds)
            return None
        return _refusal(fault)

    def _wait(self, method: str, path: str, when: Moment) -> None:
        with self._lock:
            if self._over:
                raise Dropped(f"{method} {path}: the server is stopping")
            held = Held(f"held-{next(self._ids)}", method, path, when)
            self._held[held.id] = held
        held.decided.wait()
        if held.dropped:
            raise Dropped(f"{method} {path}: dropped while it was held")


def read_fault(sent: Mapping[str, object]) -> Fault:
    """A fault from `{"match": {"method", "path", "nth"}, "do", "when", "status", "code", "headers", "seconds",
    "times"}`. Raises BadFault for what is none of that."""
    match = sent.get("match") or {}
    unknown = set(sent) - {"match", "do", "when", "status", "code", "headers", "seconds", "times"}
    if not isinstance(match, Mapping) or unknown or set(match) - {"method", "path", "nth"}:
        raise BadFault(f"a fault has match {{method, path, nth}}, do, when, ...; not {sorted(unknown) or match}")
    if sent.get("do") not in KINDS or sent.get("when", "before") not in ("before", "after"):
        raise BadFault(f"do is one of {', '.join(KINDS)} and when is before or after")
    told = {key: value for key, value in {**match, **sent}.items() if key != "match"}
    fault = Fault(**told)  # type: ignore[arg-type]
    re.compile(fault.path)
    return fault


def _refusal(fault: Fault) -> Refusal:
    if fault.do == "throttle":
        headers = {"Retry-After": f"{fault.seconds:g}", **fault.headers}
        return Refusal(429, fault.code or "TooManyRequests", "Please retry again later.", headers)
    code = fault.code or _CODES.get(fault.status, "UnknownError")
    return Refusal(fault.status, code, f"A fault on order: {fault.status}.", fault.headers)


_CODES = {
    400: "BadRequest",
    401: "InvalidAuthenticationToken",
    403: "ErrorAccessDenied",
    404: "ErrorItemNotFound",
    409: "ErrorIrresolvableConflict",
    410: "resyncRequired",
    412: "ErrorIrresolvableConflict",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}
