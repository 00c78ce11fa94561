"""Links that prove who answers: signed, for one purpose, about one request.

A token says which request and which nonce; whether it still holds is decided by the request's row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from itsdangerous import BadSignature, URLSafeSerializer

LONGEST = 200  # characters; ours have about sixty


class Purpose(StrEnum):
    """What a link is good for; a link for one purpose is forged for any other."""

    FEEDBACK = "feedback answer"
    MET = "did you meet"


@dataclass(frozen=True)
class Ticket:
    request_id: int
    nonce: str


def token_for(ticket: Ticket, *, purpose: Purpose, secret_key: str) -> str:
    """A token of URL-safe characters; the same ticket always gives the same one."""
    return _serializer(purpose, secret_key).dumps([ticket.request_id, ticket.nonce])


def read_token(token: str, *, purpose: Purpose, secret_key: str) -> Ticket | None:
    """What a token says, or None when it is not one of ours for this purpose."""
    if len(token) > LONGEST:
        return None
    try:
        request_id, nonce = _serializer(purpose, secret_key).loads(token)
    except BadSignature:
        return None
    return Ticket(request_id, nonce)


def _serializer(purpose: Purpose, secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt=f"learning-pods {purpose}")
