"""The table of contents of the system: which task is done by which function, and which duties fall due by the clock.

``drain`` is what RQ calls when the doorbell rings; ``tick`` is what the scheduler does again and again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from sqlalchemy import bindparam, exists, select

from integration import doctor
from integration.announcing import announcements
from integration.announcing import jobs as announcing
from integration.api import repeating
from integration.attendance import jobs as attendance
from integration.clock import real_now
from integration.db import Database
from integration.delivery import Shift, patience_of, sweep
from integration.duties import Duty
from integration.feedback import jobs as feedback
from integration.inbox import jobs as inbox
from integration.log import get_logger
from integration.mail import jobs as mail
from integration.mail.inboxes import begin_inboxes
from integration.outbox import Message, State, Task, forget_done
from integration.people import jobs as people
from integration.people.uploads import forget_expired_uploads
from integration.scheduling import jobs as scheduling
from integration.scheduling.drift.keeping import forget_old as forget_old_drift
from integration.summaries import jobs as summaries
from integration.tools import Tools, tools_of_this_process
from integration.webhooks import jobs as webhooks
from integration.webhooks import registry, subscriptions
from integration.webhooks.encryption import forget_old_keys

log = get_logger(__name__)
RUNG_FOR = timedelta(seconds=1)
STOP = threading.Event()  # set when this process has been told to leave: finish what is claimed, take no more


HANDLERS: dict[Task, Callable[[Tools, int], None]] = {
    Task.PLAN_DRAFT: scheduling.fill_plan,
    Task.SERIES_PUSH: scheduling.push_series,
    Task.SERIES_CANCEL: scheduling.cancel_series,
    Task.SERIES_PULL: scheduling.pull_series,
    Task.SERIES_REPAIR: scheduling.repair_series,
    Task.GUIDE_SEND: scheduling.send_guide,
    Task.OCCURRENCE_FREEZE: scheduling.freeze_occurrence,
    Task.OCCURRENCE_COLLECT: attendance.collect_attendance,
    Task.OCCURRENCE_ASK: feedback.ask_feedback,
    Task.OCCURRENCE_ASK_MET: feedback.ask_met,
    Task.MAIL_SEND: mail.send_mail,
    Task.DRAFT_REMOVE: mail.remove_draft,
    Task.INBOX_READ: inbox.read_inbox,
    Task.LETTER_PURGE: inbox.purge_letter,
    Task.SUMMARY_COMPILE: summaries.compile_summary,
    Task.PERSON_RESOLVE: people.resolve_person,
    Task.SUBSCRIPTION_ENSURE: webhooks.ensure_subscription,
    Task.NOTIFICATIONS_HEED: webhooks.heed_notifications,
    Task.NOTIFICATION_OPEN: webhooks.open_content,
    Task.CALL_RECORD_READ: webhooks.read_call_record,
    Task.MAILBOX_SWEEP: webhooks.sweep_mailbox,
    Task.ANNOUNCEMENT_DELIVER: announcing.deliver_announcement,
    Task.DOCTOR_RUN: doctor.run_checkup,
}

DUTIES: tuple[Duty, ...] = (
    *people.DUTIES,
    *scheduling.DUTIES,
    *webhooks.DUTIES,
    *attendance.DUTIES,
    *feedback.DUTIES,
    *mail.DUTIES,
    *inbox.DUTIES,
    *summaries.DUTIES,
)
EVERYTHING = select(
    *(duty.due.scalar_subquery() for duty in DUTIES),
    exists().where(Message.state.in_([State.WAITING, State.CLAIMED])),
    exists().where(Message.state == State.CLAIMED, Message.claimed_until < bindparam("real_now")),
    # What has just become due was rung for when it was committed; a second ring would only be in the way.
    exists().where(Message.state == State.WAITING, Message.due_at <= bindparam("rung_by")),
)


def drain(tools: Tools | None = None) -> int:
    """Work on everything that is due, several things at once; returns how many messages were worked on."""
    tools = tools or tools_of_this_process()
    worked = Shift(tools, HANDLERS).work(STOP)
    if look(tools.database).has_overdue:
        tools.doorbell.ring()
    return worked


def begin(tools: Tools) -> None:
    """Ask for what every mailbox of ours needs, such as its subscription; harmless at every start."""
    with tools.database.transaction() as session:
        registry.begin(session, tools.settings, tools.clock.now())
        subscriptions.begin(session, tools.settings, tools.clock.now())
        begin_inboxes(session, tools.settings.own_mailboxes, now=tools.clock.now())


def tick(tools: Tools) -> int:
    """Do what has fallen due, take back what dead workers held, and ring if something waits; returns what was done.

    A duty that breaks does not keep the others from being done: its error is logged, and raised when all have run.
    """
    now = tools.clock.now()
    seen = look(tools.database)
    done, broken = sweep(tools.database, patience_of(tools)) if seen.has_lost else 0, []
    for duty in seen.due(now):
        try:
            done += duty.run(tools, now)
        except Exception as error:
            log.exception("duty broke", duty=duty.name)
            broken.append(error)
    if seen.has_overdue:
        tools.doorbell.ring()
    if broken:
        raise ExceptionGroup("duties broke", broken)
    return done


@dataclass(frozen=True)
class Look:
    """What there is to do, all as of one moment."""

    dates: tuple[datetime | None, ...]  # when each duty is next due, in the order of DUTIES
    has_open: bool  # some message waits or is being worked on
    has_lost: bool  # some message is held by a worker whose lease has run out
    has_overdue: bool  # some message has been due for a while: its ring may have been lost with the queue

    @property
    def next_due_at(self) -> datetime | None:
        """The earliest instant, of the clock that can be moved, at which some duty has work to do."""
        return min((each for each in self.dates if each is not None), default=None)

    def is_calm(self, now: datetime) -> bool:
        """Whether no message is open and no duty has work to do now."""
        return not self.has_open and not self.due(now)

    def due(self, now: datetime) -> list[Duty]:
        """The duties that have work to do now."""
        return [duty for duty, at in zip(DUTIES, self.dates, strict=True) if at is not None and at <= now]


def look(database: Database) -> Look:
    """Ask the tables what there is to do, in one question: this runs every second."""
    real = real_now()
    with database.reading() as session:
        row = session.execute(EVERYTHING, {"real_now": real, "rung_by": real - RUNG_FOR}).one()
    *dates, has_open, has_lost, has_overdue = tuple(row)
    return Look(tuple(dates), has_open, has_lost, has_overdue)


def is_quiet(tools: Tools) -> bool:
    """Whether nothing waits, is claimed or rings."""
    return not look(tools.database).has_open and not is_ringing(tools)


def is_ringing(tools: Tools) -> bool:
    """Whether a ring has not been answered yet; a queue that is away does not ring."""
    try:
        return tools.doorbell.is_ringing()
    except RedisError:
        return False


def tidy(tools: Tools) -> None:
    """Forget what was done long ago, and sessions that nobody can use any more."""
    from integration.admin.sessions import forget_ended  # brings Flask, which no worker needs

    with tools.database.transaction() as session:
        forget_done(session)
        forget_old_keys(session, now=tools.clock.now())
        forget_old_drift(session, now=tools.clock.now())
        repeating.forget_old(session, now=real_now())
        announcements.forget_old(session, now=real_now())
        forget_expired_uploads(session, at=real_now())
        forget_ended(session, now=real_now())
