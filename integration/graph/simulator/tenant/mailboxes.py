"""Mailboxes: folders, drafts, what arrives. How messages travel is in transport.py."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from .directory import Person
from .messages import Address, Kind, MeetingPart, Message
from .refusals import Refused
from .transport import Transport

if TYPE_CHECKING:
    from .tenant import Tenant

FOLDERS = {
    "inbox": "Inbox",
    "drafts": "Drafts",
    "sentitems": "Sent Items",
    "deleteditems": "Deleted Items",
    "outbox": "Outbox",
}
"""Well-known names and what people see."""


@dataclass(frozen=True)
class FolderChange:
    """A message appeared in, changed in or left a folder; `sequence` counts over the mailbox."""

    sequence: int
    folder: str
    immutable_id: str
    rest_id: str
    change: Literal["created", "updated", "deleted"]


@dataclass
class Mailbox:
    owner: Person
    folder_ids: dict[str, str]
    messages: dict[str, Message] = field(default_factory=dict)
    changes: list[FolderChange] = field(default_factory=list)

    def find(self, message_id: str) -> Message:
        """By either id, which are case-sensitive. Raises Refused (404) for none, and for one in transit."""
        message = self.messages.get(message_id) or next(
            (one for one in self.messages.values() if one.rest_id == message_id), None
        )
        if message is None or message.folder not in FOLDERS:
            raise Refused(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return message

    def folder(self, key: str) -> str:
        """The well-known name for a well-known name (in any case) or a folder id. Raises Refused (404)."""
        if key.casefold() in FOLDERS:
            return key.casefold()
        for name, folder_id in self.folder_ids.items():
            if folder_id == key:
                return name
        raise Refused(404, "ErrorItemNotFound", f"The folder {key!r} was not found in the store.")

    def in_folder(self, folder: str | None = None) -> list[Message]:
        """Newest first; without a folder everything that can be found."""
        found = [one for one in self.messages.values() if one.folder in FOLDERS]
        found = [one for one in found if folder in (None, one.folder)]
        return sorted(found, key=lambda one: one.received_at or one.created_at, reverse=True)


class Mailboxes:
    """Mailboxes come into being when they are first looked at."""

    def __init__(self, tenant: "Tenant") -> None:
        self._tenant = tenant
        self._boxes: dict[str, Mailbox] = {}
        self.transport = Transport(tenant, self)
        self.delta_generation = 1

    def of(self, person: Person) -> Mailbox:
        box = self._boxes.get(person.id)
        if box is None:
            ids = {name: self._tenant.new_id("AQMkAD") for name in FOLDERS}
            box = self._boxes[person.id] = Mailbox(person, ids)
        return box

    def all(self) -> Iterator[Mailbox]:
        """Those looked at so far."""
        yield from list(self._boxes.values())

    def deliver(
        self,
        address: str,
        *,
        sender: Person,
        subject: str,
        body_html: str,
        kind: Kind,
        event_uid: str | None = None,
        occurrence_start: datetime | None = None,
        response: str | None = None,
        headers: dict[str, str] | None = None,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        proposed: tuple[datetime, datetime] | None = None,
        recurring: bool | None = None,
    ) -> None:
        """A message the tenant itself sends for `sender`, there at once; unknown addresses come back as failures.

        `response` is Graph's word for a reply (accepted, tentativelyAccepted, declined) or its verb.
        """
        meeting = None
        if kind.startswith("meeting"):
            times = self._times(event_uid, occurrence_start)
            meeting = MeetingPart(
                message_type=_message_type(kind, response),
                event_uid=event_uid,
                event_type=self._event_type(event_uid, occurrence_start, recurring=recurring),
                response=_response(response),
                starts_at=starts_at or times[0],
                ends_at=ends_at or times[1],
                proposed=proposed,
            )
        message = self.blank(folder="sentitems", subject=subject, body=body_html)
        message.sender = Address(sender.name, sender.mail)
        message.to = [self.address(address)]
        message.kind, message.meeting = kind, meeting
        if kind == "meetingForwarded":
            message.properties["String 0x001a"] = "IPM.Schedule.Meeting.Notification.Forward"
        message.headers = [{"name": name, "value": value} for name, value in (headers or {}).items()]
        message.sent_at = self._tenant.clock.now()
        self.transport.carry(message, sender=sender)

    def address(self, address: str) -> Address:
        known = self._tenant.directory.by_address(address)
        return Address(known.name if known else address, address)

    def blank(self, *, folder: str, subject: str, body: str, body_type: Literal["html", "text"] = "html") -> Message:
        """A message nobody keeps yet."""
        now, tenant = self._tenant.clock.now(), self._tenant
        return Message(
            immutable_id=tenant.new_id("AAkALg"),
            rest_id=tenant.new_id("AAMkAD"),
            folder=folder,
            subject=subject,
            body=body,
            body_type=body_type,
            created_at=now,
            modified_at=now,
            conversation_id=tenant.new_id("AAQkAD"),
            internet_message_id=f"<{tenant.new_guid()}@{tenant.domain}>",
        )

    def keep(self, person: Person, message: Message) -> Message:
        """The message is in its folder from now on."""
        self.of(person).messages[message.immutable_id] = message
        self._note(person, message, "created")
        return message

    def changed(self, person: Person, message: Message) -> None:
        message.version += 1
        message.modified_at = self._tenant.clock.now()
        self._note(person, message, "updated")

    def move(self, person: Person, message: Message, folder: str) -> None:
        """Into another folder, or into transit: the ordinary id becomes another one."""
        self._note(person, message, "deleted")
        message.folder = folder
        message.rest_id = self._tenant.new_id("AAMkAD")
        message.version += 1
        message.modified_at = self._tenant.clock.now()
        self._note(person, message, "created")

    def delete(self, person: Person, message: Message) -> None:
        """Into Deleted Items, and from there for good."""
        if message.folder != "deleteditems":
            self.move(person, message, "deleteditems")
            return
        self._note(person, message, "deleted")
        del self.of(person).messages[message.immutable_id]

    def send(self, person: Person, message: Message) -> None:
        """Raises Refused: without recipients, or for a message sent already where that is refused."""
        self.transport.send(person, message)

    def advance(self, now: datetime) -> None:
        self.transport.advance(now)

    def next_event_at(self) -> datetime | None:
        return self.transport.next_event_at()

    def _times(self, event_uid: str | None, occurrence_start: datetime | None) -> tuple[datetime | None, ...]:
        event = self._tenant.calendars.organized(event_uid) if event_uid else None
        if event is None:
            return occurrence_start, None
        starts_at, ends_at = event.content.starts_at, event.content.ends_at
        return occurrence_start or starts_at, (occurrence_start or starts_at) + (ends_at - starts_at)

    def _event_type(self, event_uid: str | None, occurrence_start: datetime | None, *, recurring: bool | None) -> str:
        event = self._tenant.calendars.organized(event_uid) if event_uid else None
        if occurrence_start is not None:
            return "occurrence"
        return "seriesMaster" if recurring or (event is not None and event.recurrence) else "singleInstance"

    def _note(self, person: Person, message: Message, change: Literal["created", "updated", "deleted"]) -> None:
        if message.folder not in FOLDERS:
            return
        box = self.of(person)
        box.changes.append(
            FolderChange(len(box.changes) + 1, message.folder, message.immutable_id, message.rest_id, change)
        )
        self._tenant.subscriptions.changed(
            person,
            collection="messages",
            item_id=message.rest_id,
            immutable_id=message.immutable_id,
            change=change,
            etag=etag_of(message),
            folder=message.folder,
        )


def change_key_of(message: Message) -> str:
    return f"CQAAABYAAAD{message.immutable_id[6:22]}{message.version:06d}"


def etag_of(message: Message) -> str:
    return f'W/"{change_key_of(message)}"'


_RESPONSES = {"accept": "accepted", "decline": "declined", "tentativelyAccept": "tentativelyAccepted"}
_RESPONSE_TYPES = {
    "accepted": "meetingAccepted",
    "declined": "meetingDeclined",
    "tentativelyAccepted": "meetingTenativelyAccepted",  # the schema's spelling
}


def _response(response: str | None) -> str | None:
    return _RESPONSES.get(response, response) if response else None


def _message_type(kind: Kind, response: str | None) -> str:
    if kind == "meetingResponse":
        return _RESPONSE_TYPES.get(_response(response) or "", "none")
    if kind == "meetingForwarded":
        return "none"
    return "meetingCancelled" if kind == "meetingCancelled" else "meetingRequest"
