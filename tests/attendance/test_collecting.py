"""Collecting who came, through the real client, from a tenant in which people really join and leave."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from integration.attendance.jobs import collect_attendance
from integration.attendance.models import AttendanceReport, UnmatchedRecord
from integration.outbox import Task
from integration.scheduling.models import Occurrence, SeriesMeeting
from tests.attendance.build import at
from tests.attendance.conftest import PodInTeams


def test_ada_was_late_grace_came_back_and_alan_stayed_away(pod: PodInTeams) -> None:
    pod.stays("Grace", 0, 8)
    pod.stays("Ada", 5, 30)
    pod.stays("Grace", 20, 31)
    occurrence = pod.look(36)
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}
    found = pod.attendance()
    assert (found["Ada"].seconds, found["Grace"].seconds, found["Alan"].seconds) == (1500, 1140, 0)
    assert {row.provenance for row in found.values()} == {"measured"}
    assert occurrence.attendance == "measured"
    assert occurrence.held is True
    assert occurrence.together_seconds == (3 + 10) * 60
    assert (occurrence.attended_count, occurrence.unknown_count, occurrence.guests) == (2, 0, 0)
    assert pod.asked(Task.OCCURRENCE_ASK) == 1


def test_once_all_seems_known_the_looks_are_rare_until_the_day_is_over(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    assert pod.look_until_done() == [5, 10, 120, 360, 1440]


def test_a_report_after_hours_is_waited_for(pod: PodInTeams) -> None:
    pod.set(report_delay_minutes=110)
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    assert pod.look_until_done() == [5, 10, 20, 40, 120, 360, 1440]
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}
    assert pod.asked(Task.OCCURRENCE_ASK) == 1


def test_a_second_call_after_a_break_is_added(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 12)
    pod.stays("Grace", 0, 12)
    pod.stays("Ada", 34, 55)
    pod.stays("Alan", 34, 55)
    pod.look(36)
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}
    pod.look_until_done()
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": True}
    assert pod.occurrence().together_seconds == (12 + 21) * 60
    with pod.tools.database.reading() as session:
        assert len(session.scalars(select(AttendanceReport)).all()) == 2


@pytest.mark.parametrize("per_device", [False, True])
def test_two_devices_of_ada_are_one_ada(pod: PodInTeams, per_device: bool) -> None:
    pod.set(record_per_device=per_device)
    pod.stays("Ada", 0, 20)
    pod.stays("Ada", 10, 30, device="phone")
    occurrence = pod.look(36)
    assert pod.attendance()["Ada"].seconds == 1800
    assert occurrence.held is False


def test_whoever_may_be_behind_a_telephone_is_not_absent(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("+41 44 555 12 34", 2, 30, kind="phone")
    occurrence = pod.look(36)
    assert pod.attended() == {"Ada": True, "Grace": None, "Alan": None}
    assert "by phone" in str(pod.attendance()["Alan"].reason)
    assert pod.attendance()["Alan"].provenance == "unknown"
    assert occurrence.held is True
    assert (occurrence.attended_count, occurrence.unknown_count) == (1, 2)
    with pod.tools.database.reading() as session:
        (record,) = session.scalars(select(UnmatchedRecord))
    assert (record.kind, record.name, record.seconds) == ("phone", "+41 44 555 12 34", 28 * 60)


def test_a_room_stands_for_anybody_and_is_no_guest(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Room", 0, 30, kind="room")
    occurrence = pod.look(36)
    assert pod.attended() == {"Ada": True, "Grace": None, "Alan": None}
    assert occurrence.guests == 0


def test_masked_reports_leave_everybody_unknown(pod: PodInTeams) -> None:
    pod.set(report_masks_identities=True)
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    occurrence = pod.look(36)
    assert set(pod.attended().values()) == {None}
    assert occurrence.held is True


def test_barbara_who_stands_in_is_a_guest(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Barbara", 0, 30)
    occurrence = pod.look(36)
    assert occurrence.guests == 1
    assert pod.attended() == {"Ada": True, "Grace": False, "Alan": False}


def test_both_links_of_a_series_are_read(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30, link=1)
    pod.look(36)
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}
    with pod.tools.database.reading() as session:
        found = set(session.scalars(select(SeriesMeeting.meeting_id)))
    assert found == {meeting.id for meeting in pod.meetings}


def test_each_week_has_its_own_reports(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    pod.look_until_done()
    pod.stays("Alan", 0, 30, occurrence=2)
    pod.stays("Grace", 0, 30, occurrence=2)
    pod.look_until_done(occurrence=2)
    assert pod.attended(1) == {"Ada": True, "Grace": True, "Alan": False}
    assert pod.attended(2) == {"Ada": False, "Grace": True, "Alan": True}


def test_nobody_came_while_other_reports_arrive_asks_the_facilitator(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    pod.look_until_done()
    assert pod.look_until_done(occurrence=2) == [5, 10, 20, 40, 120, 360, 1440]
    occurrence = pod.occurrence(2)
    assert occurrence.attendance == "unknown"
    assert "No sign of a meeting" in str(occurrence.attendance_reason)
    assert set(pod.attended(2).values()) == {None}
    assert pod.asked(Task.OCCURRENCE_ASK_MET) == 1
    assert pod.asked(Task.OCCURRENCE_ASK) == 1  # the first week's


def test_no_report_ever_is_said_so_and_asks_nobody(pod: PodInTeams) -> None:
    pod.set(engagement_report="Disabled")
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    pod.look_until_done()
    occurrence = pod.occurrence()
    assert occurrence.attendance == "unknown"
    assert "AllowEngagementReport" in str(occurrence.attendance_reason)
    assert occurrence.held is None
    assert pod.asked(Task.OCCURRENCE_ASK_MET) == 0


def test_a_missing_access_policy_is_named_after_a_day_and_heals_before(pod: PodInTeams) -> None:
    organizer = pod.tenant.organizers[0]
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    organizer.access_policy = False
    assert pod.look(35).attendance == "pending"
    organizer.access_policy = True
    pod.look(40)  # a policy takes half an hour to work
    assert pod.look(70).attendance == "measured"
    organizer.access_policy = False
    pod.look_until_done(occurrence=2)
    occurrence = pod.occurrence(2)
    assert occurrence.attendance == "unknown"
    assert "CsApplicationAccessPolicy" in str(occurrence.attendance_reason)
    assert pod.asked(Task.OCCURRENCE_ASK_MET) == 0


def test_trying_out_the_link_is_no_sign_of_a_meeting(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 1)
    pod.look_until_done()
    assert pod.occurrence().attendance == "unknown"


def test_the_empty_report_of_a_running_call_is_looked_at_again(pod: PodInTeams) -> None:
    pod.set(report_while_running=True)
    pod.stays("Ada", 0, 60)
    pod.stays("Grace", 0, 60)
    assert pod.look(36).attendance == "pending"
    pod.look_until_done()
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}


def test_looking_twice_changes_nothing(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("+41 44 555 12 34", 2, 30, kind="phone")
    pod.look(36)
    before = _rows(pod)
    collect_attendance(pod.tools, pod.occurrence_ids[0])
    collect_attendance(pod.tools, pod.occurrence_ids[0])
    assert _rows(pod) == before
    assert pod.asked(Task.OCCURRENCE_ASK) == 1


def test_a_worker_that_dies_before_writing_leaves_the_work_to_the_next(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    pod.wait_until(36)
    from integration.attendance.jobs import DUTIES

    assert DUTIES[0].run(pod.tools, pod.tools.clock.now()) == 1
    assert DUTIES[0].run(pod.tools, pod.tools.clock.now()) == 0  # the date was the lock
    assert pod.occurrence().collect_due_at is None
    assert pod.asked(Task.OCCURRENCE_COLLECT) == 1  # so the wish outlives whoever took it
    collect_attendance(pod.tools, pod.occurrence_ids[0])
    assert pod.attended()["Ada"] is True


def test_who_was_invited_is_waited_for(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    with pod.tools.database.transaction() as session:
        occurrence = session.get_one(Occurrence, pod.occurrence_ids[0])
        occurrence.frozen_at = None
    assert pod.look(36).attendance == "pending"
    with pod.tools.database.transaction() as session:
        session.get_one(Occurrence, pod.occurrence_ids[0]).frozen_at = at(0)
    assert pod.look(46).attendance == "measured"


def test_a_moved_occurrence_is_collected_after_its_new_end(pod: PodInTeams) -> None:
    with pod.tools.database.transaction() as session:
        occurrence = session.get_one(Occurrence, pod.occurrence_ids[0])
        occurrence.starts_at += timedelta(days=1)
        occurrence.ends_at += timedelta(days=1)
    assert pod.look(36).collect_due_at == at(24 * 60 + 35)


@pytest.mark.parametrize("detail", ["present"])
def test_present_keeps_no_minutes(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 30)
    pod.stays("Grace", 0, 30)
    occurrence = pod.look(36)
    assert pod.attended() == {"Ada": True, "Grace": True, "Alan": False}
    assert {row.seconds for row in pod.attendance().values()} == {None}
    assert occurrence.together_seconds is None


@pytest.mark.parametrize("detail", ["counts only"])
def test_counts_only_leaves_no_minute_and_no_person(pod: PodInTeams) -> None:
    pod.stays("Ada", 0, 29)
    pod.stays("Grace", 0, 29)
    pod.stays("+41 44 555 12 34", 2, 28, kind="phone")
    occurrence = pod.look(36)
    assert (occurrence.attended_count, occurrence.unknown_count, occurrence.held) == (2, 1, True)
    assert occurrence.together_seconds is None
    assert pod.attendance() == {}
    with pod.tools.database.reading() as session:
        (record,) = session.scalars(select(UnmatchedRecord))
        (report,) = session.scalars(select(AttendanceReport))
    assert (record.name, record.seconds) == (None, None)
    assert (report.starts_at, report.ends_at) == (None, None)
    assert pod.asked(Task.OCCURRENCE_ASK) == 1


def _rows(pod: PodInTeams) -> list[tuple[object, ...]]:
    tables = {
        "attendance": "participant_id, attended, seconds, provenance, reason, known_at",
        "attendance_report": "id, report_id, read_at",
        "unmatched_record": "kind, name, seconds",
        "occurrence": "id, attendance, held, together_seconds, guests, attended_count, unknown_count",
    }
    with pod.tools.database.reading() as session:
        return [
            tuple(row)
            for table, columns in tables.items()
            for row in session.execute(text(f"SELECT {columns} FROM {table} ORDER BY 1, 2"))
        ]
