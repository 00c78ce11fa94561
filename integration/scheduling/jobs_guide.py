"""The facilitator's guide, the day before: what is on the agenda, who comes, how to run it, where to join.

Replies are read just before, and a facilitator who has declined passes the turn to the next person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from integration import outbox
from integration.due import earliest, take_due
from integration.duties import Duty
from integration.graph.errors import NotFound
from integration.graph.resources import Attendee, CalendarEvent, Response
from integration.log import get_logger
from integration.mail.mails import add_mail
from integration.outbox import Task
from integration.people.models import Person
from integration.scheduling.guide import Guest, guide_content
from integration.scheduling.models import Occurrence, Series
from integration.scheduling.reading import open_link, read_occurrence
from integration.scheduling.rotation import rotation
from integration.tools import Tools

log = get_logger(__name__)
KIND = "facilitator-guide"


def send_guide(tools: Tools, occurrence_id: int) -> None:
    """Write the guide for whoever facilitates an occurrence; none for one that is over or not invited to."""
    occurrence = read_occurrence(tools.database, occurrence_id)
    if occurrence is None or occurrence.cancelled_at is not None or occurrence.series.invited_at is None:
        return
    if occurrence.ends_at <= tools.clock.now() or occurrence.event_id is None:
        return
    event = _event(tools, occurrence)
    if event is None or event.is_cancelled:
        return  # the next pull records it
    with tools.database.transaction() as session:
        row = session.get_one(Occurrence, occurrence_id, with_for_update=True)
        _pass_on(row, event.attendees)
        session.flush()
        session.expire(row, ["facilitator"])
        person = row.facilitator.person if row.facilitator else None
        if person is None or not person.is_here:
            return
        content = guide_content(row, person, guests=_guests(row.series, event.attendees), join_url=_link(row, event))
        add_mail(session, kind=KIND, key=str(row.id), person=person, content=content, now=tools.clock.now())
    log.info("guide written", occurrence_id=occurrence_id)


def _event(tools: Tools, occurrence: Occurrence) -> CalendarEvent | None:
    try:
        return tools.graph.calendar.get_event(occurrence.series.organizer, occurrence.event_id or "")
    except NotFound:
        return None


def _pass_on(occurrence: Occurrence, attendees: Sequence[Attendee]) -> None:
    """Give the turn to the next person when whoever has it declined or is no longer in the pod."""
    declined = {one.address.lower() for one in attendees if one.response == Response.DECLINED}
    able = [
        ours.participant_id
        for ours in occurrence.series.attendees
        if ours.participant_id is not None and ours.is_wanted and ours.address.lower() not in declined
    ]
    if occurrence.facilitator_id in able or not able:
        return
    past = [one.facilitator_id for one in occurrence.series.occurrences if one.number < occurrence.number]
    occurrence.facilitator_id = rotation(able, 1, past=past)[0]


def _guests(series: Series, attendees: Sequence[Attendee]) -> list[Guest]:
    """Everybody of ours with their answer to this meeting, by name."""
    answers = {one.address.lower(): one.response for one in attendees}
    people: list[tuple[Person, Response]] = [
        (ours.participant.person, answers[ours.address.lower()])
        for ours in series.attendees
        if ours.is_wanted and ours.participant and ours.participant.person and ours.address.lower() in answers
    ]
    return sorted((Guest(person.name, _said(response)) for person, response in people), key=lambda guest: guest.name)


def _said(response: Response) -> str:
    words = {Response.ACCEPTED: "comes", Response.TENTATIVE: "comes perhaps", Response.DECLINED: "declined"}
    return words.get(response, "no answer yet")


def _link(occurrence: Occurrence, event: CalendarEvent) -> str | None:
    return event.join_url or open_link(occurrence.series)


def _ask(tools: Tools, now: datetime) -> int:
    with tools.database.transaction() as session:
        due = take_due(session, Occurrence.guide_due_at, now=now)
        for occurrence_id in due:
            outbox.add(session, Task.GUIDE_SEND, occurrence_id)
    return len(due)


GUIDE_DUTY = Duty("write the facilitators' guides", earliest(Occurrence.guide_due_at), _ask)
