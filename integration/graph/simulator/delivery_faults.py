"""Faults on order between the tenant and the receiver: late, doubled, out of order, lost, or many at once.

Given as `{"notifications": "lose", ...}` beside the faults of `faults.py`, by `POST /control/faults` or in a file.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from .faults import BadFault

WORDS = ("delay", "duplicate", "reorder", "lose", "batch")
_READERS = {"share": float, "seconds": float, "copies": int, "times": int, "seed": int, "match": str}
_FLAGS = ("missed", "lifecycle")


@dataclass
class DeliveryFault:
    """Strikes notifications that match (a regular expression searched in resource and address), in a period.

    `share` of them, drawn by `seed`; at most `times`. `seconds` is the delay, how far copies and reordered ones
    are spread, or how long a batch is collected. `missed`: a loss is told by a `missed` lifecycle notification
    when the period is over. Lifecycle notifications themselves are struck with `lifecycle` only.
    """

    word: str
    match: str = ""
    share: float = 1.0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    times: int | None = None
    seconds: float = 60.0
    copies: int = 1
    missed: bool = False
    lifecycle: bool = False
    seed: int = 7
    struck: int = 0
    rng: random.Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def is_on(self, at: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)

    def strikes(self, text: str, *, at: datetime, is_lifecycle: bool) -> bool:
        if not self.is_on(at) or (is_lifecycle and not self.lifecycle) or not re.search(self.match, text):
            return False
        if (self.times is not None and self.struck >= self.times) or self.rng.random() >= self.share:
            return False
        self.struck += 1
        return True

    def bend(self, due: list[datetime]) -> list[datetime]:
        """When the copies of one notification are delivered, instead of at `due`."""
        length = timedelta(seconds=self.seconds)
        if self.word == "lose":
            return []
        if self.word == "delay":
            return [at + length for at in due]
        if self.word == "duplicate":
            return due + [at + length * self.rng.random() for at in due for _ in range(self.copies)]
        if self.word == "reorder":
            return [at + length * self.rng.random() for at in due]
        return [_next_multiple(at, length) for at in due]

    def as_json(self) -> dict[str, object]:
        return {
            "notifications": self.word,
            "match": self.match,
            "share": self.share,
            "from": self.starts_at.isoformat() if self.starts_at else None,
            "until": self.ends_at.isoformat() if self.ends_at else None,
            "times": self.times,
            "seconds": self.seconds,
            "struck": self.struck,
        }


def read_delivery_fault(sent: Mapping[str, object]) -> DeliveryFault:
    """Raises BadFault for what is none; the message names it and what would be right."""
    word = sent.get("notifications")
    unknown = set(sent) - {"notifications", "from", "until", *_READERS, *_FLAGS}
    if word not in WORDS or unknown:
        raise BadFault(
            f"a fault of notifications is one of {', '.join(WORDS)}, with {', '.join((*_READERS, *_FLAGS))}, from, "
            f"until; not {sorted(unknown) or word}"
        )
    try:
        fault = DeliveryFault(str(word), starts_at=_instant(sent.get("from")), ends_at=_instant(sent.get("until")))
        for name, read in {**_READERS, **dict.fromkeys(_FLAGS, bool)}.items():
            if sent.get(name) is not None:
                setattr(fault, name, read(cast("str", sent[name])))
        re.compile(fault.match)
    except (ValueError, TypeError, re.error) as wrong:
        raise BadFault(f"a fault of notifications cannot be read: {wrong}") from wrong
    fault.rng.seed(fault.seed)
    return fault


def _instant(sent: object) -> datetime | None:
    if sent is None:
        return None
    at = datetime.fromisoformat(str(sent))
    if at.tzinfo is None:
        raise ValueError(f"{sent!r} has no offset: write it as 2026-03-02T08:00:00+00:00")
    return at.astimezone(UTC)


def _next_multiple(at: datetime, length: timedelta) -> datetime:
    """The end of the window of this length that `at` is in, counted from midnight."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + length * (1 + (at - midnight) // length)
