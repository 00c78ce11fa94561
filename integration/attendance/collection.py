"""Collecting the attendance of an occurrence: what to read at a look, and what a look's findings mean.

Each look goes over the lists of reports of all meetings of the series. A report that touches the window is read once,
and again only when it may have changed; whenever one was read, everything is reckoned anew. So re-joins, a second
call, a changed link, a call that was re-opened after the last look and a look that ran twice all come out right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import outbox
from integration.attendance import looks
from integration.attendance.circumstances import in_roster, window_in
from integration.attendance.definitions import is_test_call
from integration.attendance.identities import Presence, Roster, Seen, addresses_of, identify, object_id_of
from integration.attendance.intervals import Interval
from integration.attendance.models import AttendanceReport
from integration.attendance.outcomes import record_unknown
from integration.attendance.presences import restored, stored
from integration.attendance.reckoning import calls_of, keeps_minutes, reckon
from integration.attendance.sharing import sharing_of
from integration.attendance.windows import AFTER_END, window_of
from integration.language import Wording, joined, lazy
from integration.outbox import Task
from integration.people.models import Person
from integration.scheduling.dues import collect_due
from integration.scheduling.models import Invited, Occurrence, Series, SeriesMeeting

OTHERS_ARRIVE_WITHIN = timedelta(days=8)  # a weekly pod's report of last week still shows that reports arrive
NO_SIGN = lazy("No sign of a meeting: no report after 24 hours, while other reports of the same organizer arrive.")
NO_REPORTS = lazy(
    "Reports of this organizer do not arrive. Let Teams make attendance reports for the organizer (meeting policy "
    "AllowEngagementReport) and grant the organizer the application access policy."
)
PURGED = lazy(
    "Teams keeps reports for a year, and this session is older. Upload the report, if somebody downloaded it in "
    "time, or correct the attendance by hand."
)
DROPPED = lazy(
    "A report that was read before cannot be read again, and no minutes of it are kept: what has become known since "
    "is not counted here. Upload the report, if somebody downloaded it in time, or correct the attendance by hand."
)
CUT_OFF = lazy(
    "Teams lists only the latest reports of a meeting (50 at most), and the list does not reach back to this session "
    "any more. Upload the report that the organizer can download in Teams, or correct the attendance by hand."
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
    series in Outlook. ``known`` are reports that need not be read again, by their id: with the number of participants
    that was listed then, and when that was. ``reread`` are pairs (meeting, report id) to be read again, listed or
    not.
    ``keeps_reports``: what was read is stored; else everything is read again as soon as anything new is there.
    """

    occurrence_id: int
    organizer: str
    mailbox: str
    event_id: str | None
    ends_at: datetime
    window: Interval
    meetings: tuple[MeetingToRead, ...]
    known: Mapping[str, tuple[int, datetime]]
    reread: frozenset[tuple[int, str]]
    keeps_reports: bool


@dataclass(frozen=True)
class ReportRead:
    """A report as it was read: ``meeting`` is the id of our row of its meeting."""

    meeting: int
    report_id: str
    starts_at: datetime | None
    ends_at: datetime | None
    participants: int
    records: tuple[Seen, ...]


@dataclass(frozen=True)
class Findings:
    """What one look brought.

    ``latest_end_at`` is when the last call ended that the lists show; ``is_unfinished``: a report was listed that
    cannot be believed yet; ``is_cut_off``: a list that was full begins after the window.
    """

    reports: tuple[ReportRead, ...] = ()
    meeting_ids: tuple[tuple[int, str], ...] = ()
    troubles: tuple[Wording, ...] = ()
    rooms: frozenset[str] = frozenset()
    latest_end_at: datetime | None = None
    is_unfinished: bool = False
    is_cut_off: bool = False


def errand_of(session: Session, occurrence_id: int, *, now: datetime) -> Errand | None:
    """What to read for an occurrence; None when there is nothing to look for (cancelled, or not over yet)."""
    occurrence = session.get(Occurrence, occurrence_id)
    if occurrence is None or occurrence.cancelled_at is not None or occurrence.ends_at > now:
        return None
    series, keeps = occurrence.series, keeps_minutes(occurrence)
    read = session.scalars(select(AttendanceReport).where(AttendanceReport.occurrence_id == occurrence.id)).all()
    stale = [each for each in read if each.is_stale or (keeps and each.is_call and each.presences is None)]
    return Errand(
        occurrence_id=occurrence.id,
        organizer=series.organizer_id or series.organizer,
        mailbox=series.organizer,
        event_id=series.event_id,
        ends_at=occurrence.ends_at,
        window=window_in(occurrence),
        meetings=tuple(MeetingToRead(each.id, each.join_url, each.meeting_id) for each in series.meetings),
        known={each.report_id: (each.participants, each.read_at) for each in read if each not in stale},
        reread=frozenset((each.meeting_id, each.report_id) for each in stale),
        keeps_reports=keeps,
    )


def postpone(session: Session, occurrence_id: int, *, now: datetime) -> None:
    """An occurrence that was moved after its look fell due gets its first look after the new end."""
    occurrence = session.get(Occurrence, occurrence_id, with_for_update=True)
    if occurrence is None or occurrence.cancelled_at is not None or occurrence.ends_at <= now:
        return
    occurrence.collect_due_at = collect_due(occurrence.ends_at)


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
    occurrence.looked_at = now
    presences = _presences_by_report(session, occurrence, findings)
    has_new = _record_reports(session, occurrence, findings, presences, now=now)
    if findings.reports and occurrence.frozen_at is not None:
        _reckon(session, occurrence, findings, presences, now=now)
        if (sharing := sharing_of(session, occurrence)) and not sharing.is_answered:
            outbox.add(session, Task.OCCURRENCE_ASK, occurrence.id)
    if occurrence.attendance == "pending":
        occurrence.attendance_reason = joined(*findings.troubles) or None  # shown meanwhile
    is_known = _is_known(session, occurrence, findings, has_new=has_new, now=now)
    occurrence.collect_due_at = looks.next_look(occurrence.ends_at, now=now, is_known=is_known)
    if occurrence.attendance == "pending" and looks.is_last_look(occurrence.ends_at, now=now):
        _give_up(session, occurrence, findings, at=now)


def uninvited_addresses(session: Session, occurrence_id: int) -> frozenset[str]:
    """Addresses on the invitation that we did not invite: forwarded guests, and rooms."""
    occurrence = session.get(Occurrence, occurrence_id)
    attendees = occurrence.series.attendees if occurrence else ()
    return frozenset(each.address.lower() for each in attendees if each.participant_id is None)


def _record_meeting_ids(session: Session, findings: Findings) -> None:
    for row_id, meeting_id in findings.meeting_ids:
        meeting = session.get(SeriesMeeting, row_id)
        if meeting is not None and meeting.meeting_id is None:
            meeting.meeting_id = meeting_id


def _presences_by_report(
    session: Session, occurrence: Occurrence, findings: Findings
) -> dict[str, tuple[Presence, ...]]:
    """Who was there, for each report that was read now; nobody in a call that does not count."""
    roster = roster_for(session, occurrence, findings) if findings.reports else None
    return {
        each.report_id: () if roster is None or is_test_call(each.records) else identify([each.records], roster)
        for each in findings.reports
    }


def _record_reports(
    session: Session,
    occurrence: Occurrence,
    findings: Findings,
    presences: Mapping[str, tuple[Presence, ...]],
    *,
    now: datetime,
) -> bool:
    """Remember which reports were read, with as much as the detail allows; True when one of them is new."""
    rows = session.scalars(select(AttendanceReport).where(AttendanceReport.occurrence_id == occurrence.id))
    known, keeps, has_new = {row.report_id: row for row in rows}, keeps_minutes(occurrence), False
    widest = window_of(Interval(occurrence.starts_at, occurrence.ends_at))
    for each in findings.reports:
        row = known.get(each.report_id)
        if row is None:
            has_new = True
            row = AttendanceReport(meeting_id=each.meeting, occurrence_id=occurrence.id, report_id=each.report_id)
            session.add(row)
        row.starts_at, row.ends_at = (each.starts_at, each.ends_at) if keeps else (None, None)
        row.participants, row.read_at, row.is_stale = each.participants, now, False
        row.is_call = not is_test_call(each.records)
        row.presences = stored(presences[each.report_id], within=widest) if keeps else None
    session.flush()
    return has_new


def _reckon(
    session: Session,
    occurrence: Occurrence,
    findings: Findings,
    presences: Mapping[str, tuple[Presence, ...]],
    *,
    now: datetime,
) -> None:
    """Reckon anew from all reports: those read now, and those that are stored.

    Where nothing is stored and a report that was read once cannot be read any more, what was found then stays, which
    is said; the next looks try again.
    """
    calls = calls_of(session, occurrence)
    if not calls:
        return
    if keeps_minutes(occurrence):
        reckon(session, occurrence, (one for each in calls for one in restored(each.presences or ())), at=now)
        return
    dropped = [each for each in calls if each.report_id not in presences]
    if not dropped:
        reckon(session, occurrence, (one for each in calls for one in presences[each.report_id]), at=now)
        return
    for report in dropped:
        report.is_stale = True
    occurrence.attendance_reason = DROPPED


def roster_for(session: Session, occurrence: Occurrence, findings: Findings) -> Roster:
    """Whom we can recognise in what a look, or an upload, found."""
    seen = [record for report in findings.reports for record in report.records]
    ids = {found for record in seen if (found := object_id_of(record))}
    addresses = {address for record in seen for address in addresses_of(record.address)}
    series = occurrence.series
    invited = select(Person.mail).join(Invited, Invited.participant_id == Person.participant_id)
    ours = session.scalars(invited.where(Invited.occurrence_id == occurrence.id))
    traces = [("object id", each) for each in ids] + [("address", each) for each in addresses]
    return Roster(
        participants={value: found for (_, value), found in in_roster(session, traces).items()},
        guests=uninvited_addresses(session, occurrence.id) - findings.rooms,
        rooms=findings.rooms,
        organizers=frozenset(key.lower() for key in (series.organizer, series.organizer_id) if key),
        domains=frozenset(mail.rpartition("@")[2].lower() for mail in (series.organizer, *ours)),
    )


def _is_known(session: Session, occurrence: Occurrence, findings: Findings, *, has_new: bool, now: datetime) -> bool:
    """Whether all seems known: a final report has been seen, and the next look brought nothing new."""
    if has_new or findings.troubles or findings.is_unfinished or not calls_of(session, occurrence):
        return False
    latest_end_at = findings.latest_end_at or occurrence.ends_at
    may_go_on = looks.may_go_on(latest_end_at, planned_end_at=occurrence.ends_at)
    return not may_go_on or now >= occurrence.ends_at + AFTER_END


def _give_up(session: Session, occurrence: Occurrence, findings: Findings, *, at: datetime) -> None:
    if occurrence.frozen_at is None:
        record_unknown(session, occurrence, reason=lazy("Who was invited could not be read at its start."), at=at)
    elif findings.troubles:
        record_unknown(session, occurrence, reason=joined(*findings.troubles), at=at)
    elif not occurrence.series.meetings:
        record_unknown(session, occurrence, reason=lazy("The series has no Teams meeting."), at=at)
    elif at > occurrence.ends_at + looks.KEPT_FOR:
        record_unknown(session, occurrence, reason=PURGED, at=at)
    elif findings.is_cut_off:
        record_unknown(session, occurrence, reason=CUT_OFF, at=at)
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
