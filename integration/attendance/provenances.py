"""How an attendance came to be known: per session, and as figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.attendance.models import (
    CORRECTED,
    DECLARED,
    MEASURED,
    UNKNOWN,
    UPLOADED,
    Attendance,
    AttendanceExport,
    AttendanceReport,
    CountCorrection,
)
from integration.language import gettext as _
from integration.scheduling.models import Invited, Occurrence

PROVENANCES = (MEASURED, UPLOADED, DECLARED, CORRECTED, UNKNOWN)


def provenance_of(session: Session, occurrence: Occurrence) -> str:
    """How most of a session is known: by reports, only by an upload, by what people said, or not."""
    return provenances_of(session, [occurrence])[occurrence.id]


def provenances_of(session: Session, occurrences: Collection[Occurrence]) -> dict[int, str]:
    """The same for several, in three queries."""
    ids = [each.id for each in occurrences]
    reported = _ids(session, AttendanceReport.occurrence_id, ids)
    uploaded = _ids(session, AttendanceExport.occurrence_id, ids)
    counts = select(CountCorrection.occurrence_id, CountCorrection.provenance).where(
        CountCorrection.occurrence_id.in_(ids)
    )
    counted = {row[0]: row[1] for row in session.execute(counts.order_by(CountCorrection.id))}
    return {each.id: _provenance(each, reported, uploaded, counted) for each in occurrences}


def people_by_provenance(session: Session, occurrences: Collection[Occurrence]) -> dict[str, int]:
    """How many attendances of invited people are known in which way; every provenance is a key.

    Where no names are kept, all people of a session share the way in which it is known; those of whom nobody can say
    whether they came are unknown.
    """
    ids = [each.id for each in occurrences]
    rows = (
        select(Attendance.provenance, func.count())
        .where(Attendance.occurrence_id.in_(ids))
        .group_by(Attendance.provenance)
    )
    found: Counter[str] = Counter({row[0]: row[1] for row in session.execute(rows)})
    named = _ids(session, Attendance.occurrence_id, ids)
    counts = select(Invited.occurrence_id, func.count()).where(Invited.occurrence_id.in_(ids))
    invited = {row[0]: row[1] for row in session.execute(counts.group_by(Invited.occurrence_id))}
    ways = provenances_of(session, occurrences)
    for each in occurrences:
        if each.id in named or each.attendance == "pending":
            continue
        doubtful = invited.get(each.id, 0) if ways[each.id] == UNKNOWN else each.unknown_count or 0
        found[UNKNOWN] += doubtful
        found[ways[each.id]] += invited.get(each.id, 0) - doubtful
    return {name: found[name] for name in PROVENANCES}


def provenance_words() -> dict[str, str]:
    """The provenances in words, as pages show them."""
    return {
        MEASURED: _("measured"),
        UPLOADED: _("measured (uploaded)"),
        DECLARED: _("declared"),
        CORRECTED: _("corrected"),
        UNKNOWN: _("unknown"),
    }


def found_by_words() -> dict[str, str]:
    """How sure it is who came, by ``Attendance.matched_by``."""
    return {
        "account": _("sure: by the account"),
        "address": _("sure: by an address of theirs"),
        "recognised": _("likely: recognised from an earlier session"),
        "assigned": _("as a coordinator said"),
        "declared": _("as the facilitator said"),
    }


def _provenance(occurrence: Occurrence, reported: set[int], uploaded: set[int], counted: dict[int, str]) -> str:
    if occurrence.id in counted:
        return counted[occurrence.id]
    if occurrence.attendance == "measured":
        return UPLOADED if occurrence.id in uploaded - reported else MEASURED
    return DECLARED if occurrence.attendance == "declared" else UNKNOWN


def _ids(session: Session, column, ids: Collection[int]) -> set[int]:
    return set(session.scalars(select(column).where(column.in_(ids)).distinct()))
