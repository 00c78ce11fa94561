"""Joining and leaving pods: the invitations of those who stay are not touched."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import outbox
from integration.outbox import Task
from integration.people.models import Person
from integration.people.people import record_departure
from integration.scheduling.models import Occurrence, Pod, PodMember, Series, SeriesAttendee
from integration.scheduling.rotation import rotation


def leave(session: Session, person: Person, *, at: datetime) -> None:
    """Somebody leaves the company: no more pods, invitations or turns. Leaving twice is harmless."""
    record_departure(session, person, at=at)
    memberships = session.scalars(
        select(PodMember).where(PodMember.participant_id == person.participant_id, PodMember.left_at.is_(None))
    )
    for member in memberships.all():
        leave_pod(session, member, at=at)


def leave_pod(session: Session, member: PodMember, *, at: datetime) -> None:
    """Somebody leaves one pod: they are taken off its future meetings, their turns go to the others."""
    member.left_at = member.left_at or at
    session.flush()
    for series in running(member.pod, at=at):
        for attendee in series.attendees:
            if attendee.participant_id == member.participant_id and attendee.is_wanted:
                attendee.is_wanted = False
                outbox.add(session, Task.SERIES_PUSH, series.id)
        rotate_again(series, at=at)


def join_pod(session: Session, pod: Pod, person: Person, *, now: datetime) -> None:
    """Somebody joins a pod (again): they alone are invited to what is left of it. Joining twice is harmless."""
    member = next((one for one in pod.members if one.participant_id == person.participant_id), None)
    if member is None:
        pod.members.append(PodMember(participant_id=person.participant_id, joined_at=now))
    else:
        member.left_at = None
    session.flush()
    for series in running(pod, at=now):
        want(series, person)
        outbox.add(session, Task.SERIES_PUSH, series.id)


def rotate_again(series: Series, *, at: datetime) -> None:
    """Share out future turns among those who are still in the pod.

    The table in the invitation stays as it was sent: rewriting it would cost everybody a mail. The guide of the day
    before goes to whoever it is now.
    """
    here = [member.participant_id for member in series.pod.members if member.left_at is None]
    future = [one for one in series.occurrences if one.starts_at > at and one.cancelled_at is None]
    if all(one.facilitator_id in here for one in future):
        return
    past = [one.facilitator_id for one in series.occurrences if one.starts_at <= at]
    turns = rotation(here, len(future), past=past)
    for place, occurrence in enumerate(future):
        occurrence.facilitator_id = turns[place] if turns else None


def exceptions_to_come(series: Series, *, at: datetime) -> list[Occurrence]:
    """The meetings that have attendees of their own in Outlook, as far as it was read: each costs a mail more."""
    return [one for one in series.occurrences if one.is_exception and one.ends_at > at and one.cancelled_at is None]


def running(pod: Pod, *, at: datetime) -> list[Series]:
    """The pod's series that are wanted and not over."""
    return [
        series
        for series in pod.series
        if series.cancel_wanted_at is None and any(occurrence.ends_at > at for occurrence in series.occurrences)
    ]


def want(series: Series, person: Person) -> None:
    """Want somebody on the series; someone who was forwarded to it before becomes one of us."""
    known = {attendee.address: attendee for attendee in series.attendees}
    attendee = known.get(person.mail)
    if attendee is None:
        attendee = SeriesAttendee(address=person.mail)
        series.attendees.append(attendee)
    attendee.participant_id, attendee.is_wanted = person.participant_id, True
