"""Whatever line the worker dies on, everybody outside is told once.

Not covered: a worker that lives on although its lease has run out. It may leave a second draft in Drafts, which is
deleted or never sent; a death alone leaves none.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from integration.mail.models import SENT, Mail
from integration.scheduling.models import Occurrence, Series
from tests.journeys.killing import Executioner, Moment, at_every_call_once, at_the_nth_call
from tests.journeys.pilot_of_three import LEADER, POD, SESSIONS, Pilot, pilot_of_three

STARTS_AT = [datetime(2026, 3, 10, 9, 30, tzinfo=UTC), datetime(2026, 3, 17, 9, 30, tzinfo=UTC)]  # 10:30 in Zurich
WRITES = {
    "POST /users/-/events",
    "PATCH /users/-/events/-",
    "POST /users/-/messages",
    "POST /users/-/messages/-/send",
}
NEXT = {  # what the same task calls behind the commit that follows a write; others may call meanwhile what they like
    "POST /users/-/events": "GET /users/-/events/-",
    "PATCH /users/-/events/-": "GET /users/-/events/-",
    "POST /users/-/messages": "GET /users/-/messages/-",
}
READS = {
    "GET /users/-",
    "GET /users/-/calendarView/delta",
    "GET /users/-/events/-",
    "GET /users/-/events/-/instances",
    "GET /users/-/mailFolders/inbox/messages/delta()",
    "GET /users/-/mailFolders/inbox/messages/delta",
    "GET /users/-/messages",
    "GET /users/-/messages/-",
    "GET /users/-/onlineMeetings",
    "GET /users/-/onlineMeetings/-/attendanceReports",
    "GET /users/-/onlineMeetings/-/attendanceReports/-",
    "GET /users/-/outlook/supportedTimeZones()",
    "POST /users/-/calendar/getSchedule",
}
LONGEST_STORY = 120  # calls; a story that ends sooner skips the rest
pytestmark = pytest.mark.timeout(1200)  # seconds; a worker is started some seventy times in a story


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("moment", list(Moment))
def test_a_worker_killed_at_every_call_tells_everybody_once(
    moment: Moment, database_url: str, tmp_path: Path
) -> None:
    _kill_at_every_call(moment, database_url, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("moment", list(Moment))
def test_a_worker_killed_at_every_call_tells_everybody_once_on_postgresql(
    moment: Moment, database_url: str, tmp_path: Path
) -> None:
    _kill_at_every_call(moment, database_url, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("number", range(1, LONGEST_STORY))
def test_a_single_death_at_any_call_changes_nothing(
    number: int, moment: Moment, database_url: str, tmp_path: Path
) -> None:
    with pilot_of_three(tmp_path, database_url, moment, at_the_nth_call(number)) as pilot:
        pilot.play()
        if not pilot.executioner.kills:
            pytest.skip(f"the story has {pilot.executioner.calls} calls")
        _assert_once(pilot)


def _kill_at_every_call(moment: Moment, database_url: str, folder: Path) -> None:
    with pilot_of_three(folder, database_url, moment, at_every_call_once) as pilot:
        pilot.play()
        _assert_once(pilot)
        _assert_it_died_everywhere(pilot.executioner)


def _assert_it_died_everywhere(executioner: Executioner) -> None:
    """A test that kills nothing would show nothing."""
    calls = Counter(kill.call for kill in executioner.kills)
    deaths = executioner.worker.lives - 1
    print(f"{executioner.moment}: {deaths} deaths at {len(executioner.kills)} calls, {dict(calls)}")
    assert calls.keys() >= WRITES | READS
    if executioner.moment is Moment.BEFORE_THE_COMMIT:
        before_a_commit = {kill.call for kill in executioner.kills if NEXT.get(kill.call) not in kill.went_on_to}
        assert before_a_commit >= NEXT.keys()


def _assert_once(pilot: Pilot) -> None:
    _assert_one_series(pilot)
    _assert_one_letter_each(pilot)
    _assert_nothing_is_left(pilot)


def _assert_one_series(pilot: Pilot) -> None:
    (series,) = pilot.outside.series()
    assert {one["address"] for one in series["attendees"]} == {pilot.mail(name) for name in POD}
    instances = [each for each in series["instances"] if not each["is_cancelled"]]
    assert [datetime.fromisoformat(each["starts_at"]) for each in instances] == STARTS_AT
    assert [datetime.fromisoformat(each["ends_at"]) for each in instances] == [
        at + timedelta(minutes=30) for at in STARTS_AT
    ]
    with pilot.tools.database.reading() as session:
        assert session.scalars(select(Series.event_id)).all() == [series["id"]]
        known = session.execute(select(Occurrence.attendance, Occurrence.attended_count, Occurrence.held)).all()
    assert [tuple(row) for row in known] == [("measured", len(POD), True)] * SESSIONS


def _assert_one_letter_each(pilot: Pilot) -> None:
    letters = Counter(
        {letter: number for letter, number in pilot.letters().items() if letter[0] != "meetingResponse"}
    )
    assert {letter: number for letter, number in letters.items() if number > 1} == {}
    per_person = Counter((kind, name) for kind, name, _ in letters if kind != "guide")
    assert per_person == {
        **{("meetingRequest", name): 1 for name in POD},
        **{("question", name): SESSIONS for name in POD},
        ("reminder", POD[-1]): SESSIONS,
        ("summary", LEADER): SESSIONS,
    }
    assert sum(kind == "guide" for kind, _, _ in letters) == SESSIONS


def _assert_nothing_is_left(pilot: Pilot) -> None:
    assert pilot.drafts() == []
    assert pilot.open_messages() == []
    with pilot.tools.database.reading() as session:
        assert set(session.scalars(select(Mail.state))) == {SENT}
