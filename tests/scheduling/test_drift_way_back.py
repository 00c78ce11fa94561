"""The ways back that Outlook has no button for: another weekday, and a session that was deleted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from integration.errors import Conflict
from integration.graph.resources import EventChanges, WeeklyRule
from integration.scheduling.drift.drifts import decide, why_not
from integration.scheduling.drift.kinds import Kind, Repair
from integration.scheduling.drift.models import Drift
from integration.scheduling.jobs import pull_series, repair_series
from integration.scheduling.models import Series
from tests.scheduling.conftest import Office
from tests.scheduling.drifting import (
    BY,
    FOUR,
    adopted,
    change,
    decided,
    instances,
    invited,
    is_settled,
    mails,
    per_person,
    promised,
    seen,
    the_one,
    with_policy,
    words_of,
    work,
)

EACH_ONE = dict.fromkeys(FOUR, 1)
HALF_AN_HOUR = timedelta(minutes=30)


def to_wednesday(office: Office, series_id: int) -> None:
    """Somebody moves the whole series from Tuesday to Wednesday in Outlook."""
    start = datetime(2026, 3, 11, 10, 30)  # noqa: DTZ001 (a wall clock)
    weekly = WeeklyRule(starts_on=date(2026, 3, 11), count=4)
    zone = "Europe/Zurich"
    change(office, series_id, EventChanges(starts_local=start, length=HALF_AN_HOUR, time_zone=zone, weekly=weekly))


def days(office: Office, series_id: int) -> list[str]:
    return [f"{one.starts_at:%a %d %b}" for one in instances(office, series_id)]


def delete(office: Office, series_id: int, number: int) -> None:
    """Somebody deletes one session in the organizer's calendar."""
    organizer, one = office.series(series_id).organizer, office.occurrence(series_id, number)
    office.tools.graph.calendar.delete_event(organizer, one.event_id or "")


def test_a_series_on_another_weekday_goes_back_by_one_update_each(office: Office):
    series_id = invited(office)
    to_wednesday(office, series_id)
    row = the_one(office, series_id, Kind.SERIES_MOVED)
    assert office.occurrence(series_id, 2).starts_at == datetime(2026, 3, 18, 9, 30, tzinfo=UTC)

    with mails(office) as told:
        decided(office, row.id, Repair.PUT_BACK)

    assert told == {(name, "meetingUpdate"): 1 for name in FOUR}
    assert per_person(told) == promised(office, row) == EACH_ONE
    assert days(office, series_id) == ["Tue 10 Mar", "Tue 17 Mar", "Tue 24 Mar", "Tue 31 Mar"]
    assert office.occurrence(series_id, 2).freeze_due_at == datetime(2026, 3, 17, 9, 30, tzinfo=UTC)
    assert is_settled(office, series_id)


def test_once_it_has_met_the_rest_of_it_goes_back(office: Office):
    series_id = invited(office)
    office.wait_until(datetime(2026, 3, 10, 12, tzinfo=UTC))
    to_wednesday(office, series_id)
    row = next(each for each in seen(office, series_id) if each.kind == Kind.SERIES_MOVED)

    with mails(office) as told:
        decided(office, row.id, Repair.PUT_BACK)

    assert per_person(told) == promised(office, row)
    assert days(office, series_id)[1:] == ["Tue 17 Mar", "Tue 24 Mar", "Tue 31 Mar"]


@pytest.mark.parametrize("what", ["answered", "deleted"])
def test_it_stays_where_going_back_would_take_something_away_and_that_is_said(office: Office, what: str):
    series_id = invited(office)
    to_wednesday(office, series_id)
    pull_series(office.tools, series_id)
    if what == "answered":
        office.reply(series_id, "Grace", "decline", number=3)
    else:
        delete(office, series_id, 3)
    row = next(each for each in seen(office, series_id) if each.kind == Kind.SERIES_MOVED)

    reason = why_not(row, Repair.PUT_BACK, now=office.tools.clock.now())
    with pytest.raises(Conflict, match="Another weekday is another pattern"):
        decided(office, row.id, Repair.PUT_BACK)
    with mails(office) as told:
        decided(office, row.id, Repair.ADOPT)

    assert "would cancel by mail" in (reason or "")
    assert told == {}
    assert days(office, series_id)[0] == "Wed 11 Mar"
    assert is_settled(office, series_id)


def test_an_answer_that_comes_between_the_decision_and_the_worker_is_not_taken_away(office: Office):
    series_id = invited(office)
    to_wednesday(office, series_id)
    row = the_one(office, series_id, Kind.SERIES_MOVED)
    with office.tools.database.transaction() as session:
        decide(session, session.get_one(Drift, row.id), Repair.PUT_BACK, by=BY, now=office.tools.clock.now())
    office.reply(series_id, "Grace", "decline", number=3)

    with mails(office) as told:
        repair_series(office.tools, series_id)
        work(office)

    assert told == {}
    (again,) = seen(office, series_id)
    assert (again.decision, again.closed_at, again.repairs) == (None, None, ["adopt"])


def test_in_place_of_a_deleted_session_everybody_is_invited_to_a_single_one(office: Office):
    series_id = invited(office)
    delete(office, series_id, 2)
    row = adopted(office, series_id, Kind.OCCURRENCE_DELETED)
    assert "17 Mar 2026, 10:30 CET was deleted" in words_of(office, row.id)

    with mails(office) as told:
        decided(office, row.id, Repair.PUT_BACK)

    assert told == {(name, "meetingRequest"): 1 for name in FOUR}
    assert per_person(told) == promised(office, row) == EACH_ONE
    assert days(office, series_id) == ["Tue 10 Mar", "Tue 24 Mar", "Tue 31 Mar"]
    (single,) = others(office, series_id)
    (only,) = single.occurrences
    lost = office.occurrence(series_id, 2)
    assert lost.cancelled_at is not None
    assert (only.starts_at, only.ends_at) == (lost.starts_at, lost.ends_at)
    assert only.facilitator_id == lost.facilitator_id
    assert (only.guide_due_at, only.freeze_due_at) != (None, None)
    assert [one.starts_at for one in instances(office, single.id)] == [lost.starts_at]
    assert is_settled(office, series_id)
    assert seen(office, single.id) == []


def test_the_same_decision_twice_makes_one_single_session(office: Office):
    series_id = invited(office)
    asking = with_policy(office, "session-deleted=ask")
    delete(office, series_id, 3)
    row = the_one(asking, series_id, Kind.OCCURRENCE_DELETED)

    decided(asking, row.id, Repair.PUT_BACK)
    with mails(office) as told:
        decided(asking, row.id, Repair.PUT_BACK)

    assert told == {}
    assert len(others(office, series_id)) == 1
    assert is_settled(asking, series_id)


def test_in_place_of_a_session_whose_time_has_passed_nothing_is_made(office: Office):
    series_id = invited(office)
    delete(office, series_id, 2)
    row = adopted(office, series_id, Kind.OCCURRENCE_DELETED)
    office.wait_until(office.occurrence(series_id, 2).starts_at)

    with pytest.raises(Conflict, match="has passed"):
        decided(office, row.id, Repair.PUT_BACK)
    assert others(office, series_id) == []


def others(office: Office, series_id: int) -> list[Series]:
    """The pod's other series."""
    with office.tools.database.reading() as session:
        ids = [one.id for one in session.get_one(Series, series_id).pod.series if one.id != series_id]
    return [office.series(each) for each in ids]
