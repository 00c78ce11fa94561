"""Answers of attendees: on their own copy, as mail to the organizer, and on the organizer's copy."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from html import escape
from typing import TYPE_CHECKING, Literal

from .directory import Person
from .events import Attendee, Event, Exceptional
from .refusals import Refused, item_not_found

if TYPE_CHECKING:
    from .calendars import Calendars

Answer = Literal["accept", "decline", "tentativelyAccept"]
RESPONSES: dict[Answer, str] = {
    "accept": "accepted",
    "decline": "declined",
    "tentativelyAccept": "tentativelyAccepted",
}
SUBJECTS: dict[Answer, str] = {
    "accept": "Accepted: ",
    "decline": "Declined: ",
    "tentativelyAccept": "Tentative: ",
}
Times = tuple[datetime, datetime]


def reply(
    calendars: "Calendars",
    person: Person | str,
    *,
    uid: str,
    response: Answer,
    occurrence_start: datetime | None,
    comment: str,
    proposed: Times | None,
    send: bool,
) -> None:
    """See Calendars.reply. Without `send` only the attendee's own copy knows of the answer."""
    event = calendars.organized(uid)
    if event is None:
        raise item_not_found()
    day = day_of(event, occurrence_start)
    invited = invited_as(event, day, person)
    _check_proposal(event, response, proposed)
    now = calendars.tenant.clock.now()
    if isinstance(person, Person):
        _write_down(calendars, person, event, day, response)
    if not send:
        return
    given = replace(invited, response=RESPONSES[response], responded_at=now, proposed=proposed)
    _deliver(calendars, person, given, event, day, response, comment)
    if _processed(calendars, person):
        _record(calendars, event, day, given)


def day_of(event: Event, occurrence_start: datetime | None) -> date | None:
    """The day of an occurrence by its start, planned or real; None for the series. Raises Refused (404)."""
    if occurrence_start is None or event.recurrence is None:
        return None
    for view in event.views(until=occurrence_start + timedelta(days=1)):
        if occurrence_start in (view.original_start_at, view.starts_at):
            return view.day
    raise item_not_found()


def invited_as(event: Event, day: date | None, person: Person | str) -> Attendee:
    """The entry of a person in the attendee list. Raises Refused (404) for somebody who is not invited."""
    content = event.at(day) if day else event.content
    addresses = person.addresses if isinstance(person, Person) else (person,)
    for address in addresses:
        found = content.attendee(address)
        if found is not None:
            return found
    raise item_not_found()


def _check_proposal(event: Event, response: Answer, proposed: Times | None) -> None:
    if proposed is None:
        return
    if response == "accept":
        raise Refused(400, "ErrorInvalidRequest", "A new time can be proposed with a tentative answer or a decline.")
    if event.content.get("allowNewTimeProposals", True) is False:
        message = "The meeting organizer has disallowed proposing a new time for this meeting."
        raise Refused(400, "ErrorInvalidRequest", message)


def _write_down(calendars: "Calendars", person: Person, event: Event, day: date | None, response: Answer) -> None:
    gone = response == "decline" and calendars.tenant.switches.declined_meetings_leave_the_calendar
    now, word = calendars.tenant.clock.now(), RESPONSES[response]
    for copy in calendars.copies(person, event.uid):
        if day is None or copy.only_day == day:
            copy.response, copy.responded_at, copy.hidden = word, now, gone
            calendars.touch(copy)
        elif copy.only_day is None:
            held = copy.exceptions.get(day) or Exceptional({}, by_reply=True)
            copy.exceptions[day] = replace(held, response=word, responded_at=now, hidden=gone)
            calendars.touch(copy, day)


def _deliver(
    calendars: "Calendars",
    person: Person | str,
    given: Attendee,
    event: Event,
    day: date | None,
    response: Answer,
    comment: str,
) -> None:
    content = event.at(day) if day else event.content
    opening = "New Time Proposed: " if given.proposed else SUBJECTS[response]
    calendars.tenant.mailboxes.deliver(
        event.owner.mail,
        sender=person if isinstance(person, Person) else _stranger(given),
        subject=opening + content.subject,
        body_html=f"<html><body>{escape(comment)}</body></html>",
        kind="meetingResponse",
        event_uid=event.uid,
        occurrence_start=event.planned_start(day) if day else None,
        response=given.response,
        proposed=given.proposed,
        recurring=event.recurrence is not None,
    )


def _stranger(given: Attendee) -> Person:
    """Somebody outside the organization, as the sender of a mail."""
    return Person(
        id=given.address,
        mail=given.address,
        name=given.name or given.address,
        given_name="",
        surname="",
        job_title=None,
        department=None,
        manager_id=None,
        language="en",
        time_zone="UTC",
        working_days=(),
        work_starts=time(9),
        work_ends=time(17),
        exchange=False,
        teams=False,
    )


def _processed(calendars: "Calendars", person: Person | str) -> bool:
    switches = calendars.tenant.switches
    if isinstance(person, str) and not switches.external_replies_are_processed:
        return False
    return switches.replies_are_processed


def _record(calendars: "Calendars", event: Event, day: date | None, given: Attendee) -> None:
    if day is None:
        event.content = replace(event.content, attendees=_with(event.content.attendees, given))
        calendars.touch(event)
        return
    marked = calendars.tenant.switches.reply_to_one_occurrence_makes_an_exception
    held = event.exceptions.get(day) or Exceptional({}, by_reply=True, unmarked=not marked)
    overrides = {**held.overrides, "attendees": _with(event.at(day).attendees, given)}
    event.exceptions[day] = replace(held, overrides=overrides)
    calendars.touch(event, day)


def _with(attendees: tuple[Attendee, ...], given: Attendee) -> tuple[Attendee, ...]:
    folded = given.address.casefold()
    return tuple(given if one.address.casefold() == folded else one for one in attendees)
