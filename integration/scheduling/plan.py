"""Plan, apply, undo: what would be done for a program, done as one batch, undone as one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, selectinload

from integration import outbox
from integration.announcing.announcements import Event, announce
from integration.errors import Conflict
from integration.formats import day
from integration.language import gettext as _
from integration.language import lazy
from integration.outbox import Task
from integration.people.models import Person
from integration.scheduling import planned
from integration.scheduling.drafting import Frame, Member, ScheduleLike, availability_of, draft_pods
from integration.scheduling.models import Plan, Pod, PodMember, Program, ProgramMember, Series
from integration.scheduling.organizers import open_series, share_out
from integration.scheduling.programs import lock_program, people_without_pod
from integration.scheduling.recurrence import parse_holidays
from integration.scheduling.series import schedule_pod, want_cancelled
from integration.scheduling.slots import pod_zone

REMEDY = lazy("Make a new plan, look at it and apply that one.")


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
    mails_per_minute: int = 30,
) -> Plan:
    """Plan pods for the members of ``program`` who have none; nothing happens until the plan is applied.

    ``schedules`` are free/busy by lower-case mail, for the first weeks; ``organizers`` are one mailbox or more.
    """
    plan = Plan(program=program, made_at=now, content={})
    session.add(plan)
    fill_plan(
        session,
        plan,
        schedules,
        now=now,
        organizers=organizers,
        may_mail=may_mail,
        mails_per_minute=mails_per_minute,
    )
    return plan


def fill_plan(
    session: Session,
    plan: Plan,
    schedules: Mapping[str, ScheduleLike],
    *,
    now: datetime,
    organizers: Sequence[str],
    may_mail: Callable[[str], bool],
    mails_per_minute: int,
) -> None:
    """Write into a plan what would be done, from what is true now; then it is ready. See ``make_plan``."""
    program = plan.program
    people = people_without_pod(session, program, on=max(program.starts_on, now.date()))
    _learn_zones(people, schedules)
    members = _members(people, schedules)
    drafts = draft_pods(members, _frame(session, program, now=now))
    pools = share_out(len(drafts), organizers=organizers, having=open_series(session))
    content = planned.content(
        program, drafts, people=members, organizers=pools, may_mail=may_mail, mails_per_minute=mails_per_minute
    )
    plan.content = {**content, "asked": planned.asked(program)}
    plan.state, plan.made_at, plan.trouble, plan.remedy = "ready", now, None, None
    session.flush()


def apply_plan(session: Session, plan: Plan, *, now: datetime) -> list[Series]:
    """Make the plan's pods and series; the workers then create and invite. Applied before: the same series again.

    Raises Conflict when the plan is not ready, was undone, or no longer fits what is true.
    """
    lock_plan(session, plan)
    if plan.state != "ready":
        raise Conflict(
            lazy("Plan %(plan)s is not ready.", plan=plan.id),
            remedy=lazy("Wait until it is drafted, or make a new plan."),
        )
    if plan.undone_at is not None:
        raise Conflict(
            lazy("Plan %(plan)s was undone on %(day)s.", plan=plan.id, day=day(plan.undone_at)), remedy=str(REMEDY)
        )
    if plan.applied_at is not None:
        return series_of(session, plan)
    reason = stale_reason(session, plan, now=now)
    if reason is not None:
        raise Conflict(
            lazy("Plan %(plan)s is out of date: %(reason)s", plan=plan.id, reason=reason), remedy=str(REMEDY)
        )
    people = _people(session, plan)
    for pod in plan.content["pods"]:
        if pod["starts_local"] is not None:
            schedule_pod(session, plan, pod, people=people, now=now)
    plan.applied_at = now
    session.flush()
    series = series_of(session, plan)
    for one in series:
        outbox.add(session, Task.SERIES_PUSH, one.id)
    announce(session, Event.PLAN_APPLIED, {"plan_id": plan.id, "series": len(series)}, plan.program_id)
    return series


def stale_reason(session: Session, plan: Plan, *, now: datetime) -> str | None:
    """Why a ready plan can no longer be applied, in words; None when it still fits what is true."""
    if session.scalar(_taken(plan)) is not None:
        return _("somebody in it is in a pod by now.")
    asked = plan.content.get("asked")
    if asked is not None and asked != planned.asked(plan.program):
        return _("the program was changed after the plan was made.")
    return _pods_reason(session, plan, now=now)


def lock_plan(session: Session, plan: Plan) -> None:
    """One at a time per program: two plans of it must not put the same people into two pods. Reads the plan again."""
    lock_program(session, plan.program_id)
    session.refresh(plan)


def undo_plan(session: Session, plan: Plan, *, now: datetime) -> Undoing:
    """Want everything cancelled that the plan made; its people can be planned again. Undone before: changes nothing.

    Raises Conflict when the plan was never applied.
    """
    lock_plan(session, plan)
    undoing = preview_undo(session, plan, now=now)
    if plan.undone_at is not None:
        return undoing
    for series in series_of(session, plan):
        want_cancelled(session, series, now=now)
    plan.undone_at = now
    session.flush()
    announce(session, Event.PLAN_UNDONE, {"plan_id": plan.id, "series": undoing.series}, plan.program_id)
    return undoing


def preview_undo(session: Session, plan: Plan, *, now: datetime) -> Undoing:
    """The side effects of undoing a plan now, to be read first. Raises Conflict when it was never applied."""
    if plan.applied_at is None:
        raise Conflict(lazy("Plan %(plan)s was not applied.", plan=plan.id), remedy=lazy("There is nothing to undo."))
    mails: dict[str, int] = {}
    held: list[str] = []
    running = select(Series).where(Series.plan_id == plan.id, Series.cancel_wanted_at.is_(None))
    whole = selectinload(Series.attendees), selectinload(Series.occurrences)
    series = session.scalars(running.order_by(Series.id).options(*whole)).all()
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


def _people(session: Session, plan: Plan) -> dict[str, Person]:
    mails = [mail for pod in plan.content["pods"] for mail in pod["members"]]
    return {person.mail: person for person in session.scalars(select(Person).where(Person.mail.in_(mails)))}


def _pods_reason(session: Session, plan: Plan, *, now: datetime) -> str | None:
    people, names = _people(session, plan), _pod_names(session, plan)
    taking_part = set(
        session.scalars(select(ProgramMember.participant_id).where(ProgramMember.program_id == plan.program_id))
    )
    for pod in plan.content["pods"]:
        gone = next((mail for mail in pod["members"] if mail not in people or not people[mail].is_here), None)
        if gone is not None:
            return _("%(name)s is no longer here.", name=gone)
        out = next((mail for mail in pod["members"] if people[mail].participant_id not in taking_part), None)
        if out is not None:
            return _("%(name)s takes no part any more.", name=out)
        if pod["starts_at"] is not None and datetime.fromisoformat(pod["starts_at"]) <= now:
            return _("%(pod)s would have begun already.", pod=pod["name"])
        if pod["starts_at"] is not None and pod["name"] in names:
            return _("there is a %(pod)s by now.", pod=pod["name"])
    return None


def _pod_names(session: Session, plan: Plan) -> set[str]:
    return set(session.scalars(select(Pod.name).where(Pod.program_id == plan.program_id)))


def _taken(plan: Plan) -> Select[int]:
    mails = [mail for pod in plan.content["pods"] for mail in pod["members"]]
    return (
        select(PodMember.id)
        .join(Pod)
        .join(Person, Person.participant_id == PodMember.participant_id)
        .where(Pod.program_id == plan.program_id, PodMember.left_at.is_(None), Person.mail.in_(mails))
        .limit(1)
    )
