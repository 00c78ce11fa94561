"""What the figures are computed from: one tally per occurrence, one spell per person (docs: definitions)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class OccurrenceTally:
    """What is known about one occurrence that has ended.

    ``invited``, ``attended``, ``unknown`` and ``away`` count people; ``unknown`` are those of whom nobody can say
    whether they came. ``is_known`` is False when the attendance of the whole occurrence is unknown: it then counts in
    no rate, and never as zero. ``held`` is None as long as nobody can say.
    """

    pod_id: int
    starts_at: datetime
    is_known: bool
    invited: int
    attended: int
    unknown: int
    away: int
    held: bool | None
    together_seconds: int | None


@dataclass(frozen=True)
class Spell:
    """How long somebody was watched on the way to the role's milestone, in days since their start date.

    Watched from ``entered`` (later than 0: hired before counting began, or before the pilot) until ``left``;
    ``reached`` says that the milestone was reached on that day, otherwise they are censored there.
    """

    entered: float
    left: float
    reached: bool
