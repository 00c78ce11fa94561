"""What a leader reads: figures with n and target, words where people could be singled out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from integration.metrics.figures import PodFigures, ProgramFigures
from integration.metrics.participation import frequency, mean_duration_minutes, participation
from integration.metrics.satisfaction import satisfaction
from integration.metrics.tallies import OccurrenceTally
from integration.scheduling.dues import summary_due
from integration.summaries.calendar_week import week_of
from integration.summaries.chart import WeekBar, chart_alt, chart_png
from integration.summaries.weekly import PublishedMean, Targets, WeeklySummary, weekly_summary

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
TARGETS = Targets(participation=0.6, sessions=4, small_group=5)
NOTHING_PUBLISHED = PublishedMean(None, 0, 0)


def figures(pods: dict[int, list[OccurrenceTally]], *, people_per_pod: int = 4) -> ProgramFigures:
    tallies = [tally for pod in pods.values() for tally in pod]
    return ProgramFigures(
        name="Pilot",
        at=MONDAY + timedelta(weeks=6),
        people=people_per_pod * len(pods),
        participation=participation(tallies),
        frequency=frequency(tallies),
        mean_duration_minutes=mean_duration_minutes(tallies),
        satisfaction=satisfaction([], asked=0),
        pods=tuple(pod_figures(pod_id, own, people=people_per_pod) for pod_id, own in pods.items()),
    )


def pod_figures(pod_id: int, own: list[OccurrenceTally], *, people: int) -> PodFigures:
    return PodFigures(
        pod_id,
        f"Pod {pod_id}",
        people,
        participation(own),
        held=sum(1 for tally in own if tally.held),
        not_held=sum(1 for tally in own if tally.held is False),
        unknown_occurrences=sum(1 for tally in own if not tally.is_known),
        mean_duration_minutes=None,
    )


def weeks(pod: int, attended: list[int | None], *, unknown: int = 0) -> list[OccurrenceTally]:
    return [
        OccurrenceTally(
            pod,
            MONDAY + timedelta(weeks=week),
            is_known=came is not None,
            invited=4,
            attended=came or 0,
            unknown=unknown,
            away=0,
            held=None if came is None else came >= 2,
            together_seconds=1500 if came else None,
        )
        for week, came in enumerate(attended)
    ]


def summary(now: ProgramFigures, before: ProgramFigures | None = None) -> WeeklySummary:
    return weekly_summary(now, before or figures({}), published=NOTHING_PUBLISHED, targets=TARGETS)


def test_six_pods_that_come_meet_the_target_and_say_of_how_many() -> None:
    kpi = summary(figures({pod: weeks(pod, [4, 4, 3]) for pod in range(6)})).kpis[0]
    assert (kpi.value, kpi.verdict) == ("92%", "met")
    assert kpi.n == "66 of 72 invitations, 18 sessions"


def test_two_pods_are_too_few_to_tell_whatever_they_do() -> None:
    assert summary(figures({1: weeks(1, [4, 4]), 2: weeks(2, [4, 4])})).kpis[0].verdict == "too early to tell"


def test_three_people_never_see_themselves_as_a_percentage() -> None:
    read = summary(figures({1: weeks(1, [2])}, people_per_pod=3))
    assert read.kpis[0].value == "too few people to tell"
    assert "%" not in "".join([read.win, read.risk, *(words for _, words in read.pods)])


def test_a_session_of_unknown_attendance_is_said_and_not_counted() -> None:
    kpi = summary(figures({pod: weeks(pod, [4, None]) for pod in range(6)})).kpis[0]
    assert (kpi.value, kpi.not_known) == ("100%", "6 sessions of unknown attendance, not counted")


def test_people_on_the_phone_show_as_a_range_whose_lower_end_is_the_headline() -> None:
    kpi = summary(figures({pod: weeks(pod, [2], unknown=1) for pod in range(6)})).kpis[0]
    assert kpi.value == "50%"
    assert kpi.not_known == "up to 75% if everybody who could not be identified was invited"


def test_the_change_is_told_in_points() -> None:
    before = figures({pod: weeks(pod, [2]) for pod in range(6)})
    now = figures({pod: weeks(pod, [2, 4]) for pod in range(6)})
    assert summary(now, before).kpis[0].change == "+25 points on last week"


def test_a_pod_that_never_met_is_the_risk_and_not_a_percentage() -> None:
    read = summary(figures({1: weeks(1, [4, 4]), 2: weeks(2, [0, 0])}))
    assert read.risk == "Pod 2 has not met so far as we know: a word with its members would help."
    assert dict(read.pods) == {"Pod 1": "meets", "Pod 2": "has not met"}


def test_the_chart_can_be_read_without_seeing_it() -> None:
    bars = [WeekBar("2 Mar", 0.75), WeekBar("9 Mar", None)]
    said = "Participation by week (target 60%): 2 Mar 75%, 9 Mar no figure"
    assert chart_alt(bars, target=0.6) == said
    assert chart_png(bars, target=0.6).startswith(b"\x89PNG")
    assert len(chart_png(bars, target=0.6)) < 30_000


@pytest.mark.parametrize(
    ("now", "zone", "due"),
    [
        ("2026-03-26T12:00", "Europe/Zurich", "2026-03-30T06:00"),  # the clocks went forward on 29 March
        ("2026-03-20T12:00", "Europe/Zurich", "2026-03-23T07:00"),
        ("2026-03-30T06:00", "Europe/Zurich", "2026-04-06T06:00"),  # exactly due: the next one
        ("2026-03-29T23:30", "Asia/Singapore", "2026-03-30T00:00"),  # already Monday there, not yet eight
        ("2026-11-01T12:00", "America/New_York", "2026-11-02T13:00"),
    ],
)
def test_the_next_summary_leaves_on_monday_at_eight_where_the_leader_is(now: str, zone: str, due: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert summary_due(at, zone) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_the_week_is_the_one_on_the_leaders_wall() -> None:
    sunday_in_london = datetime(2026, 3, 8, 23, 30, tzinfo=UTC)
    assert week_of(sunday_in_london, "Europe/London") == date(2026, 3, 2)
    assert week_of(sunday_in_london, "Asia/Singapore") == date(2026, 3, 9)
