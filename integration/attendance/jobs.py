"""Reading the attendance reports of Teams. https://learn.microsoft.com/graph/api/resources/meetingattendancereport"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from integration.asking import duty_to_ask
from integration.attendance import looks
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
from integration.duties import Duty
from integration.graph.errors import Forbidden, GraphError, NotFound
from integration.graph.resources import AttendanceRecord, AttendanceReport, ReportHead
from integration.language import Wording
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
    findings = _read(tools.graph, errand, uninvited=uninvited, now=now)
    for trouble in findings.troubles:
        log.warning("attendance reports not readable", occurrence_id=occurrence_id, reason=str(trouble))
    with tools.database.transaction() as session:
        record_look(session, occurrence_id, findings, now=now)


def _read(graph: Graph, errand: Errand, *, uninvited: frozenset[str], now: datetime) -> Findings:
    shelf = _Shelf(graph, errand, now)
    lists = [(meeting, shelf.heads(meeting)) for meeting in errand.meetings]
    wanted = [(meeting, head) for meeting, heads in lists for head in heads if shelf.is_to_be_read(meeting, head)]
    if (wanted or errand.reread) and not errand.keeps_reports:
        wanted = [(meeting, head) for meeting, heads in lists for head in heads if shelf.is_final(head)]
    shelf.read(wanted)
    findings = shelf.findings(tuple(head for _, heads in lists for head in heads))
    present = {record.address.lower() for report in findings.reports for record in report.records if record.address}
    return findings if present.isdisjoint(uninvited) else replace(findings, rooms=_rooms(graph, errand))


class _Shelf:
    """The reports of an errand, as far as they can be reached."""

    def __init__(self, graph: Graph, errand: Errand, now: datetime) -> None:
        self._graph, self._errand, self._now = graph, errand, now
        self._meeting_ids: dict[int, str] = {each.id: each.meeting_id for each in errand.meetings if each.meeting_id}
        self._resolved: list[tuple[int, str]] = []
        self._troubles: list[Wording] = []
        self._reports: list[ReportRead] = []
        self._is_cut_off = False
        self._is_unfinished = False

    def heads(self, meeting: MeetingToRead) -> tuple[ReportHead, ...]:
        """What the list of a meeting shows of the window; nothing where it cannot be read, which is noted."""
        with self._noting_refusals():
            organizer_id = self._organizer_id()
            if meeting.id not in self._meeting_ids:
                found = self._graph.meetings.by_join_url(organizer_id, meeting.join_url).id
                self._meeting_ids[meeting.id] = found
                self._resolved.append((meeting.id, found))
            heads = self._graph.meetings.reports(organizer_id, self._meeting_ids[meeting.id])
            begun = [head.starts_at for head in heads if head.starts_at]
            if len(heads) >= looks.FULL_LIST and min(begun, default=self._now) > self._errand.window.ends_at:
                self._is_cut_off = True
            return tuple(head for head in heads if _touches(head, self._errand.window))
        return ()

    def is_final(self, head: ReportHead) -> bool:
        """Whether a report can be believed; nobody is in that call any more at the last look, whatever it says."""
        if looks.is_last_look(self._errand.ends_at, now=self._now):
            return True
        return looks.is_final(ends_at=head.ends_at, participants=head.participants, now=self._now)

    def is_to_be_read(self, meeting: MeetingToRead, head: ReportHead) -> bool:
        if not self.is_final(head):
            self._is_unfinished = True
            return False
        participants, read_at = self._errand.known.get(head.id, (-1, self._now))
        # Some tenants list a report while its call runs, under the id it will keep: it has grown since it was read.
        has_changed = participants != head.participants or (head.ends_at or read_at) > read_at
        return has_changed or (meeting.id, head.id) in self._errand.reread

    def read(self, wanted: Sequence[tuple[MeetingToRead, ReportHead]]) -> None:
        """Read reports: those wanted by the lists, and those to be read again that no list shows any more."""
        listed = {(meeting.id, head.id): head.participants for meeting, head in wanted}
        for meeting_row, report_id in [*listed, *sorted(self._errand.reread - listed.keys())]:
            with self._noting_refusals():
                meeting_id = self._meeting_ids.get(meeting_row)
                if meeting_id is not None:
                    report = self._graph.meetings.report(self._organizer_id(), meeting_id, report_id)
                    self._reports.append(_read_in(report, meeting_row, listed.get((meeting_row, report_id))))

    def findings(self, heads: Sequence[ReportHead]) -> Findings:
        ends = [head.ends_at for head in heads if head.ends_at and self.is_final(head)]
        return Findings(
            reports=tuple(self._reports),
            meeting_ids=tuple(self._resolved),
            troubles=tuple(dict.fromkeys(self._troubles)),
            latest_end_at=max(ends, default=None),
            is_unfinished=self._is_unfinished,
            is_cut_off=self._is_cut_off,
        )

    @contextmanager
    def _noting_refusals(self) -> Iterator[None]:
        """Waiting may help (a policy takes half an hour to work), and other meetings may be readable: the reason is
        kept, shown, and becomes the occurrence's if it lasts for a day."""
        try:
            yield
        except (Forbidden, NotFound) as refusal:
            if refusal.status not in (403, 404):
                raise  # the sign-in itself fails: nothing is known about this meeting
            self._troubles.append(refusal.wording)

    def _organizer_id(self) -> str:
        organizer = self._errand.organizer
        return self._graph.directory.user(organizer).id if "@" in organizer else organizer


def _read_in(report: AttendanceReport, meeting_row: int, participants: int | None) -> ReportRead:
    return ReportRead(
        meeting=meeting_row,
        report_id=report.id,
        starts_at=report.starts_at,
        ends_at=report.ends_at,
        participants=report.participants if participants is None else participants,
        records=tuple(seen_in(record) for record in report.records),
    )


def seen_in(record: AttendanceRecord) -> Seen:
    """A record of Graph as the identification takes it."""
    return Seen(
        intervals=tuple(Interval(each.joined_at, each.left_at) for each in record.intervals),
        object_id=record.object_id,
        address=record.address,
        name=record.name,
    )


def _touches(head: ReportHead, window: Interval) -> bool:
    """Whether a report may have something to say about the window; one without its times may."""
    if head.starts_at is None or head.ends_at is None:
        return True
    return Interval(head.starts_at, head.ends_at).overlaps(window)


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


DUTIES: tuple[Duty, ...] = (duty_to_ask("collect attendance", Occurrence.collect_due_at, Task.OCCURRENCE_COLLECT),)
