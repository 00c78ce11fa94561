"""Participation, frequency and duration over occurrences (docs: definitions)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from integration.metrics.resampling import Interval, interval_of_rate
from integration.metrics.tallies import OccurrenceTally

DAYS_OF_FREQUENCY = 28
BETWEEN_OCCURRENCES = timedelta(days=7)


@dataclass(frozen=True)
class Participation:
    """Attended over invited, over occurrences whose attendance is known.

    ``value`` is the lower end, as if none of the unmatched and unknown people had come, ``high`` as if all had; both
    are unrounded fractions, None when no occurrence is known. ``of_those_not_away`` leaves out people who were out of
    office. ``interval`` comes from resampling pods and is None below a stated number of them.
    """

    value: float | None
    high: float | None
    attended: int
    invited: int
    unknown_people: int
    known_occurrences: int
    unknown_occurrences: int
    of_those_not_away: float | None
    interval: Interval | None

    @property
    def low(self) -> float | None:
        return self.value


@dataclass(frozen=True)
class Frequency:
    """Occurrences held per pod per 28 days; ``unknown`` occurrences may have been held as well."""

    value: float | None
    held: int
    unknown: int
    pods: int


def participation(tallies: Sequence[OccurrenceTally]) -> Participation:
    """The participation rate of the given occurrences; those that are unknown are counted, never taken as zero."""
    known = [tally for tally in tallies if tally.is_known]
    invited = sum(tally.invited for tally in known)
    attended = sum(tally.attended for tally in known)
    unknown = sum(tally.unknown for tally in known)
    not_away = invited - sum(tally.away for tally in known)
    return Participation(
        value=_ratio(attended, invited),
        high=_ratio(attended + unknown, invited),
        attended=attended,
        invited=invited,
        unknown_people=unknown,
        known_occurrences=len(known),
        unknown_occurrences=len(tallies) - len(known),
        # Somebody may come in spite of an out-of-office note: never more than everybody.
        of_those_not_away=None if not_away <= 0 else min(1.0, attended / not_away),
        interval=interval_of_rate([_of_pod(pod) for pod in _by_pod(known).values()]),
    )


def frequency(tallies: Sequence[OccurrenceTally]) -> Frequency:
    """How often pods met. A pod's time runs from its first occurrence to a week after its latest one."""
    pods = _by_pod(tallies)
    held = sum(1 for tally in tallies if tally.held)
    days = sum(_pod_time(pod) / timedelta(days=1) for pod in pods.values())
    return Frequency(
        value=held / days * DAYS_OF_FREQUENCY if days else None,
        held=held,
        unknown=sum(1 for tally in tallies if tally.held is None),
        pods=len(pods),
    )


def mean_duration_minutes(tallies: Iterable[OccurrenceTally]) -> float | None:
    """How long two or more were present, in minutes, on average over held occurrences where it was measured."""
    seconds = [tally.together_seconds for tally in tallies if tally.held and tally.together_seconds is not None]
    return sum(seconds) / len(seconds) / 60 if seconds else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _by_pod(tallies: Iterable[OccurrenceTally]) -> dict[int, list[OccurrenceTally]]:
    pods: dict[int, list[OccurrenceTally]] = defaultdict(list)
    for tally in tallies:
        pods[tally.pod_id].append(tally)
    return pods


def _of_pod(pod: list[OccurrenceTally]) -> tuple[int, int]:
    return sum(tally.attended for tally in pod), sum(tally.invited for tally in pod)


def _pod_time(pod: list[OccurrenceTally]) -> timedelta:
    starts = [tally.starts_at for tally in pod]
    return max(starts) - min(starts) + BETWEEN_OCCURRENCES
