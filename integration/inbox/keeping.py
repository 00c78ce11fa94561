"""What a coordinator does with a message, and how long anything is kept: 30 days after it was done."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from integration import outbox
from integration.due import take_due
from integration.inbox.letters import KEEP_FOR
from integration.inbox.models import AutomaticAnswer, Letter
from integration.mail.mails import ERASED, forget_words
from integration.mail.models import Inbox, Mail
from integration.outbox import Task
from integration.people.models import Person

POSTPONED = timedelta(days=1)


def mark_done(letter: Letter, *, by: str, now: datetime) -> bool:
    """Somebody has seen to it; it is kept for 30 days from now. False when it was done before."""
    if letter.done_at is not None:
        return False
    letter.done_at, letter.done_by, letter.purge_due_at = now, by, now + KEEP_FOR
    return True


def open_again(letter: Letter) -> bool:
    """It was not done after all: it stays until it is. False when it is open."""
    if letter.done_at is None:
        return False
    letter.done_at = letter.done_by = letter.purge_due_at = None
    return True


def ask_to_purge(session: Session, *, now: datetime) -> int:
    """Ask the workers to throw away what was done long ago; returns how many messages."""
    taken = take_due(session, Letter.purge_due_at, now=now, then=lambda _seen: now + POSTPONED)
    outbox.add_all(session, Task.LETTER_PURGE, taken)
    return len(taken)


def fade(session: Session, *, now: datetime) -> int:
    """Forget the words of what was written 30 days ago, done or not; who wrote and when stays while open."""
    taken = take_due(session, Letter.fade_due_at, now=now)
    for letter in session.scalars(select(Letter).where(Letter.id.in_(taken))):
        _forget_words(session, letter)
    return len(taken)


def may_purge(session: Session, letter: Letter, *, now: datetime) -> bool:
    """Whether a message may be thrown away now: done, its time is over, and no full round would show it again."""
    inbox = session.get_one(Inbox, letter.inbox_id)
    is_read_past = inbox.read_at is not None and letter.received_at < inbox.read_at - KEEP_FOR / 2
    return letter.done_at is not None and letter.done_at + KEEP_FOR <= now and is_read_past


def forget(session: Session, letter: Letter) -> None:
    """Delete the row and the words that we passed on."""
    _forget_words(session, letter)
    session.delete(letter)


def erase_letters(session: Session, participant_id: int) -> None:
    """Remove what somebody wrote to us, and their automatic answers, when they are erased.

    Call it while they still have addresses: a receipt is nobody's but by its sender. What they saw to as a
    coordinator stays done, without their name.
    """
    person = session.scalar(select(Person).where(Person.participant_id == participant_id))
    addresses = [person.mail, *(each.mail for each in person.addresses)] if person is not None else []
    theirs = or_(Letter.participant_id == participant_id, Letter.sender.in_(addresses))
    for letter in session.scalars(select(Letter).where(theirs)):
        _forget_words(session, letter)
        letter.sender = letter.sender_name = letter.subject = ERASED
    session.execute(update(Letter).where(Letter.done_by.in_(addresses)).values(done_by=ERASED))
    answers = select(AutomaticAnswer).where(AutomaticAnswer.participant_id == participant_id)
    for answer in session.scalars(answers):
        session.delete(answer)


def _forget_words(session: Session, letter: Letter) -> None:
    letter.excerpt = None
    if letter.forward_id is None:
        return
    session.execute(
        update(Mail)
        .where(Mail.id == letter.forward_id, Mail.state.in_(["waiting", "held"]))
        .values(state="cancelled", due_at=None)
    )
    mail = session.get(Mail, letter.forward_id)
    if mail is not None and mail.state in ("sent", "cancelled", "unclear"):
        forget_words(mail)
