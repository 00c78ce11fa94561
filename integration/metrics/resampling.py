"""Intervals for rates over pods, by resampling whole pods.

People in a pod are not independent: they share the hour, the facilitator and the habit of coming. An interval that
takes them for independent answers is far too narrow, so pods are drawn with replacement, not people
(Field and Welsh 2007, "Bootstrapping clustered data").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_PODS = 5  # with fewer, an interval over pods says nothing: too few to tell
RESAMPLES = 2_000
LEVEL = 0.95
SEED = 20_260_101  # fixed: the same rows give the same interval, in the mail and in the export


@dataclass(frozen=True)
class Interval:
    """A 95 % interval of a fraction."""

    low: float
    high: float


def interval_of_rate(pods: Sequence[tuple[int, int]]) -> Interval | None:
    """The interval of a rate from (attended, invited) per pod; None when there are too few pods to tell."""
    counts = np.array([pod for pod in pods if pod[1] > 0], dtype=np.int64)
    if len(counts) < FEWEST_PODS:
        return None
    drawn = np.random.default_rng(SEED).integers(0, len(counts), size=(RESAMPLES, len(counts)))
    totals = counts[drawn].sum(axis=1)
    low, high = np.quantile(totals[:, 0] / totals[:, 1], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))
