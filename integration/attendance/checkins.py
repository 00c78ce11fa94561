"""Checking in to a session in a room: people say that they are there, host or facilitator confirms it.

Before that it is no fact. It can be said from 15 minutes before the start to 60 minutes after the end, and changed
until it is confirmed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from integration import outbox
from integration.attendance.layers import STILL_ASKED, lay_words
from integration.attendance.models import CheckIn
from integration.attendance.outcomes import COUNTS_ONLY, detail_of
from integration.attendance.windows import AFTER_END, BEFORE_START
from integration.errors import Conflict, InputRefused
from integration.formats import day
from integration.language import gettext as _
from integration.language import lazy
from integration.outbox import Task
from integration.people.models import Participant
from integration.scheduling.models import Occurrence


class Door(StrEnum):
    """Whether a check-in is taken, and if not, why."""

    OPEN = "open"
    EARLY = "early"
    LATE = "late"
    CANCELLED = "cancelled"
    NO_NAMES = "no names"  # the program keeps counts only


@dataclass(frozen=True)
class CheckIns:
    """What was said so far, by participant; ``confirmed_at`` None: it is no fact yet."""

    door: Door
    said: dict[int, bool]
    confirmed_at: datetime | None


def door_of(occurrence: Occurrence, *, now: datetime) -> Door:
    """Whether people can check in now."""
    if occurrence.cancelled_at is not None:
        return Door.CANCELLED
    if detail_of(occurrence) == COUNTS_ONLY:
        return Door.NO_NAMES
    if now < occurrence.starts_at - BEFORE_START:
        return Door.EARLY
    return Door.LATE if now > occurrence.ends_at + AFTER_END else Door.OPEN


def expected(occurrence: Occurrence) -> dict[int, Participant]:
    """Who can check in: those who were invited when it began, before that those on the invitation now."""
    if occurrence.frozen_at is not None:
        return {each.participant_id: each.participant for each in occurrence.invited}
    ours = (each.participant for each in occurrence.series.attendees if each.is_wanted)
    return {each.id: each for each in ours if each is not None}


def check_in(
    session: Session, occurrence: Occurrence, participant: Participant, *, present: bool, at: datetime
) -> None:
    """Somebody says that they are in the room, or not after all. Saying it again changes nothing.

    Raises Conflict outside of the hours, for somebody who is not expected, and once it was confirmed.
    """
    _refuse_closed(occurrence, at=at)
    if participant.id not in expected(occurrence):
        raise Conflict(
            lazy("You were not invited on %(day)s.", day=day(occurrence.starts_at)),
            remedy=lazy("Guests need not check in."),
        )
    row = _row(session, occurrence, participant.id)
    if row.confirmed_at is not None:
        raise Conflict(
            lazy("Who came was confirmed already."), remedy=lazy("Ask for a correction on the page of your pod.")
        )
    if row.present is not present or row.checked_in_at is None:
        row.present, row.checked_in_at = present, at
    session.flush()


def check_ins_of(session: Session, occurrence: Occurrence, *, now: datetime) -> CheckIns:
    """What people said, and whether it is a fact."""
    rows = session.scalars(select(CheckIn).where(CheckIn.occurrence_id == occurrence.id)).all()
    confirmed = [each.confirmed_at for each in rows if each.confirmed_at is not None]
    return CheckIns(
        door_of(occurrence, now=now),
        {each.participant_id: each.present for each in rows},
        max(confirmed) if confirmed else None,
    )


def confirm(
    session: Session, occurrence: Occurrence, present: Collection[int], *, by: Participant | str, at: datetime
) -> None:
    """Host or facilitator say who of the invited was there: a fact, declared. What Teams measured stays beside it.

    Raises Conflict before the start, when it was confirmed before, and where no names are kept.
    """
    if detail_of(occurrence) == COUNTS_ONLY:
        raise Conflict(lazy("This program keeps no names."), remedy=lazy("Say how many came."))
    if occurrence.cancelled_at is not None or occurrence.starts_at > at or occurrence.frozen_at is None:
        raise Conflict(
            lazy("The session on %(day)s has not begun.", day=day(occurrence.starts_at)),
            remedy=lazy("Confirm it then."),
        )
    if check_ins_of(session, occurrence, now=at).confirmed_at is not None:
        raise Conflict(lazy("Who came was confirmed already."), remedy=lazy("Correct single people, with a reason."))
    invited = expected(occurrence)
    if not set(present) <= invited.keys():
        raise InputRefused(lazy("Only who was invited can be confirmed."), remedy=lazy("Guests are counted apart."))
    for participant_id in invited:
        row = _row(session, occurrence, participant_id)
        row.present, row.confirmed_at = participant_id in present, at
        row.confirmed_by_id = None if isinstance(by, str) else by.id
    session.flush()
    lay_words(session, occurrence, at=at)
    if present and at - occurrence.ends_at <= STILL_ASKED:
        outbox.add(session, Task.OCCURRENCE_ASK, occurrence.id)


def _refuse_closed(occurrence: Occurrence, *, at: datetime) -> None:
    door = door_of(occurrence, now=at)
    if door is Door.OPEN:
        return
    reasons = {
        Door.EARLY: _("It is too early to check in."),
        Door.LATE: _("It is too late to check in."),
        Door.CANCELLED: _("This session was cancelled."),
        Door.NO_NAMES: _(
            "This program keeps no names: nobody has to check in. Whoever facilitates says how many came."
        ),
    }
    raise Conflict(
        reasons[door], remedy=lazy("Checking in is open from 15 minutes before the start to an hour after the end.")
    )


def _row(session: Session, occurrence: Occurrence, participant_id: int) -> CheckIn:
    """The row of somebody, made where there is none; two at once make one."""
    wanted = (
        select(CheckIn)
        .where(CheckIn.occurrence_id == occurrence.id, CheckIn.participant_id == participant_id)
        .with_for_update()
    )
    found = session.scalar(wanted)
    if found is not None:
        return found
    try:
        with session.begin_nested():
            made = CheckIn(occurrence_id=occurrence.id, participant_id=participant_id, present=False)
            session.add(made)
        return made
    except IntegrityError:
        return session.scalars(wanted).one()
