"""Links that prove who answers: signed, for one purpose, about one request.

A token says which request and which nonce; whether it still holds is decided by the request's row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from integration.signing import read_signed, signed


class Purpose(StrEnum):
    """What a link is good for; a link for one purpose is forged for any other."""

    FEEDBACK = "feedback answer"
    MET = "did you meet"
    SHARED = "who shared the room"


@dataclass(frozen=True)
class Ticket:
    request_id: int
    nonce: str


def token_for(ticket: Ticket, *, purpose: Purpose, secret_key: str) -> str:
    """A token of URL-safe characters; the same ticket always gives the same one."""
    return signed([ticket.request_id, ticket.nonce], purpose=_salt(purpose), secret_key=secret_key)


def read_token(token: str, *, purpose: Purpose, secret_key: str) -> Ticket | None:
    """What a token says, or None when it is not one of ours for this purpose."""
    values = read_signed(token, purpose=_salt(purpose), secret_key=secret_key)
    if values is None:
        return None
    request_id, nonce = values
    return Ticket(int(request_id), str(nonce))


def _salt(purpose: Purpose) -> str:
    return f"learning-pods {purpose}"
