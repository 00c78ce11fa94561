"""The clock of the simulated tenant: it stands still until it is moved, or it runs with real time."""

import os
import threading
from datetime import UTC, datetime
from pathlib import Path


class ClockMovedBackwards(ValueError):
    def __init__(self, *, now: datetime, to: datetime) -> None:
        super().__init__(f"the clock stands at {now.isoformat()} and cannot go back to {to.isoformat()}")
        self.now = now
        self.to = to


class MovableClock:
    """Starts at `starts_at` and moves only when told; without `starts_at` it runs in real time.

    Every move is written as an ISO instant to `file`, in one step, so that readers never see half of it.
    """

    def __init__(self, starts_at: datetime | None = None, *, file: Path | None = None) -> None:
        self._at = starts_at.astimezone(UTC) if starts_at else None
        self._file = file
        self._lock = threading.Lock()
        self._write()

    @property
    def movable(self) -> bool:
        return self._at is not None

    def now(self) -> datetime:
        return self._at or datetime.now(UTC)

    def move_to(self, at: datetime) -> None:
        """Raises ClockMovedBackwards for an instant before now, TypeError for a clock that runs in real time."""
        with self._lock:
            if self._at is None:
                raise TypeError("this clock runs in real time: give the simulator a start to make it movable")
            if at < self._at:
                raise ClockMovedBackwards(now=self._at, to=at)
            self._at = at.astimezone(UTC)
            self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}.part")
        beside.write_text(self.now().isoformat() + "\n", encoding="utf-8")
        beside.replace(self._file)
