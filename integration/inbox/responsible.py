"""Which coordinator a message is for.

First a coordinator who is limited to a program of its writer; else one who is limited to none; else an administrator.
Only who stands in the roster with an address that takes mail can be written to, and never the writer. Of several the
one who signed in last.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.admin.models import CoordinatorLimit, OfficeMember
from integration.admin.permissions import Role
from integration.people.models import Person

NEVER = datetime(1, 1, 1, tzinfo=UTC)


def responsible(session: Session, *, programs: frozenset[int], writer: str) -> Person | None:
    """Whom to pass a message on to; None when nobody is known who can be written to."""
    office = {each.mail: each for each in session.scalars(select(OfficeMember))}
    limited: dict[str, set[int]] = {}
    for limit in session.scalars(select(CoordinatorLimit)):
        limited.setdefault(limit.mail.lower(), set()).add(limit.program_id)

    def is_coordinator(mail: str) -> bool:
        """Whoever has a limit and never signed in is believed to be one: an administrator wrote the limit."""
        known = office.get(mail)
        return known is None or Role.COORDINATOR in known.roles

    ranks: tuple[Callable[[str], bool], ...] = (
        lambda mail: bool(limited.get(mail, set()) & programs) and is_coordinator(mail),
        lambda mail: mail not in limited and mail in office and is_coordinator(mail),
        lambda mail: mail in office and Role.ADMINISTRATOR in office[mail].roles,
    )
    everybody = sorted({*office, *limited} - {writer})
    everybody.sort(key=lambda mail: office[mail].seen_at if mail in office else NEVER, reverse=True)
    people = _reachable(session, everybody)
    for rank in ranks:
        found = next((people[mail] for mail in everybody if rank(mail) and mail in people), None)
        if found is not None:
            return found
    return None


def _reachable(session: Session, mails: list[str]) -> dict[str, Person]:
    here = (Person.left_at.is_(None), Person.unreachable_at.is_(None))
    return {each.mail: each for each in session.scalars(select(Person).where(Person.mail.in_(mails), *here))}
