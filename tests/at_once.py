"""Doing several things at once, as workers and people do: the one place in which tests start threads for that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")


def at_once(*works: Callable[[], Answer]) -> list[Answer]:
    """Do all of these, each in a thread of its own, from the same moment on; their answers in this order.

    Waits for all of them, then raises the first error, if there was one.
    """
    together = threading.Barrier(len(works), timeout=60)

    def begin(work: Callable[[], Answer]) -> Answer:
        together.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        started = [threads.submit(begin, work) for work in works]
    return [each.result() for each in started]
