"""The facilitator's guide, the day before: what is on the agenda, who comes, how to run it, where to join.

Replies are read just before, and a facilitator who has declined passes the turn to the next person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from integration.asking import duty_to_ask
from integration.config import Settings
from integration.graph.resources import Attendee, CalendarEvent, Response
from integration.language import Lazy, lazy
from integration.log import get_logger
from integration.mail.mails import add_mail
from integration.outbox import Task
from integration.people.models import Person
from integration.scheduling.check_in_link import CheckInTicket, check_in_path
from integration.scheduling.dues import guide_due
from integration.scheduling.guide import CheckInPages, Guest, guide_content
from integration.scheduling.models import Occurrence, Series
from integration.scheduling.reading import open_link, read_occurrence
from integration.scheduling.rotation import rotation
from integration.scheduling.series import move_occurrence
from integration.tools import Tools

log = get_logger(__name__)
KIND = "facilitator-guide"
ANSWERS = {
    Response.ACCEPTED: lazy("comes"),
    Response.TENTATIVE: lazy("comes perhaps"),
    Response.DECLINED: lazy("declined"),
}
NO_ANSWER = lazy("no answer yet")


def send_guide(tools: Tools, occurrence_id: int) -> None:
    """Write the guide for whoever facilitates an occurrence; none for one that is over or not invited to."""
    occurrence = read_occurrence(tools.database, occurrence_id)
    if occurrence is None or occurrence.cancelled_at is not None or occurrence.series.invited_at is None:
        return
    if occurrence.ends_at <= tools.clock.now() or occurrence.event_id is None:
        return
    event = tools.graph.calendar.find_event(occurrence.series.organizer, occurrence.event_id)
    if event is None or event.is_cancelled:
        return  # the next pull records it
    with tools.database.transaction() as session:
        row = session.get_one(Occurrence, occurrence_id, with_for_update=True)
        if _was_moved_away(row, event, now=tools.clock.now()):
            return
        _pass_on(row, event.attendees)
        session.flush()
        session.expire(row, ["facilitator"])
        person = row.facilitator.person if row.facilitator else None
        if person is None or not person.is_here:
            return
        content = guide_content(
            row,
            person,
            guests=_guests(row.series, event.attendees, of=person),
            join_url=_link(row, event),
            check_in=_check_in(row, tools.settings),
        )
        add_mail(session, kind=KIND, key=str(row.id), person=person, content=content, now=tools.clock.now())
    log.info("guide written", occurrence_id=occurrence_id)


def _was_moved_away(occurrence: Occurrence, event: CalendarEvent, *, now: datetime) -> bool:
    """Whether the meeting turns out to be later, so that its guide is not due yet; it is noted as moved then."""
    due_at = guide_due(event.starts_at, occurrence.series.time_zone)
    if (event.starts_at, event.ends_at) == (occurrence.starts_at, occurrence.ends_at) or due_at <= now:
        return False
    occurrence.guide_due_at = due_at
    move_occurrence(occurrence, starts_at=event.starts_at, ends_at=event.ends_at)
    return True


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


def _guests(series: Series, attendees: Sequence[Attendee], *, of: Person) -> list[Guest]:
    """Everybody else of ours with their answer to this meeting, by name."""
    answers = {one.address.lower(): one.response for one in attendees}
    people: list[tuple[Person, Response]] = [
        (ours.participant.person, answers[ours.address.lower()])
        for ours in series.attendees
        if ours.is_wanted and ours.participant and ours.participant.person and ours.address.lower() in answers
        if ours.participant_id != of.participant_id
    ]
    return sorted((Guest(person.name, _said(response)) for person, response in people), key=lambda guest: guest.name)


def _said(response: Response) -> Lazy:
    return ANSWERS.get(response, NO_ANSWER)


def _link(occurrence: Occurrence, event: CalendarEvent) -> str | None:
    return event.join_url or open_link(occurrence.series)


def _check_in(occurrence: Occurrence, settings: Settings) -> CheckInPages | None:
    """Where people check in; nowhere where the program keeps no names."""
    if occurrence.series.pod.program.attendance_detail == "counts only":
        return None
    path, site = check_in_path(CheckInTicket(occurrence.id), secret_key=settings.secret_key), settings.public_url
    return CheckInPages(f"{site.rstrip('/')}{path}/code", f"{site.rstrip('/')}/me/sessions/{occurrence.id}")


GUIDE_DUTY = duty_to_ask("write the facilitators' guides", Occurrence.guide_due_at, Task.GUIDE_SEND)
