"""Writing down what reached us, once, together with what follows from it.

A message is known by its immutable id in its mailbox: whoever writes the row first does what it asks for, in the same
transaction; of two workers the other one does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from integration import outbox
from integration.config import Settings
from integration.graph.resources import Received
from integration.inbox.absence import last_day_away, record_answer
from integration.inbox.forwarding import forward
from integration.inbox.models import Letter
from integration.inbox.origin import origin_of, series_of
from integration.inbox.returned import Report, record_report
from integration.inbox.sorting import Kind, sort
from integration.mail.models import Inbox
from integration.outbox import Task
from integration.people.models import Participant
from integration.people.people import identify
from integration.scheduling.models import Pod, Series
from integration.sealing import sealed, unsealed

PURPOSE = "inbox excerpt"
LONGEST_EXCERPT = 500  # characters
KEEP_FOR = timedelta(days=30)
ABOUT_MEETINGS = frozenset({Kind.REPLY, Kind.PROPOSAL, Kind.FORWARDED})


def unknown_of(session: Session, inbox_id: int, message_ids: Iterable[str]) -> list[str]:
    """Those of the messages that have not been written down, in the same order."""
    ids = list(message_ids)
    known: set[str] = set()
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        wanted = select(Letter.message_id).where(Letter.inbox_id == inbox_id, Letter.message_id.in_(some))
        known |= set(session.scalars(wanted))
    return [each for each in ids if each not in known]


def record_letter(
    session: Session, inbox: Inbox, message: Received, *, settings: Settings, now: datetime
) -> Letter | None:
    """Write a message down and do what follows from it; None when that was done before."""
    if session.scalar(select(exists().where(Letter.inbox_id == inbox.id, Letter.message_id == message.id))):
        return None
    kind = sort(message, ours=settings.own_mailboxes)
    letter = _letter(inbox, message, kind, now=now)
    try:
        with session.begin_nested():
            session.add(letter)
            session.flush()
    except IntegrityError:  # another worker was first
        return None
    writer = identify(session, address=message.sender)
    if kind in ABOUT_MEETINGS:
        _hint(session, letter, message, writer)
    elif kind is Kind.FAILURE:
        _note_failure(session, letter, message)
    elif kind is Kind.AUTOMATIC:
        _note_answer(session, letter, message, writer)
    elif kind is Kind.HUMAN:
        _pass_on(session, letter, message, writer, settings=settings, now=now)
    session.flush()
    return letter


def excerpt_of(letter: Letter, settings: Settings) -> str:
    """The beginning of what somebody wrote; empty once it is gone, or SECRET_KEY has changed."""
    if letter.excerpt is None:
        return ""
    return unsealed(letter.excerpt, purpose=PURPOSE, secret_key=settings.secret_key) or ""


def _letter(inbox: Inbox, message: Received, kind: Kind, *, now: datetime) -> Letter:
    """Everything but what a person wrote is done at once."""
    is_open = kind is Kind.HUMAN
    return Letter(
        inbox=inbox,
        message_id=message.id,
        kind=kind,
        sender=message.sender,
        sender_name=message.sender_name if is_open else "",
        subject=" ".join(message.subject.split()),
        received_at=message.received_at or now,
        done_at=None if is_open else now,
        purge_due_at=None if is_open else now + KEEP_FOR,
    )


def _hint(session: Session, letter: Letter, message: Received, writer: Participant | None) -> None:
    """A reply is a hint to look at the series; what it says is not believed. Those of other meetings stay theirs."""
    series = series_of(session, letter.inbox.address, message, writer)
    outbox.add_all(session, Task.SERIES_PULL, [each.id for each in series])
    letter.participant, letter.is_ours = writer, bool(series)
    if len(series) == 1:
        _set_pod(letter, series[0].pod)


def _note_failure(session: Session, letter: Letter, message: Received) -> None:
    report = Report(letter.subject, message.text, letter.received_at)
    returned = record_report(session, letter.inbox.address, report)
    letter.trouble = report.trouble
    if returned is None:
        return
    letter.is_ours, letter.participant_id, letter.mail_id = True, returned.participant_id, returned.mail_id
    if returned.series_id is not None:
        _set_pod(letter, session.get_one(Series, returned.series_id).pod)


def _note_answer(session: Session, letter: Letter, message: Received, writer: Participant | None) -> None:
    letter.participant, letter.is_ours = writer, True
    if writer is not None:
        until = last_day_away(message.text, received_on=letter.received_at.date())
        record_answer(session, writer.id, at=letter.received_at, away_until=until)


def _pass_on(
    session: Session,
    letter: Letter,
    message: Received,
    writer: Participant | None,
    *,
    settings: Settings,
    now: datetime,
) -> None:
    origin = origin_of(session, letter.inbox.address, message, writer)
    letter.participant, letter.mail, letter.is_ours = writer, origin.mail, True
    letter.program_id = origin.program_id
    if origin.the_series is not None:
        _set_pod(letter, origin.the_series.pod)
    letter.excerpt = sealed(_beginning(message.text), purpose=PURPOSE, secret_key=settings.secret_key)
    letter.fade_due_at = now + KEEP_FOR
    session.flush()
    forward(session, letter, message, origin, settings=settings, now=now)


def _set_pod(letter: Letter, pod: Pod) -> None:
    letter.pod, letter.program_id = pod, pod.program_id


def _beginning(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST_EXCERPT else plain[: LONGEST_EXCERPT - 1].rstrip() + "…"
