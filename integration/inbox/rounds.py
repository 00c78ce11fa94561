"""How far an inbox was read: the link of the last round, and from when on messages are looked at. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from integration.config import Settings
from integration.inbox.letters import KEEP_FOR
from integration.mail.models import Inbox
from integration.sealing import sealed, unsealed

# A delta link is opaque and can hold personal data, https://learn.microsoft.com/graph/delta-query-overview
PURPOSE = "inbox delta link"
AT_FIRST = timedelta(days=2)  # how far the first round looks back: what came before we did is nobody's surprise
OVERLAP = timedelta(minutes=15)  # read twice, since Exchange's clock is not ours


def known_link(inbox: Inbox, settings: Settings) -> str | None:
    """Where the last round ended; None when there was none, or SECRET_KEY has changed since."""
    return unsealed(inbox.delta_link, purpose=PURPOSE, secret_key=settings.secret_key) if inbox.delta_link else None


def record_round(inbox: Inbox, settings: Settings, *, link: str, now: datetime) -> None:
    """Remember where a round ended, unreadable for whoever has the database alone."""
    inbox.delta_link = sealed(link, purpose=PURPOSE, secret_key=settings.secret_key)
    inbox.began_at = inbox.began_at or now - AT_FIRST
    inbox.read_at = max(now, inbox.read_at or now)


def since(inbox: Inbox, *, now: datetime) -> datetime:
    """From when on a full round reads: what is new, not the whole mailbox."""
    return (inbox.read_at or now - AT_FIRST) - OVERLAP


def earliest_wanted(inbox: Inbox, *, now: datetime) -> datetime:
    """Older messages are passed over when somebody touches them: their rows may be gone already.

    After a long time of standing still it is what arrived since then.
    """
    began_at = (inbox.began_at or now - AT_FIRST) - OVERLAP
    return max(began_at, min(since(inbox, now=now), now - KEEP_FOR / 2))
