"""Correcting somebody's address for a visitor, on a page or through the API: limits, sessions, audit trail."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.admin.audit import record
from integration.admin.office import limit_as
from integration.admin.permissions import Permission, Thing, Visitor
from integration.admin.sessions import end_sessions_of
from integration.errors import NotThere
from integration.language import lazy
from integration.people.models import Person
from integration.scheduling.models import Program, ProgramMember
from integration.scheduling.readdressing import Correction, correct_address
from integration.tools import Tools


def about_address(session: Session, person_id: int) -> Thing:
    """The programs that somebody takes part in: a correction mails because of each. Raises NotThere."""
    participant_id = session.scalar(select(Person.participant_id).where(Person.id == person_id))
    if participant_id is None:
        raise NotThere(lazy("person"), person_id)
    wanted = select(ProgramMember.program_id).join(Program).where(ProgramMember.participant_id == participant_id)
    return Thing(program_ids=frozenset(session.scalars(wanted.where(Program.ended_at.is_(None)))))


def correct_for(
    session: Session, visitor: Visitor, tools: Tools, person_id: int, mail: str, *, before: str
) -> Correction | None:
    """What ``correct_address`` does, with what an address means for signing in, and the line in the audit trail."""
    done = correct_address(session, person_id, mail, before=before, settings=tools.settings, now=tools.clock.now())
    if done is None:
        return None
    end_sessions_of(session, done.old)  # they stand under the old address; the next sign-in tells who it is
    limit_as(session, done.old, done.new)
    counts = {"series": done.series, "invitations": done.invitations, "cancellations": done.cancellations}
    record(
        session,
        visitor,
        Permission.PERSON_CORRECT,
        thing="person",
        thing_id=person_id,
        before={"mail": done.old},
        after={"mail": done.new, **counts, "mails": done.waiting + done.held},
    )
    return done
