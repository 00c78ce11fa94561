"""The table of pods, on the page of a program and by itself: state, people and the next session, in a few queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from integration.admin.tables import Column
from integration.language import gettext as _
from integration.language import lazy
from integration.scheduling.models import Occurrence, Pod, PodMember, Program, Series
from integration.scheduling.standing import Standing, pods_with_series, standing, standings

POD_FILTERS = ("q", "state")
LABELS = {
    Standing.CREATING: (lazy("being created"), "neutral"),
    Standing.INVITED: (lazy("invited"), "good"),
    Standing.IN_TROUBLE: (lazy("in trouble"), "bad"),
    Standing.OVER: (lazy("over"), "neutral"),
    Standing.CANCELLING: (lazy("being cancelled"), "warning"),
    Standing.CANCELLED: (lazy("cancelled"), "neutral"),
}


@dataclass(frozen=True)
class BesidePods:
    """What stands beside the pods of a page, by the id of the pod; a pod without any is not in it."""

    standings: Mapping[int, Standing]
    people: Mapping[int, int]
    next_at: Mapping[int, datetime]
    troubles: Mapping[int, str]


def pod_columns(now: datetime) -> tuple[Column, ...]:
    """The columns; the program is shown where pods of several stand together."""
    return (
        Column("name", _("Pod"), Pod.name),
        Column("state", _("State"), standing(now)),
        Column("people", _("People"), is_number=True),
        Column("next", _("Next session")),
        Column("time_zone", _("Time zone"), Pod.time_zone),
    )


def filtered_pods(query: Mapping[str, str], *, now: datetime) -> Select[Any]:
    """Pods with the name (or the program's) and the state that the address asks for."""
    wanted = pods_with_series().join(Program, Program.id == Pod.program_id)
    if text := query.get("q"):
        named = Pod.name.icontains(text, autoescape=True) | Program.name.icontains(text, autoescape=True)
        wanted = wanted.where(named)
    if query.get("state") in list(Standing):
        wanted = wanted.where(standing(now) == query["state"])
    return wanted


def beside_pods(session: Session, pods: Sequence[Pod], *, now: datetime) -> BesidePods:
    """What is to be shown beside these pods."""
    ids = [pod.id for pod in pods]
    people = select(PodMember.pod_id, func.count()).where(PodMember.left_at.is_(None), PodMember.pod_id.in_(ids))
    coming = (
        select(Series.pod_id, func.min(Occurrence.starts_at))
        .join(Occurrence)
        .where(Series.pod_id.in_(ids), Occurrence.ends_at > now, Occurrence.cancelled_at.is_(None))
        .group_by(Series.pod_id)
    )
    other = aliased(Series)
    troubles = select(other.pod_id, other.trouble).where(other.pod_id.in_(ids), other.trouble.is_not(None))
    return BesidePods(
        standings(session, pods, now=now),
        _pairs(session, people.group_by(PodMember.pod_id)),
        _pairs(session, coming),
        _pairs(session, troubles.where(other.cancelled_at.is_(None))),
    )


def _pairs(session: Session, wanted: Select[int, Any]) -> dict[int, Any]:
    return dict(session.execute(wanted).all())
