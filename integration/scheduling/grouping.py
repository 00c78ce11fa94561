"""People into pods (pure, deterministic): near zones together, departments mixed where that is free, nobody alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

DAY = 24.0


@dataclass(frozen=True)
class Candidate:
    """Somebody who wants to be in a pod. ``offset_hours`` is their zone's offset from UTC in the program's weeks."""

    mail: str
    offset_hours: float
    department: str | None = None


def pod_sizes(people: int, size: int) -> tuple[int, ...]:
    """How many people each pod gets, the largest first: sizes differ by one at most and are never one.

    They stay within size-1 .. size+1 wherever so many people allow it, else as near as can be. Fewer than two people
    make no pod at all.
    """
    if people < 2:
        return ()
    pods = min(range(1, people // 2 + 1), key=lambda count: _badness(people, count, size=size))
    small, more = divmod(people, pods)
    return (small + 1,) * more + (small,) * (pods - more)


def group(candidates: Sequence[Candidate], *, size: int) -> tuple[tuple[Candidate, ...], ...]:
    """Pods of neighbours in time; the same people in any order give the same pods."""
    line = _line_up(candidates)
    pods: list[tuple[Candidate, ...]] = []
    for count in pod_sizes(len(line), size):
        pods.append(tuple(line[:count]))
        line = line[count:]
    return tuple(_mix(pods))


def _badness(people: int, pods: int, *, size: int) -> tuple[int, float, int]:
    small, more = divmod(people, pods)
    largest = small + (1 if more else 0)
    outside = max(0, largest - size - 1) + max(0, size - 1 - small)
    return outside, abs(people / pods - size), pods


def _line_up(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Along the clock from the widest gap on, so that the date line parts nobody; departments in turn."""
    if not candidates:
        return []
    offsets = sorted({one.offset_hours % DAY for one in candidates})
    gaps = _gaps(offsets)
    start = offsets[(gaps.index(max(gaps)) + 1) % len(offsets)]
    ordered = sorted(candidates, key=lambda one: (_along(one, start), one.mail))
    return [
        one for _, same in groupby(ordered, key=lambda one: _along(one, start)) for one in _interleave(list(same))
    ]


def _along(one: Candidate, start: float) -> float:
    return (one.offset_hours - start) % DAY


def _gaps(offsets: Sequence[float]) -> list[float]:
    """From each offset to the next one round the clock; a single offset has a whole day before it."""
    following = [*offsets[1:], offsets[0] + DAY]
    return [after - before for before, after in zip(offsets, following, strict=True)]


def _interleave(same: Sequence[Candidate]) -> list[Candidate]:
    """One of each department in turn, the largest department first: neighbours then differ where they can."""
    by_department: dict[str, list[Candidate]] = defaultdict(list)
    for one in same:
        by_department[one.department or ""].append(one)
    departments = sorted(by_department.values(), key=lambda people: (-len(people), people[0].department or ""))
    turns = [
        (place / len(people), rank, one)
        for rank, people in enumerate(departments)
        for place, one in enumerate(people)
    ]
    return [one for _, _, one in sorted(turns, key=lambda turn: turn[:2])]


def _mix(pods: Sequence[tuple[Candidate, ...]]) -> list[tuple[Candidate, ...]]:
    """Exchange people of one zone between pods while that parts colleagues of one department."""
    mixed = [list(pod) for pod in pods]
    for left in range(len(mixed)):
        for right in range(left + 1, len(mixed)):
            _exchange(mixed[left], mixed[right])
    return [tuple(pod) for pod in mixed]


def _exchange(left: list[Candidate], right: list[Candidate]) -> None:
    for i in range(len(left)):
        for j in range(len(right)):
            if left[i].offset_hours != right[j].offset_hours or left[i].department == right[j].department:
                continue
            before = _alike(left) + _alike(right)
            left[i], right[j] = right[j], left[i]
            if _alike(left) + _alike(right) >= before:
                left[i], right[j] = right[j], left[i]


def _alike(pod: Sequence[Candidate]) -> int:
    """Pairs of one department in a pod; people without a department are like nobody."""
    counts = Counter(one.department for one in pod if one.department)
    return sum(n * (n - 1) // 2 for n in counts.values())
