"""The weekly summary: falls due each Monday at eight in the leader's zone, and is written by the workers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from integration import outbox
from integration.due import earliest
from integration.duties import Duty
from integration.outbox import Task
from integration.scheduling.dues import summary_due
from integration.scheduling.models import ProgramLeader
from integration.summaries.mails import is_over, write_summary
from integration.summaries.unsubscribing import unsubscribe_url
from integration.tools import Tools


def compile_summary(tools: Tools, leader_id: int) -> None:
    """Write this week's summary for one leader of one program, if it is not written yet."""
    now = tools.clock.now()
    with tools.database.transaction() as session:
        leader = session.get(ProgramLeader, leader_id)
        if leader is None or leader.unsubscribed_at is not None or not leader.person.is_here:
            return
        link = unsubscribe_url(tools.settings.public_url, tools.settings.secret_key, leader.id)
        write_summary(session, leader, now=now, unsubscribe_url=link)


def ask_for_summaries(tools: Tools, now: datetime) -> int:
    """Ask the workers for every summary that is due, and move each leader on to their next Monday."""
    with tools.database.transaction() as session:
        due = session.scalars(select(ProgramLeader).where(ProgramLeader.summary_due_at <= now).limit(100)).all()
        taken = [leader.id for leader in due if _move_on(session, leader, now=now)]
        for leader_id in taken:
            outbox.add(session, Task.SUMMARY_COMPILE, leader_id)
        return len(taken)


def _move_on(session: Session, leader: ProgramLeader, *, now: datetime) -> bool:
    over = is_over(session, leader.program, now=now)
    following = None if over else summary_due(now, leader.person.time_zone or "UTC")
    mine = session.scalar(
        update(ProgramLeader)
        .where(ProgramLeader.id == leader.id, ProgramLeader.summary_due_at == leader.summary_due_at)
        .values(summary_due_at=following)
        .returning(ProgramLeader.id)
    )
    return mine is not None and not over


DUTIES = (Duty("weekly summaries", earliest(ProgramLeader.summary_due_at), ask_for_summaries),)
