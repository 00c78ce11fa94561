"""Telling the outside of what happens in programs: one row per event and receiver, in the transaction of the event.

The content holds ids and instants, never a name or an address: whoever wants to know more asks the API.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from integration import outbox
from integration.announcing.models import DELIVERED, FAILED, WAITING, Announcement, Receiver
from integration.clock import real_now
from integration.errors import Conflict, NotThere
from integration.language import Wording, lazy
from integration.outbox import Task

Content = dict[str, int | str | None]
GIVE_UP_AFTER = timedelta(days=3)  # of the real clock
KEPT = timedelta(days=30)


class Event(StrEnum):
    """What can be announced: "thing.what happened"."""

    PROGRAM_CREATED = "program.created"
    PLAN_APPLIED = "plan.applied"
    PLAN_UNDONE = "plan.undone"
    SERIES_INVITED = "series.invited"
    OCCURRENCE_HELD = "occurrence.held"
    OCCURRENCE_NOT_HELD = "occurrence.not_held"


def announce(session: Session, event: Event, content: Content, program_id: int) -> int:
    """Tell every receiver that wants to hear of it, once this transaction is committed; returns how many."""
    receivers = session.scalars(select(Receiver).where(Receiver.stopped_at.is_(None)).order_by(Receiver.id))
    wanting = [each for each in receivers if not each.events or event in each.events]
    event_id = f"evt_{secrets.token_hex(16)}"
    rows = [
        Announcement(
            receiver_id=each.id,
            event_id=event_id,
            event=event,
            content={"program_id": program_id, **content},
            made_at=real_now(),
        )
        for each in wanting
    ]
    session.add_all(rows)
    session.flush()
    for row in rows:
        outbox.add(session, Task.ANNOUNCEMENT_DELIVER, row.id)
    return len(rows)


def record_answer(
    session: Session, announcement: Announcement, *, answered: int | None, trouble: Wording | None, now: datetime
) -> None:
    """Note what came of an attempt: 2xx is delivered, 410 stops the receiver, else it waits on for three days."""
    announcement.attempts += 1
    announcement.answered, announcement.trouble = answered, trouble
    if answered is not None and 200 <= answered < 300:
        announcement.state, announcement.delivered_at, announcement.trouble = DELIVERED, now, None
        return
    if answered == 410:
        announcement.state, announcement.trouble = FAILED, lazy("The receiver wants no more (410).")
        announcement.receiver.stopped_at = announcement.receiver.stopped_at or now
    elif now - announcement.made_at > GIVE_UP_AFTER:
        announcement.state = FAILED


def give_up(announcement: Announcement, trouble: Wording) -> None:
    """Note that it is not delivered, and why."""
    announcement.state, announcement.trouble = FAILED, trouble


def retry_announcement(session: Session, announcement_id: int) -> Announcement:
    """Try one more time; raises NotThere, or Conflict where it was delivered or its receiver is stopped."""
    announcement = session.get(Announcement, announcement_id, with_for_update=True)
    if announcement is None:
        raise NotThere(lazy("announcement"), announcement_id)
    if announcement.state == DELIVERED:
        raise Conflict(
            lazy("It was delivered already."), remedy=lazy("A receiver knows a repetition by its webhook-id.")
        )
    if announcement.receiver.stopped_at is not None:
        raise Conflict(
            lazy("Its receiver is stopped."), remedy=lazy("Add the address again to tell it of new events.")
        )
    announcement.state = WAITING
    outbox.add(session, Task.ANNOUNCEMENT_DELIVER, announcement.id)
    return announcement


def forget_old(session: Session, *, now: datetime) -> None:
    """Delete what was delivered or failed long ago."""
    session.execute(delete(Announcement).where(Announcement.state != WAITING, Announcement.made_at < now - KEPT))
