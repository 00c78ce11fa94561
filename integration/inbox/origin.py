"""What a message that reached us is about: a mail of ours, a pod, the programs of its writer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from integration.graph.resources import Received
from integration.mail.models import Mail
from integration.people.models import Participant
from integration.scheduling.models import Program, ProgramMember, Series, SeriesAttendee

MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
MOST_REFERENCES = 50  # of a long conversation the last ones


@dataclass(frozen=True)
class Origin:
    """``series`` are the living ones that the message may be about; one of them with its pod only when it is sure."""

    mail: Mail | None
    series: Sequence[Series]
    programs: frozenset[int]  # of the writer, or of the pod

    @property
    def the_series(self) -> Series | None:
        return self.series[0] if len(self.series) == 1 else None

    @property
    def program_id(self) -> int | None:
        return next(iter(self.programs)) if len(self.programs) == 1 else None


def origin_of(session: Session, mailbox: str, message: Received, writer: Participant | None) -> Origin:
    """Told from the reply headers, the conversation, our tag, and for a pod from subject and attendees."""
    series = series_of(session, mailbox, message, writer)
    mail = _mail_of(session, mailbox, message)
    programs = frozenset({series[0].pod.program_id}) if len(series) == 1 else _programs_of(session, writer)
    return Origin(mail, series, programs)


def series_of(session: Session, mailbox: str, message: Received, writer: Participant | None) -> list[Series]:
    """The living series whose subject the message ends with; those that its writer is invited to come first.

    A reply carries the subject of the invitation behind a word in the language of whoever replies.
    """
    living = (Series.cancelled_at.is_(None), Series.invited_at.is_not(None))
    wanted = select(Series).where(*living).order_by(Series.id)
    if writer is not None:
        is_invited = Series.attendees.any(SeriesAttendee.participant_id == writer.id)
        mine = session.scalars(wanted.where(is_invited)).all()
        found = [each for each in mine if message.subject.strip().endswith(each.subject)]
        if found:
            return found
    own = session.scalars(wanted.where(Series.organizer == mailbox))
    return [each for each in own if message.subject.strip().endswith(each.subject)]


def is_about_a_forward(session: Session, message: Received, kind: str) -> bool:
    """Whether a message belongs to a conversation that begins with a mail by which we passed another one on."""
    mail = _by_marks(session, message, Mail.kind == kind)
    return mail is not None


def _mail_of(session: Session, mailbox: str, message: Received) -> Mail | None:
    if message.tag:
        tagged = session.scalar(select(Mail).where(Mail.tag == message.tag))
        if tagged is not None:
            return tagged
    return _by_marks(session, message, Mail.sender == mailbox)


def _by_marks(session: Session, message: Received, *conditions: ColumnElement[bool]) -> Mail | None:
    """By the mail that a message answers, else by its conversation; of several the latest."""
    named = " ".join(message.headers.get(each, "") for each in ("references", "in-reply-to"))
    marks: list[ColumnElement[bool]] = [Mail.internet_message_id.in_(MESSAGE_ID.findall(named)[-MOST_REFERENCES:])]
    if message.conversation_id:
        marks.append(Mail.conversation_id == message.conversation_id)
    wanted = select(Mail).where(or_(*marks), *conditions)
    return session.scalar(wanted.order_by(Mail.sent_at.desc(), Mail.id.desc()).limit(1))


def _programs_of(session: Session, writer: Participant | None) -> frozenset[int]:
    if writer is None:
        return frozenset()
    wanted = select(ProgramMember.program_id).join(Program).where(ProgramMember.participant_id == writer.id)
    return frozenset(session.scalars(wanted.where(Program.ended_at.is_(None))))
