"""Reports of deliveries that failed: an address that takes no mail gets no more of them, the rest is only noted.

The directory lists accounts without a mailbox beside the others, so only the report tells; it reaches the mailbox
that sent (https://learn.microsoft.com/graph/outlook-things-to-know-about-send-mail).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.mail.models import SENDING, SENT, UNCLEAR, Mail
from integration.people.models import Person
from integration.scheduling.models import Series, SeriesAttendee

OVERLAP = timedelta(minutes=15)  # Exchange's clock is not ours
RETURNED_WITHIN = timedelta(days=2)  # Exchange gives up after a day
ENHANCED = r"(?<![\d.]){}(?!\.?\d)"
# RFC 3463, and Exchange's 5.1.10 (recipient not found). Others are about the sender: 5.1.90 is its daily limit.
NO_SUCH_MAILBOX = re.compile(ENHANCED.format(r"5\.1\.(?:[1236]|10)"))
MAILBOX_FULL = re.compile(ENHANCED.format(r"[45]\.2\.2") + r"|QuotaExceeded|mailbox (?:is )?full", re.I)
PASSING = re.compile(ENHANCED.format(r"4\.\d{1,3}\.\d{1,3}"))
DELAYED_SUBJECT = re.compile(r"\s*(delivery delayed|message delayed|[^:]*verzögert)", re.I)


class Trouble(StrEnum):
    GONE = "gone"  # the address takes no mail
    FULL = "full"
    DELAYED = "delayed"
    REFUSED = "refused"


@dataclass(frozen=True)
class Report:
    """A report in one of our inboxes: what it says of one mail, or of one invitation."""

    subject: str
    text: str
    received_at: datetime

    @property
    def trouble(self) -> Trouble:
        """What is wrong, by the status code that servers write in every language."""
        if NO_SUCH_MAILBOX.search(self.text):
            return Trouble.GONE
        if MAILBOX_FULL.search(self.text):
            return Trouble.FULL
        passing = DELAYED_SUBJECT.match(self.subject) or PASSING.search(self.text)
        return Trouble.DELAYED if passing else Trouble.REFUSED


@dataclass(frozen=True)
class Returned:
    """Whom a report is about, and which of the two: a mail, or the invitation to a series."""

    participant_id: int
    mail_id: int | None = None
    series_id: int | None = None


def record_report(session: Session, mailbox: str, report: Report) -> Returned | None:
    """Note what a report says; None when it is about nothing of ours.

    Only one that says that the address itself takes no mail marks a person: delays and full mailboxes pass.
    """
    mail = _mail_of(session, mailbox, report)
    if mail is not None:
        if report.trouble is Trouble.GONE:
            mail.returned_at = report.received_at
            _mark(mail.participant.person, mail.to_address, report)
        return Returned(mail.participant_id, mail_id=mail.id)
    attendee = _attendee_of(session, mailbox, report)
    if attendee is None or attendee.participant_id is None or attendee.participant is None:
        return None
    if report.trouble is Trouble.GONE:
        _mark(attendee.participant.person, attendee.address, report)
    return Returned(attendee.participant_id, series_id=attendee.series_id)


def _mark(person: Person | None, address: str, report: Report) -> None:
    """A report about an address that was corrected meanwhile says nothing of the new one."""
    if person is not None and person.mail == address:
        person.unreachable_at = person.unreachable_at or report.received_at


def _mail_of(session: Session, mailbox: str, report: Report) -> Mail | None:
    """The mail whose subject and address a report names: the words around them are in the tenant's language."""
    # Exchange may report before the worker that sent has written down that it did: the report tells that it went.
    left = func.coalesce(Mail.sent_at, Mail.sending_since)
    timely = left.between(report.received_at - RETURNED_WITHIN, report.received_at + OVERLAP)
    gone_out = Mail.state.in_([SENDING, SENT, UNCLEAR])
    ours = (Mail.sender == mailbox, gone_out, Mail.returned_at.is_(None), timely)
    for mail in session.scalars(select(Mail).where(*ours).order_by(Mail.id)):
        if report.subject.endswith(mail.subject) and _names(report.text, mail.to_address):
            return mail
    return None


def _attendee_of(session: Session, mailbox: str, report: Report) -> SeriesAttendee | None:
    """Whom an invitation did not reach, by the subject and the address that the report names.

    The report may be here before our row says that people were invited: an event in Outlook is all it takes.
    """
    living = (Series.organizer == mailbox, Series.cancelled_at.is_(None), Series.event_id.is_not(None))
    for series in session.scalars(select(Series).where(*living).order_by(Series.id)):
        if report.subject.endswith(series.subject):
            for attendee in series.attendees:
                if attendee.participant_id is not None and _names(report.text, attendee.address):
                    return attendee
    return None


def _names(text: str, address: str) -> bool:
    """Whether a text names this address, and not one that merely ends or begins like it."""
    whole = rf"(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w)"
    return re.search(whole, text, re.I) is not None
