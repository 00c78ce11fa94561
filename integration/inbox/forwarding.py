"""Passing what a person wrote on to a coordinator: as a mail of our own, once, whose answer goes to the writer."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.config import Settings
from integration.formats import moment
from integration.graph.resources import Received
from integration.inbox.models import Letter
from integration.inbox.origin import Origin, is_about_a_forward
from integration.inbox.responsible import responsible
from integration.inbox.sorting import was_sent_by_itself
from integration.language import gettext as _
from integration.language import speaking
from integration.mail.mails import SEALED_MAIL, Content, add_mail
from integration.mail.models import Inbox, Mail
from integration.mail.rendering import render, text_of
from integration.people.models import Person
from integration.sealing import sealed

KIND = "inbox-forward"
MOST_PER_WRITER = 5  # a day; the rest is on Today only
MOST_A_DAY = 50  # altogether: somebody may write from many addresses
DAY = timedelta(days=1)
LONGEST_TEXT = 8_000  # characters passed on
LONGEST_SUBJECT = 200


def forward(
    session: Session, letter: Letter, message: Received, origin: Origin, *, settings: Settings, now: datetime
) -> None:
    """Want the mail to the coordinator responsible, or note on ``letter`` why there is none.

    The mail's key is the message's own internet id: a message that reached two of our mailboxes, or is seen again
    after its row is gone, is not passed on a second time.
    """
    letter.kept_here = _objection(session, message, letter, now=now)
    if letter.kept_here is not None:
        return
    person = responsible(session, programs=origin.programs, writer=message.sender)
    if person is None:
        letter.kept_here = "nobody"
        return
    content = _content(letter, message, person, settings=settings)
    letter.forward = add_mail(session, kind=KIND, key=_key(message), person=person, content=content, now=now)


def _objection(session: Session, message: Received, letter: Letter, *, now: datetime) -> str | None:
    if was_sent_by_itself(message):
        return "automatic"
    if is_about_a_forward(session, message, KIND):
        return "loop"
    # Two workers read two inboxes at once: one after the other counts.
    session.scalars(select(Inbox.id).order_by(Inbox.id).with_for_update()).all()
    passed_on = select(func.count()).select_from(Letter).join(Mail, Letter.forward_id == Mail.id)
    passed_on = passed_on.where(Mail.created_at > now - DAY)
    by_writer = session.scalar(passed_on.where(Letter.sender == letter.sender)) or 0
    is_many = by_writer >= MOST_PER_WRITER or (session.scalar(passed_on) or 0) >= MOST_A_DAY
    return "many" if is_many else None


def _key(message: Received) -> str:
    return hashlib.sha256((message.internet_message_id or message.id).encode()).hexdigest()


def _content(letter: Letter, message: Received, person: Person, *, settings: Settings) -> Content:
    writer = letter.sender_name or letter.sender
    with speaking(person.language):
        html = render(
            KIND,
            writer=writer,
            address=letter.sender,
            mailbox=letter.inbox.address,
            subject=letter.subject,
            received=moment(letter.received_at, person.time_zone),
            pod=letter.pod.name if letter.pod else "",
            answered=letter.mail.subject if letter.mail else "",
            paragraphs=_paragraphs(message.text),
            is_cut=len(message.text) > LONGEST_TEXT,
            has_attachments=message.has_attachments,
            today_url=f"{settings.public_url}/admin/",
        )
        subject = _("%(writer)s wrote: %(subject)s", writer=writer, subject=letter.subject[:LONGEST_SUBJECT])
        return Content(
            subject,
            sealed(html, purpose=SEALED_MAIL, secret_key=settings.secret_key),
            sealed(text_of(html), purpose=SEALED_MAIL, secret_key=settings.secret_key),
            reply_to=letter.sender,
            is_sealed=True,
        )


def _paragraphs(text: str) -> list[list[str]]:
    """The text as lines of paragraphs, cut where it gets long."""
    parts = text[:LONGEST_TEXT].replace("\r", "").strip().split("\n\n")
    return [[line for line in part.split("\n") if line.strip()] for part in parts if part.strip()]
