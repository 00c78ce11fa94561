"""Asking for a plan: a page does not wait for calendars, a worker reads them and fills the plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration import outbox
from integration.language import Wording
from integration.outbox import Message, State, Task
from integration.scheduling.models import Plan, Program, Series
from integration.scheduling.programs import lock_program


@dataclass(frozen=True)
class Progress:
    """How far the workers are with the series of a plan. ``created``: they exist, and nobody is invited yet."""

    series: int
    created: int
    invited: int
    in_trouble: int
    undone: bool = False  # then the series are being cancelled, and ``cancelled`` counts
    cancelled: int = 0

    @property
    def done(self) -> int:
        return self.cancelled if self.undone else self.invited

    @property
    def is_over(self) -> bool:
        return self.done + self.in_trouble >= self.series


def ask_for_plan(session: Session, program: Program, *, now: datetime) -> Plan:
    """A plan that a worker is going to draft; while one is being drafted, asking again gives the same one."""
    plan = open_plan(session, program, now=now)
    outbox.add(session, Task.PLAN_DRAFT, plan.id)
    return plan


def open_plan(session: Session, program: Program, *, now: datetime) -> Plan:
    """The plan of this program that is being drafted, begun if there is none; the caller sees to its drafting."""
    lock_program(session, program.id)
    drafting = select(Plan).where(Plan.program_id == program.id, Plan.state == "drafting")
    plan = session.scalar(drafting.order_by(Plan.id))
    if plan is None:
        plan = Plan(program=program, made_at=now, state="drafting", content={})
        session.add(plan)
        session.flush()
    return plan


def record_failure(session: Session, plan: Plan, *, message: Wording, remedy: Wording) -> None:
    """Note on a plan why it could not be drafted. One that is drafted by now stays as it is."""
    if plan.state == "drafting":
        plan.state, plan.trouble, plan.remedy = "failed", message, remedy


def failing_message(session: Session, plan: Plan) -> Message | None:
    """The wish to draft a plan, if it has not worked so far: it waits for another try, or is parked for a person."""
    return session.scalar(
        select(Message)
        .where(Message.task == Task.PLAN_DRAFT, Message.subject == str(plan.id), Message.state != State.DONE)
        .where(Message.last_error.is_not(None))
        .order_by(Message.id.desc())
        .limit(1)
    )


def progress_of(session: Session, plan_id: int) -> Progress:
    """How far the workers are with a plan, counted by the database."""
    undone = session.scalar(select(Plan.undone_at).where(Plan.id == plan_id)) is not None
    is_done = Series.cancelled_at if undone else Series.invited_at
    wanted = Series.cancel_wanted_at.is_not(None) if undone else Series.cancel_wanted_at.is_(None)
    counted = select(
        func.count(),
        func.count(Series.created_at),
        func.count(Series.invited_at),
        func.count(Series.trouble).filter(is_done.is_(None)),
        func.count(Series.cancelled_at),
    ).where(Series.plan_id == plan_id, wanted)
    series, created, invited, in_trouble, cancelled = session.execute(counted).one()
    return Progress(series, created, invited, in_trouble, undone=undone, cancelled=cancelled)
