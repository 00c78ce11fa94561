"""A series is a wall clock: the same local time every week, whatever UTC says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.errors import InputRefused
from integration.scheduling.recurrence import clock_note, expand, first_date, instant, parse_holidays

HALF_AN_HOUR = timedelta(minutes=30)
ZONES = ("Europe/Zurich", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "America/Sao_Paulo", "UTC")


@pytest.mark.parametrize(
    ("zone", "first", "utc_hours"),
    [
        ("Europe/Zurich", datetime.fromisoformat("2026-03-24T10:00"), [9, 8, 8]),  # summer time begins on 29 March
        ("America/New_York", datetime.fromisoformat("2026-10-27T10:00"), [14, 15, 15]),  # ends on 1 November
        ("Australia/Sydney", datetime.fromisoformat("2026-09-29T10:00"), [0, 23, 23]),  # begins on 4 October
    ],
)
def test_adas_ten_o_clock_stays_ten_o_clock_when_the_clocks_change(zone, first, utc_hours):
    expansion = expand(first, time_zone=zone, length=HALF_AN_HOUR, sessions=3)

    assert [one.starts_at.hour for one in expansion.occurrences] == utc_hours
    assert {one.starts_at.astimezone(ZoneInfo(zone)).hour for one in expansion.occurrences} == {10}


def test_a_holiday_is_skipped_and_the_pod_still_meets_as_often_as_promised():
    expansion = expand(
        datetime.fromisoformat("2026-12-11T10:00"),
        time_zone="Europe/Zurich",
        length=HALF_AN_HOUR,
        sessions=4,
        holidays=parse_holidays(["2026-12-25", "2027-01-01", "2026-12-24"]),
    )

    assert [one.starts_local.date().isoformat() for one in expansion.occurrences] == [
        "2026-12-11",
        "2026-12-18",
        "2027-01-08",
        "2027-01-15",
    ]
    assert [one.number for one in expansion.occurrences] == [1, 2, 3, 4]
    assert expansion.weeks == 6
    assert expansion.skipped == (datetime(2026, 12, 25, 9, tzinfo=UTC), datetime(2027, 1, 1, 9, tzinfo=UTC))


def test_a_time_that_does_not_exist_is_said_and_lies_an_hour_later():
    missing = datetime.fromisoformat("2026-03-29T02:30")

    assert instant(missing, "Europe/Zurich") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert "does not exist" in str(clock_note(missing, "Europe/Zurich"))
    assert "03:30" in str(clock_note(missing, "Europe/Zurich"))


def test_a_time_that_comes_twice_is_said_and_means_the_first():
    twice = datetime.fromisoformat("2026-10-25T02:30")

    assert instant(twice, "Europe/Zurich") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert "comes twice" in str(clock_note(twice, "Europe/Zurich"))


def test_a_year_of_holidays_is_refused_with_a_remedy():
    fridays = [date(2026, 1, 2) + timedelta(weeks=week) for week in range(104)]

    with pytest.raises(InputRefused, match="Shorten"):
        expand(
            datetime.fromisoformat("2026-01-02T10:00"),
            time_zone="UTC",
            length=HALF_AN_HOUR,
            sessions=1,
            holidays=fridays,
        )


def test_a_holiday_that_is_no_date_is_named():
    with pytest.raises(InputRefused, match="Christmas"):
        parse_holidays(["Christmas"])


@given(
    first=st.datetimes(datetime.fromisoformat("2024-01-01T00:00"), datetime.fromisoformat("2030-01-01T00:00")),
    zone=st.sampled_from(ZONES),
    sessions=st.integers(1, 30),
    free=st.sets(st.integers(0, 40)),
)
def test_every_rule_keeps_its_wall_its_count_and_its_holidays(first, zone, sessions, free):
    holidays = {first.date() + timedelta(weeks=week) for week in free}

    expansion = expand(first, time_zone=zone, length=HALF_AN_HOUR, sessions=sessions, holidays=holidays)

    assert len(expansion.occurrences) == sessions
    assert expansion.weeks == sessions + len(expansion.skipped)
    assert not {one.starts_local.date() for one in expansion.occurrences} & holidays
    for one in expansion.occurrences:
        shown = one.starts_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert shown == one.starts_local or "does not exist" in str(one.note)


@given(day=st.dates(date(2020, 1, 1), date(2030, 1, 1)), weekday=st.integers(0, 6))
def test_the_first_date_is_within_a_week_on_the_wanted_weekday(day, weekday):
    found = first_date(weekday, not_before=day)

    assert found.weekday() == weekday
    assert timedelta() <= found - day < timedelta(weeks=1)
