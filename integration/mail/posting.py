"""Posting: due mails get a sender mailbox and their turn in its pace; then the workers send them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from integration import outbox
from integration.config import Settings
from integration.due import take_due
from integration.mail.models import CANCELLED, HELD, SENDING, WAITING, Mail, SenderMailbox
from integration.mail.quiet import after_quiet_hours
from integration.outbox import Task

AT_ONCE = 200  # mails posted in one transaction


def post_due(session: Session, settings: Settings, *, now: datetime) -> int:
    """Post what is due: ask the workers to send it, or move its date to the sender's next turn; returns how many.

    Raises SettingRefused when there is no mailbox to send from. Holds what MAIL_ALLOWLIST does not name
    and what would come back, and cancels mails to people who left meanwhile.
    """
    taken = take_due(session, Mail.due_at, Mail.state == WAITING, now=now, limit=AT_ONCE)
    if not taken:
        return 0
    mailboxes = _mailboxes(session, settings, now=now)
    gap = timedelta(minutes=1) / settings.mails_per_minute
    for mail in session.scalars(select(Mail).where(Mail.id.in_(taken)).order_by(Mail.id)):
        if _may_leave(mail, settings, now=now):
            _post(session, mail, mailboxes, gap=gap, now=now)
    return len(taken)


def ask_again_due(session: Session, *, now: datetime) -> int:
    """Ask the workers to look for mails of which nobody knows yet whether they were sent; returns how many."""
    taken = take_due(session, Mail.look_at, Mail.state == SENDING, now=now, limit=AT_ONCE)
    for mail_id in taken:
        outbox.add(session, Task.MAIL_SEND, mail_id)
    return len(taken)


def _mailboxes(session: Session, settings: Settings, *, now: datetime) -> Sequence[SenderMailbox]:
    """The rows of the senders, locked: two schedulers must not give the same turn away twice."""
    wanted = settings.sender_mailboxes or (settings.required("SENDER_MAILBOXES"),)
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(SenderMailbox).values([{"address": each, "free_at": now} for each in sorted(wanted)])
    session.execute(insert.on_conflict_do_nothing())
    chosen = select(SenderMailbox).where(SenderMailbox.address.in_(wanted)).order_by(SenderMailbox.address)
    return session.scalars(chosen.with_for_update()).all()


def _may_leave(mail: Mail, settings: Settings, *, now: datetime) -> bool:
    person = mail.participant.person
    if person is None or not person.is_here:
        mail.state = CANCELLED
    elif person.unreachable_at is not None or not settings.may_mail(mail.to_address):
        mail.state = HELD
    else:
        mail.due_at = _later(after_quiet_hours(now, person.time_zone), than=now)
    return mail.state == WAITING and mail.due_at is None


def _later(at: datetime, *, than: datetime) -> datetime | None:
    return at if at > than else None


def _post(session: Session, mail: Mail, mailboxes: Sequence[SenderMailbox], *, gap: timedelta, now: datetime) -> None:
    if mail.sender is None:  # otherwise this is the turn that it was given before
        sender = min(mailboxes, key=lambda each: (each.free_at, each.address))
        mail.sender, mail.due_at = sender.address, _later(sender.free_at, than=now)
        sender.free_at = max(sender.free_at, now) + gap
    if mail.due_at is None:
        outbox.add(session, Task.MAIL_SEND, mail.id)
