"""Later looks: what is read again, what is not, and what is said when nothing can be read any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import request
from sqlalchemy import select

from integration.attendance.jobs import collect_attendance
from integration.attendance.models import AttendanceReport
from integration.attendance.outcomes import attendance_of, correct_attendance
from integration.graph.simulator.faults import Faults
from integration.graph.simulator.http.app import create_simulator
from integration.graph.simulator.http.server import serve
from integration.graph.simulator.tenant.tenant import Tenant
from integration.outbox import Task
from integration.people.models import Person
from integration.scheduling.models import Occurrence
from tests.attendance.build import at
from tests.attendance.conftest import PodInTeams
from tests.conftest import RunningSimulator


@pytest.fixture
def asked_for() -> list[str]:
    """The last part of every address that was asked for."""
    return []


@pytest.fixture
def simulator(tenant: Tenant, asked_for: list[str]) -> Iterator[RunningSimulator]:
    faults = Faults()
    app = create_simulator(tenant, faults=faults)
    app.before_request(lambda: asked_for.append(request.path.rpartition("/")[2]))
    server = serve(app, "127.0.0.1", 0).start()
    yield RunningSimulator(tenant, faults, server)
    server.stop()


def report_ids(pod: PodInTeams) -> list[str]:
    with pod.tools.database.reading() as session:
        return list(session.scalars(select(AttendanceReport.report_id).order_by(AttendanceReport.id)))


def test_a_report_is_fetched_once_however_often_it_is_looked_for(pod: PodInTeams, asked_for: list[str]) -> None:
    pod.stays("Grace", -10, -9)  # tries out the link
    pod.stays("Ada", 0, 12)
    pod.stays("Alan", 0, 12)
    pod.stays("Ada", 33, 50)
    looks = pod.look_until_done()
    assert len(looks) > 3
    assert sorted(each for each in asked_for if each in report_ids(pod)) == sorted(report_ids(pod))
    assert len(report_ids(pod)) == 3
    assert asked_for.count("attendanceReports") == 2 * len(looks)  # a list for each of the two links


def test_a_re_opened_call_whose_report_is_hours_late_is_found_though_nothing_tells_of_it(
    pod: PodInTeams, asked_for: list[str]
) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    pod.stays("Alan", 70, 85, link=1)
    pod.meetings[1].report_delay_minutes = 3 * 60
    assert pod.look_until_done() == [5, 10, 120, 360, 1440]
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": True}
    assert asked_for.count("attendanceReports") == 2 * 5
    assert len([each for each in asked_for if each in report_ids(pod)]) == 2


@pytest.mark.parametrize("detail", ["present"])
def test_a_report_that_teams_has_dropped_is_said_so_and_what_was_found_stays(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 12)
    pod.stays("Grace", 0, 12)
    pod.stays("Alan", 45, 60, link=1)
    pod.meetings[1].report_delay_minutes = 90
    pod.look(36)
    [call] = pod.meetings[0].calls
    pod.meetings[0].calls.remove(call)
    pod.look_until_done()
    occurrence = pod.occurrence()
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}
    assert "cannot be read again" in str(occurrence.attendance_reason)
    pod.meetings[0].calls.append(call)  # Teams shows it again
    with pod.tools.database.transaction() as session:
        session.get_one(Occurrence, pod.occurrence_ids[0]).collect_due_at = at(3000)
    occurrence = pod.look(3000)
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": True}
    assert occurrence.attendance_reason is None


@pytest.mark.parametrize("detail", ["present"])
def test_where_no_minutes_are_kept_reports_are_read_again_only_with_a_new_one(
    pod: PodInTeams, asked_for: list[str]
) -> None:
    pod.stays("Ada", 0, 12)
    pod.stays("Grace", 0, 6)
    pod.look(17)
    pod.look(36)
    pod.look(40)
    first = report_ids(pod)
    assert asked_for.count(first[0]) == 1
    pod.stays("Grace", 45, 50)
    pod.look_until_done()
    assert [asked_for.count(each) for each in report_ids(pod)] == [2, 1]
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}


def test_a_report_that_was_listed_while_its_call_ran_is_read_when_it_is_whole(pod: PodInTeams) -> None:
    pod.set(report_while_running=True, running_report_is_partial=True)
    pod.stays("Ada", 0, 50)
    pod.stays("Grace", 0, 50)
    pod.look_until_done()
    assert {name: row.seconds for name, row in pod.attendance().items()} == {"Ada": 3000, "Grace": 3000, "Alan": 0}


def test_a_call_that_was_re_opened_after_the_last_look_is_added_and_a_correction_stays(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    for link in range(2):
        pod.meetings[link].report_delay_minutes = 0
    pod.stays("Alan", 45, 60, link=1)
    pod.meetings[1].report_delay_minutes = 3 * 24 * 60  # the report of the second call is late by days
    pod.look_until_done()
    assert pod.attended()["Alan"] is False
    with pod.tools.database.transaction() as session:
        occurrence = session.get_one(Occurrence, pod.occurrence_ids[0])
        ada = session.scalars(select(Person).where(Person.name == "Ada")).one().participant
        grace = session.scalars(select(Person).where(Person.name == "Grace")).one().participant
        wrong = attendance_of(session, occurrence, grace)
        correct_attendance(session, wrong, attended=False, by=ada, why="She lent me her computer.", at=at(200))
    before = pod.attendance()
    pod.look(2 * 24 * 60)
    collect_attendance(pod.tools, pod.occurrence_ids[0])  # a look that finds nothing more changes nothing
    assert pod.attendance()["Ada"].known_at == before["Ada"].known_at
    assert pod.attended() == {"Ada": True, "Grace": False, "Alan": False}
    with pod.tools.database.transaction() as session:  # as the receiver does, when a call record names the link
        session.get_one(Occurrence, pod.occurrence_ids[0]).collect_due_at = at(4 * 24 * 60)
    occurrence = pod.look(4 * 24 * 60)
    assert pod.attended() == {"Ada": True, "Grace": False, "Alan": True}
    assert pod.attendance()["Grace"].provenance == "corrected"
    assert (occurrence.attended_count, occurrence.collect_due_at) == (2, None)


def test_a_list_that_does_not_reach_back_is_said_so(pod: PodInTeams) -> None:
    pod.set(report_list_length=10)
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    for number in range(11):
        pod.stays("Ada", 1000 + 30 * number, 1020 + 30 * number)
    pod.wait_until(2000)
    collect_attendance(pod.tools, pod.occurrence_ids[0])
    assert "does not reach back" in str(pod.occurrence().attendance_reason)
    assert pod.asked(Task.OCCURRENCE_ASK_MET) == 0


def test_reports_older_than_a_year_are_said_to_be_gone(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    for meeting in pod.meetings:
        meeting.ends_at = at(0) + timedelta(days=400)  # the link is still alive
    pod.wait_until(366 * 24 * 60)
    collect_attendance(pod.tools, pod.occurrence_ids[0])
    assert "keeps reports for a year" in str(pod.occurrence().attendance_reason)


def test_an_organizer_without_a_licence_is_named_with_the_remedy_while_it_is_awaited(pod: PodInTeams) -> None:
    pod.tenant.organizers[0].teams = False
    pod.stays("Ada", 0, 30)
    occurrence = pod.look(36)
    assert occurrence.attendance == "pending"
    assert "licen" in str(occurrence.attendance_reason)
    pod.look_until_done()
    assert pod.occurrence().attendance == "unknown"
    assert "licen" in str(pod.occurrence().attendance_reason)
    pod.tenant.organizers[0].teams = True
    with pod.tools.database.transaction() as session:
        session.get_one(Occurrence, pod.occurrence_ids[0]).collect_due_at = at(3000)
    assert pod.look(3000).attendance == "measured"
    assert pod.occurrence().attendance_reason is None
