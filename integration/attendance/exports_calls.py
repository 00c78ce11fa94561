"""Which call an upload is of, by when it began: for another upload of it, and for a report of Teams."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from integration.attendance.models import AttendanceExport
from integration.attendance.outcomes import MINUTES

SAME_CALL = timedelta(minutes=2)  # a report and an export of one call begin together
QUARTER = timedelta(minutes=15)  # to what the begin of a call is cut where no minutes are kept


def begin_of(starts_at: datetime, *, detail: str) -> datetime:
    """When a call began, as far as the detail of the program lets it be kept."""
    return starts_at if detail == MINUTES else _quarter(starts_at)


def is_covered(export: AttendanceExport, begun: Iterable[datetime]) -> bool:
    """Whether a report of Teams is of the same call: then the report wins."""
    exact = export.ends_at is not None
    if exact:
        return any(abs(each - export.starts_at) <= SAME_CALL for each in begun)
    slack = timedelta(seconds=2)  # exports have whole seconds, reports have fractions of them
    return any(export.starts_at in (_quarter(each - slack), _quarter(each + slack)) for each in begun)


def _quarter(at: datetime) -> datetime:
    return at - timedelta(
        minutes=at.minute % (QUARTER // timedelta(minutes=1)), seconds=at.second, microseconds=at.microsecond
    )
