"""Who was there by an export, read in one way: from moments on a wall to presences of an occurrence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.attendance.collection import Findings, ReportRead, roster_for
from integration.attendance.exports_file import ExportFile, Row
from integration.attendance.exports_times import Order, beside, instant
from integration.attendance.identities import Presence, Seen, identify
from integration.attendance.intervals import Interval
from integration.people.models import OtherAddress, Person
from integration.scheduling.models import Occurrence

LONGEST_CALL = timedelta(hours=30)  # Teams ends every meeting after that time


def call_of(file: ExportFile, *, order: Order, zone: ZoneInfo) -> Interval | None:
    """When the call of a file was, read in this way; None when it cannot be read so, or were longer than a call."""
    seen = seen_in(file.rows, order=order, zone=zone)
    stays = [stay for one in seen for stay in one.intervals]
    if not stays:
        return None
    call = Interval(min(each.starts_at for each in stays), max(each.ends_at for each in stays))
    return call if call.ends_at - call.starts_at <= LONGEST_CALL else None


def seen_in(rows: Sequence[Row], *, order: Order, zone: ZoneInfo) -> tuple[Seen, ...]:
    """Who was there, each stay on its own; what a list does not tell lasts from its first or to its last moment."""
    walls = [wall for row in rows for one in (row.joined, row.left) if one and (wall := one.on(order)) is not None]
    if not walls:
        return ()
    first, last = min(walls), max(walls)
    return tuple(
        Seen(
            intervals=(stay,),
            address=row.addresses[0] if row.addresses else None,
            name=row.name or None,
        )
        for row in rows
        if (stay := _stay(row, order=order, zone=zone, first=first, last=last)) is not None
    )


def presences_in(
    session: Session, file: ExportFile, occurrence: Occurrence, call: Interval, *, order: Order, zone: ZoneInfo
) -> tuple[Presence, ...]:
    """Whom a file shows in a call of an occurrence, identified as in a report of Teams."""
    records = recognised(session, seen_in(file.rows, order=order, zone=zone), occurrence, file)
    report = ReportRead(0, "", call.starts_at, call.ends_at, len(records), records)
    return identify([records], roster_for(session, occurrence, Findings(reports=(report,))))


def recognised(session: Session, seen: Sequence[Seen], occurrence: Occurrence, file: ExportFile) -> tuple[Seen, ...]:
    """The same with one address each, by which they can be known.

    Of two addresses it is the one that leads to somebody. Where a file has no addresses at all, it is that of the one
    person with exactly this name who was invited.
    """
    everything = {address for row in file.rows for address in row.addresses}
    ours = participants_by(session, everything)
    better = {
        row.addresses[0]: next((each for each in row.addresses if each in ours), row.addresses[0])
        for row in file.rows
        if row.addresses
    }
    named: dict[str, list[str]] = {}
    for each in occurrence.invited if not everything else ():
        if each.participant.person:
            named.setdefault(each.participant.person.name.casefold(), []).append(each.participant.person.mail)
    return tuple(_known(one, better, named) for one in seen)


def participants_by(session: Session, addresses: set[str]) -> dict[str, int]:
    """Participants by those of these addresses that are theirs."""
    direct = select(Person.mail, Person.participant_id).where(Person.mail.in_(addresses))
    other = (
        select(OtherAddress.mail, Person.participant_id)
        .join(OtherAddress.person)
        .where(OtherAddress.mail.in_(addresses))
    )
    return {row[0]: row[1] for wanted in (other, direct) for row in session.execute(wanted)}


def _known(one: Seen, better: dict[str, str], named: dict[str, list[str]]) -> Seen:
    if one.address:
        return replace(one, address=better.get(one.address, one.address))
    mails = named.get((one.name or "").casefold(), [])
    return replace(one, address=mails[0]) if len(mails) == 1 else one


def _stay(row: Row, *, order: Order, zone: ZoneInfo, first: datetime, last: datetime) -> Interval | None:
    joined_wall = first if row.joined is None else row.joined.on(order)
    if joined_wall is None:
        return None
    joined = instant(joined_wall, zone)
    left_wall = last if row.left is None else beside(row.left, order, day_of=joined_wall)
    if row.left is None and row.seconds is not None:
        return Interval(joined, joined + timedelta(seconds=row.seconds))
    if left_wall is None:
        return None
    left = instant(left_wall, zone, after=joined)
    if row.seconds is not None and joined + timedelta(seconds=row.seconds) < left - timedelta(seconds=2):
        # First and last moment of somebody with breaks: how long is known, when exactly is not.
        left = joined + timedelta(seconds=row.seconds)
    return Interval(joined, left)
