"""Receivers: who outside is told, of what, and the secret by which they know that it is us."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.announcing.addresses import Reach, check_url
from integration.announcing.announcements import Event
from integration.announcing.models import Receiver
from integration.errors import Conflict, InputRefused, NotThere, PodsError
from integration.language import lazy
from integration.sealing import sealed, unsealed

PREFIX = "whsec_"  # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
SECRET_BYTES = 32
PURPOSE = "receiver secret"


class SecretLost(PodsError):
    """A secret was sealed with another SECRET_KEY."""


def add_receiver(
    session: Session, url: str, events: Iterable[str], *, made_by: str, now: datetime, reach: Reach, secret_key: str
) -> tuple[Receiver, str]:
    """A receiver of these events (none: all of them) and its secret, which nobody can read again.

    Raises InputRefused for an address or event that cannot be, Conflict for an address that is told already.
    """
    wanted = sorted(set(events))
    unknown = set(wanted) - set(Event)
    if unknown:
        raise InputRefused(
            lazy("There is no event %(event)s.", event=repr(min(unknown))),
            remedy=lazy("Choose from %(names)s.", names=", ".join(Event)),
        )
    address = check_url(url, reach)
    if session.scalar(select(Receiver.id).where(Receiver.url == address, Receiver.stopped_at.is_(None))):
        raise Conflict(lazy("This address is told already."), remedy=lazy("Stop that receiver first."))
    secret = _new_secret()
    receiver = Receiver(
        url=address,
        events=[str(event) for event in wanted],
        secret=sealed(secret, purpose=PURPOSE, secret_key=secret_key),
        made_by=made_by,
        made_at=now,
    )
    session.add(receiver)
    session.flush()
    return receiver, secret


def rotate_secret(session: Session, receiver_id: int, *, secret_key: str) -> tuple[Receiver, str]:
    """A new secret for a receiver; from now on only this one signs. Raises NotThere."""
    receiver = find_receiver(session, receiver_id)
    secret = _new_secret()
    receiver.secret = sealed(secret, purpose=PURPOSE, secret_key=secret_key)
    return receiver, secret


def stop_receiver(session: Session, receiver_id: int, *, now: datetime) -> Receiver:
    """Tell it no more; stopping it again changes nothing. Raises NotThere."""
    receiver = find_receiver(session, receiver_id)
    receiver.stopped_at = receiver.stopped_at or now
    return receiver


def find_receiver(session: Session, receiver_id: int) -> Receiver:
    """Raises NotThere."""
    receiver = session.get(Receiver, receiver_id)
    if receiver is None:
        raise NotThere(lazy("receiver"), receiver_id)
    return receiver


def secret_of(receiver: Receiver, *, secret_key: str) -> str:
    """The secret, to sign with; raises SecretLost."""
    secret = unsealed(receiver.secret, purpose=PURPOSE, secret_key=secret_key)
    if secret is None:
        raise SecretLost(
            lazy("The secret of receiver %(receiver)s was sealed with another SECRET_KEY.", receiver=receiver.id),
            remedy=lazy("Make a new secret on its page, and give that one to the receiver."),
        )
    return secret


def signature(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """The header webhook-signature: "v1," and the HMAC-SHA256 over "id.timestamp.body" in base64 (pure)."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
