"""Somebody's address corrected, with what follows for their invitations and mails, told before it is done.

Outlook knows people by their address: a corrected one is another attendee, who is invited, and the old one is taken
off. Nobody else is mailed. Facts, answers and the links in mails hang on the participant and stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration import outbox
from integration.config import Settings
from integration.errors import Conflict, InputRefused, NotThere
from integration.language import lazy
from integration.mail.mails import readdress
from integration.mail.models import HELD, WAITING, Mail
from integration.outbox import Task
from integration.people.addresses import address_for, change_address
from integration.people.models import Person
from integration.scheduling.drift.drifts import left_out
from integration.scheduling.membership import exceptions_to_come, running, want
from integration.scheduling.models import PodMember, Series, SeriesAttendee


@dataclass(frozen=True)
class Correction:
    """What follows: how many series move along, and who is mailed how often because of it.

    ``waiting`` mails go to the new address when they are due; ``held`` ones leave now that there is one.
    """

    old: str
    new: str
    series: int
    invitations: int  # to the new address
    cancellations: int  # to the old one
    waiting: int
    held: int


def preview_correction(
    session: Session, person: Person, text: str, *, settings: Settings, now: datetime
) -> Correction:
    """What follows from another address; nothing is changed. Raises InputRefused for one that cannot be theirs."""
    if not person.is_here:
        raise InputRefused(
            lazy("%(name)s has left the company.", name=person.name), remedy=lazy("Nothing is sent to them any more.")
        )
    mail = address_for(session, person, text, settings=settings)
    if mail == person.mail:
        raise InputRefused(
            lazy("This is their address already."), remedy=lazy("Write the one that they can be reached at.")
        )
    moving = list(_moving(session, person, now=now))
    invited = [(series, row) for series, row in moving if series.invited_at is not None]
    return Correction(
        old=person.mail,
        new=mail,
        series=len(moving),
        invitations=sum(_mails(series, now=now) for series, _ in invited if not _is_on_it(series, mail)),
        cancellations=sum(_mails(series, now=now) for series, row in invited if _is_seen(session, series, row)),
        waiting=_count(session, person, WAITING),
        held=_count(session, person, HELD),
    )


def correct_address(
    session: Session, person_id: int, text: str, *, before: str, settings: Settings, now: datetime
) -> Correction | None:
    """Correct somebody's address; None when it is theirs already, so that a second click does nothing.

    ``before`` is the address that whoever decides has seen. Raises Conflict when it is another one by now, NotThere,
    and InputRefused as ``preview_correction`` does.
    """
    person = session.get(Person, person_id, with_for_update=True)
    if person is None:
        raise NotThere(lazy("person"), person_id)
    if person.mail == text.strip().lower():
        return None
    if person.mail != before:
        raise Conflict(
            lazy(
                "The address of %(name)s was changed meanwhile: it is %(mail)s.", name=person.name, mail=person.mail
            ),
            remedy=lazy("Look whether that is right."),
        )
    correction = preview_correction(session, person, text, settings=settings, now=now)
    moving = list(_moving(session, person, now=now))
    change_address(session, person, correction.new)
    for series, row in moving:
        row.is_wanted = False
        want(series, person)
        outbox.add(session, Task.SERIES_PUSH, series.id)
    readdress(session, person, now=now)
    session.flush()
    return correction


def _moving(session: Session, person: Person, *, now: datetime) -> Iterator[tuple[Series, SeriesAttendee]]:
    """The series that are not over, with the row of the attendee who is to come under another address."""
    wanted = select(PodMember).where(PodMember.participant_id == person.participant_id, PodMember.left_at.is_(None))
    for member in session.scalars(wanted.order_by(PodMember.id)).all():
        for series in running(member.pod, at=now):
            for row in series.attendees:
                if row.participant_id == person.participant_id and row.is_wanted:
                    yield series, row


def _mails(series: Series, *, now: datetime) -> int:
    """Outlook mails once for the series, and once for each meeting that has attendees of its own."""
    return 1 + len(exceptions_to_come(series, at=now))


def _is_seen(session: Session, series: Series, row: SeriesAttendee) -> bool:
    """Whether Outlook has them, so that taking them off tells them."""
    return row.invited_at is not None and (None, row.address) not in left_out(session, series.id)


def _is_on_it(series: Series, mail: str) -> bool:
    """Whether Outlook has this address already: somebody forwarded the series to it, or it was theirs just before."""
    there = (row for row in series.attendees if row.address == mail)
    return any(row.participant_id is None or row.invited_at is not None for row in there)


def _count(session: Session, person: Person, state: str) -> int:
    wanted = select(func.count()).where(Mail.participant_id == person.participant_id, Mail.state == state)
    return session.scalar(wanted) or 0
