"""Reading our inboxes, and throwing away in them what was done long ago."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from integration import outbox
from integration.due import earliest, take_due
from integration.duties import Duty
from integration.graph.errors import NotFound, SyncLost
from integration.inbox import keeping, rounds
from integration.inbox.letters import record_letter, unknown_of
from integration.inbox.models import Letter
from integration.log import get_logger
from integration.mail.models import Inbox
from integration.outbox import Task

if TYPE_CHECKING:
    from integration.graph.resources import Arrival, MessageDelta
    from integration.tools import Tools

log = get_logger(__name__)


def read_inbox(tools: Tools, inbox_id: int) -> None:
    """Read what arrived in a mailbox of ours since the last time, and do what follows from each message.

    Each message is one transaction and the link is remembered last: whoever dies in between reads the round again,
    and what is written down already is passed over.
    """
    now = tools.clock.now()
    with tools.database.reading() as session:
        inbox = session.get(Inbox, inbox_id)
    if inbox is None or inbox.address not in tools.settings.own_mailboxes:
        return
    delta = _round(tools, inbox, now=now)
    with tools.database.reading() as session:
        fresh = set(unknown_of(session, inbox_id, [each.id for each in delta.arrivals]))
    found = [_record(tools, inbox, each, now=now) for each in delta.arrivals if each.id in fresh]
    with tools.database.transaction() as session:
        rounds.record_round(session.get_one(Inbox, inbox_id), tools.settings, link=delta.link, now=now)
    if any(found):
        log.info("inbox read", inbox_id=inbox_id, letters=sum(found))


def purge_letter(tools: Tools, letter_id: int) -> None:
    """Throw away a message that was done 30 days ago: into the mailbox's Deleted Items, and our row for good."""
    now = tools.clock.now()
    with tools.database.reading() as session:
        letter = session.get(Letter, letter_id)
        if letter is None or not keeping.may_purge(session, letter, now=now):
            return
        address = session.get_one(Inbox, letter.inbox_id).address
    if letter.is_ours and address in tools.settings.own_mailboxes:
        tools.graph.mail.delete_message(address, letter.message_id)
    with tools.database.transaction() as session:
        row = session.get(Letter, letter_id, with_for_update=True)
        if row is not None:
            keeping.forget(session, row)
    log.info("letter purged", letter_id=letter_id)


def _round(tools: Tools, inbox: Inbox, *, now: datetime) -> MessageDelta:
    link = rounds.known_link(inbox, tools.settings)
    if link is not None:
        try:
            return tools.graph.mail.inbox_delta_from(link)
        except SyncLost:
            log.info("inbox link lost", inbox_id=inbox.id)
    return tools.graph.mail.inbox_delta(inbox.address, rounds.since(inbox, now=now))


def _record(tools: Tools, inbox: Inbox, arrival: Arrival, *, now: datetime) -> bool:
    try:
        message = tools.graph.mail.receive(inbox.address, arrival)
    except NotFound:
        return False  # somebody tidied up meanwhile
    if message.received_at is not None and message.received_at < rounds.earliest_wanted(inbox, now=now):
        return False  # an old message that somebody touched
    with tools.database.transaction() as session:
        row = session.get_one(Inbox, inbox.id)
        return record_letter(session, row, message, settings=tools.settings, now=now) is not None


def _ask_to_read(tools: Tools, now: datetime) -> int:
    later = now + timedelta(minutes=tools.settings.sweep_minutes)
    with tools.database.transaction() as session:
        taken = take_due(session, Inbox.read_due_at, now=now, then=lambda _seen: later)
        outbox.add_all(session, Task.INBOX_READ, taken)
    return len(taken)


def _ask_to_purge(tools: Tools, now: datetime) -> int:
    with tools.database.transaction() as session:
        return keeping.ask_to_purge(session, now=now)


def _fade(tools: Tools, now: datetime) -> int:
    with tools.database.transaction() as session:
        return keeping.fade(session, now=now)


DUTIES: tuple[Duty, ...] = (
    Duty("read inboxes", earliest(Inbox.read_due_at), _ask_to_read),
    Duty("purge letters", earliest(Letter.purge_due_at), _ask_to_purge),
    Duty("forget what letters said", earliest(Letter.fade_due_at), _fade),
)
