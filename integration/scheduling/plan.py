"""Plan, apply, undo: what would be done for a program, done as one batch, undone as one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration import outbox
from integration.errors import Conflict
from integration.outbox import Task
from integration.people.models import Person
from integration.scheduling import planned
from integration.scheduling.drafting import Frame, Member, ScheduleLike, availability_of, draft_pods
from integration.scheduling.models import Plan, Pod, PodMember, Program, Series
from integration.scheduling.organizers import open_series, share_out
from integration.scheduling.programs import people_without_pod
from integration.scheduling.recurrence import parse_holidays
from integration.scheduling.series import schedule_pod, want_cancelled
from integration.scheduling.slots import pod_zone

REMEDY = "Make a new plan, look at it and apply that one."


@dataclass(frozen=True)
class Undoing:
    """What undoing a plan does, or did: cancellation mails per address, how many meetings are past."""

    series: int
    cancellations: Mapping[str, int]
    meetings_past: int
    held_back: tuple[str, ...]  # outside MAIL_ALLOWLIST: never invited, so nothing is cancelled for them


def make_plan(
    session: Session,
    program: Program,
    schedules: Mapping[str, ScheduleLike],
    *,
    now: datetime,
    organizers: Sequence[str],
    may_mail: Callable[[str], bool] = lambda _address: True,
) -> Plan:
    """Plan pods for the members of ``program`` who have none; nothing happens until the plan is applied.

    ``schedules`` are free/busy by lower-case mail, for the first weeks. Raises SettingRefused without organizers.
    """
    people = people_without_pod(session, program, on=max(program.starts_on, now.date()))
    _learn_zones(people, schedules)
    members = _members(people, schedules)
    drafts = draft_pods(members, _frame(session, program, now=now))
    pools = share_out(len(drafts), organizers=organizers, having=open_series(session))
    content = planned.content(program, drafts, people=members, organizers=pools, may_mail=may_mail)
    plan = Plan(program=program, made_at=now, content=content)
    session.add(plan)
    session.flush()
    return plan


def apply_plan(session: Session, plan: Plan, *, now: datetime) -> list[Series]:
    """Make the plan's pods and series; the workers then create and invite. Applied before: the same series again.

    Raises Conflict when the plan was undone, or no longer fits what is true.
    """
    _lock(session, plan)
    if plan.undone_at is not None:
        raise Conflict(f"Plan {plan.id} was undone on {plan.undone_at:%d %B %Y}.", remedy=REMEDY)
    if plan.applied_at is not None:
        return series_of(session, plan)
    people = _people(session, plan)
    _refuse_stale(session, plan, people, now=now)
    for pod in plan.content["pods"]:
        if pod["starts_local"] is not None:
            schedule_pod(session, plan, pod, people=people, now=now)
    plan.applied_at = now
    session.flush()
    series = series_of(session, plan)
    for one in series:
        outbox.add(session, Task.SERIES_PUSH, one.id)
    return series


def undo_plan(session: Session, plan: Plan, *, now: datetime) -> Undoing:
    """Want everything cancelled that the plan made; its people can be planned again. Undone before: changes nothing.

    Raises Conflict when the plan was never applied.
    """
    _lock(session, plan)
    if plan.applied_at is None:
        raise Conflict(f"Plan {plan.id} was not applied.", remedy="There is nothing to undo.")
    undoing = preview_undo(session, plan, now=now)
    if plan.undone_at is not None:
        return undoing
    for series in series_of(session, plan):
        want_cancelled(session, series, now=now)
    plan.undone_at = now
    session.flush()
    return undoing


def preview_undo(session: Session, plan: Plan, *, now: datetime) -> Undoing:
    """The side effects of undoing a plan now, for somebody to read first."""
    mails: dict[str, int] = {}
    held: list[str] = []
    series = [one for one in series_of(session, plan) if one.cancel_wanted_at is None]
    for one in series:
        ours = [attendee for attendee in one.attendees if attendee.is_wanted]
        held += [attendee.address for attendee in ours if attendee.held]
        for attendee in ours if one.invited_at else ():
            if not attendee.held:
                mails[attendee.address] = mails.get(attendee.address, 0) + 1
    past = sum(occurrence.ends_at <= now for one in series for occurrence in one.occurrences)
    return Undoing(len(series), mails, past, tuple(held))


def series_of(session: Session, plan: Plan) -> list[Series]:
    """The series that a plan made."""
    return list(session.scalars(select(Series).where(Series.plan_id == plan.id).order_by(Series.id)))


def _learn_zones(people: Sequence[Person], schedules: Mapping[str, ScheduleLike]) -> None:
    """Outlook knows the zone of people for whom the roster has none."""
    for person in people:
        schedule = schedules.get(person.mail)
        hours = schedule.working_hours if schedule else None
        if person.time_zone is None and hours is not None:
            person.time_zone = hours.time_zone


def _members(people: Sequence[Person], schedules: Mapping[str, ScheduleLike]) -> list[Member]:
    known = [
        availability_of(one.mail, None, time_zone=one.time_zone, fallback="UTC") for one in people if one.time_zone
    ]
    fallback = pod_zone(known) if known else "UTC"
    return [
        Member(
            person.mail,
            person.name,
            person.department,
            availability_of(person.mail, schedules.get(person.mail), time_zone=person.time_zone, fallback=fallback),
        )
        for person in people
    ]


def _frame(session: Session, program: Program, *, now: datetime) -> Frame:
    pods = session.scalar(select(func.count()).select_from(Pod).where(Pod.program_id == program.id)) or 0
    return Frame(
        size=program.pod_size,
        sessions=program.weeks,
        length=program.length,
        not_before=max(program.starts_on, now.date()),
        now=now,
        holidays=parse_holidays(program.holidays),
        first_number=pods + 1,
    )


def _lock(session: Session, plan: Plan) -> None:
    """One at a time per program: two plans of it must not put the same people into two pods."""
    session.scalar(select(Program.id).where(Program.id == plan.program_id).with_for_update())
    session.refresh(plan)


def _people(session: Session, plan: Plan) -> dict[str, Person]:
    mails = [mail for pod in plan.content["pods"] for mail in pod["members"]]
    return {person.mail: person for person in session.scalars(select(Person).where(Person.mail.in_(mails)))}


def _refuse_stale(session: Session, plan: Plan, people: Mapping[str, Person], *, now: datetime) -> None:
    for pod in plan.content["pods"]:
        gone = [mail for mail in pod["members"] if mail not in people or not people[mail].is_here]
        if gone:
            raise Conflict(f"Plan {plan.id} is out of date: {gone[0]} is no longer here.", remedy=REMEDY)
        if pod["starts_at"] is not None and datetime.fromisoformat(pod["starts_at"]) <= now:
            raise Conflict(f"Plan {plan.id} is out of date: {pod['name']} would have begun already.", remedy=REMEDY)
    taken = session.scalar(_taken(plan, people))
    if taken is not None:
        raise Conflict(f"Plan {plan.id} is out of date: somebody in it is in a pod by now.", remedy=REMEDY)


def _taken(plan: Plan, people: Mapping[str, Person]) -> Any:
    participants = [person.participant_id for person in people.values()]
    return (
        select(PodMember.id)
        .join(Pod)
        .where(Pod.program_id == plan.program_id, PodMember.left_at.is_(None))
        .where(PodMember.participant_id.in_(participants))
        .limit(1)
    )
