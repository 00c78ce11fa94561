"""Mails that are wanted: written once per reason, kept as rows, sent later by the workers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from integration import outbox
from integration.errors import Conflict
from integration.language import lazy
from integration.mail.models import CANCELLED, DRAFTING, HELD, WAITING, Mail, MailItem, MailPicture
from integration.mail.quiet import after_quiet_hours
from integration.outbox import Task
from integration.people.models import Person

ERASED = "(erased)"
SEALED_MAIL = "mail"  # the purpose under which a sealed mail is opened again


@dataclass(frozen=True)
class Picture:
    """A picture that the HTML shows by ``<img src="cid:content_id" alt="...">``."""

    content_id: str
    content_type: str
    content: bytes
    name: str


@dataclass(frozen=True)
class Content:
    """What a mail says. ``text`` is the plain-text part of the files we write (``rendering.text_of``)."""

    subject: str
    html: str
    text: str
    pictures: tuple[Picture, ...] = ()
    list_unsubscribe: str | None = None
    reply_to: str | None = None  # who gets the answer; None: REPLY_TO, or the sender
    is_sealed: bool = False  # html and text are seals for the worker that sends it: they hold what somebody wrote


def add_mail(session: Session, *, kind: str, key: str, person: Person, content: Content, now: datetime) -> Mail:
    """Want one mail to a person for one reason (``kind``, ``key``); asking again returns the first, unchanged.

    It falls due outside the quiet hours of the person's zone; then the posting duty picks a sender, keeps the pace
    and holds what MAIL_ALLOWLIST does not name. For somebody who left it is written down as cancelled.
    """
    known = mail_for(session, kind=kind, key=key, participant_id=person.participant_id)
    if known is not None:
        return known
    mail = _mail(kind, key, person=person, content=content, now=now)
    try:
        with session.begin_nested():
            session.add(mail)
            session.flush()
    except IntegrityError:  # somebody else was first, between our look and our insert
        known = mail_for(session, kind=kind, key=key, participant_id=person.participant_id)
        if known is None:
            raise
        return known
    return mail


def mail_for(session: Session, *, kind: str, key: str, participant_id: int) -> Mail | None:
    """The mail that somebody gets, or got, for a reason."""
    reason = (MailItem.kind == kind, MailItem.key == key, MailItem.participant_id == participant_id)
    return session.scalar(select(Mail).join(MailItem).where(*reason))


def content_of(mail: Mail) -> Content:
    """What a mail says, as it was written."""
    pictures = tuple(Picture(each.content_id, each.content_type, each.content, each.name) for each in mail.pictures)
    return Content(mail.subject, mail.html, mail.text, pictures, mail.list_unsubscribe, mail.reply_to, mail.is_sealed)


def release(session: Session, mail: Mail, *, now: datetime) -> None:
    """Let a held mail wait again, for instance after MAIL_ALLOWLIST was widened; raises Conflict for any other.

    To somebody whose mails came back it is tried again: whoever releases it knows of a mailbox.
    """
    if mail.state != HELD:
        raise Conflict(
            lazy("Mail %(mail)s is not held.", mail=mail.id), remedy=lazy("Only held mails can be released.")
        )
    person = mail.participant.person
    if person is not None:
        person.unreachable_at = None
    mail.state, mail.due_at = WAITING, after_quiet_hours(now, person.time_zone if person else None)


def readdress(session: Session, person: Person, *, now: datetime) -> None:
    """Have what was not begun to be sent go to somebody's address as it is by now; what was held back leaves.

    What a worker has in hand goes to where it was addressed: the draft may have left already.
    """
    still_here = (Mail.participant_id == person.participant_id, Mail.state.in_([WAITING, HELD]))
    for mail in session.scalars(select(Mail).where(*still_here).order_by(Mail.id).with_for_update()):
        mail.to_address = person.mail
        if mail.state == HELD:
            mail.state, mail.due_at = WAITING, after_quiet_hours(now, person.time_zone)


def cancel_mails(session: Session, participant_id: int) -> int:
    """Cancel what was not begun to be sent to somebody, for instance because they left; returns how many."""
    open_mails = (Mail.participant_id == participant_id, Mail.state.in_([WAITING, HELD]))
    cancelling = update(Mail).where(*open_mails).values(state=CANCELLED, due_at=None).returning(Mail.id)
    return len(session.scalars(cancelling).all())


def erase_mails(session: Session, participant_id: int) -> None:
    """Remove address, name and words from everything that was written to somebody; counts and dates stay.

    Of a draft that was made the workers are told once more: without a person it is deleted and cancelled.
    """
    cancel_mails(session, participant_id)
    for mail in session.scalars(select(Mail).where(Mail.participant_id == participant_id)):
        mail.to_address = mail.to_name = mail.subject = mail.html = mail.text = ERASED
        mail.list_unsubscribe, mail.pictures, mail.is_sealed = None, [], False
        if mail.state == DRAFTING:
            outbox.add(session, Task.MAIL_SEND, mail.id)


def forget_words(mail: Mail) -> None:
    """Remove what a mail said, and whom its answer goes to; that it was sent, to whom and when, stays."""
    mail.subject = mail.html = mail.text = ERASED
    mail.reply_to, mail.pictures, mail.is_sealed = None, [], False


def new_tag() -> str:
    """A tag by which one draft, and no other, is found again in its mailbox."""
    return f"mail-{secrets.token_hex(12)}"


def _mail(kind: str, key: str, *, person: Person, content: Content, now: datetime) -> Mail:
    return Mail(
        kind=kind,
        participant_id=person.participant_id,
        to_address=person.mail,
        to_name=person.name,
        subject=" ".join(content.subject.split()),  # a line break in a subject would be a header of its own
        html=content.html,
        text=content.text,
        list_unsubscribe=content.list_unsubscribe,
        reply_to=content.reply_to,
        is_sealed=content.is_sealed,
        tag=new_tag(),
        created_at=now,
        state=WAITING if person.is_here else CANCELLED,
        due_at=after_quiet_hours(now, person.time_zone) if person.is_here else None,
        items=[MailItem(kind=kind, key=key, participant_id=person.participant_id)],
        pictures=[
            MailPicture(
                content_id=each.content_id, content_type=each.content_type, content=each.content, name=each.name
            )
            for each in content.pictures
        ],
    )
