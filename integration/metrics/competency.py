"""Time-to-competency: days from somebody's start date to the role's milestone (docs: definitions).

The median comes from Kaplan and Meier's estimate with late entry, by the lifelines library; imported only when asked
for, since it brings pandas along.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from integration.metrics.tallies import Spell


@dataclass(frozen=True)
class Milestone:
    """A person's start date and, once reached, the date of the role's milestone."""

    employed_on: date
    competent_on: date | None
    in_program: bool


@dataclass(frozen=True)
class Competency:
    """A cohort's median days with its 95 % interval; None where the estimate does not reach one half."""

    median_days: float | None
    low: float | None
    high: float | None
    n: int
    censored: int


def load_library() -> None:
    """Import what the estimate needs, which takes some seconds the first time in a process."""
    import lifelines  # noqa: F401


def baseline_spells(people: Iterable[Milestone], *, starts_on: date, counted_since: date | None) -> list[Spell]:
    """Everybody's way before the pilot began; whoever was hired before counting began enters late."""
    spells = (_spell(person, since=counted_since, until=starts_on) for person in people)
    return [spell for spell in spells if spell is not None]


def pilot_spells(people: Iterable[Milestone], *, starts_on: date, until: date) -> list[Spell]:
    """The way of the pilot's members since it began; whoever was hired earlier enters late, if not yet there."""
    spells = (_spell(person, since=starts_on, until=until) for person in people if person.in_program)
    return [spell for spell in spells if spell is not None]


def competency(spells: Sequence[Spell]) -> Competency:
    """The Kaplan-Meier median of a cohort. Nobody, or nobody there yet: no median, and that is said.

    Nor is there one where everybody watched early got there before the others entered: the estimate would fall to
    nought by the doing of one or two people.
    """
    censored = sum(1 for spell in spells if not spell.reached)
    if len(spells) == censored:
        return Competency(None, None, None, len(spells), censored)
    from lifelines import KaplanMeierFitter
    from lifelines.exceptions import StatError
    from lifelines.utils import median_survival_times

    try:
        fitter = KaplanMeierFitter().fit(
            [spell.left for spell in spells],
            event_observed=[spell.reached for spell in spells],
            entry=[spell.entered for spell in spells],
        )
    except StatError:  # raised for exactly that: nobody is left at risk early on
        return Competency(None, None, None, len(spells), censored)
    # lifelines names the bounds of the curve: the median read on the lower curve is the earlier one.
    bounds = np.sort(np.asarray(median_survival_times(fitter.confidence_interval_), dtype=float).ravel())
    return Competency(
        _finite(fitter.median_survival_time_), _finite(bounds[0]), _finite(bounds[1]), len(spells), censored
    )


def verdict(baseline: Competency, pilot: Competency, *, faster_by: float) -> str:
    """Say "met", "not met" or "undecided": is the pilot's median shorter by that share?

    Decided only where the two intervals leave no doubt; an upper end that was never reached leaves doubt.
    """
    share = 1 - faster_by
    if pilot.high is not None and baseline.low is not None and pilot.high <= share * baseline.low:
        return "met"
    if pilot.low is not None and baseline.high is not None and pilot.low > share * baseline.high:
        return "not met"
    return "undecided"


def _spell(person: Milestone, *, since: date | None, until: date) -> Spell | None:
    entered = max(0, (since - person.employed_on).days) if since else 0
    reached_on = person.competent_on
    reached = reached_on is not None and reached_on <= until
    left = ((reached_on if reached and reached_on else until) - person.employed_on).days
    return Spell(entered, left, reached) if left > entered else None


def _finite(days: float) -> float | None:
    return float(days) if math.isfinite(days) else None
