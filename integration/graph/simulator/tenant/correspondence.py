"""What people and their mail systems write back to a message they got."""

from html import escape
from typing import TYPE_CHECKING

from .directory import Person
from .failures import FAILURES
from .messages import Address, Message
from .refusals import Refused
from .transport import Letter, answer_allowed

if TYPE_CHECKING:
    from .tenant import Tenant

MESSAGE_CLASS = "String 0x001a"
"""PidTagMessageClass, by which reports and automatic replies can be told from letters."""
CLIENT_REPLY = 0x20
"""The bit of PidTagAutoResponseSuppress for automatic replies that are no out-of-office answer."""


def received(tenant: "Tenant", person: Person, *, message_id: str = "", subject: str = "") -> Message:
    """The message of this id, or the newest in the inbox whose subject contains the words. Raises Refused (404)."""
    box = tenant.mailboxes.of(person)
    if message_id:
        return box.find(message_id)
    found = next((one for one in box.in_folder("inbox") if subject.casefold() in one.subject.casefold()), None)
    if found is None:
        raise Refused(404, "NotFound", f"{person.mail} has no mail about {subject!r}.")
    return found


def write_back(tenant: "Tenant", person: Person, message: Message, *, body_html: str, subject: str = "") -> None:
    """A person answers in their own words, with the message below them, as mail programs do."""
    quoted = f"{body_html}<hr><div>From: {escape(_sender(message).address)}<br>{message.body}</div>"
    answer = _answer_to(tenant, person, message, subject=subject or _opened("RE: ", message.subject), body=quoted)
    tenant.mailboxes.transport.carry(answer, sender=person)


def reply_automatically(tenant: "Tenant", person: Person, message: Message, *, body_html: str, subject: str) -> bool:
    """What a rule or a robot answers. False when the message asked for no automatic replies (facts 17)."""
    if not answer_allowed(message, CLIENT_REPLY, switches=tenant.switches) or message.kind == "autoReply":
        return False
    answer = _answer_to(
        tenant, person, message, subject=subject or f"Automatic reply: {message.subject}", body=body_html
    )
    answer.kind = "autoReply"
    answer.properties[MESSAGE_CLASS] = "IPM.Note.Rules.ReplyTemplate.Microsoft"
    answer.headers += [
        {"name": "Auto-Submitted", "value": "auto-replied"},
        {"name": "X-Auto-Response-Suppress", "value": "All"},
    ]
    tenant.mailboxes.transport.carry(answer, sender=person)
    return True


def return_late(tenant: "Tenant", sender: Person, *, recipient: str, kind: str, subject: str = "") -> None:
    """A failure comes back for the newest message to `recipient` whose subject contains the words, calendar
    messages too. Raises Refused (404) when there was none."""
    letter = next(
        (one for one in reversed(tenant.mailboxes.transport.letters) if _is_about(one, sender, recipient, subject)),
        None,
    )
    if letter is None:
        raise Refused(404, "NotFound", f"{sender.mail} wrote nothing about {subject!r} to {recipient}.")
    if kind not in FAILURES:
        raise Refused(400, "BadRequest", f"kind is one of {', '.join(FAILURES)}, not {kind!r}.")
    sent = tenant.mailboxes.of(sender).messages.get(letter.id)
    conversation = sent.conversation_id if sent else tenant.new_id("AAQkAD")
    tenant.mailboxes.transport.report(
        kind, subject=letter.subject, address=recipient, to=sender, conversation_id=conversation
    )


def _is_about(letter: Letter, sender: Person, recipient: str, subject: str) -> bool:
    ours = letter.sender.casefold() in {one.casefold() for one in sender.addresses}
    to = recipient.casefold() in {one.casefold() for one in letter.recipients}
    return ours and to and subject.casefold() in letter.subject.casefold()


def _answer_to(tenant: "Tenant", person: Person, message: Message, *, subject: str, body: str) -> Message:
    answer = tenant.mailboxes.blank(folder="sentitems", subject=subject, body=body)
    answer.sender = Address(person.name, person.mail)
    answer.to = list(message.reply_to) or [_sender(message)]
    answer.conversation_id = message.conversation_id
    answer.sent_at = tenant.clock.now()
    answer.headers = [
        {"name": "In-Reply-To", "value": message.internet_message_id},
        {"name": "References", "value": message.internet_message_id},
    ]
    return answer


def _sender(message: Message) -> Address:
    if message.sender is None:
        raise Refused(409, "Conflict", "This message has no sender to write back to.")
    return message.sender


def _opened(opening: str, subject: str) -> str:
    return subject if subject.casefold().startswith(opening.strip().casefold()) else opening + subject
