"""Satisfaction: the mean of the answers from 1 to 5, with how many answered of how many asked (docs: definitions)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Satisfaction:
    """``value`` is the mean of 1 to 5, None without answers; ``people`` counts who answered at least once."""

    value: float | None
    n: int
    people: int
    asked: int
    all_agree: bool

    @property
    def response_rate(self) -> float | None:
        return self.n / self.asked if self.asked else None


def satisfaction(answers: Sequence[tuple[int, int]], *, asked: int) -> Satisfaction:
    """From (participant id, score) per answer, and how many questions were asked."""
    scores = [score for _, score in answers]
    return Satisfaction(
        value=sum(scores) / len(scores) if scores else None,
        n=len(scores),
        people=len({participant for participant, _ in answers}),
        asked=asked,
        all_agree=len(set(scores)) == 1,
    )
