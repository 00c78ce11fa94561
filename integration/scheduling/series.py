"""What may happen to a series in our own rows; the workers then make Outlook agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from integration import outbox
from integration.outbox import Task
from integration.people.models import Participant, Person
from integration.scheduling.dues import collect_due, guide_due
from integration.scheduling.invitation import Invitation, Turn, body_html, shared_language
from integration.scheduling.models import Occurrence, Plan, Pod, PodMember, Program, Series, SeriesAttendee
from integration.scheduling.recurrence import Expansion, PlannedOccurrence, expand, parse_holidays


def schedule_pod(
    session: Session, plan: Plan, shown: Mapping[str, Any], *, people: Mapping[str, Person], now: datetime
) -> Series:
    """Make a pod of a plan with its series, attendees and occurrences. ``people`` are by mail."""
    program = plan.program
    members = [people[mail] for mail in shown["members"]]
    pod = Pod(program=program, name=shown["name"], time_zone=shown["time_zone"])
    pod.members = [PodMember(participant_id=person.participant_id, joined_at=now) for person in members]
    meetings = meetings_of(program, datetime.fromisoformat(shown["starts_local"]), time_zone=pod.time_zone)
    facilitators = [people[mail] for mail in shown["facilitators"]]
    series = Series(
        pod=pod,
        plan_id=plan.id,
        organizer=shown["organizer"],
        subject=f"{program.name}: {pod.name}",
        starts_local=datetime.fromisoformat(shown["starts_local"]),
        time_zone=pod.time_zone,
        minutes=program.minutes,
        count=meetings.weeks,
        wanted_at=now,
        invitation_html=body_html(_invitation(program, pod, members, meetings=meetings, facilitators=facilitators)),
    )
    held = plan.content["held"]
    series.attendees = [
        SeriesAttendee(participant_id=person.participant_id, address=person.mail, held=person.mail in held)
        for person in members
    ]
    series.occurrences = [
        occurrence_of(meeting, time_zone=pod.time_zone, facilitator=person)
        for meeting, person in zip(meetings.occurrences, facilitators, strict=True)
    ]
    session.add(series)
    session.flush()
    return series


def single_like(
    series: Series, *, starts_local: datetime, minutes: int, facilitator: Participant | None, now: datetime
) -> Series:
    """A series of one meeting for the same people of the pod, by the same organizer; not added to the session yet."""
    pod, length = series.pod, timedelta(minutes=minutes)
    meetings = expand(starts_local, time_zone=series.time_zone, length=length, sessions=1)
    members = [one.participant.person for one in pod.members if one.left_at is None and one.participant.person]
    person = facilitator.person if facilitator is not None else None
    invitation = _invitation(pod.program, pod, members, meetings=meetings, facilitators=[person])
    return Series(
        pod=pod,
        plan_id=series.plan_id,
        organizer=series.organizer,
        subject=series.subject,
        starts_local=starts_local,
        time_zone=series.time_zone,
        minutes=minutes,
        count=meetings.weeks,
        wanted_at=now,
        invitation_html=body_html(replace(invitation, minutes=minutes, time_zone=series.time_zone)),
        attendees=[
            SeriesAttendee(participant_id=one.participant_id, address=one.address, held=one.held)
            for one in series.attendees
            if one.is_wanted and one.participant_id is not None
        ],
        occurrences=[
            occurrence_of(meeting, time_zone=series.time_zone, facilitator=person) for meeting in meetings.occurrences
        ],
    )


def meetings_of(program: Program, starts_local: datetime, *, time_zone: str) -> Expansion:
    """The meetings of a pod of this program that begins at this wall clock."""
    return expand(
        starts_local,
        time_zone=time_zone,
        length=program.length,
        sessions=program.weeks,
        holidays=parse_holidays(program.holidays),
    )


def occurrence_of(meeting: PlannedOccurrence, *, time_zone: str, facilitator: Person | None) -> Occurrence:
    return Occurrence(
        number=meeting.number,
        original_start_at=meeting.starts_at,
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        facilitator_id=facilitator.participant_id if facilitator else None,
        guide_due_at=guide_due(meeting.starts_at, time_zone),
        freeze_due_at=meeting.starts_at,
        collect_due_at=collect_due(meeting.ends_at),
    )


def want_cancelled(session: Session, series: Series, *, now: datetime) -> None:
    """Want the series gone; meetings that have ended stay as they are. Wanted before: changes nothing."""
    if series.cancel_wanted_at is not None:
        return
    series.cancel_wanted_at = now
    for occurrence in series.occurrences:
        if occurrence.ends_at > now:
            cancel_occurrence(occurrence, at=now)
    session.execute(
        update(PodMember).where(PodMember.pod_id == series.pod_id, PodMember.left_at.is_(None)).values(left_at=now)
    )
    outbox.add(session, Task.SERIES_CANCEL, series.id)


def cancel_occurrence(occurrence: Occurrence, *, at: datetime) -> None:
    """Note that a meeting does not take place: nothing falls due for it any more."""
    occurrence.cancelled_at = occurrence.cancelled_at or at
    occurrence.guide_due_at = occurrence.freeze_due_at = occurrence.collect_due_at = None


def move_occurrence(occurrence: Occurrence, *, starts_at: datetime, ends_at: datetime) -> None:
    """Note that a meeting is at another time; what has not fallen due yet moves along."""
    if (occurrence.starts_at, occurrence.ends_at) == (starts_at, ends_at):
        return
    occurrence.starts_at, occurrence.ends_at = starts_at, ends_at
    if occurrence.guide_due_at is not None:
        occurrence.guide_due_at = guide_due(starts_at, occurrence.series.time_zone)
    if occurrence.frozen_at is None:
        occurrence.freeze_due_at = starts_at
    if occurrence.collect_attempts == 0 and occurrence.attendance == "pending":
        occurrence.collect_due_at = collect_due(ends_at)


def _invitation(
    program: Program, pod: Pod, members: list[Person], *, meetings: Expansion, facilitators: Sequence[Person | None]
) -> Invitation:
    turns = zip(meetings.occurrences, facilitators, strict=True)
    return Invitation(
        pod=pod.name,
        purpose=program.outcome,
        agenda=program.agenda,
        minutes=program.minutes,
        time_zone=pod.time_zone,
        members=tuple(person.name for person in members),
        turns=tuple(Turn(meeting.starts_local, person.name if person else None) for meeting, person in turns),
        language=shared_language(person.language for person in members),
    )
