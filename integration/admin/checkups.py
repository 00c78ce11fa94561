"""Checks of every permission and policy, asked for on a page and made by a worker, with what they found."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from integration import outbox
from integration.admin.models import Checkup
from integration.clock import real_now
from integration.language import Wording
from integration.outbox import Task
from integration.wording import kept

KEPT = 20


def ask_for_checkup(session: Session, *, by: str) -> Checkup:
    """A check that a worker is going to make; while one is under way, asking again gives the same one."""
    last = latest(session)
    checkup = last if last is not None and last.ended_at is None else None
    if checkup is None:
        checkup = Checkup(asked_at=real_now(), asked_by=by, findings=[])
        session.add(checkup)
        session.flush()
        session.execute(delete(Checkup).where(Checkup.id <= checkup.id - KEPT))
    outbox.add(session, Task.DOCTOR_RUN, checkup.id)
    return checkup


def latest(session: Session) -> Checkup | None:
    """The check that was asked for last."""
    return session.scalar(select(Checkup).order_by(Checkup.id.desc()).limit(1))


def latest_ended(session: Session) -> Checkup | None:
    """The last check that came to an end."""
    return session.scalar(select(Checkup).where(Checkup.ended_at.is_not(None)).order_by(Checkup.id.desc()).limit(1))


def record_finding(session: Session, checkup_id: int, *, check: Wording, remedy: Wording) -> None:
    """Note one finding; nothing where the check was forgotten meanwhile."""
    checkup = session.get(Checkup, checkup_id, with_for_update=True)
    if checkup is not None:
        checkup.findings = [*checkup.findings, {"check": kept(check), "remedy": kept(remedy)}]


def record_beginning(session: Session, checkup_id: int, *, at: datetime) -> bool:
    """A worker begins, perhaps anew after another one died. False: there is nothing to be done."""
    checkup = session.get(Checkup, checkup_id, with_for_update=True)
    if checkup is None or checkup.ended_at is not None:
        return False
    checkup.begun_at, checkup.findings = at, []
    return True


def record_end(session: Session, checkup_id: int, *, at: datetime) -> None:
    """Everything has been checked."""
    checkup = session.get(Checkup, checkup_id, with_for_update=True)
    if checkup is not None:
        checkup.ended_at = at
