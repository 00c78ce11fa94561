"""From presences to facts: what the reports of an occurrence say, together with what people have said about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import outbox
from integration.attendance.circumstances import outcome_of
from integration.attendance.identities import Presence
from integration.attendance.intervals import Interval, union
from integration.attendance.layers import exports_of, lay_over, lay_uploads
from integration.attendance.models import AttendanceReport
from integration.attendance.outcomes import MINUTES, announcing_held, detail_of, record_outcome
from integration.attendance.presences import restored, united
from integration.outbox import Task
from integration.scheduling.models import Occurrence


def reckon(session: Session, occurrence: Occurrence, presences: Iterable[Presence], *, at: datetime) -> None:
    """Write down what the presences of all reports mean, with everything applied that people have said since."""
    seen = united(presences)
    found = outcome_of(session, occurrence, seen)
    with announcing_held(session, occurrence):
        record_outcome(session, occurrence, found, at=at)
        lay_over(session, occurrence, calls=_calls(session, occurrence, seen), unmatched=found.unmatched, at=at)


def reckon_again(session: Session, occurrence: Occurrence, *, at: datetime) -> bool:
    """Reckon after somebody said something: at once from the stored reports, else by a look that reads them again.

    Returns whether it is done already. Where no minutes are kept, the reports are asked for once more.
    """
    reports = calls_of(session, occurrence)
    if not reports and exports_of(session, occurrence):
        lay_uploads(session, occurrence, at=at)
        return True
    kept = [each.presences for each in reports]
    if reports and all(each is not None for each in kept):
        reckon(session, occurrence, (one for each in kept for one in restored(each or ())), at=at)
        return True
    for report in reports:
        report.is_stale = True
    outbox.add(session, Task.OCCURRENCE_COLLECT, occurrence.id)
    return False


def calls_of(session: Session, occurrence: Occurrence) -> list[AttendanceReport]:
    """The reports that were read for an occurrence, those of test calls left out."""
    wanted = select(AttendanceReport).where(AttendanceReport.occurrence_id == occurrence.id, AttendanceReport.is_call)
    return list(session.scalars(wanted.order_by(AttendanceReport.id)))


def _calls(session: Session, occurrence: Occurrence, seen: Iterable[Presence]) -> list[Interval]:
    """The calls that reports told of: their own times where those are kept, and whenever somebody was there."""
    told = [
        Interval(each.starts_at, each.ends_at)
        for each in calls_of(session, occurrence)
        if each.starts_at and each.ends_at
    ]
    return told + list(union(stay for one in seen for stay in one.intervals))


def keeps_minutes(occurrence: Occurrence) -> bool:
    return detail_of(occurrence) == MINUTES
