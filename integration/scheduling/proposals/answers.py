"""The answer to a proposed time: a yes moves the meeting through the outbox, a no keeps it where it is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from integration import outbox
from integration.errors import Conflict
from integration.language import gettext as _
from integration.language import lazy
from integration.outbox import Task
from integration.scheduling.neighbours import crosses_a_neighbour
from integration.scheduling.proposals.models import TimeProposal

ANSWERS = ("yes", "no")


def answer_proposal(session: Session, proposal: TimeProposal, answer: str, *, now: datetime) -> None:
    """Note "yes" or "no". The same again is harmless; a no may become a yes, a yes is on its way and stays.

    Raises Conflict where it can no longer be answered, or Outlook would refuse the move.
    """
    if proposal.answer == answer:
        return
    reason = why_closed(proposal, now=now)
    if reason is None and proposal.answer == "yes":
        reason = _("The answer was yes: the session is being moved.")
    if reason is None and answer == "yes":
        reason = why_impossible(proposal, now=now)
    if reason is not None:
        raise Conflict(reason, remedy=lazy("Whoever organizes the program can move the session in Outlook."))
    proposal.answer, proposal.answered_at = answer, now
    if answer == "yes":
        outbox.add(session, Task.SERIES_REPAIR, proposal.occurrence.series_id)


def why_closed(proposal: TimeProposal, *, now: datetime) -> str | None:
    """In words, why there is nothing to be answered any more; None while it is open."""
    if proposal.occurrence.cancelled_at is not None:
        return _("The session was cancelled.")
    if proposal.occurrence.starts_at <= now:
        return _("The session has begun.")
    if proposal.withdrawn_at is not None:
        return _("The proposal was withdrawn.")
    return None


def why_impossible(proposal: TimeProposal, *, now: datetime) -> str | None:
    """In words, why the meeting cannot go there: Outlook keeps each between the days of its neighbours."""
    if proposal.starts_at <= now:
        return _("The proposed time has passed.")
    if crosses_a_neighbour(proposal.occurrence, starts_at=proposal.starts_at, ends_at=proposal.ends_at):
        return _("Outlook moves no session onto or past the day of the one before or after it.")
    return None
