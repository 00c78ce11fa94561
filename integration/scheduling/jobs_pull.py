"""A series, Graph to ours: replies, moved and cancelled occurrences, the link, guests, and where it drifted.

A change notification is only a hint to look; what counts is what Outlook has now. An occurrence that has ended is
history and keeps what we know of it. Times follow Outlook at once, for that is when people meet; whether it stays so
is told by the differences that are noted beside (``drift``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session, selectinload

from integration.graph.errors import GraphError, NotFound
from integration.graph.resources import Attendee, CalendarEvent, Response
from integration.language import lazy
from integration.log import get_logger
from integration.scheduling.drift.differences import compare
from integration.scheduling.drift.drifts import proposed_for_all, record_differences
from integration.scheduling.drift.kinds import policies
from integration.scheduling.drift.matching import matched
from integration.scheduling.drift.values import Found, Wanted, WantedAttendee, WantedOccurrence
from integration.scheduling.invitation import hash_of
from integration.scheduling.models import Occurrence, OccurrenceReply, Series
from integration.scheduling.presence import note_presence
from integration.scheduling.proposals.asking import Links, proposals_of, record_proposals
from integration.scheduling.reading import open_link, read_dates
from integration.scheduling.recurrence import WEEK
from integration.scheduling.series import cancel_occurrence, move_occurrence
from integration.scheduling.troubles import record_link
from integration.tools import Tools

log = get_logger(__name__)
WHOLE = (  # what is compared, in a few questions rather than some for each occurrence
    selectinload(Series.attendees),
    selectinload(Series.occurrences).selectinload(Occurrence.replies),
    selectinload(Series.meetings),
)
GONE = lazy(
    "The series was deleted or cancelled in the organizer's calendar. The page of its pod asks whether it is to be"
    " let go or invited to again."
)


def pull_series(tools: Tools, series_id: int) -> None:
    """Read a series that was invited to and record what it is now. Raises GraphError.

    A mailbox that is gone says nothing about its series: the sweep of the mailbox notes that.
    """
    series = read_dates(tools.database, series_id)
    if series is None or not _is_to_be_read(series, now=tools.clock.now()):
        return
    try:
        found = _look(tools, series)
    except GraphError as error:
        if not error.says_mailbox_is_gone:
            raise
        log.warning("mailbox gone", series_id=series_id, code=error.code)
        return
    meeting_id = _new_meeting_id(tools, series, found.event)
    now = tools.clock.now()
    links = Links(tools.settings.public_url, tools.settings.secret_key)
    with tools.database.transaction() as session:
        row = session.get_one(Series, series_id, with_for_update=True, options=WHOLE)
        wanted = _wanted(row, tools, now=now)
        differences = compare(wanted, found, now=now)
        row.pulled_at = now
        if found.event is not None and not found.event.is_cancelled:
            row.trouble = None if str(row.trouble) == str(GONE) else row.trouble
            record_link(row, found.event.join_url, now=now, meeting_id=meeting_id)
            _record_attendees(session, row, found.event.attendees, now=now)
            _record_occurrences(session, row, wanted, found, links=links, now=now)
        else:
            row.trouble = GONE
        record_differences(session, row, differences, policies=policies(tools.settings), now=now)
    log.info("series pulled", series_id=series_id, differences=len(differences))


def _is_to_be_read(series: Series, *, now: datetime) -> bool:
    """Invited to, wanted, and not over: of what has ended Outlook changes nothing here."""
    if series.event_id is None or series.invited_at is None or series.cancel_wanted_at is not None:
        return False
    return any(occurrence.ends_at > now for occurrence in series.occurrences)


def _look(tools: Tools, series: Series) -> Found:
    assert series.event_id is not None
    calendar = tools.graph.calendar
    try:
        event = calendar.get_event(series.organizer, series.event_id)
        if event.is_cancelled:
            return Found(event)
        instances = _instances(tools, series)
        now = tools.clock.now()
        to_come = sum(one.ends_at > now for one in instances)
        awaited = sum(one.ends_at > now and one.cancelled_at is None for one in series.occurrences)
        cancelled = calendar.cancelled_dates(series.organizer, event.id) if to_come < awaited else frozenset()
    except NotFound as error:
        if error.says_mailbox_is_gone:
            raise
        return Found(None)
    return Found(event, instances, cancelled)


def _instances(tools: Tools, series: Series) -> tuple[CalendarEvent, ...]:
    """All of them: a weekly meeting can be moved by less than a week."""
    starts = min(occurrence.original_start_at for occurrence in series.occurrences)
    ends = max(occurrence.original_start_at for occurrence in series.occurrences)
    return tools.graph.calendar.instances(series.organizer, series.event_id or "", starts - WEEK, ends + 2 * WEEK)


def _new_meeting_id(tools: Tools, series: Series, event: CalendarEvent | None) -> str | None:
    """The id of the meeting behind the link, when it is one that we have not resolved yet."""
    known = {meeting.join_url for meeting in series.meetings if meeting.meeting_id}
    if event is None or not event.join_url or event.join_url in known or series.organizer_id is None:
        return None
    return tools.graph.meetings.by_join_url(series.organizer_id, event.join_url).id


def _wanted(series: Series, tools: Tools, *, now: datetime) -> Wanted:
    """What we want of a series, as of the rows now."""
    is_written = series.body_hash == hash_of(series.invitation_html)
    return Wanted(
        organizer=series.organizer,
        subject=series.subject,
        invitation_html=series.invitation_html if is_written else None,
        starts_local=series.starts_local,
        time_zone=series.time_zone,
        length=timedelta(minutes=series.minutes),
        weeks=series.count,
        join_url=open_link(series),
        attendees=tuple(
            WantedAttendee(
                one.address,
                one.is_wanted,
                was_invited=one.invited_at is not None,
                held=one.held or not tools.settings.may_mail(one.address),
                is_guest=one.participant_id is None,
            )
            for one in series.attendees
        ),
        occurrences=tuple(
            WantedOccurrence(
                one.id,
                one.original_start_at,
                *one.wanted,
                event_id=one.event_id,
                takes_place=one.cancelled_at is None,
                is_over=one.ends_at <= now,
            )
            for one in series.occurrences
        ),
    )


def _record_attendees(session: Session, series: Series, attendees: Sequence[Attendee], *, now: datetime) -> None:
    """Answers to the series, who is on it, and guests who are there no more; new guests come as differences."""
    present = {one.address.lower(): one for one in attendees}
    for row in list(series.attendees):
        one = present.get(row.address.lower())
        if one is not None:
            row.response, row.responded_at = one.response, one.responded_at
        elif row.participant_id is None:
            series.attendees.remove(row)
            session.delete(row)
        if row.participant_id is not None:
            note_presence(row, one is not None, now=now)


def _record_occurrences(
    session: Session, series: Series, wanted: Wanted, found: Found, *, links: Links, now: datetime
) -> None:
    # Each meeting shows what was proposed for the whole series, too, and one with a list of its own goes on doing so.
    for_all = {_proposed(one) for one in found.event.attendees} if found.event else set()
    for_all = (for_all | proposed_for_all(session, series.id)) - {None}
    held = proposals_of(session, series.id)
    events = matched(wanted.occurrences, found.instances, time_zone=series.time_zone)
    for occurrence in series.occurrences:
        if occurrence.ends_at <= now or occurrence.cancelled_at is not None:
            continue
        event = events.get(occurrence.id)
        if event is None:
            cancel_occurrence(occurrence, at=now)
            continue
        occurrence.event_id, occurrence.is_exception = event.id, event.type == "exception"
        move_occurrence(occurrence, starts_at=event.starts_at, ends_at=event.ends_at)
        record_replies(session, occurrence, event.attendees)
        for_it = [one for one in event.attendees if _proposed(one) not in for_all]
        record_proposals(session, occurrence, for_it, held=held.get(occurrence.id, ()), links=links, now=now)


def _proposed(one: Attendee) -> tuple[str, str] | None:
    return (one.address.lower(), one.proposed[0].isoformat()) if one.proposed else None


def record_replies(session: Session, occurrence: Occurrence, attendees: Sequence[Attendee]) -> None:
    """Note what people of ours answered to this occurrence, where it is not what they answered to the series."""
    answers = {one.address.lower(): one for one in attendees}
    noted = {reply.participant_id: reply for reply in occurrence.replies}
    for ours in occurrence.series.people:
        assert ours.participant_id is not None
        answer, reply = answers.get(ours.address.lower()), noted.get(ours.participant_id)
        differs = answer is not None and _said(answer.response) != _said(ours.response)
        if not differs and reply is not None:
            occurrence.replies.remove(reply)
        if answer is None or not differs:
            continue
        if reply is None:
            reply = OccurrenceReply(participant_id=ours.participant_id, response=answer.response)
            occurrence.replies.append(reply)
        reply.response, reply.responded_at = answer.response, answer.responded_at


def _said(response: str) -> str:
    """An answer; whoever was asked again for one meeting has none for it, whatever they said to the series."""
    return Response.NONE if response == Response.NOT_RESPONDED else response
