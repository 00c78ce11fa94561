"""Reading the attendance reports of Teams. https://learn.microsoft.com/graph/api/resources/meetingattendancereport"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from integration import outbox
from integration.attendance.collection import (
    Errand,
    Findings,
    MeetingToRead,
    ReportRead,
    errand_of,
    postpone,
    record_look,
    uninvited_addresses,
)
from integration.attendance.identities import Seen
from integration.attendance.intervals import Interval
from integration.due import earliest, take_due
from integration.duties import Duty
from integration.graph.errors import Forbidden, GraphError, NotFound
from integration.graph.resources import AttendanceRecord, ReportHead
from integration.log import get_logger
from integration.outbox import Task
from integration.scheduling.models import Occurrence

if TYPE_CHECKING:
    from integration.graph.client import Graph
    from integration.tools import Tools

log = get_logger(__name__)


def collect_attendance(tools: Tools, occurrence_id: int) -> None:
    """Take one look at the reports of an occurrence and write down what they say; may run any number of times."""
    now = tools.clock.now()
    with tools.database.reading() as session:
        errand = errand_of(session, occurrence_id, now=now)
        uninvited = uninvited_addresses(session, occurrence_id)
    if errand is None:
        with tools.database.transaction() as session:
            postpone(session, occurrence_id, now=now)
        return
    findings = _read(tools.graph, errand, uninvited=uninvited)
    for trouble in findings.troubles:
        log.warning("attendance reports not readable", occurrence_id=occurrence_id, reason=trouble)
    with tools.database.transaction() as session:
        record_look(session, occurrence_id, findings, now=now)


def _read(graph: Graph, errand: Errand, *, uninvited: frozenset[str]) -> Findings:
    findings = Findings()
    for meeting in errand.meetings:
        try:
            findings = _with_meeting(graph, errand, meeting, findings)
        except (Forbidden, NotFound) as refusal:
            if refusal.status not in (403, 404):
                raise  # the sign-in itself fails: nothing is known about this meeting
            # Waiting may help here (a policy takes half an hour to work), and other meetings may be readable: the
            # reason is kept, shown, and becomes the occurrence's if it lasts for a day.
            findings = replace(findings, troubles=tuple(dict.fromkeys((*findings.troubles, str(refusal)))))
    present = {record.address.lower() for report in findings.reports for record in report.records if record.address}
    return findings if present.isdisjoint(uninvited) else replace(findings, rooms=_rooms(graph, errand))


def _with_meeting(graph: Graph, errand: Errand, meeting: MeetingToRead, findings: Findings) -> Findings:
    organizer_id = _organizer_id(graph, errand.organizer)
    meeting_id = meeting.meeting_id
    if meeting_id is None:
        meeting_id = graph.meetings.by_join_url(organizer_id, meeting.join_url).id
        findings = replace(findings, meeting_ids=(*findings.meeting_ids, (meeting.id, meeting_id)))
    heads = graph.meetings.reports(organizer_id, meeting_id)
    reports = tuple(
        _report(graph, organizer_id, meeting, meeting_id, head) for head in heads if _touches(head, errand.window)
    )
    return replace(findings, reports=findings.reports + reports)


def _report(graph: Graph, organizer_id: str, meeting: MeetingToRead, meeting_id: str, head: ReportHead) -> ReportRead:
    report = graph.meetings.report(organizer_id, meeting_id, head.id)
    return ReportRead(
        meeting=meeting.id,
        report_id=report.id,
        starts_at=report.starts_at,
        ends_at=report.ends_at,
        records=tuple(seen_in(record) for record in report.records),
    )


def seen_in(record: AttendanceRecord) -> Seen:
    """A record of Graph as the identification takes it."""
    return Seen(
        record_id=record.id,
        intervals=tuple(Interval(each.joined_at, each.left_at) for each in record.intervals),
        object_id=record.object_id,
        address=record.address,
        name=record.name,
    )


def _touches(head: ReportHead, window: Interval) -> bool:
    """Whether a report may have something to say about the window; one without its times may."""
    if head.starts_at is None or head.ends_at is None:
        return True
    return head.starts_at < window.ends_at and window.starts_at < head.ends_at


def _organizer_id(graph: Graph, organizer: str) -> str:
    return graph.directory.user(organizer).id if "@" in organizer else organizer


def _rooms(graph: Graph, errand: Errand) -> frozenset[str]:
    """Which of the addresses on the invitation are rooms: their devices stand for anybody."""
    if errand.event_id is None:
        return frozenset()
    try:
        event = graph.calendar.get_event(errand.mailbox, errand.event_id)
    except GraphError as error:
        if error.passes_by_itself:
            raise
        log.warning("rooms not readable", occurrence_id=errand.occurrence_id, reason=error.message)
        return frozenset()
    return frozenset(each.address.lower() for each in event.attendees if each.kind == "resource")


def _collect_due(tools: Tools, now: datetime) -> int:
    with tools.database.transaction() as session:
        return _ask_to_collect(session, take_due(session, Occurrence.collect_due_at, now=now))


def _ask_to_collect(session: Session, occurrence_ids: Iterable[int]) -> int:
    taken = list(occurrence_ids)
    for occurrence_id in taken:
        outbox.add(session, Task.OCCURRENCE_COLLECT, occurrence_id)
    return len(taken)


DUTIES: tuple[Duty, ...] = (Duty("collect attendance", earliest(Occurrence.collect_due_at), _collect_due),)
