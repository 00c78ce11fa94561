"""How it stands with a pod: one rule, asked of the database, so that lists can sort and filter by it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from integration.scheduling.models import Occurrence, Pod, Series


class Standing(StrEnum):
    CREATING = "being created"
    INVITED = "invited"
    IN_TROUBLE = "in trouble"
    OVER = "over"
    CANCELLING = "being cancelled"
    CANCELLED = "cancelled"


def standing(now: datetime) -> ColumnElement[str]:
    """The standing of a series as of ``now``; the one of a pod is that of its latest series."""
    to_come = exists().where(
        Occurrence.series_id == Series.id, Occurrence.ends_at > now, Occurrence.cancelled_at.is_(None)
    )
    return case(
        (Series.cancelled_at.is_not(None), Standing.CANCELLED),
        (Series.invited_at.is_not(None) & Series.cancel_wanted_at.is_(None) & ~to_come, Standing.OVER),
        (Series.trouble.is_not(None), Standing.IN_TROUBLE),
        (Series.cancel_wanted_at.is_not(None), Standing.CANCELLING),
        (Series.invited_at.is_(None), Standing.CREATING),
        else_=Standing.INVITED,
    )


def pods_with_series() -> Select[Pod]:
    """Pods, each joined with its latest series."""
    later = aliased(Series)
    latest = select(func.max(later.id)).where(later.pod_id == Pod.id).correlate(Pod).scalar_subquery()
    return select(Pod).join(Series, Series.id == latest)


def standings(session: Session, pods: Iterable[Pod], *, now: datetime) -> dict[int, Standing]:
    """How it stands with these pods, by id."""
    wanted = pods_with_series().with_only_columns(Pod.id, standing(now)).where(Pod.id.in_([pod.id for pod in pods]))
    return {pod_id: Standing(text) for pod_id, text in session.execute(wanted)}
