"""The small-group rule: what leaders may see of figures about people (docs: definitions).

One fixed partition: the program, and those of its pods to which ``k`` people or more were invited. A smaller pod
appears in words only. Where one group would be left over that could be computed by subtracting, it must be ``k``
people or more as well, or another pod is hidden with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from integration.language import gettext as _
from integration.metrics.figures import PodFigures, ProgramFigures
from integration.metrics.satisfaction import Satisfaction


@dataclass(frozen=True)
class ShownFigures:
    """What may be shown: whether the program's own rates are, and the pods whose rates are."""

    program_shown: bool
    pods_shown: frozenset[int]  # ids of pods whose participation may be shown as a figure


def shown(figures: ProgramFigures, *, k: int) -> ShownFigures:
    """Which rates of these figures may be shown to leaders when groups under ``k`` people may not."""
    if figures.people < k:
        return ShownFigures(False, frozenset())
    large = sorted((pod for pod in figures.pods if pod.people >= k), key=lambda pod: (-pod.people, pod.pod_id))
    while large and 0 < _people(figures.pods) - _people(large) < k:
        large.pop()  # the smallest shown one hides what would be left over
    return ShownFigures(True, frozenset(pod.pod_id for pod in large))


def in_words(pod: PodFigures) -> str:
    """A small pod, without any figure about people: what happened to its meetings."""
    if pod.held and not pod.not_held and not pod.unknown_occurrences:
        return _("meets")
    if pod.held:
        return _("meets, not every time") if pod.not_held else _("meets; not every meeting is known")
    if pod.unknown_occurrences:
        return _("not known whether it meets")
    return _("has not met") if pod.not_held else _("has not begun")


def published_mean(satisfaction: Satisfaction, *, k: int) -> float | None:
    """The mean in halves; None below ``k`` people, and when all agree (then everybody's answer would be known)."""
    if satisfaction.value is None or satisfaction.people < k or satisfaction.all_agree:
        return None
    return round(satisfaction.value * 2) / 2


def may_publish_again(*, people_with_new_answers: int, k: int) -> bool:
    """Published feedback changes only when answers of ``k`` more people enter together."""
    return people_with_new_answers >= k


def _people(pods: Iterable[PodFigures] | Sequence[PodFigures]) -> int:
    return sum(pod.people for pod in pods)
