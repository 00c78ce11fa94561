"""A pod on its page: who answered what, when it meets on which wall, what is known of each session, and a retry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select

from integration.admin.models import AuditEntry, CoordinatorLimit
from integration.admin.permissions import Role
from integration.outbox import Message, State, Task
from integration.scheduling.models import Pod, PodMember, Program, Series
from tests.admin.conftest import Site
from tests.attendance.build import WEEK, at, build_person, build_series

NOW = at(0, occurrence=2) + timedelta(days=1)  # two of three sessions are over
MOST_QUERIES = 25


@pytest.fixture
def environ(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "clock").write_text(NOW.isoformat(), encoding="ascii")
    return {**environ, "CLOCK_FILE": str(tmp_path / "clock")}


@pytest.fixture
def pod_id(site: Site) -> int:
    """Ada's, Grace's and Alan's pod: it met, then it did not, and its third session was moved by a day."""
    with site.tools.database.transaction() as session:
        people = [build_person(session, name) for name in ("Ada", "Grace", "Alan")]
        series = build_series(session, people)
        series.invited_at = series.created_at = at(0) - WEEK
        series.pod.members = [PodMember(participant=one.participant, joined_at=at(0) - WEEK) for one in people]
        for attendee, response in zip(series.attendees, ("accepted", "declined", "none"), strict=True):
            attendee.response = response
        first, second, third = series.occurrences
        first.facilitator = people[0].participant
        first.held, first.held_provenance, first.attendance, first.attended_count = True, "measured", "measured", 2
        second.held, second.held_provenance = False, "declared"
        third.starts_at, third.ends_at = third.starts_at + timedelta(days=1), third.ends_at + timedelta(days=1)
        session.flush()
        return series.pod_id


def test_the_page_shows_replies_sessions_and_what_is_known_with_its_provenance(site: Site, pod_id: int):
    page = site.browser("ada@pods.example", Role.COORDINATOR).get(f"/admin/pods/{pod_id}").text

    for words in (
        "accepted",
        "declined",
        "https://teams.example/one",
        "Wed 04 Mar 2026, 10:00 (Europe/Zurich)",
        "4 Mar 2026, 09:00 UTC",
        "2 of 3",
        "measured",
        "not held",
        "moved from Wed 18 Mar 2026, 10:00 (Europe/Zurich)",
    ):
        assert words in page, words
    assert "Try again now" not in page


def test_a_pod_in_trouble_shows_the_remedy_and_is_tried_again_with_all_its_attempts(site: Site, pod_id: int):
    with site.tools.database.transaction() as session:
        series = session.scalars(select(Series)).one()
        series.invited_at, series.trouble = None, "Graph refused. Grant Calendars.ReadWrite."
        parked = Message(task=Task.SERIES_PUSH, kind="series", subject=str(series.id), state=State.PARKED)
        parked.first_asked_at = parked.asked_at = parked.due_at = NOW
        parked.attempts = parked.refusals = 5
        session.add(parked)
    browser = site.browser("ada@pods.example", Role.COORDINATOR)

    assert "Grant Calendars.ReadWrite." in browser.get(f"/admin/pods/{pod_id}").text
    assert "Pod 1" in browser.get("/admin/pods?state=in+trouble").text
    assert "No pod is like that." in browser.get("/admin/pods?state=invited").text
    first, second = (browser.post(f"/admin/pods/{pod_id}/retry") for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    with site.tools.database.reading() as session:
        messages = session.scalars(select(Message)).all()
        audited = session.scalars(select(AuditEntry.thing)).all()
    assert [(each.task, each.state, each.refusals) for each in messages] == [("series.push", "waiting", 0)]
    assert set(audited) == {"series"}


def test_a_pod_that_is_well_is_not_pushed_again(site: Site, pod_id: int):
    browser = site.browser("ada@pods.example", Role.COORDINATOR)

    answer = browser.post(f"/admin/pods/{pod_id}/retry", follow_redirects=True)

    assert "nothing to be tried again" in answer.text
    with site.tools.database.reading() as session:
        assert session.scalars(select(Message)).all() == []


def test_a_pod_of_another_coordinators_program_looks_like_none(site: Site, pod_id: int):
    with site.tools.database.transaction() as session:
        other = Program(name="Excel", outcome="", metric="", baseline="", starts_on=NOW.date(), created_at=NOW)
        session.add(other)
        session.flush()
        session.add(CoordinatorLimit(mail="eve@pods.example", program_id=other.id))
    eve = site.browser("eve@pods.example", Role.COORDINATOR)

    assert eve.get(f"/admin/pods/{pod_id}").status_code == 404
    assert eve.post(f"/admin/pods/{pod_id}/retry").status_code == 404
    assert "Pod 1" not in eve.get("/admin/pods").text


def test_two_thousand_pods_are_listed_in_few_queries(site: Site, pod_id: int):
    with site.tools.database.transaction() as session:
        program_id = session.scalars(select(Program.id)).one()
        names = [f"Pod {number:04d}" for number in range(2000)]
        session.execute(
            insert(Pod), [{"program_id": program_id, "name": name, "time_zone": "Europe/Zurich"} for name in names]
        )
        pods = session.scalars(select(Pod.id).where(Pod.id != pod_id)).all()
        session.execute(insert(Series), [_series(each) for each in pods])
    browser = site.browser("ada@pods.example", Role.COORDINATOR)
    queries: list[str] = []
    event.listen(site.tools.database.engine, "before_cursor_execute", lambda *call: queries.append(call[2]))

    for address in (
        "/admin/pods",
        f"/admin/programs/{program_id}?sort=-state",
        "/admin/pods?state=in+trouble&page=9",
    ):
        queries.clear()
        page = browser.get(address)
        assert page.status_code == 200
        assert len([query for query in queries if query.startswith("SELECT")]) < MOST_QUERIES, address

    assert "Page 9 of 40" in page.text


def _series(pod_id: int) -> dict[str, object]:
    return {
        "pod_id": pod_id,
        "organizer": "pods.one@pods.example",
        "subject": "Pod",
        "starts_local": datetime(2026, 3, 4, 10),  # noqa: DTZ001 (a wall clock)
        "time_zone": "Europe/Zurich",
        "minutes": 30,
        "count": 3,
        "wanted_at": datetime(2026, 3, 1, tzinfo=UTC),
        "trouble": "Outlook refused it.",
    }
