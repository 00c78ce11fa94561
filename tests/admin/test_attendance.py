"""The pod's page after a session: who came, what is not known, one click that says whose a telephone was."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from integration.admin.models import AuditEntry
from integration.admin.permissions import Role
from integration.attendance.collection import NO_REPORTS
from integration.attendance.models import Attendance, AttendanceReport, Recognition, UnmatchedRecord
from integration.attendance.outcomes import record_unknown
from integration.outbox import Message, Task
from integration.people.models import Person
from integration.scheduling.models import Occurrence
from tests.admin.conftest import Site
from tests.attendance.build import at, build_person, build_series

NUMBER = "+41 44 555 12 34"


@pytest.fixture
def environ(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "clock").write_text((at(60)).isoformat(), encoding="ascii")
    return {**environ, "CLOCK_FILE": str(tmp_path / "clock")}


@pytest.fixture
def address(site: Site) -> str:
    """Ada's, Grace's and Alan's first session is over: Ada was found, and somebody called by phone."""
    with site.tools.database.transaction() as session:
        people = [build_person(session, name) for name in ("Ada", "Grace", "Alan")]
        series = build_series(session, people)
        occurrence = series.occurrences[0]
        ada = people[0].participant_id
        stay = [[at(0).isoformat(), at(30).isoformat()]]
        known = {"kind": "participant", "participant": ada, "by": "account", "name": None, "traces": []}
        phone = {
            "kind": "phone",
            "participant": None,
            "by": None,
            "name": NUMBER,
            "traces": [["phone", "41445551234"]],
        }
        presences = [
            {"key": f"participant:{ada}", "intervals": stay, **known},
            {"key": "phone:1", "intervals": stay, **phone},
        ]
        session.add(
            AttendanceReport(
                meeting=series.meetings[0],
                occurrence=occurrence,
                report_id="report-1",
                starts_at=at(0),
                ends_at=at(30),
                presences=presences,
                read_at=at(36),
            )
        )
        session.add(
            UnmatchedRecord(
                occurrence=occurrence, kind="phone", key="phone:1", name=NUMBER, seconds=1800, traces=phone["traces"]
            )
        )
        session.add(_row(occurrence, ada, attended=True, seconds=1800, matched_by="account"))
        for other in people[1:]:
            session.add(_row(occurrence, other.participant_id, provenance="unknown", reason="Not found."))
        occurrence.attendance, occurrence.looked_at, occurrence.collect_due_at = "measured", at(36), at(150)
        occurrence.attended_count, occurrence.unknown_count = 1, 2
        session.flush()
        return f"/admin/pods/{series.pod_id}/sessions/{occurrence.id}"


def _row(occurrence: Occurrence, participant_id: int, **more: object) -> Attendance:
    fields = {"provenance": "measured", "known_at": at(36), **more}
    return Attendance(occurrence_id=occurrence.id, participant_id=participant_id, **fields)


def page_of(address: str) -> str:
    return address.partition("/sessions")[0]


def attended(site: Site) -> dict[str, bool | None]:
    with site.tools.database.reading() as session:
        return {row.participant.name: row.attended for row in session.scalars(select(Attendance))}


def record_address(site: Site, address: str) -> str:
    with site.tools.database.reading() as session:
        return f"{address}/records/{session.scalars(select(UnmatchedRecord.id)).one()}"


def participant_of(site: Site, name: str) -> int:
    with site.tools.database.reading() as session:
        return session.scalars(select(Person.participant_id).where(Person.name == name)).one()


def test_the_page_says_who_came_how_that_is_known_and_when_it_was_looked_at(site: Site, address: str):
    eve = site.browser("eve@pods.example", Role.COORDINATOR)
    page = eve.get(page_of(address)).text

    for words in (NUMBER, "by phone", "None of ours", "Look now"):
        assert words in page, words
    who_came = re.search(r'href="(/admin/occurrences/\d+/attendance)"', page)
    assert who_came is not None
    person_by_person = eve.get(who_came[1]).text
    assert "30 minutes" in person_by_person
    for words in ("sure: by the account", "Not found."):
        assert (words in person_by_person, words in page) == (True, False), words
    assert "Last looked at the reports of Teams: 4 Mar 2026, 09:36 UTC" in page
    assert "Next look: 4 Mar 2026, 11:30 UTC" in page


def test_one_click_says_that_it_was_grace_and_another_takes_it_back(site: Site, address: str):
    browser = site.browser("eve@pods.example", Role.COORDINATOR)
    record = record_address(site, address)

    answer = browser.post(
        f"{record}/assign", data={"participant": participant_of(site, "Grace")}, follow_redirects=True
    )

    assert attended(site) == {"Ada": True, "Grace": True, "Alan": False}
    assert "It was Grace, said eve@pods.example" in answer.text
    with site.tools.database.reading() as session:
        grace = session.scalars(select(Person).where(Person.name == "Grace")).one()
        audited = session.scalars(select(AuditEntry)).one()
        assert (audited.action, audited.thing, audited.after) == (
            "attendance.assign",
            "unmatched record",
            {"participant": grace.participant_id},
        )
        person = f"/admin/people/{grace.id}"
    assert "41445551234" in browser.get(person).text

    browser.post(f"{record}/undo")

    assert attended(site) == {"Ada": True, "Grace": None, "Alan": None}
    assert "41445551234" not in browser.get(person).text


def test_none_of_ours_leaves_nobody_in_doubt(site: Site, address: str):
    site.browser("eve@pods.example", Role.COORDINATOR).post(f"{record_address(site, address)}/set-aside")

    assert attended(site) == {"Ada": True, "Grace": False, "Alan": False}


def test_whom_the_form_does_not_name_is_nobody(site: Site, address: str):
    browser = site.browser("eve@pods.example", Role.COORDINATOR)

    for sent in ({}, {"participant": "x"}, {"participant": 4711}):
        answer = browser.post(f"{record_address(site, address)}/assign", data=sent)
        assert (answer.status_code, "Choose one of the invited" in answer.text) == (400, True)
    assert attended(site) == {"Ada": True, "Grace": None, "Alan": None}


def test_what_is_recognised_can_be_revoked_on_her_page(site: Site, address: str):
    browser = site.browser("eve@pods.example", Role.COORDINATOR)
    browser.post(f"{record_address(site, address)}/assign", data={"participant": participant_of(site, "Grace")})
    with site.tools.database.reading() as session:
        known = session.scalars(select(Recognition)).one()
        person = f"/admin/people/{known.person_id}"

    answer = browser.post(f"{person}/recognitions/{known.id}/revoke", follow_redirects=True)

    assert "not recognised any more" in answer.text
    assert browser.post(f"{person}/recognitions/{known.id}/revoke").status_code == 404
    assert attended(site)["Grace"] is True  # what is past stays


def test_a_look_now_is_one_wish_and_before_the_end_there_is_nothing_to_look_at(site: Site, address: str):
    browser = site.browser("eve@pods.example", Role.COORDINATOR)

    for _ in range(2):
        assert browser.post(f"{address}/look").status_code == 303

    with site.tools.database.transaction() as session:
        assert [each.task for each in session.scalars(select(Message))] == [Task.OCCURRENCE_COLLECT]
        occurrence = session.scalars(select(Occurrence).where(Occurrence.number == 1)).one()
        occurrence.ends_at += timedelta(days=1)
    assert browser.post(f"{address}/look").status_code == 409


def test_an_unknown_session_says_why_with_the_remedy(site: Site, address: str):
    with site.tools.database.transaction() as session:
        occurrence = session.scalars(select(Occurrence).where(Occurrence.number == 1)).one()
        occurrence.attendance = "pending"
        record_unknown(session, occurrence, reason=NO_REPORTS, at=at(24 * 60))

    page = site.browser("eve@pods.example", Role.COORDINATOR).get(page_of(address)).text

    assert "AllowEngagementReport" in page
    assert "application access policy" in page
