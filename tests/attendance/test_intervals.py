"""Presence as time: unions, windows, and being together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from integration.attendance.intervals import Interval, clip, length, seconds, together, union
from integration.attendance.windows import window_of

NINE = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def minutes(start: float, end: float) -> Interval:
    return Interval(NINE + timedelta(minutes=start), NINE + timedelta(minutes=end))


stays = st.builds(minutes, st.integers(-120, 240), st.integers(-120, 240))
some_stays = st.lists(stays, max_size=8)


def test_two_devices_at_once_are_one_presence() -> None:
    assert seconds([minutes(0, 20), minutes(5, 25)]) == 25 * 60


def test_leaving_and_coming_back_leaves_a_gap() -> None:
    assert union([minutes(20, 30), minutes(0, 10)]) == (minutes(0, 10), minutes(20, 30))


def test_two_are_together_only_while_both_are_there() -> None:
    assert together([[minutes(0, 10), minutes(15, 30)], [minutes(5, 20)]]) == (minutes(5, 10), minutes(15, 20))


def test_one_person_with_two_devices_is_not_together_with_themselves() -> None:
    assert together([[minutes(0, 30), minutes(0, 30)]]) == ()


def test_somebody_relieved_to_the_second_was_not_alone_for_a_moment() -> None:
    ada, grace, alan = [minutes(0, 30)], [minutes(0, 15)], [minutes(15, 30)]
    assert together([ada, grace, alan]) == (minutes(0, 30),)


@given(some_stays)
def test_the_order_of_intervals_does_not_matter(intervals: list[Interval]) -> None:
    assert union(intervals) == union(reversed(intervals))


@given(some_stays, stays.filter(lambda window: not window.is_empty))
def test_a_union_never_exceeds_its_window(intervals: list[Interval], window: Interval) -> None:
    inside = clip(intervals, window)
    assert length(inside) <= window.ends_at - window.starts_at
    assert all(window.starts_at <= each.starts_at and each.ends_at <= window.ends_at for each in inside)


@given(some_stays)
def test_a_union_is_no_longer_than_the_sum_and_no_shorter_than_the_longest(intervals: list[Interval]) -> None:
    lengths = [max(each.ends_at - each.starts_at, timedelta()) for each in intervals]
    assert max(lengths, default=timedelta()) <= length(intervals) <= sum(lengths, timedelta())


@given(st.lists(some_stays, max_size=5))
def test_being_together_is_never_longer_than_anybodys_second_longest_stay_allows(
    people: list[list[Interval]],
) -> None:
    lengths = sorted((length(each) for each in people), reverse=True)
    met = length(together(people))
    assert met <= sum(lengths[1:], timedelta())
    assert met == length(together(list(reversed(people))))
    assert length(together(people, n=3)) <= met <= length(together(people, n=1))


def test_a_window_opens_15_minutes_early_and_closes_an_hour_late() -> None:
    assert window_of(minutes(0, 30)) == minutes(-15, 90)


def test_a_window_is_cut_half_way_to_its_neighbours() -> None:
    assert window_of(minutes(0, 30), [minutes(-40, -10), minutes(70, 100)]) == minutes(-5, 50)


def test_neighbours_far_away_cut_nothing() -> None:
    week = 7 * 24 * 60
    assert window_of(minutes(0, 30), [minutes(-week, 30 - week), minutes(week, week + 30)]) == minutes(-15, 90)


def test_an_overlapping_neighbour_never_takes_planned_time_away() -> None:
    assert window_of(minutes(0, 30), [minutes(20, 50), minutes(-20, 10)]) == minutes(0, 30)


@given(st.lists(stays.filter(lambda one: not one.is_empty), min_size=2, max_size=2, unique=True))
def test_windows_of_neighbours_that_do_not_overlap_share_no_time(two: list[Interval]) -> None:
    first, second = sorted(two)
    if first.overlaps(second) or first.starts_at == second.starts_at:
        return
    assert not window_of(first, [second]).overlaps(window_of(second, [first]))
