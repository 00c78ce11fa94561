"""Differences are noted, decided and put right on PostgreSQL as on SQLite, and by two people at once only once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from integration.admin.drift_decisions import decide_for
from integration.admin.models import AuditEntry
from integration.admin.permissions import Role, Visitor
from integration.db import Database
from integration.errors import Conflict
from integration.outbox import Message, Task
from integration.scheduling.drift.kinds import Kind, Repair
from integration.scheduling.drift.models import Drift
from integration.scheduling.jobs import pull_series
from integration.scheduling.models import Series
from tests.conftest import RunningSimulator
from tests.scheduling import test_drift, test_drift_links, test_drift_way_back, test_proposals, test_series_proposals
from tests.scheduling.conftest import Office, tools_for
from tests.scheduling.drifting import invited, move, take_off, the_one

STORIES: list[Callable[[Office], None]] = [
    test_drift.test_what_was_taken_over_can_be_put_back_by_one_update_each,
    test_drift.test_letting_go_of_somebody_says_that_they_are_taken_off_what_they_are_still_on,
    test_drift.test_somebody_whom_the_invitation_was_forwarded_to_is_a_guest_and_can_be_taken_off_alone,
    test_drift.test_an_edited_text_is_put_back_around_the_teams_block,
    test_drift_links.test_another_link_is_taken_over_and_both_are_read,
    test_drift_links.test_a_subscription_that_lapsed_is_shown_until_it_lives_again,
    test_drift_way_back.test_in_place_of_a_deleted_session_everybody_is_invited_to_a_single_one,
    test_drift_way_back.test_a_series_on_another_weekday_goes_back_by_one_update_each,
    test_series_proposals.test_a_yes_moves_every_session_to_come_by_one_update_each,
    test_series_proposals.test_a_no_leaves_it_tells_nobody_and_is_not_asked_again,
    test_proposals.test_a_time_past_the_next_session_is_refused_before_outlook_refuses_it,
]


@pytest.fixture
def office(simulator: RunningSimulator, database: Database, tmp_path: Path) -> Iterator[Office]:
    tools = tools_for(simulator, database, tmp_path, DATABASE_URL=database.engine.url.render_as_string(False))
    yield Office(simulator, tools)
    tools.close()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__.removeprefix("test_"))
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_goes_as_on_sqlite(office: Office, story: Callable[[Office], None]):
    story(office)


def test_of_two_who_decide_otherwise_at_once_one_is_told(office: Office):
    series_id = invited(office)
    take_off(office, series_id, "Alan")
    row = the_one(office, series_id, Kind.ATTENDEE_MISSING)

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda repair: decided(office, row.id, repair), Repair))

    assert sorted(answers) == ["done", "told"]
    with office.tools.database.reading() as session:
        entries = session.scalars(select(AuditEntry)).all()
        assert [entry.after["decision"] for entry in entries if entry.after] == [
            session.get_one(Drift, row.id).decision
        ]


def test_of_two_who_want_a_single_session_in_place_of_a_deleted_one_one_is_made(office: Office):
    series_id = invited(office)
    test_drift_way_back.delete(office, series_id, 2)
    pull_series(office.tools, series_id)
    with office.tools.database.reading() as session:
        drift_id = session.scalars(select(Drift.id)).one()

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: decided(office, drift_id, Repair.PUT_BACK), range(2)))

    assert answers == ["done", "done"]
    with office.tools.database.reading() as session:
        assert len(session.scalars(select(Series.id)).all()) == 2
        assert len(session.scalars(select(AuditEntry.id)).all()) == 1
        pushes = session.scalars(select(Message.subject).where(Message.task == Task.SERIES_PUSH)).all()
        assert len(set(pushes)) == 2


def test_two_workers_who_look_at_once_note_a_difference_once(office: Office):
    series_id = invited(office)
    move(office, series_id, "2026-03-10T11:30")

    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: pull_series(office.tools, series_id), range(2)))

    the_one(office, series_id, Kind.SERIES_MOVED)


def decided(office: Office, drift_id: int, repair: Repair) -> str:
    ada = Visitor(mail="ada@pods.example", name="Ada", roles=frozenset({Role.ADMINISTRATOR}))
    try:
        with office.tools.database.transaction() as session:
            decide_for(session, drift_id, repair, by=ada, now=office.tools.clock.now())
    except Conflict:
        return "told"
    return "done"
