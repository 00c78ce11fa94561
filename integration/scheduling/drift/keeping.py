"""How long differences and proposed times are kept, and what is removed of somebody who is erased."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from integration.people.models import OtherAddress, Person
from integration.scheduling.drift.kinds import Repair
from integration.scheduling.drift.models import Drift
from integration.scheduling.models import Occurrence, Series, SeriesAttendee
from integration.scheduling.proposals.models import TimeProposal

KEEP_FOR = timedelta(days=30)  # after it was settled; what was adopted: after the series' last session
ERASED = "(erased)"


def forget_old(session: Session, *, now: datetime) -> None:
    """Close what is open for a series that is over, and delete what is older than KEEP_FOR.

    What was adopted is kept as long as the series goes on: it is what keeps the same from being asked again. That
    somebody decided stays in the audit trail.
    """
    session.execute(
        update(Drift).where(Drift.closed_at.is_(None), ~_goes_on(Drift.series_id, after=now)).values(closed_at=now)
    )
    before = now - KEEP_FOR
    is_needed = and_(Drift.decision == Repair.ADOPT, _goes_on(Drift.series_id, after=before))
    session.execute(delete(Drift).where(Drift.closed_at < before, or_(Drift.decision.is_(None), ~is_needed)))
    over = select(Occurrence.id).where(Occurrence.ends_at < before)
    session.execute(delete(TimeProposal).where(TimeProposal.occurrence_id.in_(over)))


def erase_drift(session: Session, participant_id: int) -> None:
    """Remove somebody from differences and proposals when they are erased; call it while they still have addresses.

    Differences about them and times that they proposed are deleted. What they decided stays, without their name.
    """
    addresses = _addresses(session, participant_id)
    session.execute(delete(TimeProposal).where(TimeProposal.address.in_(addresses)))
    session.execute(delete(Drift).where(Drift.address.in_(addresses)))
    session.execute(update(Drift).where(Drift.decided_by.in_(addresses)).values(decided_by=ERASED))
    on_them = select(SeriesAttendee.series_id).where(SeriesAttendee.address.in_(addresses))
    for row in session.scalars(select(Drift).where(Drift.series_id.in_(on_them))):
        row.mails = {address: count for address, count in row.mails.items() if address not in addresses}


def _goes_on(series_id: InstrumentedAttribute[int], *, after: datetime) -> ColumnElement[bool]:
    """Whether a series has a session that ends after this, and was not cancelled before."""
    to_come = exists().where(Occurrence.series_id == series_id, Occurrence.ends_at > after)
    is_cancelled = exists().where(Series.id == series_id, Series.cancelled_at <= after)
    return and_(to_come, ~is_cancelled)


def _addresses(session: Session, participant_id: int) -> Collection[str]:
    main = select(Person.mail).where(Person.participant_id == participant_id)
    others = select(OtherAddress.mail).join(Person, Person.id == OtherAddress.person_id)
    invited = select(SeriesAttendee.address).where(SeriesAttendee.participant_id == participant_id)
    return {
        *session.scalars(main),
        *session.scalars(others.where(Person.participant_id == participant_id)),
        *session.scalars(invited),
    }
