"""How our subscriptions stand, for people: which live, which lapsed or were refused, and when each was last heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.config import Settings
from integration.webhooks import refusals, subscriptions
from integration.webhooks.models import RefusedNotification, Subscription

ALIVE, LAPSED, REFUSED, AWAITED, ENDING = "alive", "lapsed", "refused", "awaited", "ending"


@dataclass(frozen=True)
class Standing:
    """One subscription: ``state`` is one of the five words above."""

    row: Subscription
    state: str

    @property
    def is_well(self) -> bool:
        return self.state not in (LAPSED, REFUSED)


@dataclass(frozen=True)
class Overview:
    """``is_on`` False: WEBHOOKS=off, so that there is nothing that could be broken."""

    is_on: bool
    standings: Sequence[Standing]
    refused: Sequence[RefusedNotification]


def overview(session: Session, settings: Settings, *, now: datetime) -> Overview:
    """As of ``now``, of the clock that can be moved."""
    rows = session.scalars(select(Subscription).order_by(Subscription.kind.desc(), Subscription.topic)).all()
    real = [row for row in rows if not subscriptions.is_lookout(row)]
    standings = [Standing(row, _state(row, now=now)) for row in real]
    return Overview(settings.webhooks, standings, refusals.all_counts(session))


def _state(row: Subscription, *, now: datetime) -> str:
    is_alive = row.subscription_id is not None and row.expires_at is not None and row.expires_at > now
    if row.end_wanted_at is not None:
        return ENDING
    if row.trouble is not None:
        return REFUSED  # also while the earlier lifetime lasts: it will lapse unless somebody acts
    if is_alive:
        return ALIVE
    return LAPSED if row.expires_at is not None else AWAITED
