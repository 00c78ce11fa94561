"""What a message in an inbox of ours is, told from its class, its headers and its sender. Pure.

Exchange's own message classes speak no language (MS-OXCMAIL, MS-OXOCAL 2.2.4 and following), so they come first;
subjects are asked last, in English and German, where a class was not told. In doubt a person wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum

from integration.graph.resources import Received


class Kind(StrEnum):
    REPLY = "reply"  # to an invitation of ours
    PROPOSAL = "proposal"  # a reply that proposes another time
    FORWARDED = "forwarded"  # Outlook tells that an attendee passed an invitation on
    FAILURE = "failure"  # Exchange, or another server, could not deliver
    AUTOMATIC = "automatic"  # an out-of-office answer
    NOTICE = "notice"  # nothing that anybody has to read: receipts, invitations to our mailbox, our own mails
    HUMAN = "human"


REPORTER = "microsoftexchange329e71ec88ae"  # how the addresses begin that Exchange reports from, in every tenant
REPORTERS = re.compile(r"(mailer-daemon|postmaster)@")
RESPONSE = "ipm.schedule.meeting.resp."
FORWARD = "ipm.schedule.meeting.notification.forward"
AUTOMATIC_CLASSES = ("ipm.note.rules.ooftemplate", "ipm.note.rules.replytemplate")
NOT_DELIVERED = (".ndr", ".delayed", ".expandeddr")
REPLIED = "auto-replied"  # RFC 3834

FORWARD_SUBJECT = re.compile(
    r"\s*(meeting forward notification|[^:]*weiterleitung[^:]*besprechung|[^:]*besprechungsweiter)", re.I
)
PROPOSAL_SUBJECT = re.compile(
    r"\s*(new time proposed|neue[r]? (zeit|uhrzeit|zeitpunkt|termin)\S* vorgeschlagen)\s*:", re.I
)
FAILURE_SUBJECT = re.compile(
    r"\s*(undeliverable|undelivered mail|delivery (delayed|has failed|status notification)|message delayed|"
    r"returned mail|mail delivery failed|unzustellbar|nicht zustellbar|zustellung verzögert|übermittlung verzögert|"
    r"verzögerte zustellung|fehler bei der zustellung)\b",
    re.I,
)
AUTOMATIC_SUBJECT = re.compile(
    r"\s*(automatic reply|auto(matic)? ?response|auto-?reply|out of (the )?office|automatische antwort|"
    r"abwesenheitsnotiz|abwesenheitsbenachrichtigung|automatisch generierte antwort)\b",
    re.I,
)


def sort(message: Received, *, ours: Collection[str]) -> Kind:
    """What a message is; ``ours`` are the addresses of our mailboxes, in lower case."""
    told = message.message_class.lower()
    if message.sender in ours:
        return Kind.NOTICE
    if _is_forward_notification(message, told):
        return Kind.FORWARDED
    if message.kind == "eventMessageResponse" or told.startswith(RESPONSE):
        proposes = message.proposes or PROPOSAL_SUBJECT.match(message.subject)
        return Kind.PROPOSAL if proposes else Kind.REPLY
    if message.kind != "message" or told.startswith("ipm.schedule."):
        return Kind.NOTICE
    if told.startswith("report."):
        return Kind.FAILURE if told.endswith(NOT_DELIVERED) else Kind.NOTICE
    if _is_report(message):
        return Kind.FAILURE
    return Kind.AUTOMATIC if _is_automatic_reply(message, told) else Kind.HUMAN


def was_sent_by_itself(message: Received) -> bool:
    """Whether a program wrote a message, or it went to many: it is shown, and never passed on (RFC 3834, 5)."""
    headers = message.headers
    submitted = headers.get("auto-submitted", "no").strip().lower()
    suppresses = headers.get("x-auto-response-suppress", "").strip().lower() not in ("", "none")
    bulk = headers.get("precedence", "").strip().lower() in ("bulk", "junk", "list", "auto_reply")
    return not submitted.startswith("no") or suppresses or bulk or "list-id" in headers or not message.sender


def _is_forward_notification(message: Received, told: str) -> bool:
    if told.startswith(FORWARD):
        return True
    about_meeting = message.kind == "eventMessage" or message.sender.startswith(REPORTER)
    return about_meeting and FORWARD_SUBJECT.match(message.subject) is not None


def _is_report(message: Received) -> bool:
    if message.sender.startswith(REPORTER) or "x-failed-recipients" in message.headers:
        return True
    structure = message.headers.get("content-type", "").lower()
    is_status = "multipart/report" in structure and "delivery-status" in structure
    return is_status or (bool(REPORTERS.match(message.sender)) and bool(FAILURE_SUBJECT.match(message.subject)))


def _is_automatic_reply(message: Received, told: str) -> bool:
    if told.startswith(AUTOMATIC_CLASSES):
        return True
    submitted = message.headers.get("auto-submitted", "").strip().lower()
    return submitted.startswith(REPLIED) or AUTOMATIC_SUBJECT.match(message.subject) is not None
