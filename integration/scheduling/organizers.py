"""Which mailbox of the pool organizes a series: the one with the fewest; a series keeps its organizer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.scheduling.models import Series


def open_series(session: Session) -> Mapping[str, int]:
    """How many series each organizer has that are not cancelled."""
    rows = session.execute(
        select(Series.organizer, func.count()).where(Series.cancel_wanted_at.is_(None)).group_by(Series.organizer)
    )
    return {row[0]: row[1] for row in rows}


def share_out(count: int, *, organizers: Sequence[str], having: Mapping[str, int]) -> list[str]:
    """An organizer for each of ``count`` new series: the one with the fewest, ties in the order of the pool."""
    load = Counter({organizer: having.get(organizer, 0) for organizer in organizers})
    chosen: list[str] = []
    for _ in range(count):
        organizer = min(organizers, key=lambda one: load[one])
        load[organizer] += 1
        chosen.append(organizer)
    return chosen
