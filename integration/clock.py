"""Two clocks.

``Clock.now()`` decides what is *due*: it can be moved in a demonstration. Leases, retry back-off, HTTP time-outs
and the expiry of tokens use ``real_now()``: a clock that jumps a week must not expire a lease.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path


class Clock:
    """The clock that decides what is due: real time, or the instant written in a file.

    The file holds one aware ISO 8601 instant; whoever moves the clock replaces the file atomically.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file

    @property
    def movable(self) -> bool:
        return self._file is not None

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        if self._file is None:
            return real_now()
        return datetime.fromisoformat(self._file.read_text(encoding="ascii").strip()).astimezone(UTC)


def real_now() -> datetime:
    """What the machine's clock says, aware, in UTC; never moved."""
    return datetime.now(UTC)
