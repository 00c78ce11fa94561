"""Who runs the programs: coordinators and administrators are known from their sign-in, and remembered after it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from integration.admin.models import CoordinatorLimit, OfficeMember
from integration.admin.permissions import Role

OFFICE = frozenset({Role.COORDINATOR, Role.ADMINISTRATOR})
REMEMBERED_FOR = timedelta(days=90)  # without a sign-in: then nobody knows whether they still are


def record_sign_in(session: Session, mail: str, roles: Iterable[Role], *, now: datetime) -> None:
    """Remember whoever runs programs, and forget who does not any more."""
    session.execute(delete(OfficeMember).where(OfficeMember.seen_at < now - REMEMBERED_FOR))
    address, held = mail.lower(), sorted(OFFICE.intersection(roles))
    if not held:
        session.execute(delete(OfficeMember).where(OfficeMember.mail == address))
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    values = {"roles": held, "seen_at": now}
    insert = dialect.insert(OfficeMember).values(mail=address, **values)
    session.execute(insert.on_conflict_do_update(index_elements=["mail"], set_=values))


def limit_as(session: Session, old: str, new: str) -> None:
    """Limit whoever has the address ``new`` to the programs of ``old``, when somebody's address was corrected.

    The limits stand under both, since a sign-in may tell either: nobody gets more programs by it.
    """
    limits = select(CoordinatorLimit.program_id)
    missing = set(session.scalars(limits.where(CoordinatorLimit.mail == old)))
    missing -= set(session.scalars(limits.where(CoordinatorLimit.mail == new)))
    session.add_all(CoordinatorLimit(mail=new, program_id=each) for each in sorted(missing))
    session.flush()
