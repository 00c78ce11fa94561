"""Which messages of the outbox and which mails are of a visitor's programs: coordinators may be limited to some."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, exists, select, true
from sqlalchemy.orm import Session

from integration.admin.door import this_visitor
from integration.admin.permissions import Permission, Thing, programs_within_reach
from integration.admin.subjects import subjects_of
from integration.mail.models import Mail
from integration.outbox import Message, State
from integration.scheduling.models import ProgramMember

Programs = frozenset[int] | None  # None: every program
MOST_LOOKED_AT = 1_000  # messages: they do not say of which program they are, so each has to be looked up


def about_message(session: Session, message_id: int) -> Thing:
    """The thing behind a message. One that is gone is of no program: what became of it is for the view to say."""
    message = session.get(Message, message_id)
    return Thing(program_id=subjects_of(session, [message])[message.id].program_id) if message else Thing()


def about_mail(session: Session, mail_id: int) -> Thing:
    """The thing behind a mail: of the programs of whom it goes to, the first that is within the visitor's reach."""
    wanted = select(ProgramMember.program_id).join(Mail, Mail.participant_id == ProgramMember.participant_id)
    of_theirs = set(session.scalars(wanted.where(Mail.id == mail_id)))
    mine = programs_within_reach(this_visitor(), Permission.MAIL_RELEASE)
    return Thing(program_id=min(of_theirs if mine is None else of_theirs & mine, default=None))


def to_people_of(programs: Programs) -> ColumnElement[bool]:
    """Mails to people who take part in one of these programs."""
    if programs is None:
        return true()
    return exists().where(ProgramMember.participant_id == Mail.participant_id, ProgramMember.program_id.in_(programs))


def within(session: Session, messages: Iterable[Message], programs: Programs) -> list[Message]:
    """Those of these messages that are about something of these programs."""
    found = list(messages)
    if programs is None:
        return found
    subjects = subjects_of(session, found)
    return [each for each in found if subjects[each.id].program_id in programs]


def parked_messages(session: Session, programs: Programs) -> Select[Message]:
    """The messages that need a person; of some programs those among the oldest ``MOST_LOOKED_AT``."""
    wanted = select(Message).where(Message.state == State.PARKED)
    if programs is None:
        return wanted
    oldest = session.scalars(wanted.order_by(Message.first_asked_at, Message.id).limit(MOST_LOOKED_AT))
    return wanted.where(Message.id.in_([each.id for each in within(session, oldest, programs)]))
