"""Time-to-competency by Kaplan and Meier with late entry, and its verdict."""

from __future__ import annotations

from datetime import date, timedelta

from integration.metrics.competency import (
    Competency,
    Milestone,
    baseline_spells,
    competency,
    pilot_spells,
    verdict,
)
from integration.metrics.tallies import Spell

PILOT = date(2026, 3, 2)


def hired(days_before: int, *, competent_after: int | None, in_program: bool = True) -> Milestone:
    employed_on = PILOT - timedelta(days=days_before)
    reached = employed_on + timedelta(days=competent_after) if competent_after is not None else None
    return Milestone(employed_on, reached, in_program)


def test_the_median_of_people_who_all_got_there_is_the_middle_one() -> None:
    cohort = competency([Spell(0, days, reached=True) for days in (30, 40, 50, 60, 70)])
    assert (cohort.median_days, cohort.n, cohort.censored) == (50, 5, 0)
    assert cohort.low is not None
    assert cohort.low < 50


def test_people_not_yet_there_are_censored_and_make_the_median_later() -> None:
    there = [Spell(0, days, reached=True) for days in (30, 40, 50)]
    waiting = [Spell(0, 45, reached=False) for _ in range(2)]
    assert (competency(there).median_days, competency([*there, *waiting]).median_days) == (40, 50)


def test_a_median_that_is_not_reached_is_said_to_be_so() -> None:
    cohort = competency([Spell(0, 10, reached=True), *[Spell(0, 60, reached=False)] * 4])
    assert (cohort.median_days, cohort.n, cohort.censored) == (None, 5, 4)


def test_nobody_at_all_gives_no_median_and_no_error() -> None:
    assert competency([]) == Competency(None, None, None, 0, 0)


def test_grace_hired_before_counting_began_enters_late() -> None:
    grace = hired(100, competent_after=80)
    assert baseline_spells([grace], starts_on=PILOT, counted_since=PILOT - timedelta(days=60)) == [
        Spell(40, 80, reached=True)
    ]


def test_alan_hired_before_the_pilot_is_censored_in_the_baseline_and_enters_the_pilot_late() -> None:
    alan = hired(40, competent_after=55)
    assert baseline_spells([alan], starts_on=PILOT, counted_since=None) == [Spell(0, 40, reached=False)]
    assert pilot_spells([alan], starts_on=PILOT, until=PILOT + timedelta(days=42)) == [Spell(40, 55, reached=True)]


def test_whoever_was_competent_before_the_pilot_or_is_not_in_it_is_not_in_its_cohort() -> None:
    ada, linus = hired(90, competent_after=30), hired(10, competent_after=20, in_program=False)
    assert pilot_spells([ada, linus], starts_on=PILOT, until=PILOT + timedelta(days=42)) == []


def test_late_entry_gives_the_estimate_of_the_field_and_not_that_of_right_censoring_alone() -> None:
    # By hand: at 20 one of two watched gets there (1/2), at 30 one of two (1/4); the third enters at 25.
    cohort = competency([Spell(0, 20, reached=True), Spell(0, 30, reached=True), Spell(25, 40, reached=True)])
    assert cohort.median_days == 20


def test_one_early_success_before_the_others_enter_is_no_median_and_no_error() -> None:
    late = [Spell(60, days, reached=True) for days in (70, 80, 90, 100)]
    assert competency([Spell(0, 50, reached=True), *late]) == Competency(None, None, None, 5, 0)


def test_the_verdict_is_decided_only_where_intervals_leave_no_doubt() -> None:
    baseline = Competency(100, 95, 110, 40, 0)
    assert verdict(baseline, Competency(70, 65, 75, 40, 0), faster_by=0.2) == "met"
    assert verdict(baseline, Competency(98, 92, 105, 40, 0), faster_by=0.2) == "not met"
    assert verdict(baseline, Competency(78, 60, 95, 10, 5), faster_by=0.2) == "undecided"
    assert verdict(baseline, Competency(None, None, None, 3, 3), faster_by=0.2) == "undecided"
