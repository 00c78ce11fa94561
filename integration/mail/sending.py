"""The steps of sending a mail as the rows know them; each is taken by exactly one of several workers.

What stands in the row before a step is its lock: a worker that was thought dead and comes back changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from integration.log import get_logger
from integration.mail.mails import Content, content_of
from integration.mail.models import CANCELLED, DRAFTING, SENDING, SENT, UNCLEAR, WAITING, Mail

log = get_logger(__name__)

WAIT_BEFORE_LOOKING = timedelta(minutes=2)  # Exchange may show a draft for a while after it was told to send it
LOOK_EVERY = timedelta(minutes=5)
LOOK_FOR = timedelta(minutes=30)  # longer than messages were seen to be neither a draft nor sent
SEND_AGAIN = LOOK_FOR // LOOK_EVERY  # times; counted, since a worker that slept for an hour has tried nothing


@dataclass(frozen=True)
class Outgoing:
    """A mail as one worker found it."""

    id: int
    state: str  # drafting | sending
    is_fresh: bool  # this worker took it from waiting: there cannot be a draft yet
    is_wanted: bool  # False: the person left meanwhile
    sender: str
    to_address: str
    to_name: str
    content: Content
    tag: str
    message_id: str | None
    sending_since: datetime | None
    look_at: datetime | None
    sends: int
    sends_again: int


def begin(session: Session, mail_id: int) -> Outgoing | None:
    """Take the first step, or find out how far the mail is; None when there is nothing to be done for it."""
    mail = session.get(Mail, mail_id, with_for_update=True)
    if mail is None or mail.sender is None or mail.state not in (WAITING, DRAFTING, SENDING):
        return None
    is_fresh = mail.state == WAITING
    if is_fresh:
        mail.state, mail.due_at = (DRAFTING if _is_wanted(mail) else CANCELLED), None
    return _outgoing(mail, mail.sender, is_fresh=is_fresh) if mail.state != CANCELLED else None


def record_draft(session: Session, mail: Outgoing, *, message_id: str, now: datetime) -> bool:
    """The draft exists: from here on it is being sent. False: somebody else has gone on with another draft."""
    return _step(
        session,
        mail,
        Mail.state == DRAFTING,
        Mail.sends == mail.sends,
        state=SENDING,
        message_id=message_id,
        sending_since=now,
        look_at=now + WAIT_BEFORE_LOOKING,
        sends=mail.sends + 1,
        sends_again=0,
    )


def record_not_sent(session: Session, mail: Outgoing) -> bool:
    """Graph refused to send the draft: it certainly was not sent, and may be tried again."""
    return _step(session, mail, *_same_send(mail.sends + 1), state=DRAFTING, look_at=None)


def record_sent(
    session: Session,
    mail: Outgoing,
    *,
    sent_at: datetime,
    conversation_id: str | None = None,
    internet_message_id: str | None = None,
) -> bool:
    """It left. Whoever finds that out first writes it down, with the marks by which an answer is known."""
    is_open = Mail.state.in_([DRAFTING, SENDING])
    marks = {"conversation_id": conversation_id, "internet_message_id": internet_message_id}
    return _step(session, mail, is_open, state=SENT, sent_at=sent_at, look_at=None, **marks)


def send_again(session: Session, mail: Outgoing, *, message_id: str, now: datetime) -> bool:
    """It is still a draft after the wait: send it once more. False: somebody else is doing so, or it is unclear now.

    A mailbox that takes a send without an answer, again and again, is for a person to look at (``SEND_AGAIN``).
    """
    if mail.sends_again >= SEND_AGAIN:
        _give_up(session, mail)
        return False
    return _step(
        session,
        mail,
        *_same_send(mail.sends),
        message_id=message_id,
        look_at=now + LOOK_EVERY,
        sends=mail.sends + 1,
        sends_again=mail.sends_again + 1,
    )


def look_later(session: Session, mail: Outgoing, *, now: datetime) -> bool:
    """Neither a draft nor sent: look again, until it is unclear and a person has to look."""
    since = mail.sending_since or now
    if now >= since + LOOK_FOR:
        return _give_up(session, mail)
    return _step(session, mail, *_same_send(mail.sends), look_at=now + LOOK_EVERY)


def cancel(session: Session, mail: Outgoing) -> bool:
    """The person left before it was sent. False: somebody else has gone on with it meanwhile."""
    return _step(session, mail, Mail.state == mail.state, Mail.sends == mail.sends, state=CANCELLED, look_at=None)


def _give_up(session: Session, mail: Outgoing) -> bool:
    log.warning("mail unclear", mail_id=mail.id)
    return _step(session, mail, *_same_send(mail.sends), state=UNCLEAR, look_at=None)


def _is_wanted(mail: Mail) -> bool:
    person = mail.participant.person
    return person is not None and person.is_here


def _outgoing(mail: Mail, sender: str, *, is_fresh: bool) -> Outgoing:
    return Outgoing(
        id=mail.id,
        state=mail.state,
        is_fresh=is_fresh,
        is_wanted=_is_wanted(mail),
        sender=sender,
        to_address=mail.to_address,
        to_name=mail.to_name,
        content=content_of(mail),
        tag=mail.tag,
        message_id=mail.message_id,
        sending_since=mail.sending_since,
        look_at=mail.look_at,
        sends=mail.sends,
        sends_again=mail.sends_again,
    )


def _same_send(sends: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Mail.state == SENDING, Mail.sends == sends


def _step(session: Session, mail: Outgoing, *conditions: ColumnElement[bool], **values: object) -> bool:
    step = update(Mail).where(Mail.id == mail.id, *conditions).values(**values).returning(Mail.id)
    return session.scalar(step) is not None
