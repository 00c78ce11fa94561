"""Reports of failure as Exchange writes them into the inbox of whoever sent (facts 9; RFC 3463 status codes)."""

from dataclasses import dataclass
from datetime import timedelta
from html import escape


@dataclass(frozen=True)
class Failure:
    """`arrives_after` is None for mail that never arrives; a delay is told and the mail comes later."""

    subject: str
    words: str
    answer: str
    message_class: str = "REPORT.IPM.Note.NDR"
    arrives_after: timedelta | None = None

    def subject_of(self, subject: str) -> str:
        return f"{self.subject}: {subject}"

    def body_of(self, address: str) -> str:
        shown, domain = escape(address), escape(address.rpartition("@")[2])
        return (
            f"<p>{self.words.format(address=shown, domain=domain)}</p><p>Remote Server returned '{self.answer}'</p>"
        )


FAILURES: dict[str, Failure] = {
    "5.1.1": Failure(
        "Undeliverable",
        "Your message to {address} couldn't be delivered. The e-mail address you entered couldn't be found.",
        "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found",
    ),
    "5.1.10": Failure(
        "Undeliverable",
        "Your message to {address} couldn't be delivered.</p><p>{address} wasn't found at {domain}.",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found",
    ),
    "5.2.2": Failure(
        "Undeliverable",
        "Your message to {address} couldn't be delivered. The recipient's mailbox is full.",
        "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
    ),
    "5.7.1": Failure(
        "Undeliverable",
        "Your message to {address} couldn't be delivered. You don't have permission to send to this recipient.",
        "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required",
    ),
    "delayed": Failure(
        "Delivery delayed",
        "Delivery of your message to {address} is delayed. We'll keep trying for up to a day.",
        "450 4.4.1 Connection timed out",
        message_class="REPORT.IPM.Note.Delayed",
        arrives_after=timedelta(hours=6),
    ),
}
UNKNOWN = "5.1.10"
"""What an address that nobody has is answered."""


@dataclass
class OrderedFailure:
    """The next `times` messages to an address fail like this (None: every one)."""

    address: str
    kind: str
    times: int | None = None
