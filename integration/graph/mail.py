"""Mails from our sender mailboxes, as draft and send, so that a crash in between sends nothing twice.

https://learn.microsoft.com/graph/api/resources/message. Ids are immutable: the draft's id is the sent message's.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from integration.graph import operations, outgoing
from integration.graph.errors import NotFound, Rejected
from integration.graph.resources import Arrival, MailDraft, Message, MessageDelta, Received
from integration.graph.translate import WireMessage, message_in, message_kind, received_in
from integration.graph.transport import (
    IMMUTABLE_IDS,
    Page,
    Request,
    Transport,
    decoded,
    instant,
    mailbox_in,
    query,
    quoted,
)
from integration.language import lazy

if TYPE_CHECKING:
    from msgraph.generated.users.item.mail_folders.item.mail_folder_item_request_builder import (
        MailFolderItemRequestBuilder,
    )
    from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder

HEAD = "id,isDraft,subject,from,sender,toRecipients,sentDateTime,receivedDateTime,conversationId,internetMessageId"
WHOLE = (
    "id,subject,from,sender,receivedDateTime,hasAttachments,conversationId,internetMessageId,internetMessageHeaders"
    ",body"
)
PAGE_SIZE = 50
DELTA = (IMMUTABLE_IDS, "odata.maxpagesize=200")


class MailCalls:
    """Messages of one mailbox of ours. Every call raises GraphError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create_draft(self, mailbox: str, draft: MailDraft) -> Message:
        """Save ``draft`` in Drafts; nothing is sent. A second call makes a second draft: look by tag first."""
        request = Request(
            operation=operations.CREATE_DRAFT,
            builder=self._messages(mailbox),
            mailbox=mailbox,
            body=outgoing.message_out(draft),
        )
        return message_in(decoded(self._transport.send(request), WireMessage, operation=request.operation))

    def find_by_tag(self, mailbox: str, tag: str) -> Message | None:
        """The draft or sent message that carries our tag, in whatever folder."""
        prop = f"ep/id eq {quoted(outgoing.TAG_PROPERTY)} and ep/value eq {quoted(tag)}"
        request = Request(
            operation=operations.FIND_MESSAGES,
            builder=self._messages(mailbox),
            mailbox=mailbox,
            query=query(filter=f"singleValueExtendedProperties/any(ep: {prop})", select=HEAD, top=2),
        )
        found = next(self._transport.collect(request, Page[WireMessage]), None)
        return message_in(found) if found else None

    def get_message(self, mailbox: str, message_id: str) -> Message:
        """The message with its body. Raises NotFound, also for a while after sending ("in transit")."""
        request = Request(
            operation=operations.GET_MESSAGE,
            builder=self._messages(mailbox).by_message_id(message_id),
            mailbox=mailbox,
        )
        return message_in(decoded(self._transport.send(request), WireMessage, operation=request.operation), body=True)

    def send_draft(self, mailbox: str, message_id: str) -> None:
        """Hand a draft over for delivery: no error means accepted, not delivered. Never repeated by itself."""
        request = Request(
            operation=operations.SEND_DRAFT,
            builder=self._messages(mailbox).by_message_id(message_id).send,
            mailbox=mailbox,
        )
        self._transport.send(request)

    def delete_message(self, mailbox: str, message_id: str) -> None:
        """Delete a message; already gone counts as done."""
        request = Request(
            operation=operations.DELETE_MESSAGE,
            builder=self._messages(mailbox).by_message_id(message_id),
            mailbox=mailbox,
        )
        with suppress(NotFound):
            self._transport.send(request)

    def inbox(self, mailbox: str, since: datetime) -> tuple[Message, ...]:
        """What arrived at or after ``since``, oldest first, without bodies: replies, failures, automatic answers."""
        # No $select: responseType belongs to a derived type and would be lost.
        request = Request(
            operation=operations.LIST_INBOX,
            builder=self._inbox(mailbox).messages,
            mailbox=mailbox,
            query=query(
                filter=f"receivedDateTime ge {instant(since)}", orderby="receivedDateTime asc", top=PAGE_SIZE
            ),
        )
        return tuple(message_in(wire) for wire in self._transport.collect(request, Page[WireMessage]))

    def inbox_delta(self, mailbox: str, since: datetime) -> MessageDelta:
        """A full round over what arrived at or after ``since``; its ``link`` starts the next one.

        https://learn.microsoft.com/graph/delta-query-messages
        """
        request = Request(
            operation=operations.DELTA_INBOX,
            builder=self._inbox(mailbox).messages.delta,
            mailbox=mailbox,
            query=query(filter=f"receivedDateTime ge {instant(since)}", select="receivedDateTime"),
            prefer=DELTA,
        )
        return self._round(request)

    def inbox_delta_from(self, link: str) -> MessageDelta:
        """What came or changed since the round that gave ``link``. Raises SyncLost when a full round is needed."""
        request = Request(operation=operations.DELTA_INBOX, link=link, mailbox=mailbox_in(link), prefer=DELTA)
        return self._round(request)

    def receive(self, mailbox: str, arrival: Arrival) -> Received:
        """A message that reached us, with its headers and its body as plain text. Raises NotFound."""
        # Headers come only when selected, and what a meeting message has of its own only when nothing is.
        select = WHOLE if arrival.kind == "message" else None
        wanted = " or ".join(
            f"id eq {quoted(each)}" for each in (outgoing.TAG_PROPERTY, outgoing.MESSAGE_CLASS_PROPERTY)
        )
        request = Request(
            operation=operations.GET_MESSAGE,
            builder=self._messages(mailbox).by_message_id(arrival.id),
            mailbox=mailbox,
            query=query(select=select, expand=f"singleValueExtendedProperties($filter={wanted})"),
            prefer=(IMMUTABLE_IDS, 'outlook.body-content-type="text"'),
        )
        wire = decoded(self._transport.send(request), WireMessage, operation=request.operation)
        return received_in(wire, class_property=outgoing.MESSAGE_CLASS_PROPERTY, tag_property=outgoing.TAG_PROPERTY)

    def _round(self, request: Request) -> MessageDelta:
        found: dict[str, str] = {}
        link = None
        for page in self._transport.pages(request, Page[WireMessage]):
            for wire in page.value:
                found.pop(wire.id, None)
                if wire.removed is None:
                    found[wire.id] = message_kind(wire)
            link = page.delta_link
        if link is None:
            raise Rejected(lazy("The delta round ended without a delta link."), remedy=lazy("Start a full round."))
        return MessageDelta(tuple(Arrival(*each) for each in found.items()), link)

    def _inbox(self, mailbox: str) -> MailFolderItemRequestBuilder:
        return self._transport.root.users.by_user_id(mailbox).mail_folders.by_mail_folder_id("inbox")

    def _messages(self, mailbox: str) -> MessagesRequestBuilder:
        return self._transport.root.users.by_user_id(mailbox).messages
