"""A series, Graph to ours: replies, moved and cancelled occurrences, the link, guests.

A change notification is only a hint to look; what counts is what Outlook has now. An occurrence that has ended is
history and keeps what we know of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from integration.graph.errors import NotFound
from integration.graph.resources import Attendee, CalendarEvent, Response
from integration.log import get_logger
from integration.scheduling.models import Occurrence, OccurrenceReply, Series, SeriesAttendee
from integration.scheduling.reading import read_series
from integration.scheduling.recurrence import WEEK
from integration.scheduling.series import cancel_occurrence, move_occurrence
from integration.scheduling.troubles import record_link, record_trouble
from integration.tools import Tools

log = get_logger(__name__)
GONE = (
    "The series was deleted or cancelled in the organizer's calendar. Undo its plan and make a new one, or restore it"
    " from the mailbox's Deleted Items."
)


def pull_series(tools: Tools, series_id: int) -> None:
    """Read a series that was invited to and record what it is now. Raises GraphError."""
    series = read_series(tools.database, series_id)
    if series is None or series.event_id is None or series.invited_at is None or series.cancel_wanted_at is not None:
        return
    event = _master(tools, series)
    if event is None or event.is_cancelled:
        record_trouble(tools.database, series_id, GONE)
        return
    instances = _instances(tools, series)
    meeting_id = _new_meeting_id(tools, series, event)
    now = tools.clock.now()
    with tools.database.transaction() as session:
        row = session.get_one(Series, series_id, with_for_update=True)
        row.pulled_at = now
        row.trouble = None if row.trouble == GONE else row.trouble
        record_link(row, event.join_url, now=now, meeting_id=meeting_id)
        _record_attendees(row, event.attendees)
        for occurrence in row.occurrences:
            _record_occurrence(session, occurrence, instances, now=now)
    log.info("series pulled", series_id=series_id)


def _master(tools: Tools, series: Series) -> CalendarEvent | None:
    try:
        return tools.graph.calendar.get_event(series.organizer, series.event_id or "")
    except NotFound:
        return None


def _instances(tools: Tools, series: Series) -> tuple[CalendarEvent, ...]:
    """All of them: a weekly meeting can be moved by less than a week."""
    starts = min(occurrence.original_start_at for occurrence in series.occurrences)
    ends = max(occurrence.original_start_at for occurrence in series.occurrences)
    return tools.graph.calendar.instances(series.organizer, series.event_id or "", starts - WEEK, ends + 2 * WEEK)


def _new_meeting_id(tools: Tools, series: Series, event: CalendarEvent) -> str | None:
    """The id of the meeting behind the link, when it is one that we have not resolved yet."""
    known = {meeting.join_url for meeting in series.meetings if meeting.meeting_id}
    if not event.join_url or event.join_url in known or series.organizer_id is None:
        return None
    return tools.graph.meetings.by_join_url(series.organizer_id, event.join_url).id


def _record_attendees(series: Series, attendees: Sequence[Attendee]) -> None:
    known = {attendee.address.lower(): attendee for attendee in series.attendees}
    for one in attendees:
        row = known.get(one.address.lower())
        if row is None and one.address.lower() != series.organizer.lower():
            row = SeriesAttendee(address=one.address.lower())  # a guest: forwarded, a delegate, a room
            series.attendees.append(row)
        if row is not None:
            row.response, row.responded_at = one.response, one.responded_at


def _record_occurrence(
    session: Session, occurrence: Occurrence, instances: Sequence[CalendarEvent], *, now: datetime
) -> None:
    if occurrence.ends_at <= now or occurrence.cancelled_at is not None:
        return
    event = _event_of(occurrence, instances)
    if event is None or event.is_cancelled:
        cancel_occurrence(occurrence, at=now)
        return
    occurrence.event_id = event.id
    move_occurrence(occurrence, starts_at=event.starts_at, ends_at=event.ends_at)
    record_replies(session, occurrence, event.attendees)


def _event_of(occurrence: Occurrence, instances: Sequence[CalendarEvent]) -> CalendarEvent | None:
    by_id = next((one for one in instances if one.id == occurrence.event_id), None)
    if by_id is not None:
        return by_id
    start = occurrence.original_start_at
    return next((one for one in instances if (one.original_start_at or one.starts_at) == start), None)


def record_replies(session: Session, occurrence: Occurrence, attendees: Sequence[Attendee]) -> None:
    """Note what people of ours answered to this occurrence, where it is not what they answered to the series."""
    answers = {one.address.lower(): one for one in attendees}
    noted = {reply.participant_id: reply for reply in occurrence.replies}
    for ours in occurrence.series.attendees:
        if ours.participant_id is None:
            continue
        answer, reply = answers.get(ours.address.lower()), noted.get(ours.participant_id)
        differs = answer is not None and answer.response not in (Response.NONE, ours.response)
        if not differs and reply is not None:
            session.delete(reply)
        if answer is None or not differs:
            continue
        if reply is None:
            reply = OccurrenceReply(participant_id=ours.participant_id, response=answer.response)
            occurrence.replies.append(reply)
        reply.response, reply.responded_at = answer.response, answer.responded_at
