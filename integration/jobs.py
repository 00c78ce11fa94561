"""The table of contents of the system: which task is done by which function, and which duties fall due by the clock.

``drain`` is what RQ calls when the doorbell rings; ``tick`` is what the scheduler does again and again.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.clock import real_now
from integration.delivery import Shift, sweep
from integration.duties import Duty
from integration.log import get_logger
from integration.outbox import Message, State, Task, forget_done
from integration.tools import Tools, tools_of_this_process

log = get_logger(__name__)
STOP = threading.Event()  # set when this process has been told to leave: finish what is claimed, take no more


def _present(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


_WANTED: dict[Task, tuple[str, str]] = {
    Task.SERIES_PUSH: ("integration.scheduling.jobs", "push_series"),
    Task.SERIES_CANCEL: ("integration.scheduling.jobs", "cancel_series"),
    Task.SERIES_PULL: ("integration.scheduling.jobs", "pull_series"),
    Task.OCCURRENCE_FREEZE: ("integration.scheduling.jobs", "freeze_occurrence"),
    Task.PLAN_APPLY: ("integration.scheduling.jobs", "apply_plan"),
    Task.PLAN_UNDO: ("integration.scheduling.jobs", "undo_plan"),
    Task.GUIDE_SEND: ("integration.scheduling.jobs", "send_guide"),
    Task.PERSON_RESOLVE: ("integration.people.jobs", "resolve_person"),
    Task.SUBSCRIPTION_ENSURE: ("integration.webhooks.jobs", "ensure_subscription"),
    Task.MAILBOX_SWEEP: ("integration.webhooks.jobs", "sweep_mailbox"),
    Task.MAILBOX_READ: ("integration.webhooks.jobs", "read_mailbox"),
    Task.OCCURRENCE_COLLECT: ("integration.attendance.jobs", "collect_attendance"),
    Task.OCCURRENCE_ASK: ("integration.feedback.jobs", "ask_feedback"),
    Task.OCCURRENCE_ASK_MET: ("integration.feedback.jobs", "ask_met"),
    Task.MAIL_SEND: ("integration.mail.jobs", "send_mail"),
    Task.SUMMARY_COMPILE: ("integration.summaries.jobs", "compile_summary"),
}
HANDLERS: dict[Task, Callable[[Tools, int], None]] = {
    task: found for task, (module, name) in _WANTED.items() if (found := _present(module, name)) is not None
}
DUTIES: tuple[Duty, ...] = tuple(
    duty
    for package in ("people", "scheduling", "webhooks", "attendance", "feedback", "mail", "summaries")
    for duty in (_present(f"integration.{package}.jobs", "DUTIES") or ())
)


def drain(tools: Tools | None = None) -> int:
    """Work on everything that is due, several things at once; returns how many messages were worked on."""
    tools = tools or tools_of_this_process()
    worked = Shift(tools, HANDLERS).work(STOP)
    ring_if_waiting(tools)
    return worked


def tick(tools: Tools) -> int:
    """Do what has fallen due, take back what dead workers held, and ring if something waits; returns what was done.

    A duty that breaks does not keep the others from being done: its error is logged, and raised when all have run.
    """
    done, broken = sweep(tools.database), []
    for duty in DUTIES:
        try:
            done += _run(tools, duty)
        except Exception as error:
            log.exception("duty broke", duty=duty.name)
            broken.append(error)
    ring_if_waiting(tools)
    if broken:
        raise ExceptionGroup("duties broke", broken)
    return done


def next_due_at(session: Session) -> datetime | None:
    """The earliest instant, of the clock that can be moved, at which some duty has work to do."""
    instants = [due_at for duty in DUTIES if (due_at := duty.next_due(session)) is not None]
    return min(instants, default=None)


def ring_if_waiting(tools: Tools) -> None:
    """Ring for messages that are due and wait: this finds what was lost with the queue."""
    due = select(func.count()).where(Message.state == State.WAITING, Message.due_at <= real_now())
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


def _run(tools: Tools, duty: Duty) -> int:
    now = tools.clock.now()
    with tools.database.reading() as session:
        due_at = duty.next_due(session)
    if due_at is None or due_at > now:
        return 0
    return duty.run(tools, now)
