"""The invitation, and later changes: whoever is not affected gets no mail.

Attendees are merged with a list read just before, since a partial list uninvites everybody left out; the body is
written only when it changed, around Outlook's Teams block, since a body written over it can cost the link.
"""

from __future__ import annotations

from integration.announcing.announcements import Event, announce
from integration.graph.resources import Attendee, CalendarEvent, EventChanges
from integration.language import lazy
from integration.scheduling.attendees import Wish, merged
from integration.scheduling.drift.drifts import left_out
from integration.scheduling.invitation import exchanged, hash_of
from integration.scheduling.models import Series
from integration.scheduling.presence import note_presence
from integration.scheduling.recurrence import WEEK
from integration.scheduling.troubles import SeriesTrouble, record_link
from integration.tools import Tools


def invite(tools: Tools, series: Series) -> None:
    """One attendees-only PATCH is the invitation of everybody who is wanted and may be written to."""
    event = _event(tools, series)
    event = _with_body(tools, series, event)
    event = _with_attendees(tools, series, event)
    _record(tools, series, event, invited=True)


def update(tools: Tools, series: Series) -> None:
    """Add and remove single people, on the series and on each future exception; the body only when it changed."""
    event = _event(tools, series)
    before = event
    event = _with_body(tools, series, event)
    event = _with_attendees(tools, series, event)
    by_event = {occurrence.event_id: occurrence.id for occurrence in series.occurrences}
    for exception in _future_exceptions(tools, series):
        _with_attendees(tools, series, exception, occurrence_id=by_event.get(exception.id))
    if event is not before or series.body_hash != hash_of(series.invitation_html):
        event = _event(tools, series)  # the link is read again after every change
    _record(tools, series, event, invited=False)


def _event(tools: Tools, series: Series) -> CalendarEvent:
    assert series.event_id is not None
    event = tools.graph.calendar.find_event(series.organizer, series.event_id)
    if event is None:
        raise SeriesTrouble(
            lazy("The series is no longer in the organizer's calendar."),
            remedy=lazy("Undo its plan and make a new one, or restore it from the mailbox's Deleted Items."),
        )
    return event


def _with_body(tools: Tools, series: Series, event: CalendarEvent) -> CalendarEvent:
    if series.body_hash == hash_of(series.invitation_html):
        return event
    body = exchanged(event.body_html, series.invitation_html)
    if body is None:
        raise SeriesTrouble(
            lazy("The text of the invitation was rewritten in Outlook, so ours is not put over it."),
            remedy=lazy("Correct the text in the organizer's calendar."),
        )
    changed = tools.graph.calendar.update_event(series.organizer, event.id, EventChanges(body_html=body))
    with tools.database.transaction() as session:
        session.get_one(Series, series.id).body_hash = hash_of(series.invitation_html)
    return changed


def _with_attendees(
    tools: Tools, series: Series, event: CalendarEvent, *, occurrence_id: int | None = None
) -> CalendarEvent:
    new = {attendee.address.lower(): _attendee(series, attendee.address) for attendee in series.attendees}
    wanted = merged(event.attendees, _wishes(tools, series, occurrence_id), new=new)
    if wanted == event.attendees:
        return event
    return tools.graph.calendar.update_event(series.organizer, event.id, EventChanges(attendees=wanted))


def _wishes(tools: Tools, series: Series, occurrence_id: int | None) -> list[Wish]:
    """Whom Outlook is to have. Who was taken off there is not invited again before somebody has decided so."""
    with tools.database.reading() as session:
        out = left_out(session, series.id)
    return [
        Wish(
            attendee.address,
            attendee.is_wanted,
            held=not tools.settings.may_mail(attendee.address)
            or (None, attendee.address) in out
            or (occurrence_id is not None and (occurrence_id, attendee.address) in out),
        )
        for attendee in series.attendees
        if attendee.participant_id is not None
    ]


def _attendee(series: Series, address: str) -> Attendee:
    participant = next(one.participant for one in series.attendees if one.address == address)
    return Attendee(address=address, name=participant.name if participant and participant.person else "")


def _future_exceptions(tools: Tools, series: Series) -> list[CalendarEvent]:
    now = tools.clock.now()
    last = max(occurrence.ends_at for occurrence in series.occurrences)
    assert series.event_id is not None
    instances = tools.graph.calendar.instances(series.organizer, series.event_id, now, last + WEEK)
    return [one for one in instances if one.type == "exception" and one.ends_at > now and not one.is_cancelled]


def _record(tools: Tools, series: Series, event: CalendarEvent, *, invited: bool) -> None:
    now = tools.clock.now()
    on_it = {attendee.address.lower() for attendee in event.attendees}
    with tools.database.transaction() as session:
        row = session.get_one(Series, series.id)
        if invited and row.invited_at is None:
            row.invited_at = now
            announce(session, Event.SERIES_INVITED, {"series_id": row.id, "pod_id": row.pod_id}, row.pod.program_id)
        record_link(row, event.join_url, now=now)
        for attendee in row.attendees:
            if attendee.participant_id is not None:
                is_on_it = attendee.address.lower() in on_it
                may_be = tools.settings.may_mail(attendee.address)
                attendee.held = attendee.is_wanted and not is_on_it and not may_be
                note_presence(attendee, is_on_it, now=now)
