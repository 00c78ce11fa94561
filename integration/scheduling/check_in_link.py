"""The link by which people say that they are in the room: of a session, or of one person for it. Pure.

It opens nothing outside the hours of its session, which is for the session's row to decide.
"""

from __future__ import annotations

from dataclasses import dataclass

from integration.signing import read_signed, signed

PURPOSE = "learning-pods check-in"
ANYBODY = 0


@dataclass(frozen=True)
class CheckInTicket:
    """``participant_id`` None: whoever is signed in chooses themselves."""

    occurrence_id: int
    participant_id: int | None = None


def check_in_path(ticket: CheckInTicket, *, secret_key: str) -> str:
    """Where a ticket leads, without scheme and host; the same ticket always to the same place."""
    values = [ticket.occurrence_id, ticket.participant_id or ANYBODY]
    return f"/check-in/{signed(values, purpose=PURPOSE, secret_key=secret_key)}"


def read_check_in(token: str, *, secret_key: str) -> CheckInTicket | None:
    """What a token says; None when it is not one of ours."""
    values = read_signed(token, purpose=PURPOSE, secret_key=secret_key)
    if values is None:
        return None
    occurrence_id, participant_id = values
    return CheckInTicket(int(occurrence_id), int(participant_id) or None)
