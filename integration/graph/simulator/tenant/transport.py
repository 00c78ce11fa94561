"""How mail travels: out of Drafts, through transit, into Sent Items and the inboxes, or back as a failure."""

import copy
import html
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .directory import OutOfOffice, Person
from .messages import Address, Kind, Message
from .refusals import Refused

if TYPE_CHECKING:
    from .mailboxes import Mailboxes
    from .tenant import Tenant

SUPPRESS_PROPERTY = "integer 0x3fdf"
"""PidTagAutoResponseSuppress; bit 0x10 keeps out-of-office answers away, -1 keeps all away (MS-OXOMSG 2.2.1.77)."""


@dataclass(frozen=True)
class Letter:
    """One message that left, for the ledger of everything sent. A calendar message is one per recipient."""

    id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    sent_at: datetime
    body_html: str
    headers: tuple[tuple[str, str], ...]
    kind: Kind


class Transport:
    def __init__(self, tenant: "Tenant", mailboxes: "Mailboxes") -> None:
        self._tenant = tenant
        self._mailboxes = mailboxes
        self._in_transit: list[tuple[Person, Message]] = []
        self._answered: set[tuple[str, str, OutOfOffice]] = set()
        self.letters: list[Letter] = []

    def send(self, person: Person, message: Message, *, keep: bool = True) -> None:
        """Takes the message into transit; `keep`: it reaches Sent Items afterwards."""
        if not message.recipients:
            raise Refused(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
        now, switches = self._tenant.clock.now(), self._tenant.switches
        if not message.is_draft:
            if not switches.second_send_sends_again:
                raise Refused(400, "ErrorInvalidOperation", "The message has been sent already.")
            self.carry(message, sender=person)
            return
        message.sender = message.sender or Address(person.name, person.mail)
        message.is_draft, message.is_read, message.sent_at = False, True, now
        message.leaves_at, message.keep = now + timedelta(seconds=switches.transit_seconds), keep
        if message.folder in ("drafts", "outbox"):
            self._mailboxes.move(person, message, "transit")
        self._in_transit.append((person, message))
        self.advance(now)

    def advance(self, now: datetime) -> None:
        """Whatever has been in transit long enough arrives, oldest first."""
        due = [one for one in self._in_transit if one[1].leaves_at is None or one[1].leaves_at <= now]
        self._in_transit = [one for one in self._in_transit if one not in due]
        for person, message in due:
            self.carry(message, sender=person)
            self._file(person, message)

    def next_event_at(self) -> datetime | None:
        return min((at for _, one in self._in_transit if (at := one.leaves_at)), default=None)

    def carry(self, message: Message, *, sender: Person) -> None:
        """Into every recipient's inbox now; failures and out-of-office answers come back to the sender."""
        self.letters.append(_letter(message, at=self._tenant.clock.now()))
        for address in dict.fromkeys(one.address.casefold() for one in message.recipients):
            self._arrive(message, address, sender=sender)

    def _arrive(self, message: Message, address: str, *, sender: Person) -> None:
        person = self._tenant.directory.by_address(address)
        if person is None or not person.exchange:
            if person is not None or self._ours(address):
                self._bounce(message, address, sender=sender)
            return
        mine = copy.copy(message)
        fresh = self._mailboxes.blank(folder="inbox", subject=message.subject, body=message.body)
        mine.immutable_id, mine.rest_id, mine.folder = fresh.immutable_id, fresh.rest_id, "inbox"
        mine.bcc, mine.is_draft, mine.is_read, mine.version = [], False, False, 1
        mine.created_at = mine.modified_at = mine.received_at = fresh.created_at
        mine.properties = dict(message.properties)
        self._mailboxes.keep(person, mine)
        self._answer_out_of_office(message, person, sender=sender)

    def _ours(self, address: str) -> bool:
        """Mail to other companies leaves and is not followed; `.invalid` never exists (RFC 2606)."""
        domain = address.rpartition("@")[2]
        return domain == self._tenant.domain.casefold() or domain.endswith(".invalid") or not domain

    def _bounce(self, message: Message, address: str, *, sender: Person) -> None:
        if message.kind in ("nonDelivery", "autoReply"):
            return
        words = (
            f"<p>Your message to {html.escape(address)} couldn't be delivered.</p>"
            f"<p>{html.escape(address)} wasn't found at {html.escape(address.rpartition('@')[2])}.</p>"
            "<p>Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found'</p>"
        )
        report = self._mailboxes.blank(folder="inbox", subject=f"Undeliverable: {message.subject}", body=words)
        report.sender = Address("Microsoft Outlook", f"MicrosoftExchange329e71ec88ae@{self._tenant.domain}")
        report.headers = [{"name": "X-Failed-Recipients", "value": address}]
        self._return(report, message, kind="nonDelivery", to=sender)

    def _answer_out_of_office(self, message: Message, person: Person, *, sender: Person) -> None:
        away, now, switches = person.out_of_office, self._tenant.clock.now(), self._tenant.switches
        if away is None or not away.starts_at <= now < away.ends_at or person is sender:
            return
        answered = message.kind == "mail" or (
            message.kind in ("meetingRequest", "meetingUpdate") and switches.auto_reply_to_invitations
        )
        if not answered or (switches.auto_reply_suppressed and _suppressed(message)):
            return
        once = (person.id, sender.id, away)
        if once in self._answered:
            return
        self._answered.add(once)
        reply = self._mailboxes.blank(
            folder="inbox", subject=f"Automatic reply: {message.subject}", body=f"<p>{html.escape(away.message)}</p>"
        )
        reply.sender = Address(person.name, person.mail)
        reply.headers = [{"name": "X-Auto-Response-Suppress", "value": "All"}]
        self._return(reply, message, kind="autoReply", to=sender)

    def _return(self, answer: Message, original: Message, *, kind: Kind, to: Person) -> None:
        answer.kind, answer.to = kind, [Address(to.name, to.mail)]
        answer.sent_at = answer.received_at = self._tenant.clock.now()
        answer.conversation_id = original.conversation_id
        self.letters.append(_letter(answer, at=answer.sent_at))
        self._mailboxes.keep(to, answer)

    def _file(self, person: Person, message: Message) -> None:
        """Into Sent Items; a message that is not kept is gone."""
        message.leaves_at = None
        box = self._mailboxes.of(person).messages
        box.pop(message.immutable_id, None)
        if not message.keep:
            return
        if self._tenant.switches.sent_id_changes:
            message.immutable_id = self._tenant.new_id("AAkALg")
        message.folder, message.received_at = "sentitems", message.sent_at
        message.rest_id = self._tenant.new_id("AAMkAD")
        self._mailboxes.keep(person, message)


def _suppressed(message: Message) -> bool:
    wanted = next((value for key, value in message.properties.items() if key.casefold() == SUPPRESS_PROPERTY), "0")
    try:
        return bool(int(wanted) & 0x10)
    except ValueError:
        return False


def _letter(message: Message, *, at: datetime) -> Letter:
    return Letter(
        id=message.immutable_id,
        sender=message.sender.address if message.sender else "",
        recipients=tuple(one.address for one in message.recipients),
        subject=message.subject,
        sent_at=at,
        body_html=message.stored_html,
        headers=tuple((one["name"], one["value"]) for one in message.headers),
        kind=message.kind,
    )
