"""A slot suits everybody in every week, or says whom it does not suit."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from integration.scheduling.slots import Availability, Search, find_slots, pod_zone

MONDAY = date(2026, 12, 7)
NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


def search(time_zone="Europe/Zurich", **changes):
    wanted = {
        "time_zone": time_zone,
        "length": timedelta(minutes=30),
        "sessions": 6,
        "not_before": MONDAY,
        "now": NOW,
    }
    return Search(**{**wanted, **changes})


def zurich(day, hour, minute=0):
    return datetime(2026, 12, day, hour, minute, tzinfo=ZoneInfo("Europe/Zurich")).astimezone(UTC)


def test_free_people_of_one_office_meet_in_the_middle_of_the_morning():
    best = find_slots(
        [Availability("ada@x.com", "Europe/Zurich"), Availability("alan@x.com", "Europe/Zurich")], search()
    )

    assert best[0].starts_local == datetime.fromisoformat("2026-12-08T10:30")
    assert best[0].is_common
    assert best[0].missing == {}


def test_a_meeting_in_the_second_week_moves_the_slot():
    busy = ((zurich(15, 10), zurich(15, 12)), (zurich(9, 8), zurich(9, 18)))
    ada = Availability("ada@x.com", "Europe/Zurich", busy=tuple(sorted(busy)))

    best = find_slots([ada], search())[0]

    assert best.is_common
    assert best.starts_local == datetime.fromisoformat("2026-12-10T10:30")


def test_zurich_and_new_york_meet_in_their_common_hours():
    people = [Availability("ada@x.com", "Europe/Zurich"), Availability("grace@x.com", "America/New_York")]

    best = find_slots(people, search())

    assert all(slot.is_common for slot in best)
    assert {slot.starts_local.time() for slot in best} <= {
        time(15),
        time(15, 15),
        time(15, 30),
        time(15, 45),
        time(16),
        time(16, 15),
        time(16, 30),
    }


def test_a_slot_that_clock_changes_push_out_of_somebodys_hours_is_no_common_slot():
    """Between 8 and 29 March New York has summer time and Zurich has not: 16:30 in Zurich is 11:30, else 10:30."""
    ada = Availability("ada@x.com", "Europe/Zurich", starts=time(16), ends=time(17))
    grace = Availability("grace@x.com", "America/New_York", starts=time(10), ends=time(11))

    best = find_slots([ada, grace], search(not_before=date(2026, 2, 23), now=datetime(2026, 2, 1, tzinfo=UTC)))

    assert not best[0].is_common
    assert best[0].missing
    assert "working hours" in str(next(iter(best[0].missing.values())))


def test_people_who_never_work_together_get_five_compromises_that_name_who_is_missing():
    people = [
        Availability("ada@x.com", "Europe/Zurich"),
        Availability("alan@x.com", "Europe/Zurich"),
        Availability("linus@x.com", "America/Los_Angeles"),
    ]

    best = find_slots(people, search())

    assert len(best) == 5
    assert [set(slot.missing) for slot in best] == [{"linus@x.com"}] * 5
    assert all("America/Los_Angeles" in str(slot.missing["linus@x.com"]) for slot in best)


def test_a_working_week_from_sunday_to_thursday_is_kept():
    cairo = Availability("mona@x.com", "Africa/Cairo", weekdays=frozenset({6, 0, 1, 2, 3}))
    office = Availability("ada@x.com", "Europe/Zurich")

    assert {slot.weekday for slot in find_slots([cairo, office], search(), limit=1000) if slot.is_common} == {
        0,
        1,
        2,
        3,
    }


def test_a_night_shift_meets_at_night():
    night = Availability("linus@x.com", "Europe/Zurich", starts=time(22), ends=time(6))

    best = find_slots([night], search(), limit=1000)

    common = [slot for slot in best if slot.is_common]
    assert common
    assert all(slot.starts_local.time() >= time(22) or slot.starts_local.time() < time(6) for slot in common)


def test_a_first_day_that_has_begun_is_not_planned_into_the_past():
    late = datetime(2026, 12, 8, 16, tzinfo=UTC)

    slots = find_slots([Availability("ada@x.com", "Europe/Zurich")], search(now=late), limit=1000)

    assert all(slot.starts_local.replace(tzinfo=ZoneInfo("Europe/Zurich")) > late for slot in slots)


def test_the_pods_wall_hangs_where_most_of_them_live():
    people = [
        Availability(mail, zone)
        for mail, zone in [("a", "America/New_York"), ("b", "Europe/Zurich"), ("c", "Europe/Zurich")]
    ]

    assert pod_zone(people) == "Europe/Zurich"
    assert pod_zone(people[:2]) == "America/New_York"


block = st.tuples(st.integers(0, 13), st.integers(0, 95), st.integers(1, 12))


@settings(max_examples=15, deadline=None)
@given(blocks=st.lists(block, max_size=25))
def test_a_common_slot_touches_no_busy_block_in_any_week(blocks):
    midnight = datetime(2026, 12, 7, tzinfo=UTC)
    busy = tuple(
        sorted(
            (
                midnight + timedelta(days=day, minutes=15 * at),
                midnight + timedelta(days=day, minutes=15 * (at + long)),
            )
            for day, at, long in blocks
        )
    )
    best = find_slots([Availability("ada@x.com", "Europe/Zurich", busy=busy)], search(sessions=2), limit=20)

    for slot in (one for one in best if one.is_common):
        for week in range(2):
            starts = (slot.starts_local + timedelta(weeks=week)).replace(tzinfo=ZoneInfo("Europe/Zurich"))
            assert all(until <= starts or begin >= starts + timedelta(minutes=30) for begin, until in busy)
