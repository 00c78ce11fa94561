"""What is true about messages that reach our own mailboxes: what each was, and whether somebody has to look at it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from integration.db import Base
from integration.inbox.sorting import Kind
from integration.mail.models import Inbox, Mail
from integration.people.models import Participant
from integration.scheduling.models import Pod, Program

KINDS = ", ".join(f"'{kind.value}'" for kind in Kind)


class Letter(Base):
    """A message in an inbox of ours. It is written down once, in the transaction that does what it asks for.

    What a person wrote stays open until a coordinator marks it as done; everything else is done at once.
    ``purge_due_at``: when the row goes, and with it the message in the mailbox if ``is_ours``.
    ``excerpt`` is sealed, and only of what a person wrote. Whom the writer reaches is in ``forward``.
    """

    __tablename__ = "letter"
    __table_args__ = (
        UniqueConstraint("inbox_id", "message_id"),
        CheckConstraint(f"kind IN ({KINDS})", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"))
    message_id: Mapped[str]  # immutable
    kind: Mapped[str]
    sender: Mapped[str] = mapped_column(String(320), index=True)
    sender_name: Mapped[str]
    subject: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(index=True)
    excerpt: Mapped[str | None]
    participant_id: Mapped[int | None] = mapped_column(
        ForeignKey("participant.id"), index=True
    )  # the writer, or whom
    program_id: Mapped[int | None] = mapped_column(ForeignKey("program.id"), index=True)
    pod_id: Mapped[int | None] = mapped_column(ForeignKey("pod.id"))
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id"), index=True)  # the mail of ours it is about
    forward_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id"))
    kept_here: Mapped[str | None]  # why it was not forwarded: nobody | loop | automatic | many
    trouble: Mapped[str | None]  # of a delivery failure: gone | full | delayed | refused
    is_ours: Mapped[bool] = mapped_column(default=False)  # it answers us, so that we may throw it away
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None] = mapped_column(String(320))  # None: nobody had to look at it
    purge_due_at: Mapped[datetime | None] = mapped_column(index=True)
    fade_due_at: Mapped[datetime | None] = mapped_column(index=True)  # when the excerpt goes, done or not

    inbox: Mapped[Inbox] = relationship()
    participant: Mapped[Participant | None] = relationship()
    program: Mapped[Program | None] = relationship()
    pod: Mapped[Pod | None] = relationship()
    mail: Mapped[Mail | None] = relationship(foreign_keys=[mail_id])
    forward: Mapped[Mail | None] = relationship(foreign_keys=[forward_id])


class AutomaticAnswer(Base):
    """Somebody's mailbox answered by itself: the latest time, and until when they are away where that is certain.

    It is shown beside the person and used by nothing else: no figure, no matching, no reminder looks at it.
    """

    __tablename__ = "automatic_answer"

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), unique=True)
    answered_at: Mapped[datetime]
    away_until: Mapped[date | None]  # the last day away

    participant: Mapped[Participant] = relationship()
