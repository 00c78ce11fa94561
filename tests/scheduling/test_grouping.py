"""Pods of neighbours in time, of sizes that nobody has to be ashamed of."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.scheduling.grouping import Candidate, group, pod_sizes


@pytest.mark.parametrize(
    ("people", "size", "sizes"),
    [
        (24, 4, (4,) * 6),
        (11, 2, (3, 2, 2, 2, 2)),
        (7, 5, (4, 3)),
        (5, 4, (5,)),
        (9, 4, (5, 4)),
        (3, 2, (3,)),
        (2, 4, (2,)),
        (1, 4, ()),
        (0, 4, ()),
    ],
)
def test_pods_come_in_sizes_that_differ_by_one_at_most(people, size, sizes):
    assert pod_sizes(people, size) == sizes


@given(people=st.integers(2, 400), size=st.integers(2, 9))
def test_nobody_is_left_out_and_nobody_is_alone(people, size):
    sizes = pod_sizes(people, size)

    assert sum(sizes) == people
    assert min(sizes) >= 2
    assert max(sizes) - min(sizes) <= 1
    if people >= size * (size - 1):  # enough people for sizes near the wanted one
        assert set(sizes) <= {size - 1, size, size + 1}


def test_zurich_and_new_york_each_keep_to_themselves():
    zurich = [Candidate(f"z{n}@example.com", 1) for n in range(8)]
    new_york = [Candidate(f"n{n}@example.com", -5) for n in range(8)]

    pods = group([*zurich, *new_york], size=4)

    assert [len({one.offset_hours for one in pod}) for pod in pods] == [1, 1, 1, 1]


def test_auckland_and_honolulu_are_neighbours_over_the_date_line():
    people = [Candidate("ada@example.com", 13), Candidate("grace@example.com", -10)]
    people += [Candidate("alan@example.com", 0), Candidate("linus@example.com", 2)]

    pods = group(people, size=2)

    assert {frozenset(one.mail[:3] for one in pod) for pod in pods} == {
        frozenset({"ada", "gra"}),
        frozenset({"ala", "lin"}),
    }


def test_departments_are_mixed_where_that_is_free():
    people = [Candidate(f"{d}{n}@example.com", 1, d) for d in ("sales", "legal", "it", "hr") for n in range(4)]

    pods = group(people, size=4)

    assert all(len({one.department for one in pod}) == 4 for pod in pods)


@given(
    people=st.lists(
        st.builds(
            Candidate,
            st.from_regex(r"[a-z]{1,6}@example\.com", fullmatch=True),
            st.sampled_from([-8.0, -5.0, 0.0, 1.0, 5.5, 9.0]),
            st.sampled_from([None, "it", "hr"]),
        ),
        unique_by=lambda one: one.mail,
        max_size=30,
    ),
    seed=st.integers(0, 3),
)
def test_the_same_people_in_any_order_give_the_same_pods(people, seed):
    shuffled = random.Random(seed).sample(people, len(people))

    assert group(people, size=4) == group(shuffled, size=4)
    assert sorted(one.mail for pod in group(people, size=4) for one in pod) == (
        sorted(one.mail for one in people) if len(people) > 1 else []
    )
