"""Collecting the attendance of an occurrence: what to read at a look, and what a look's findings mean.

Each look reads every report of every meeting of the series that touches the window, and reckons anew: so re-joins, a
second call, a changed link and a look that ran twice all come out right.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration import outbox
from integration.attendance import looks
from integration.attendance.definitions import Outcome, is_test_call, outcome
from integration.attendance.identities import Roster, Seen, addresses_of, identify
from integration.attendance.intervals import Interval
from integration.attendance.models import AttendanceReport
from integration.attendance.outcomes import MINUTES, detail_of, record_outcome, record_unknown
from integration.attendance.windows import AFTER_END, window_of
from integration.outbox import Task
from integration.people.models import OtherAddress, Person
from integration.scheduling.models import Occurrence, Series, SeriesMeeting

OTHERS_ARRIVE_WITHIN = timedelta(days=8)  # a weekly pod's report of last week still shows that reports arrive
NO_SIGN = "No sign of a meeting: no report after 24 hours, while other reports of the same organizer arrive."
NO_REPORTS = (
    "Reports of this organizer do not arrive. Let Teams make attendance reports for the organizer (meeting policy "
    "AllowEngagementReport) and grant the organizer the application access policy."
)


@dataclass(frozen=True)
class MeetingToRead:
    id: int  # of our row
    join_url: str
    meeting_id: str | None


@dataclass(frozen=True)
class Errand:
    """What one look has to read.

    ``organizer`` is an object id, or the address while that is not known; ``mailbox`` and ``event_id`` lead to the
    series in Outlook.
    """

    occurrence_id: int
    organizer: str
    mailbox: str
    event_id: str | None
    window: Interval
    meetings: tuple[MeetingToRead, ...]


@dataclass(frozen=True)
class ReportRead:
    """A report as it was read: ``meeting`` is the id of our row of its meeting."""

    meeting: int
    report_id: str
    starts_at: datetime | None
    ends_at: datetime | None
    records: tuple[Seen, ...]


@dataclass(frozen=True)
class Findings:
    """What one look brought: reports, ids of meetings that were looked up, and why some could not be read."""

    reports: tuple[ReportRead, ...] = ()
    meeting_ids: tuple[tuple[int, str], ...] = ()
    troubles: tuple[str, ...] = ()
    rooms: frozenset[str] = frozenset()


def errand_of(session: Session, occurrence_id: int, *, now: datetime) -> Errand | None:
    """What to read for an occurrence; None when there is nothing to look for (cancelled, or not over yet)."""
    occurrence = session.get(Occurrence, occurrence_id)
    if occurrence is None or occurrence.cancelled_at is not None or occurrence.ends_at > now:
        return None
    series = occurrence.series
    return Errand(
        occurrence_id=occurrence.id,
        organizer=series.organizer_id or series.organizer,
        mailbox=series.organizer,
        event_id=series.event_id,
        window=_window(occurrence),
        meetings=tuple(MeetingToRead(each.id, each.join_url, each.meeting_id) for each in series.meetings),
    )


def postpone(session: Session, occurrence_id: int, *, now: datetime) -> None:
    """An occurrence that was moved after its look fell due gets its first look after the new end."""
    occurrence = session.get(Occurrence, occurrence_id, with_for_update=True)
    if occurrence is None or occurrence.cancelled_at is not None or occurrence.ends_at <= now:
        return
    occurrence.collect_due_at = occurrence.ends_at + looks.FIRST_LOOK


def record_look(session: Session, occurrence_id: int, findings: Findings, *, now: datetime) -> None:
    """Write down what a look found and when to look again, or why not any more."""
    occurrence = session.get(Occurrence, occurrence_id, with_for_update=True)
    if occurrence is None or occurrence.cancelled_at is not None:
        return
    _record_meeting_ids(session, findings)
    if occurrence.frozen_at is None and not looks.is_last_look(occurrence.ends_at, now=now):
        # Without the list of who was invited there is no "n". It is being read, or somebody is told why it cannot be.
        occurrence.collect_due_at = now + looks.NOT_YET_FROZEN
        return
    occurrence.collect_attempts += 1
    counted = tuple(each for each in findings.reports if _counts(each, occurrence, now=now))
    new = _record_reports(session, occurrence, counted, now=now)
    if counted and occurrence.frozen_at is not None:
        record_outcome(session, occurrence, _reckon(session, occurrence, counted, rooms=findings.rooms), at=now)
    if _goes_on(occurrence, findings, counted=counted, new=new, now=now):
        occurrence.collect_due_at = looks.next_look(occurrence.ends_at, now=now)
        return
    occurrence.collect_due_at = None
    if occurrence.attendance == "pending":
        _give_up(session, occurrence, findings, at=now)


def uninvited_addresses(session: Session, occurrence_id: int) -> frozenset[str]:
    """Addresses on the invitation that we did not invite: forwarded guests, and rooms."""
    occurrence = session.get(Occurrence, occurrence_id)
    attendees = occurrence.series.attendees if occurrence else ()
    return frozenset(each.address.lower() for each in attendees if each.participant_id is None)


def _window(occurrence: Occurrence) -> Interval:
    others = (
        Interval(each.starts_at, each.ends_at)
        for each in occurrence.series.occurrences
        if each.id != occurrence.id and each.cancelled_at is None
    )
    return window_of(Interval(occurrence.starts_at, occurrence.ends_at), others)


def _record_meeting_ids(session: Session, findings: Findings) -> None:
    for row_id, meeting_id in findings.meeting_ids:
        meeting = session.get(SeriesMeeting, row_id)
        if meeting is not None and meeting.meeting_id is None:
            meeting.meeting_id = meeting_id


def _counts(report: ReportRead, occurrence: Occurrence, *, now: datetime) -> bool:
    if is_test_call(report.records):
        return False
    if looks.is_last_look(occurrence.ends_at, now=now):
        return True  # nobody is in that call any more, whatever its end says
    return looks.is_final(ends_at=report.ends_at, participants=len(report.records), now=now)


def _record_reports(
    session: Session, occurrence: Occurrence, reports: tuple[ReportRead, ...], *, now: datetime
) -> bool:
    """Remember which reports were read; True when one of them is new."""
    rows = select(AttendanceReport.report_id).where(AttendanceReport.occurrence_id == occurrence.id)
    known = set(session.scalars(rows))
    keeps_minutes = detail_of(occurrence) == MINUTES
    new = [each for each in reports if each.report_id not in known]
    session.add_all(
        AttendanceReport(
            meeting_id=each.meeting,
            occurrence_id=occurrence.id,
            report_id=each.report_id,
            starts_at=each.starts_at if keeps_minutes else None,
            ends_at=each.ends_at if keeps_minutes else None,
            read_at=now,
        )
        for each in new
    )
    return bool(new)


def _reckon(
    session: Session, occurrence: Occurrence, reports: tuple[ReportRead, ...], *, rooms: frozenset[str]
) -> Outcome:
    roster = _roster(session, occurrence, reports, rooms=rooms)
    return outcome(
        identify((report.records for report in reports), roster),
        invited=(each.participant_id for each in occurrence.invited),
        window=_window(occurrence),
        threshold=occurrence.series.pod.program.attendance_threshold,
    )


def _roster(
    session: Session, occurrence: Occurrence, reports: tuple[ReportRead, ...], *, rooms: frozenset[str]
) -> Roster:
    seen = [record for report in reports for record in report.records]
    ids = {record.object_id.strip().lower() for record in seen if record.object_id}
    addresses = {address for record in seen for address in addresses_of(record.address)}
    by_id = select(func.lower(Person.object_id), Person.participant_id).where(func.lower(Person.object_id).in_(ids))
    by_mail = select(Person.mail, Person.participant_id).where(Person.mail.in_(addresses))
    by_other = (
        select(OtherAddress.mail, Person.participant_id)
        .join(OtherAddress.person)
        .where(OtherAddress.mail.in_(addresses))
    )
    series = occurrence.series
    ours = [each.participant.person.mail for each in occurrence.invited if each.participant.person]
    return Roster(
        participants={row[0]: row[1] for query in (by_other, by_mail, by_id) for row in session.execute(query)},
        guests=uninvited_addresses(session, occurrence.id) - rooms,
        rooms=rooms,
        organizers=frozenset(key.lower() for key in (series.organizer, series.organizer_id) if key),
        domains=frozenset(mail.rpartition("@")[2].lower() for mail in (series.organizer, *ours)),
    )


def _goes_on(
    occurrence: Occurrence, findings: Findings, *, counted: tuple[ReportRead, ...], new: bool, now: datetime
) -> bool:
    """Whether another look is worth it: until a final report has been seen and the next look brought nothing new."""
    if looks.is_last_look(occurrence.ends_at, now=now):
        return False
    if not counted or new or findings.troubles or any(not each.records for each in findings.reports):
        return True
    latest_end_at = max((each.ends_at for each in counted if each.ends_at), default=occurrence.ends_at)
    may_go_on = looks.may_go_on(latest_end_at, planned_end_at=occurrence.ends_at)
    return may_go_on and now < occurrence.ends_at + AFTER_END


def _give_up(session: Session, occurrence: Occurrence, findings: Findings, *, at: datetime) -> None:
    if occurrence.frozen_at is None:
        record_unknown(session, occurrence, reason="Who was invited could not be read at its start.", at=at)
    elif findings.troubles:
        record_unknown(session, occurrence, reason=" ".join(findings.troubles), at=at)
    elif not occurrence.series.meetings:
        record_unknown(session, occurrence, reason="The series has no Teams meeting.", at=at)
    elif _others_arrive(session, occurrence):
        record_unknown(session, occurrence, reason=NO_SIGN, at=at)
        outbox.add(session, Task.OCCURRENCE_ASK_MET, occurrence.id)
    else:
        record_unknown(session, occurrence, reason=NO_REPORTS, at=at)


def _others_arrive(session: Session, occurrence: Occurrence) -> bool:
    """Whether other reports of the same organizer came at that time: then it is not Teams that is silent."""
    others = (
        select(AttendanceReport.id)
        .join(AttendanceReport.occurrence)
        .join(Occurrence.series)
        .where(
            Series.organizer == occurrence.series.organizer,
            AttendanceReport.occurrence_id != occurrence.id,
            AttendanceReport.read_at >= occurrence.starts_at - OTHERS_ARRIVE_WITHIN,
        )
    )
    return session.scalar(others.limit(1)) is not None
