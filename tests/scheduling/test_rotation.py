"""Everybody facilitates equally often, nobody twice in a row."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from integration.scheduling.rotation import rotation


def test_ada_grace_and_alan_take_turns():
    assert rotation(["ada", "grace", "alan"], 5) == ["ada", "grace", "alan", "ada", "grace"]


def test_alan_who_left_is_passed_over_and_grace_does_not_come_twice_in_a_row():
    assert rotation(["ada", "grace"], 3, past=["ada", "alan", "grace"]) == ["ada", "grace", "ada"]


def test_somebody_alone_facilitates_always_and_nobody_never():
    assert rotation(["ada"], 2) == ["ada", "ada"]
    assert rotation([], 2) == []


@given(size=st.integers(2, 9), count=st.integers(0, 30))
def test_a_fresh_rotation_is_fair(size, count):
    turns = rotation(list(range(size)), count)
    led = Counter(turns)

    assert len(turns) == count
    assert max((led[one] for one in range(size)), default=0) - min(led[one] for one in range(size)) <= 1
    assert all(one != following for one, following in pairwise(turns))


@given(past=st.lists(st.integers(0, 5), max_size=12), size=st.integers(2, 6), count=st.integers(1, 20))
def test_whatever_came_before_nobody_comes_twice_in_a_row(past, size, count):
    turns = rotation(list(range(size)), count, past=past)

    assert all(one != following for one, following in pairwise([*past[-1:], *turns]))
    assert set(turns) <= set(range(size))
