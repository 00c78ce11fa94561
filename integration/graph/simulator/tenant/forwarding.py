"""Somebody hands an invitation on: the newcomer is asked, the organizer is told (Outlook's forward notification)."""

from dataclasses import replace
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from .directory import Person
from .events import Attendee, Event
from .invitations import invite_for
from .refusals import Refused, item_not_found
from .responses import day_of, invited_as

if TYPE_CHECKING:
    from .calendars import Calendars


def forward(
    calendars: "Calendars",
    person: Person,
    *,
    uid: str,
    to: str,
    occurrence_start: datetime | None = None,
    comment: str = "",
) -> None:
    """The series, or one occurrence. Raises Refused: 404 unless the person organizes it or is invited, 400 for an
    address that is none."""
    event = calendars.organized(uid)
    if event is None:
        raise item_not_found()
    if "@" not in to:
        raise Refused(400, "ErrorInvalidRecipients", f"{to!r} is no address.")
    day = day_of(event, occurrence_start)
    if person is not event.owner:
        invited_as(event, day, person)
    known = calendars.tenant.directory.by_address(to)
    newcomer = Attendee(address=to, name=known.name if known else to, type="required")
    content = event.at(day) if day else event.content
    is_new = content.attendee(to) is None
    invite_for(calendars, newcomer, event, day=day, sender=person, comment=comment)
    if is_new and day is None and calendars.tenant.switches.forwarded_people_are_added:
        event.content = replace(event.content, attendees=(*event.content.attendees, newcomer))
        calendars.touch(event)
    if person is not event.owner:
        _tell_organizer(calendars, event, person, newcomer, subject=content.subject)


def _tell_organizer(
    calendars: "Calendars", event: Event, person: Person, newcomer: Attendee, *, subject: str
) -> None:
    body = (
        f"<html><body><p>Your meeting was forwarded.</p><p>{escape(person.name)} has forwarded your meeting request "
        f"to additional recipients.</p><p>Meeting: {escape(subject)}</p><p>Recipients: {escape(newcomer.name)} "
        f"&lt;{escape(newcomer.address)}&gt;</p></body></html>"
    )
    calendars.tenant.mailboxes.deliver(
        event.owner.mail,
        sender=person,
        subject=f"Meeting Forward Notification: {subject}",
        body_html=body,
        kind="meetingForwarded",
        event_uid=event.uid,
        recurring=event.recurrence is not None,
    )
