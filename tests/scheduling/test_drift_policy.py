"""What is done by itself about each kind of difference is what the administrator has set."""

from __future__ import annotations

from integration.scheduling.drift.kinds import Kind, Policy, Repair, policies
from integration.setting_values import DRIFT_CHOICES, DRIFT_DEFAULTS
from tests.scheduling.conftest import Office
from tests.scheduling.drifting import (
    adopted,
    decided,
    invited,
    is_settled,
    mails,
    move,
    seen,
    take_off,
    the_one,
    with_policy,
    words_of,
)


def test_each_kind_has_a_policy_that_can_be_set(office: Office):
    everything = ",".join(f"{kind}=ask" for kind in DRIFT_DEFAULTS)

    assert set(policies(with_policy(office, everything).tools.settings)) == set(Kind)
    assert set(policies(with_policy(office, everything).tools.settings).values()) == {Policy.ASK}
    assert {Policy(each.replace("-", " ")) for each in DRIFT_CHOICES} == set(Policy)


def test_a_series_moved_is_taken_over_at_once_where_that_is_the_policy(office: Office):
    series_id = invited(office)
    move(office, series_id, "2026-03-10T11:30")

    with mails(office) as told:
        adopted(with_policy(office, "series-moved=adopt"), series_id, Kind.SERIES_MOVED)

    assert told == {}
    assert office.series(series_id).starts_local.hour == 11
    assert is_settled(office, series_id)


def test_a_session_moved_waits_where_the_policy_asks(office: Office):
    series_id = invited(office)
    move(office, series_id, "2026-03-18T14:00", number=2)
    asking = with_policy(office, "session-moved=ask")

    row = the_one(asking, series_id, Kind.OCCURRENCE_MOVED)
    decided(asking, row.id, Repair.ADOPT)

    assert is_settled(asking, series_id)


def test_a_session_deleted_waits_where_the_policy_asks_although_our_dates_follow_at_once(office: Office):
    asking = with_policy(office, "session-deleted=ask")
    series_id = invited(asking)
    second = office.occurrence(series_id, 2)
    office.tools.graph.calendar.delete_event(office.series(series_id).organizer, second.event_id or "")

    row = the_one(asking, series_id, Kind.OCCURRENCE_DELETED)
    assert office.occurrence(series_id, 2).cancelled_at is not None
    decided(asking, row.id, Repair.ADOPT)

    assert is_settled(asking, series_id)


def test_a_session_deleted_no_longer_waits_once_its_time_is_over(office: Office):
    asking = with_policy(office, "session-deleted=ask")
    series_id = invited(asking)
    second = office.occurrence(series_id, 2)
    office.tools.graph.calendar.delete_event(office.series(series_id).organizer, second.event_id or "")
    the_one(asking, series_id, Kind.OCCURRENCE_DELETED)

    office.wait_until(second.ends_at)

    assert is_settled(asking, series_id)


def test_somebody_taken_off_the_series_but_still_on_a_session_waits_whatever_the_policy(office: Office):
    """To let them go would mail them, and nothing that mails anybody is done unasked."""
    letting_go = with_policy(office, "attendee-missing=adopt")
    series_id = invited(office)
    office.reply(series_id, "Grace", "decline", number=3)
    take_off(office, series_id, "Alan")
    row = the_one(letting_go, series_id, Kind.ATTENDEE_MISSING)
    decided(letting_go, row.id, Repair.PUT_BACK)
    assert is_settled(letting_go, series_id)

    take_off(office, series_id, "Alan", number=3)
    rows = seen(letting_go, series_id)

    assert [(each.decided_by, words_of(office, each.id).partition(" ")[0]) for each in rows[1:]] == [
        ("policy", office.mails("Alan")[0])
    ]
