"""What people are recognised by in reports, once a coordinator has said who somebody unmatched was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Delete, delete, select
from sqlalchemy.orm import Session, joinedload

from integration.attendance.models import Recognition, UnmatchedRecord
from integration.errors import NotThere
from integration.language import lazy
from integration.people.models import Person


def remember(session: Session, record: UnmatchedRecord, person: Person, *, by: str, at: datetime) -> None:
    """From now on whatever a record shows means this person; the latest word counts.

    Object ids, addresses and whole numbers hold everywhere, a mere display name in this pod only. ``by``: an address.
    """
    pod_id = record.occurrence.series.pod_id
    for kind, value in record.traces:
        scope = pod_id if kind == "name" else None
        session.execute(_about(kind, value, scope))
        session.add(
            Recognition(
                person_id=person.id,
                kind=kind,
                value=value,
                pod_id=scope,
                occurrence_id=record.occurrence_id,
                learnt_by=by,
                learnt_at=at,
            )
        )
    session.flush()


def forget(session: Session, record: UnmatchedRecord) -> None:
    """What was learnt from a record is not known any more; what another session taught stays."""
    for kind, value in record.traces:
        scope = record.occurrence.series.pod_id if kind == "name" else None
        session.execute(_about(kind, value, scope).where(Recognition.occurrence_id == record.occurrence_id))


def recognitions_of(session: Session, person: Person) -> Sequence[Recognition]:
    """By what somebody is recognised, as their page shows it."""
    wanted = select(Recognition).where(Recognition.person_id == person.id).options(joinedload(Recognition.pod))
    return session.scalars(wanted.order_by(Recognition.learnt_at, Recognition.id)).all()


def revoke(session: Session, person_id: int, recognition_id: int) -> Recognition:
    """Do not recognise a person by this any more. Sessions of the past stay as they are. Raises NotThere."""
    found = session.get(Recognition, recognition_id)
    if found is None or found.person_id != person_id:
        raise NotThere(lazy("recognition"), recognition_id)
    session.delete(found)
    return found


def _about(kind: str, value: str, pod_id: int | None) -> Delete[Recognition]:
    where = Recognition.pod_id.is_(None) if pod_id is None else Recognition.pod_id == pod_id
    return delete(Recognition).where(Recognition.kind == kind, Recognition.value == value, where)
