"""Who a record belongs to, and what the definitions make of a report."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.attendance import intervals, looks
from integration.attendance.definitions import Outcome, is_test_call, outcome
from integration.attendance.identities import Roster, Seen, addresses_of, identify
from integration.attendance.intervals import Interval
from tests.attendance.build import at

ADA, GRACE, ALAN = 1, 2, 3
ROSTER = Roster(
    participants={
        "id-of-ada": ADA,
        "ada@pods.example": ADA,
        "ada@home.example": ADA,
        "grace@pods.example": GRACE,
        "id-of-alan": ALAN,
    },
    guests=frozenset({"linus@elsewhere.example"}),
    organizers=frozenset({"pods.one@pods.example", "id-of-the-organizer"}),
    domains=frozenset({"pods.example"}),
)
WINDOW = Interval(at(-15), at(90))
TEN_MINUTES = timedelta(minutes=10)
SAMPLES = Path(__file__).parents[3] / "shared" / "graph" / "samples"


def seen(start: float, end: float, **identity: str | None) -> Seen:
    return Seen(intervals=(Interval(at(start), at(end)),), **identity)


def ada(start: float = 0, end: float = 30) -> Seen:
    return seen(start, end, object_id="id-of-ada", address="ada@pods.example", name="Ada")


def grace(start: float = 0, end: float = 30) -> Seen:
    return seen(start, end, address="GRACE@pods.example", name="Grace")


def phone(start: float = 0, end: float = 30) -> Seen:
    return seen(start, end, name="+41 44 555 ** **")


def reckon(*reports: list[Seen]) -> Outcome:
    presences = identify(reports, ROSTER)
    return outcome(presences, invited=(ADA, GRACE, ALAN), window=WINDOW, threshold=TEN_MINUTES)


def attended(found: Outcome) -> dict[int, bool | None]:
    return {person.participant_id: person.attended for person in found.people}


def test_everybody_found_and_alan_absent_by_measurement() -> None:
    found = reckon([ada(), grace(5, 30)])
    assert attended(found) == {ADA: True, GRACE: True, ALAN: False}
    assert found.held
    assert found.together == timedelta(minutes=25)


def test_ada_who_came_back_in_a_second_call_is_counted_once_with_both_stays() -> None:
    found = reckon([ada(0, 6), grace(0, 6)], [ada(10, 16)])
    assert attended(found)[ADA] is True
    assert found.people[0].present == timedelta(minutes=12)
    assert attended(found)[GRACE] is False  # six minutes are less than the threshold


def test_adas_telephone_beside_her_computer_adds_nothing() -> None:
    found = reckon([ada(0, 20), ada(5, 25), grace()])
    assert found.people[0].present == timedelta(minutes=25)


def test_ada_joining_under_her_address_at_home_is_ada() -> None:
    home = seen(0, 30, object_id="some-other-id", address="ada_home.example#EXT#@pods.onmicrosoft.example")
    assert attended(reckon([home, grace()]))[ADA] is True


@pytest.mark.parametrize(
    ("stranger", "kind"),
    [
        (phone(), "phone"),
        (seen(0, 30, name="4412345678"), "phone"),
        (seen(0, 30, name="Somebody"), "anonymous"),
        (seen(0, 30), "masked"),
        (seen(0, 30, object_id="x", address="room.matterhorn@pods.example", name="Room Matterhorn"), "room"),
        (seen(0, 30, object_id="x", address="mallory@elsewhere.example", name="Mallory"), "unknown"),
        (seen(0, 30, object_id="x", name="Mallory"), "unknown"),
    ],
)
def test_whoever_was_not_found_may_be_the_unidentified_one(stranger: Seen, kind: str) -> None:
    found = reckon([ada(), stranger])
    assert [one.kind for one in found.unmatched] == [kind]
    assert attended(found) == {ADA: True, GRACE: None, ALAN: None}
    assert "unidentified" in str(found.people[1].reason)
    assert found.held


def test_a_telephone_for_a_moment_casts_no_doubt() -> None:
    assert attended(reckon([ada(), phone(0, 3)])) == {ADA: True, GRACE: False, ALAN: False}


def test_a_stand_in_and_a_forwarded_guest_are_guests_and_cast_no_doubt() -> None:
    stand_in = seen(0, 30, object_id="y", address="barbara@pods.example", name="Barbara")
    guest = seen(0, 30, address="Linus@elsewhere.example", name="Linus")
    found = reckon([ada(), stand_in, guest])
    assert found.guests == 2
    assert found.unmatched == ()
    assert attended(found)[ALAN] is False


def test_the_organizers_own_account_is_nobody() -> None:
    account = seen(0, 30, object_id="ID-of-the-organizer", name="Learning Pods One")
    found = reckon([ada(), account])
    assert not found.held
    assert (found.guests, found.unmatched) == (0, ())


def test_two_unnamed_people_of_one_report_are_two() -> None:
    found = reckon([seen(0, 30, name="Guest"), seen(0, 30, name="Guest")])
    assert found.held
    assert len(found.unmatched) == 2


def test_presence_outside_the_window_does_not_count() -> None:
    found = reckon([ada(-60, -16), grace(91, 200), phone(95, 120)])
    assert attended(found) == {ADA: False, GRACE: False, ALAN: False}
    assert found.unmatched == ()


def test_exactly_the_threshold_is_enough_and_a_second_less_is_not() -> None:
    found = reckon([ada(0, 10), grace(0, 10 - 1 / 60)])
    assert attended(found) == {ADA: True, GRACE: False, ALAN: False}


def test_four_minutes_together_are_no_meeting_and_five_are() -> None:
    assert not reckon([ada(0, 14), grace(10, 30)]).held
    assert reckon([ada(0, 15), grace(10, 30)]).held


def test_trying_out_the_link_alone_is_no_call() -> None:
    assert is_test_call([])
    assert is_test_call([ada(0, 1)])
    assert not is_test_call([ada(0, 3)])
    assert not is_test_call([ada(0, 1), grace(0, 1)])


def test_a_guest_accounts_name_leads_home() -> None:
    assert addresses_of("Ada_B_Home.example#EXT#@tenant.example")[1] == "ada_b@home.example"
    assert addresses_of(" Ada@Home.example ") == ("ada@home.example",)
    assert addresses_of(None) == ()


PEOPLE = st.sampled_from([{"object_id": "id-of-ada"}, {"address": "grace@pods.example"}, {"name": "+41 44 555"}, {}])
STAYS = st.tuples(st.integers(-100, 200), st.integers(-100, 200), PEOPLE)


@given(st.lists(STAYS, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_records_and_reports_does_not_matter_for_the_figures(
    stays: list[tuple[int, int, dict[str, str]]], random
) -> None:
    reports = [[seen(start, end, **who)] for start, end, who in stays]
    shuffled = random.sample(reports, len(reports))
    assert [person.present for person in reckon(*reports).people] == [
        person.present for person in reckon(*shuffled).people
    ]
    assert attended(reckon(*reports)) == attended(reckon(*shuffled))
    assert reckon(*reports).together == reckon(*shuffled).together


def test_looks_come_soon_and_get_rarer() -> None:
    end = at(30)
    minutes = [5, 10, 20, 40, 120, 360, 1440]
    found, now = [], end
    while (following := looks.next_look(end, now=now, is_known=False)) is not None:
        found.append((following - end) / timedelta(minutes=1))
        now = following
    assert found == minutes
    later = end + timedelta(minutes=61)
    assert looks.next_look(end, now=later, is_known=False) == end + timedelta(hours=2)


def test_looks_are_rare_once_all_seems_known() -> None:
    end = at(30)
    assert looks.next_look(end, now=end, is_known=True) == end + timedelta(hours=2)
    assert looks.next_look(end, now=end + timedelta(hours=2), is_known=True) == end + timedelta(hours=6)
    assert looks.next_look(end, now=end + timedelta(hours=6), is_known=True) == end + timedelta(days=1)
    assert looks.next_look(end, now=end + timedelta(days=1), is_known=True) is None


def test_a_report_of_a_running_call_is_not_believed() -> None:
    now = at(40)
    assert looks.is_final(ends_at=at(30), participants=2, now=now)
    assert not looks.is_final(ends_at=None, participants=2, now=now)
    assert not looks.is_final(ends_at=at(30), participants=0, now=now)
    assert not looks.is_final(ends_at=at(39), participants=2, now=now)


def test_the_documented_report_gives_1152_seconds() -> None:
    sample = SAMPLES / "attendance-report-get-expand-records.response.json"
    if not sample.exists():
        pytest.skip(f"the documented sample is not here: {sample.name}")
    (record,) = json.loads(sample.read_text())["attendanceRecords"]
    stays = [
        Interval(datetime.fromisoformat(each["joinDateTime"]), datetime.fromisoformat(each["leaveDateTime"]))
        for each in record["attendanceIntervals"]
    ]
    assert intervals.seconds(stays) == record["totalAttendanceInSeconds"] == 1152
