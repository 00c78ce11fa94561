"""Who facilitates which meeting (pure): equally often, nobody twice in a row, whoever left is passed over."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def rotation(members: Sequence[T], count: int, *, past: Sequence[T | None] = ()) -> list[T]:
    """The facilitators of the next ``count`` meetings, in order.

    ``past`` are those of the meetings before (None where nobody did). Among ``members`` the numbers differ by one at
    most, as far as ``past`` allows, and with two members or more nobody comes twice in a row. No members: empty.
    """
    if not members:
        return []
    led = list(past)
    for _ in range(count):
        led.append(_next_one(members, led))
    return [one for one in led[len(past) :] if one is not None]


def _next_one(members: Sequence[T], led: Sequence[T | None]) -> T:
    last = led[-1] if led else None
    others = [one for one in members if one != last] or list(members)
    return min(others, key=lambda one: (led.count(one), _last_time(one, led), members.index(one)))


def _last_time(one: T, led: Sequence[T | None]) -> int:
    """The position of somebody's latest turn; -1 when there was none."""
    return max((at for at, who in enumerate(led) if who == one), default=-1)
