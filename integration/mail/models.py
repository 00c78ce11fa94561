"""What is true about mails to people: what is to be sent, how far it is, and what it was for.

waiting --> drafting --> sending --> sent
   |            |           +------> unclear    perhaps sent, perhaps never: shown to a person, never created again
   +--> held    +--> cancelled        +--> sent, waiting (a new draft) or cancelled, as a person says (settling)
held: outside MAIL_ALLOWLIST, or earlier mails came back, shown; cancelled: the person left before it was sent
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from integration.db import Base
from integration.people.models import Participant

WAITING, HELD, DRAFTING, SENDING = "waiting", "held", "drafting", "sending"
SENT, UNCLEAR, CANCELLED = "sent", "unclear", "cancelled"


class Mail(Base):
    """One mail to one person. It is written once, when it is wanted, and sent as it was written.

    ``due_at``: the next instant of the movable clock at which it is looked at for posting; None once a worker has it.
    ``look_at``: while it is being sent, when to look in the mailbox whether it went; it is that work's lock as well.
    """

    __tablename__ = "mail"
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'held', 'drafting', 'sending', 'sent', 'unclear', 'cancelled')", name="state"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    to_address: Mapped[str] = mapped_column(String(320))
    to_name: Mapped[str]
    subject: Mapped[str]
    html: Mapped[str]
    text: Mapped[str]  # only for files we write: Exchange stores the HTML and derives its own
    is_sealed: Mapped[bool] = mapped_column(default=False)  # html and text are seals: they hold what somebody wrote
    list_unsubscribe: Mapped[str | None]
    reply_to: Mapped[str | None] = mapped_column(String(320))  # who gets the answer; None: REPLY_TO, or the sender
    tag: Mapped[str] = mapped_column(unique=True)  # found again by it in the mailbox; random, so never of another row
    created_at: Mapped[datetime]

    state: Mapped[str] = mapped_column(default=WAITING, index=True)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    sender: Mapped[str | None] = mapped_column(String(320))  # one of SENDER_MAILBOXES, once it is posted
    message_id: Mapped[str | None]  # the draft's immutable id
    sending_since: Mapped[datetime | None]
    look_at: Mapped[datetime | None] = mapped_column(index=True)
    sends: Mapped[int] = mapped_column(default=0)  # how often a send was begun; each has the number before it as lock
    sends_again: Mapped[int] = mapped_column(default=0)  # of these, how many because nobody saw the last one end
    sent_at: Mapped[datetime | None]
    conversation_id: Mapped[str | None] = mapped_column(index=True)  # in the sender's mailbox, once it was sent
    internet_message_id: Mapped[str | None] = mapped_column(index=True)  # what answers name in their headers
    returned_at: Mapped[datetime | None]  # when Exchange reported that the address takes no mail

    participant: Mapped[Participant] = relationship()
    items: Mapped[list[MailItem]] = relationship(back_populates="mail", cascade="all, delete-orphan")
    pictures: Mapped[list[MailPicture]] = relationship(
        back_populates="mail", cascade="all, delete-orphan", order_by="MailPicture.id"
    )


class OldDraft(Base):
    """The draft of an unclear mail that was settled otherwise: it is to go, so that nobody sends it by hand.

    The row goes with it. The mail's own row may name a new draft by then.
    """

    __tablename__ = "old_draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    mail_id: Mapped[int] = mapped_column(ForeignKey("mail.id", ondelete="CASCADE"), index=True)
    sender: Mapped[str] = mapped_column(String(320))
    tag: Mapped[str]
    message_id: Mapped[str | None]

    mail: Mapped[Mail] = relationship()


class MailItem(Base):
    """A reason for a mail: nobody gets two mails for the same one."""

    __tablename__ = "mail_item"
    __table_args__ = (UniqueConstraint("kind", "key", "participant_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mail_id: Mapped[int] = mapped_column(ForeignKey("mail.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    key: Mapped[str]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)

    mail: Mapped[Mail] = relationship(back_populates="items")


class MailPicture(Base):
    """A picture inside a mail, shown by ``<img src="cid:...">``."""

    __tablename__ = "mail_picture"
    __table_args__ = (UniqueConstraint("mail_id", "content_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mail_id: Mapped[int] = mapped_column(ForeignKey("mail.id", ondelete="CASCADE"), index=True)
    content_id: Mapped[str]
    content_type: Mapped[str]
    name: Mapped[str]
    content: Mapped[bytes]

    mail: Mapped[Mail] = relationship(back_populates="pictures")


class SenderMailbox(Base):
    """A mailbox that mails leave from, when its pace allows the next one."""

    __tablename__ = "sender_mailbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(320), unique=True)
    free_at: Mapped[datetime]


class Inbox(Base):
    """How far the inbox of an organizer or a sender was read; the package ``inbox`` reads it.

    ``delta_link`` is sealed: where the last round ended. ``read_due_at`` is the lock of the next one.
    """

    __tablename__ = "inbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(320), unique=True)
    delta_link: Mapped[str | None]
    began_at: Mapped[datetime | None]  # what had arrived before is not looked at
    read_at: Mapped[datetime | None]  # up to when it was read
    read_due_at: Mapped[datetime | None] = mapped_column(index=True)
