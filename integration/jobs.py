"""The table of contents of the system: which task is done by which function, and which duties fall due by the clock.

``drain`` is what RQ calls when the doorbell rings; ``tick`` is what the scheduler does again and again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.attendance import jobs as attendance
from integration.clock import real_now
from integration.delivery import Shift, patience_of, sweep
from integration.duties import Duty
from integration.feedback import jobs as feedback
from integration.log import get_logger
from integration.mail import jobs as mail
from integration.outbox import Message, State, Task, forget_done
from integration.people import jobs as people
from integration.scheduling import jobs as scheduling
from integration.summaries import jobs as summaries
from integration.tools import Tools, tools_of_this_process
from integration.webhooks import jobs as webhooks
from integration.webhooks import registry

log = get_logger(__name__)
RUNG_FOR = timedelta(seconds=1)
STOP = threading.Event()  # set when this process has been told to leave: finish what is claimed, take no more


HANDLERS: dict[Task, Callable[[Tools, int], None]] = {
    Task.PLAN_APPLY: scheduling.apply_plan,
    Task.PLAN_UNDO: scheduling.undo_plan,
    Task.SERIES_PUSH: scheduling.push_series,
    Task.SERIES_CANCEL: scheduling.cancel_series,
    Task.SERIES_PULL: scheduling.pull_series,
    Task.GUIDE_SEND: scheduling.send_guide,
    Task.OCCURRENCE_FREEZE: scheduling.freeze_occurrence,
    Task.OCCURRENCE_COLLECT: attendance.collect_attendance,
    Task.OCCURRENCE_ASK: feedback.ask_feedback,
    Task.OCCURRENCE_ASK_MET: feedback.ask_met,
    Task.MAIL_SEND: mail.send_mail,
    Task.SUMMARY_COMPILE: summaries.compile_summary,
    Task.PERSON_RESOLVE: people.resolve_person,
    Task.SUBSCRIPTION_ENSURE: webhooks.ensure_subscription,
    Task.MAILBOX_SWEEP: webhooks.sweep_mailbox,
}

DUTIES: tuple[Duty, ...] = (
    *people.DUTIES,
    *scheduling.DUTIES,
    *webhooks.DUTIES,
    *attendance.DUTIES,
    *feedback.DUTIES,
    *mail.DUTIES,
    *summaries.DUTIES,
)


def drain(tools: Tools | None = None) -> int:
    """Work on everything that is due, several things at once; returns how many messages were worked on."""
    tools = tools or tools_of_this_process()
    worked = Shift(tools, HANDLERS).work(STOP)
    ring_if_waiting(tools)
    return worked


def begin(tools: Tools) -> None:
    """Ask for what every organizer mailbox needs, such as its subscription; harmless at every start."""
    with tools.database.transaction() as session:
        registry.begin(session, tools.settings, tools.clock.now())


def tick(tools: Tools) -> int:
    """Do what has fallen due, take back what dead workers held, and ring if something waits; returns what was done.

    A duty that breaks does not keep the others from being done: its error is logged, and raised when all have run.
    """
    done, broken = sweep(tools.database, patience_of(tools)), []
    now = tools.clock.now()
    with tools.database.reading() as session:
        dates = _due_dates(session)
    for duty in (duty for duty, due_at in zip(DUTIES, dates, strict=True) if due_at is not None and due_at <= now):
        try:
            done += duty.run(tools, now)
        except Exception as error:
            log.exception("duty broke", duty=duty.name)
            broken.append(error)
    ring_if_waiting(tools)
    if broken:
        raise ExceptionGroup("duties broke", broken)
    return done


def next_due_at(session: Session) -> datetime | None:
    """The earliest instant, of the clock that can be moved, at which some duty has work to do."""
    return min((due_at for due_at in _due_dates(session) if due_at is not None), default=None)


def ring_if_waiting(tools: Tools) -> None:
    """Ring for messages that have been due for a while: this finds what was lost with the queue.

    Those that have just become due were rung for when they were committed; a second ring would only be in the way.
    """
    due = select(func.count()).where(Message.state == State.WAITING, Message.due_at <= real_now() - RUNG_FOR)
    with tools.database.reading() as session:
        waiting = session.scalar(due) or 0
    if waiting:
        tools.doorbell.ring()


def is_quiet(tools: Tools) -> bool:
    """Whether nothing waits, is claimed or rings: the moment at which a demonstration may move its clock."""
    wanted = select(func.count()).where(Message.state.in_([State.WAITING, State.CLAIMED]))
    with tools.database.reading() as session:
        if session.scalar(wanted):
            return False
    try:
        return not tools.doorbell.is_ringing()
    except RedisError:
        return True


def tidy(tools: Tools) -> None:
    """Forget what was done long ago."""
    with tools.database.transaction() as session:
        forget_done(session)


def _due_dates(session: Session) -> tuple[datetime | None, ...]:
    """When each duty is next due, in the order of DUTIES, asked for in one question: this runs every second."""
    return tuple(session.execute(select(*(duty.due.scalar_subquery() for duty in DUTIES))).one())
