"""Another time for every week, proposed in Outlook with the answer to the series: the coordinator says yes or no."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from integration.errors import Conflict
from integration.graph.errors import GraphError
from integration.graph.simulator.faults import Fault
from integration.mail.models import Mail
from integration.scheduling.drift.drifts import decide
from integration.scheduling.drift.kinds import Kind, Repair
from integration.scheduling.drift.models import Drift
from integration.scheduling.drift.words import mails_words, proposed_mails, standing
from integration.scheduling.jobs import repair_series
from integration.scheduling.proposals.models import TimeProposal
from tests.scheduling.conftest import Office
from tests.scheduling.drifting import (
    BY,
    FOUR,
    decided,
    instances,
    invited,
    is_settled,
    mails,
    per_person,
    seen,
    the_one,
    words_of,
    work,
)

THURSDAY = "2026-03-12T13:00+00:00"  # 14:00 in Zurich; the pod meets on Tuesdays at 10:30
LATER = "2026-03-17T14:00+00:00"  # a Tuesday at 15:00 in Zurich


def propose(office: Office, series_id: int, name: str, at: str) -> None:
    """Somebody is not sure about the series and proposes another time for it, for 45 minutes."""
    person = office.tenant.directory.find(office.mails(name)[0])
    assert person is not None
    starts_at = datetime.fromisoformat(at)
    office.tenant.calendars.reply(
        person,
        uid=office.series(series_id).ical_uid or "",
        response="tentativelyAccept",
        occurrence_start=None,
        proposed=(starts_at, starts_at + timedelta(minutes=45)),
    )


def starts(office: Office, series_id: int) -> list[str]:
    return [f"{one.starts_at:%a %d %b %H:%M}" for one in instances(office, series_id)]


def test_it_waits_for_the_coordinator_and_bothers_no_facilitator(office: Office):
    series_id = invited(office)
    propose(office, series_id, "Grace", LATER)

    row = the_one(office, series_id, Kind.SERIES_PROPOSED)

    words = words_of(office, row.id)
    assert "would rather meet at another time every week" in words
    assert "first Tue 10 Mar 2026, 15:00 (Europe/Zurich), 45 minutes" in words
    with office.tools.database.reading() as session:
        assert session.scalars(select(TimeProposal)).all() == []
        assert session.scalars(select(Mail).where(Mail.kind == "time-proposal")).all() == []


def test_a_yes_moves_every_session_to_come_by_one_update_each(office: Office):
    series_id = invited(office)
    office.wait_until(datetime(2026, 3, 11, 12, tzinfo=UTC))  # the first one is history
    propose(office, series_id, "Grace", LATER)
    row = the_one(office, series_id, Kind.SERIES_PROPOSED)
    assert mails_words(row, Repair.ADOPT).startswith("Yes, move the whole series: 4 mails, to ")

    with mails(office) as told:
        decided(office, row.id, Repair.ADOPT)

    assert told == {(name, "meetingUpdate"): 1 for name in FOUR}
    assert per_person(told).total() == sum(proposed_mails(row, Repair.ADOPT).values())
    assert starts(office, series_id)[1:] == ["Tue 17 Mar 14:00", "Tue 24 Mar 14:00", "Tue 31 Mar 13:00"]
    second = office.occurrence(series_id, 2)
    assert (
        second.starts_at == second.original_start_at == second.freeze_due_at == datetime(2026, 3, 17, 14, tzinfo=UTC)
    )
    assert office.occurrence(series_id, 1).starts_at == datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
    assert office.series(series_id).minutes == 45
    assert is_settled(office, series_id)


def test_a_yes_to_another_weekday_writes_the_pattern_where_nothing_is_lost_by_it(office: Office):
    series_id = invited(office)
    propose(office, series_id, "Grace", THURSDAY)
    row = the_one(office, series_id, Kind.SERIES_PROPOSED)

    with mails(office) as told:
        decided(office, row.id, Repair.ADOPT)

    assert told == {(name, "meetingUpdate"): 1 for name in FOUR}
    assert starts(office, series_id) == [
        "Thu 12 Mar 13:00",
        "Thu 19 Mar 13:00",
        "Thu 26 Mar 13:00",
        "Thu 02 Apr 12:00",
    ]
    assert is_settled(office, series_id)


def test_a_yes_that_would_take_answers_away_is_not_offered_and_that_is_said(office: Office):
    series_id = invited(office)
    office.reply(series_id, "Alan", "decline", number=3)
    propose(office, series_id, "Grace", THURSDAY)
    row = the_one(office, series_id, Kind.SERIES_PROPOSED)

    with pytest.raises(Conflict, match="would cancel by mail"):
        decided(office, row.id, Repair.ADOPT)
    with mails(office) as told:
        decided(office, row.id, Repair.PUT_BACK)
    assert told == {}
    assert is_settled(office, series_id)


def test_a_no_leaves_it_tells_nobody_and_is_not_asked_again(office: Office):
    series_id = invited(office)
    propose(office, series_id, "Grace", LATER)
    row = the_one(office, series_id, Kind.SERIES_PROPOSED)

    with mails(office) as told:
        decided(office, row.id, Repair.PUT_BACK)

    assert told == {}
    (kept,) = seen(office, series_id)
    assert standing(kept, "UTC").startswith(f"Left as it is, as {BY} decided")
    assert starts(office, series_id)[0] == "Tue 10 Mar 09:30"
    assert is_settled(office, series_id)

    propose(office, series_id, "Grace", THURSDAY)  # something else
    assert [each.closed_at is None for each in seen(office, series_id)] == [False, True]


def test_a_session_answered_by_itself_does_not_keep_the_proposal_alive(office: Office):
    """Its list of attendees is a copy, which still has the proposal when the series has it no more."""
    series_id = invited(office)
    propose(office, series_id, "Grace", LATER)
    office.reply(series_id, "Alan", "decline", number=3)
    decided(office, the_one(office, series_id, Kind.SERIES_PROPOSED).id, Repair.PUT_BACK)
    office.reply(series_id, "Grace", "accept")

    assert is_settled(office, series_id)
    with office.tools.database.reading() as session:
        assert session.scalars(select(TimeProposal)).all() == []


def test_a_yes_waits_while_it_would_end_a_session_before_it_begins(office: Office):
    series_id = invited(office)
    propose(office, series_id, "Grace", "2026-03-17T07:00+00:00")  # 08:00 in Zurich, two and a half hours sooner
    row = the_one(office, series_id, Kind.SERIES_PROPOSED)
    office.wait_until(datetime(2026, 3, 10, 9, tzinfo=UTC))  # half an hour before the first one

    with pytest.raises(Conflict, match="would be over at once"):
        decided(office, row.id, Repair.ADOPT)
    office.wait_until(datetime(2026, 3, 10, 12, tzinfo=UTC))
    decided(office, row.id, Repair.ADOPT)
    assert is_settled(office, series_id)


def test_it_goes_when_its_author_answers_otherwise(office: Office):
    series_id = invited(office)
    propose(office, series_id, "Grace", LATER)
    the_one(office, series_id, Kind.SERIES_PROPOSED)
    office.reply(series_id, "Grace", "accept")
    assert is_settled(office, series_id)


def test_a_worker_that_dies_on_the_way_moves_it_once(office: Office):
    series_id = invited(office)
    propose(office, series_id, "Grace", LATER)
    row = the_one(office, series_id, Kind.SERIES_PROPOSED)
    with office.tools.database.transaction() as session:
        decide(session, session.get_one(Drift, row.id), Repair.ADOPT, by=BY, now=office.tools.clock.now())
    office.simulator.faults.order(Fault(do="drop", when="after", method="PATCH"))

    with mails(office) as told:
        with pytest.raises(GraphError):
            repair_series(office.tools, series_id)
        for _ in range(2):
            repair_series(office.tools, series_id)
        work(office)

    assert told == {(name, "meetingUpdate"): 1 for name in FOUR}
    assert office.series(series_id).starts_local.hour == 15
    assert is_settled(office, series_id)
