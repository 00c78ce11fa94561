"""Teams meetings of our organizers and who was there. https://learn.microsoft.com/graph/api/resources/onlinemeeting

``organizer_id`` is always an object id: Graph takes no address here. Every call needs an application access policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.graph import operations
from integration.graph.errors import NotFound
from integration.graph.reports import WireMeeting, WireRecord, WireReport, head_in, meeting_in, report_in
from integration.graph.resources import AttendanceReport, OnlineMeeting, ReportHead
from integration.graph.transport import Page, Request, Transport, decoded, following_request, query, quoted
from integration.language import lazy

if TYPE_CHECKING:
    from msgraph.generated.users.item.online_meetings.online_meetings_request_builder import (
        OnlineMeetingsRequestBuilder,
    )


class MeetingCalls:
    """Online meetings and attendance reports."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def by_join_url(self, organizer_id: str, join_url: str) -> OnlineMeeting:
        """The meeting behind an event's join URL, given as it came. Raises NotFound when there is none."""
        request = Request(
            operation=operations.FIND_MEETING,
            builder=self._meetings(organizer_id),
            mailbox=organizer_id,
            query=query(filter=f"JoinWebUrl eq {quoted(join_url)}"),
        )
        wire = next(self._transport.collect(request, Page[WireMeeting]), None)
        if wire is None:
            raise NotFound(
                lazy("No Teams meeting has this join URL."),
                remedy=lazy("Check that the organizer owns the meeting; it expires 60 days after its last use."),
                status=404,
            )
        return meeting_in(wire)

    def reports(self, organizer_id: str, meeting_id: str) -> tuple[ReportHead, ...]:
        """One head for every time the meeting's call began and ended; a series has one list for all occurrences."""
        request = Request(
            operation=operations.LIST_REPORTS,
            builder=self._meetings(organizer_id).by_online_meeting_id(meeting_id).attendance_reports,
            mailbox=organizer_id,
        )
        return tuple(head_in(wire) for wire in self._transport.collect(request, Page[WireReport]))

    def report(self, organizer_id: str, meeting_id: str, report_id: str) -> AttendanceReport:
        """A report with all its records."""
        meeting = self._meetings(organizer_id).by_online_meeting_id(meeting_id)
        request = Request(
            operation=operations.GET_REPORT,
            builder=meeting.attendance_reports.by_meeting_attendance_report_id(report_id),
            mailbox=organizer_id,
            query=query(expand="attendanceRecords"),
        )
        wire = decoded(self._transport.send(request), WireReport, operation=request.operation)
        records = list(wire.attendance_records or ())
        if wire.more_records:
            rest = following_request(request, wire.more_records)
            records += self._transport.collect(rest, Page[WireRecord])
        return report_in(wire, records)

    def _meetings(self, organizer_id: str) -> OnlineMeetingsRequestBuilder:
        return self._transport.root.users.by_user_id(organizer_id).online_meetings
