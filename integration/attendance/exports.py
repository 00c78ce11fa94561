"""Importing an attendance export of Teams: which session it is of, what it would say, and writing that down.

An export has no time zone and often no unmistakable dates, so there can be several ways to read it. All that lead to
a session are shown, and somebody chooses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from integration.attendance.circumstances import outcome_of
from integration.attendance.definitions import Outcome
from integration.attendance.exports_calls import SAME_CALL, begin_of
from integration.attendance.exports_file import ExportFile
from integration.attendance.exports_said import export_of
from integration.attendance.exports_seen import call_of, participants_by, presences_in, recognised, seen_in
from integration.attendance.exports_times import Order
from integration.attendance.identities import Presence
from integration.attendance.intervals import Interval, length
from integration.attendance.layers import exports_of
from integration.attendance.models import AttendanceExport
from integration.attendance.outcomes import MINUTES, detail_of
from integration.attendance.reckoning import reckon_again
from integration.attendance.windows import AFTER_END, BEFORE_START, window_of
from integration.errors import Conflict, InputRefused
from integration.formats import day
from integration.language import lazy
from integration.people.models import Participant
from integration.scheduling.models import Invited, Occurrence, Pod, Series

MOST_READINGS = 50


class Done(StrEnum):
    """What an import did."""

    NEW = "new"
    REPLACED = "replaced"  # an earlier upload of the same call
    AGAIN = "again"  # the same facts were imported before: nothing was changed


@dataclass(frozen=True)
class Reading:
    """One way to read a file, and the session that it then is of. ``known``: people of it who were invited."""

    order: Order
    zone: str
    occurrence_id: int
    starts_at: datetime
    ends_at: datetime
    overlap: timedelta
    has_title: bool
    known: int

    @property
    def rank(self) -> tuple[bool, int, timedelta]:
        return (self.has_title, self.known, self.overlap)


@dataclass(frozen=True)
class Preview:
    """What a reading would write down, with names: it is shown and not kept."""

    outcome: Outcome
    names: dict[int, str]
    replaces: datetime | None  # when an earlier upload of the same call was imported


def readings(
    session: Session,
    file: ExportFile,
    *,
    orders: Iterable[Order],
    zones: Iterable[str],
    programs: frozenset[int] | None,
) -> list[Reading]:
    """Every way to read the file that leads to a session of these programs (None: all), the likeliest first."""
    found: list[Reading] = []
    for order in sorted(set(orders) & file.orders):
        for zone in dict.fromkeys(zones):
            call = call_of(file, order=order, zone=ZoneInfo(zone))
            if call is None:
                continue
            for occurrence in _occurrences_at(session, call, programs):
                found.append(_reading(session, file, occurrence, call, order=order, zone=zone))
    return sorted(found, key=lambda each: each.rank, reverse=True)[:MOST_READINGS]


def only_one(found: Sequence[Reading]) -> Reading | None:
    """The reading that nothing speaks against: the only one whose people or title fit; None: somebody has to say."""
    fitting = [each for each in found if each.has_title or each.known]
    return fitting[0] if len(fitting) == 1 else None


def preview(session: Session, file: ExportFile, reading: Reading) -> Preview:
    """What importing would write down. Raises Conflict when the session can take no import."""
    occurrence = session.get_one(Occurrence, reading.occurrence_id)
    presences, call = _presences(session, file, occurrence, reading)
    earlier = _same_call(session, occurrence, call)
    return Preview(
        outcome_of(session, occurrence, presences),
        {each.participant_id: each.participant.name for each in occurrence.invited},
        earlier.imported_at if earlier else None,
    )


def import_export(
    session: Session, content: bytes, file: ExportFile, reading: Reading, *, at: datetime
) -> tuple[Done, bool]:
    """Write down what a file says of a session, as far as the program lets it be kept.

    Returns what was done, and whether it can be seen at once: where reports of Teams have to be read again to be
    united with it, the next look does that. Raises Conflict while the session is not over, or when nobody knows who
    was invited.
    """
    occurrence = session.get_one(Occurrence, reading.occurrence_id, with_for_update=True)
    if occurrence.ends_at > at:
        raise Conflict(
            lazy("The session on %(day)s is not over.", day=day(occurrence.starts_at)),
            remedy=lazy("Import it afterwards."),
        )
    presences, call = _presences(session, file, occurrence, reading)
    export = export_of(session, occurrence, presences, call, content=content, at=at)
    known = exports_of(session, occurrence)
    if any(each.content_hash == export.content_hash or each.facts_hash == export.facts_hash for each in known):
        return Done.AGAIN, True
    earlier = _same_call(session, occurrence, call)
    if earlier is not None:
        session.delete(earlier)
        session.flush()
    session.add(export)
    session.flush()
    done = Done.REPLACED if earlier else Done.NEW
    return done, reckon_again(session, occurrence, at=at)


def _occurrences_at(session: Session, call: Interval, programs: frozenset[int] | None) -> Sequence[Occurrence]:
    wanted = (
        select(Occurrence)
        .join(Occurrence.series)
        .join(Series.pod)
        .where(Occurrence.cancelled_at.is_(None))
        .where(Occurrence.starts_at < call.ends_at + BEFORE_START, Occurrence.ends_at > call.starts_at - AFTER_END)
        .options(
            joinedload(Occurrence.series).joinedload(Series.pod).joinedload(Pod.program),
            selectinload(Occurrence.invited).joinedload(Invited.participant).joinedload(Participant.person),
        )
        .order_by(Occurrence.starts_at, Occurrence.id)
    )
    if programs is not None:
        wanted = wanted.where(Pod.program_id.in_(programs))
    return session.scalars(wanted).all()


def _reading(
    session: Session, file: ExportFile, occurrence: Occurrence, call: Interval, *, order: Order, zone: str
) -> Reading:
    planned = Interval(occurrence.starts_at, occurrence.ends_at)
    overlap = Interval(max(call.starts_at, planned.starts_at), min(call.ends_at, planned.ends_at))
    seen = recognised(session, seen_in(file.rows, order=order, zone=ZoneInfo(zone)), occurrence, file)
    addresses = {one.address for one in seen if one.address}
    invited = {each.participant_id for each in occurrence.invited}
    title = occurrence.series.subject.casefold()
    return Reading(
        order=order,
        zone=zone,
        occurrence_id=occurrence.id,
        starts_at=call.starts_at,
        ends_at=call.ends_at,
        overlap=timedelta() if overlap.is_empty else length([overlap]),
        has_title=any(title == label.casefold() for label in file.labels),
        known=len(invited & set(participants_by(session, addresses).values())),
    )


def _presences(
    session: Session, file: ExportFile, occurrence: Occurrence, reading: Reading
) -> tuple[tuple[Presence, ...], Interval]:
    """Who was there in the call, and when that was within the widest window."""
    if occurrence.frozen_at is None:
        raise Conflict(
            lazy("Nobody knows who was invited on %(day)s.", day=day(occurrence.starts_at)),
            remedy=lazy("Without that there is no figure: who is invited is read when a session begins."),
        )
    order, zone = reading.order, ZoneInfo(reading.zone)
    call = call_of(file, order=order, zone=zone)
    if call is None:
        raise InputRefused(
            lazy("The file cannot be read in this way."), remedy=lazy("Choose another order of its dates.")
        )
    widest = window_of(Interval(occurrence.starts_at, occurrence.ends_at))
    within = Interval(max(call.starts_at, widest.starts_at), min(call.ends_at, widest.ends_at))
    return presences_in(session, file, occurrence, call, order=order, zone=zone), within


def _same_call(session: Session, occurrence: Occurrence, call: Interval) -> AttendanceExport | None:
    detail = detail_of(occurrence)
    begin = begin_of(call.starts_at, detail=detail)
    near = SAME_CALL if detail == MINUTES else timedelta()
    return next((each for each in exports_of(session, occurrence) if abs(each.starts_at - begin) <= near), None)
