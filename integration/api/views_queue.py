"""The outbox in the API: what waits, what needs a person, trying again and giving up."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import outbox
from integration.admin import audit
from integration.admin.permissions import Permission, Thing, programs_within_reach
from integration.admin.reach import about_message, within
from integration.api.operations import Call, operation
from integration.api.paging import page_after
from integration.api.shapes import DiscardRequest, MessageAnswer, MessagesQuery, Page, RetryAnswer
from integration.errors import NotThere
from integration.language import lazy
from integration.outbox import Message


def _one(session: Session, message_id: int) -> Thing:
    if session.get(Message, message_id) is None:
        raise NotThere(lazy("message"), message_id)
    return about_message(session, message_id)


@operation("GET", "/messages", Permission.HEALTH_SEE, query=MessagesQuery, answer=Page[MessageAnswer])
def list_messages(call: Call) -> Page[MessageAnswer]:
    """Messages of the outbox in one state; parked ones need a person"""
    query: MessagesQuery = call.query
    wanted = select(Message).where(Message.state == query.state)
    rows, following = page_after(call.session, wanted, Message.id, cursor=query.cursor, limit=query.limit)
    programs = programs_within_reach(call.visitor, Permission.MESSAGE_RETRY)
    return Page([_message(each) for each in within(call.session, rows, programs)], following)


@operation(
    "POST", "/messages/{message_id}/retry", Permission.MESSAGE_RETRY, about=_one, answer=RetryAnswer, status=202
)
def retry_message(call: Call, message_id: int) -> RetryAnswer:
    """Try a message again, now and with all its attempts"""
    message = _locked(call.session, message_id)
    answer = RetryAnswer(task=message.task, subject=message.subject)
    outbox.retry(call.session, message_id)
    after = {"task": answer.task, "subject": answer.subject}
    audit.record(
        call.session, call.visitor, Permission.MESSAGE_RETRY, thing="message", thing_id=message_id, after=after
    )
    return answer


@operation(
    "POST", "/messages/{message_id}/discard", Permission.MESSAGE_DISCARD, about=_one, body=DiscardRequest,
    answer=MessageAnswer,
)  # fmt: skip
def discard_message(call: Call, message_id: int) -> MessageAnswer:
    """Give up on a message, saying why"""
    wanted: DiscardRequest = call.body
    outbox.discard(call.session, message_id, wanted.reason.strip())
    audit.record(
        call.session,
        call.visitor,
        Permission.MESSAGE_DISCARD,
        thing="message",
        thing_id=message_id,
        after={"reason": wanted.reason.strip()},
    )
    message = _locked(call.session, message_id)
    call.session.refresh(message)
    return _message(message)


def _locked(session: Session, message_id: int) -> Message:
    message = session.get(Message, message_id, with_for_update=True)
    if message is None:  # somebody else retried it since the door looked
        raise NotThere(lazy("message"), message_id)
    return message


def _message(message: Message) -> MessageAnswer:
    return MessageAnswer(
        id=message.id,
        task=message.task,
        subject=message.subject,
        state=cast(Any, message.state),
        first_asked_at=message.first_asked_at,
        due_at=message.due_at,
        attempts=message.attempts,
        last_error=None if message.last_error is None else str(message.last_error),
    )
