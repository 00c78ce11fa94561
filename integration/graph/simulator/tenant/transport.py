"""How mail travels: out of Drafts, through transit, into Sent Items and the inboxes, or back as a failure."""

import copy
import html
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..switches import Switches
from .directory import OutOfOffice, Person
from .failures import FAILURES, UNKNOWN, OrderedFailure
from .messages import Address, Kind, Message
from .refusals import Refused

if TYPE_CHECKING:
    from .mailboxes import Mailboxes
    from .tenant import Tenant

SUPPRESS_PROPERTY = "integer 0x3fdf"
"""PidTagAutoResponseSuppress; bit 0x10 keeps out-of-office answers away, -1 keeps all away (MS-OXOMSG 2.2.1.77)."""
SUPPRESS_HEADER = "x-auto-response-suppress"
SUPPRESS_WORDS = {"dr": 0x1, "ndr": 0x2, "rn": 0x4, "nrn": 0x8, "oof": 0x10, "autoreply": 0x20, "all": -1, "none": 0}
OUT_OF_OFFICE = 0x10


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
        self.failing: list[OrderedFailure] = []
        self._late: list[tuple[datetime, Message, Person, Person]] = []

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
        """Whatever has been in transit, or was delayed, long enough arrives, oldest first."""
        late = [one for one in self._late if one[0] <= now]
        self._late = [one for one in self._late if one[0] > now]
        for _, message, person, sender in late:
            self._deliver(message, person, sender=sender)
        due = [one for one in self._in_transit if one[1].leaves_at is None or one[1].leaves_at <= now]
        self._in_transit = [one for one in self._in_transit if one not in due]
        for person, message in due:
            self.carry(message, sender=person)
            self._file(person, message)

    def next_event_at(self) -> datetime | None:
        due = [at for _, one in self._in_transit if (at := one.leaves_at)]
        return min(due + [at for at, *_ in self._late], default=None)

    def carry(self, message: Message, *, sender: Person) -> None:
        """Into every recipient's inbox now; failures and out-of-office answers come back to the sender."""
        self.letters.append(_letter(message, at=self._tenant.clock.now()))
        for address in dict.fromkeys(one.address.casefold() for one in message.recipients):
            self._arrive(message, address, sender=sender)

    def _arrive(self, message: Message, address: str, *, sender: Person) -> None:
        person = self._tenant.directory.by_address(address)
        ordered = self._ordered(address)
        if ordered is not None:
            self._bounce(message, address, sender=sender, kind=ordered)
            wait = FAILURES[ordered].arrives_after
            if wait is not None and person is not None and person.exchange:
                self._late.append((self._tenant.clock.now() + wait, message, person, sender))
            return
        if person is None or not person.exchange:
            if person is not None or self._ours(address):
                self._bounce(message, address, sender=sender, kind=UNKNOWN)
            return
        self._deliver(message, person, sender=sender)

    def _deliver(self, message: Message, person: Person, *, sender: Person) -> None:
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

    def _ordered(self, address: str) -> str | None:
        """The failure on order for this address; one of its times is spent."""
        found = next((one for one in self.failing if one.address.casefold() == address), None)
        if found is None:
            return None
        if found.times is not None:
            found.times -= 1
            self.failing = [one for one in self.failing if one.times is None or one.times > 0]
        return found.kind

    def _bounce(self, message: Message, address: str, *, sender: Person, kind: str) -> None:
        if message.kind not in ("nonDelivery", "autoReply"):
            conversation = message.conversation_id
            self.report(kind, subject=message.subject, address=address, to=sender, conversation_id=conversation)

    def report(self, kind: str, *, subject: str, address: str, to: Person, conversation_id: str) -> None:
        """Exchange tells the sender what became of a message to `address`; `kind` is one of FAILURES."""
        failure = FAILURES[kind]
        report = self._mailboxes.blank(
            folder="inbox", subject=failure.subject_of(subject), body=failure.body_of(address)
        )
        report.sender = Address("Microsoft Outlook", f"MicrosoftExchange329e71ec88ae@{self._tenant.domain}")
        report.headers = [{"name": "X-Failed-Recipients", "value": address}]
        report.properties["String 0x001a"] = failure.message_class
        self._return(report, conversation_id, kind="nonDelivery", to=to)

    def _answer_out_of_office(self, message: Message, person: Person, *, sender: Person) -> None:
        away, now, switches = person.out_of_office, self._tenant.clock.now(), self._tenant.switches
        if away is None or not away.starts_at <= now < away.ends_at or person is sender:
            return
        answered = message.kind == "mail" or (
            message.kind in ("meetingRequest", "meetingUpdate") and switches.auto_reply_to_invitations
        )
        if not answered or not answer_allowed(message, OUT_OF_OFFICE, switches=switches):
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
        reply.properties["String 0x001a"] = "IPM.Note.Rules.OofTemplate.Microsoft"
        self._return(reply, message.conversation_id, kind="autoReply", to=sender)

    def _return(self, answer: Message, conversation_id: str, *, kind: Kind, to: Person) -> None:
        answer.kind, answer.to = kind, [Address(to.name, to.mail)]
        answer.sent_at = answer.received_at = self._tenant.clock.now()
        answer.conversation_id = conversation_id
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


def answer_allowed(message: Message, bit: int, *, switches: Switches) -> bool:
    """Whether automatic answers of this sort may go out: property and header may keep them away (facts 17)."""
    if switches.auto_reply_suppressed and _property_bits(message) & bit:
        return False
    return not (switches.auto_reply_suppressed_by_header and _header_bits(message) & bit)


def _property_bits(message: Message) -> int:
    wanted = next((value for key, value in message.properties.items() if key.casefold() == SUPPRESS_PROPERTY), "0")
    try:
        return int(wanted)
    except ValueError:
        return 0


def _header_bits(message: Message) -> int:
    sent = next((one["value"] for one in message.headers if one["name"].casefold() == SUPPRESS_HEADER), "")
    bits = 0
    for word in sent.split(","):
        bits |= SUPPRESS_WORDS.get(word.strip().casefold(), 0)
    return bits


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
