"""Participation, frequency and duration, by the definitions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from integration.metrics.participation import frequency, mean_duration_minutes, participation
from integration.metrics.resampling import interval_of_rate
from integration.metrics.tallies import OccurrenceTally

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def tally(
    pod: int = 1,
    week: int = 0,
    *,
    known: bool = True,
    invited: int = 4,
    attended: int = 3,
    unknown: int = 0,
    away: int = 0,
    held: bool | None = True,
    seconds: int | None = 1500,
) -> OccurrenceTally:
    starts_at = MONDAY + timedelta(weeks=week)
    return OccurrenceTally(pod, starts_at, known, invited, attended, unknown, away, held, seconds)


def test_an_unknown_occurrence_is_counted_and_never_taken_as_zero() -> None:
    rate = participation([tally(attended=3), tally(week=1, known=False, attended=0, held=None)])
    assert (rate.value, rate.attended, rate.invited, rate.unknown_occurrences) == (0.75, 3, 4, 1)


def test_somebody_on_the_phone_widens_the_range_and_the_headline_is_its_lower_end() -> None:
    rate = participation([tally(attended=2, unknown=1)])
    assert (rate.low, rate.value, rate.high) == (0.5, 0.5, 0.75)


def test_a_pod_that_says_it_did_not_meet_is_nought_of_n() -> None:
    rate = participation([tally(attended=4), tally(week=1, attended=0, held=False, seconds=None)])
    assert (rate.value, rate.known_occurrences) == (0.5, 2)


def test_nothing_known_yet_is_no_figure() -> None:
    rate = participation([tally(known=False, held=None)])
    assert (rate.value, rate.high, rate.of_those_not_away, rate.interval) == (None, None, None, None)


def test_people_away_are_shown_beside_the_rate() -> None:
    assert participation([tally(invited=4, attended=2, away=2)]).of_those_not_away == 1.0


def test_a_pod_that_meets_every_week_meets_four_times_in_twenty_eight_days() -> None:
    assert frequency([tally(week=week) for week in range(6)]).value == pytest.approx(4.0)


def test_a_week_without_meeting_lowers_the_frequency_of_its_pod_only() -> None:
    weeks = [tally(1, week) for week in range(4)] + [tally(2, week, held=week < 2) for week in range(4)]
    assert frequency(weeks).value == pytest.approx((4 + 2) / 2)


def test_the_mean_duration_leaves_out_meetings_of_which_no_minutes_are_kept() -> None:
    assert mean_duration_minutes([tally(seconds=1200), tally(week=1, seconds=None)]) == 20


def test_four_pods_are_too_few_for_an_interval_and_five_give_one_around_the_rate() -> None:
    assert interval_of_rate([(3, 4)] * 4) is None
    interval = interval_of_rate([(1, 4), (2, 4), (3, 4), (4, 4), (2, 4)])
    assert interval is not None
    assert interval.low < 12 / 20 < interval.high


def test_the_interval_over_pods_is_wider_than_one_over_people_when_pods_differ() -> None:
    # 20 pods of 8: ten come always, ten never. For independent people the 95 % interval would be 0.42 to 0.58.
    interval = interval_of_rate([(8, 8)] * 10 + [(0, 8)] * 10)
    assert interval is not None
    assert interval.high - interval.low > 0.3


@given(some.lists(some.tuples(some.integers(0, 5), some.integers(0, 3)), min_size=1, max_size=20))
def test_the_range_always_holds_the_headline(weeks: list[tuple[int, int]]) -> None:
    tallies = [
        tally(week=week, invited=attended + unknown + 1, attended=attended, unknown=unknown)
        for week, (attended, unknown) in enumerate(weeks)
    ]
    rate = participation(tallies)
    assert rate.value is not None
    assert rate.high is not None
    assert 0 <= rate.value <= rate.high < 1
