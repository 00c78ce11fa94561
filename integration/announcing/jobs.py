"""Delivering announcements: one POST each, signed as the Standard Webhooks specification says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import httpx
import msgspec
from sqlalchemy.orm import joinedload

from integration.announcing.addresses import Reach, ReceiverOutOfReach, Target, resolve
from integration.announcing.announcements import give_up, record_answer
from integration.announcing.models import WAITING, Announcement
from integration.announcing.receivers import secret_of, signature
from integration.clock import real_now
from integration.config import Settings
from integration.errors import InputRefused, PodsError
from integration.language import Wording, lazy
from integration.log import get_logger
from integration.setting_values import is_loopback
from integration.tools import Tools

log = get_logger(__name__)
TIMEOUT_SECONDS = 10.0
QUICK_ATTEMPTS = 12  # the outbox's own back-off; after them a receiver that stays away is asked twice an hour
REST_SECONDS = 1_800.0
LONGEST_REST_SECONDS = 7_200.0  # however long Retry-After asks for


class NotDelivered(PodsError):
    """A receiver did not take an announcement; it is tried again."""

    passes_by_itself = True


@dataclass(frozen=True)
class Letter:
    """One attempt: what is sent, where to and signed with which secret."""

    url: str
    secret: str
    event_id: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What came of an attempt: ``status`` is None where nobody answered."""

    status: int | None
    trouble: Wording | None
    retry_after: float | None = None


def reach_of(settings: Settings) -> Reach:
    """Which addresses that are not public may be told, by the settings."""
    return Reach(private=settings.private_receivers, loopback=is_loopback(settings.public_url))


def deliver_announcement(tools: Tools, announcement_id: int) -> None:
    """Tell one receiver of one event; raises NotDelivered as long as it is to be tried again.

    It may be sent more than once: receivers know a repetition by its webhook-id.
    """
    letter = _letter(tools, announcement_id)
    if letter is None:
        return
    answer = _send(letter, reach_of(tools.settings), now=real_now())
    with tools.database.transaction() as session:
        row = session.get(Announcement, announcement_id)
        if row is None or row.state != WAITING:
            return
        record_answer(session, row, answered=answer.status, trouble=answer.trouble, now=real_now())
        is_open, attempts = row.state == WAITING, row.attempts
    log.info("announcement sent", announcement_id=announcement_id, status=answer.status)
    if is_open:
        raise _again(answer, attempts)


def _letter(tools: Tools, announcement_id: int) -> Letter | None:
    """What to send; None when there is nothing (any more) to be sent."""
    with tools.database.transaction() as session:
        row = session.get(Announcement, announcement_id, options=[joinedload(Announcement.receiver)])
        if row is None or row.state != WAITING:
            return None
        if row.receiver.stopped_at is not None:
            give_up(row, "The receiver was stopped.")
            return None
        return Letter(
            url=row.receiver.url,
            secret=secret_of(row.receiver, secret_key=tools.settings.secret_key),
            event_id=row.event_id,
            body=_body(row),
        )


def _body(row: Announcement) -> bytes:
    """The same bytes at each attempt."""
    return msgspec.json.encode({"type": row.event, "timestamp": row.made_at, "data": row.content}, order="sorted")


def _send(letter: Letter, reach: Reach, *, now: datetime) -> Answer:
    try:
        target = resolve(letter.url, reach)
        with httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as client:
            return _post(client, target, letter, timestamp=int(now.timestamp()))
    except (InputRefused, ReceiverOutOfReach) as error:
        return Answer(None, error.wording)
    except httpx.HTTPError as error:
        return Answer(None, lazy("The receiver cannot be reached (%(why)s).", why=type(error).__name__))


def _post(client: httpx.Client, target: Target, letter: Letter, *, timestamp: int) -> Answer:
    headers = {
        "Host": target.authority,
        "Content-Type": "application/json",
        "User-Agent": "LearningPods-Webhooks/1",
        "webhook-id": letter.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(
            letter.secret, message_id=letter.event_id, timestamp=timestamp, body=letter.body
        ),
    }
    extensions = {"sni_hostname": target.host}  # the certificate is checked against the name, not the number
    with client.stream("POST", target.url, content=letter.body, headers=headers, extensions=extensions) as response:
        # The body is not read: nothing in it matters, and it may be endless.
        trouble = (
            None if response.is_success else lazy("The receiver answered %(status)s.", status=response.status_code)
        )
        return Answer(response.status_code, trouble, _seconds(response.headers.get("Retry-After", "")))


def _seconds(text: str) -> float | None:
    return min(float(text), LONGEST_REST_SECONDS) if text.isascii() and text.isdigit() else None


def _again(answer: Answer, attempts: int) -> NotDelivered:
    error = NotDelivered(answer.trouble or lazy("The announcement was not taken."), remedy=lazy("It is tried again."))
    error.retry_after = answer.retry_after or (REST_SECONDS if attempts > QUICK_ATTEMPTS else None)
    return error
