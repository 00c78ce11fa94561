"""Graph's JSON of Teams meetings and attendance reports -> our resources.

https://learn.microsoft.com/graph/api/resources/meetingattendancereport
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from integration.graph.resources import (
    AttendanceInterval,
    AttendanceRecord,
    AttendanceReport,
    OnlineMeeting,
    ReportHead,
)
from integration.graph.translate import Wire, seen


class WireChat(Wire):
    thread_id: str | None = None


class WireMeeting(Wire):
    id: str
    join_web_url: str | None = None
    chat_info: WireChat | None = None
    expiry_date_time: datetime | None = None


def meeting_in(wire: WireMeeting) -> OnlineMeeting:
    return OnlineMeeting(
        id=wire.id,
        join_url=wire.join_web_url or "",
        thread_id=wire.chat_info.thread_id if wire.chat_info else None,
        expires_at=seen(wire.expiry_date_time),
    )


class WireInterval(Wire):
    join_date_time: datetime | None = None
    leave_date_time: datetime | None = None


class WireIdentity(Wire):
    id: str | None = None
    display_name: str | None = None


class WireRecord(Wire):
    id: str | None = None
    email_address: str | None = None
    identity: WireIdentity | None = None
    role: str | None = None
    total_attendance_in_seconds: int | None = None
    attendance_intervals: list[WireInterval] | None = None


class WireReport(Wire):
    id: str
    meeting_start_date_time: datetime | None = None
    meeting_end_date_time: datetime | None = None
    total_participant_count: int | None = None
    attendance_records: list[WireRecord] | None = None
    more_records: str | None = msgspec.field(default=None, name="attendanceRecords@odata.nextLink")


def head_in(wire: WireReport) -> ReportHead:
    starts_at, ends_at = seen(wire.meeting_start_date_time), seen(wire.meeting_end_date_time)
    return ReportHead(wire.id, starts_at, ends_at, wire.total_participant_count or 0)


def report_in(wire: WireReport, records: list[WireRecord]) -> AttendanceReport:
    head = head_in(wire)
    found = tuple(_record_in(record, number) for number, record in enumerate(records))
    return AttendanceReport(head.id, head.starts_at, head.ends_at, head.participants, found)


def _record_in(wire: WireRecord, number: int) -> AttendanceRecord:
    identity = wire.identity or WireIdentity()
    intervals = [
        AttendanceInterval(each.join_date_time.astimezone(UTC), each.leave_date_time.astimezone(UTC))
        for each in wire.attendance_intervals or ()
        if each.join_date_time and each.leave_date_time  # whoever has not left yet makes the report unfinished
    ]
    return AttendanceRecord(
        id=wire.id or str(number),  # the documented sample has no ids
        object_id=identity.id,
        name=identity.display_name,
        address=wire.email_address.lower() if wire.email_address else None,
        role=wire.role,
        total_seconds=wire.total_attendance_in_seconds or 0,
        intervals=tuple(intervals),
    )
