"""What the directory knows of the people on our roster."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.duties import Duty
from integration.graph.errors import NotFound
from integration.graph.resources import User
from integration.language import Wording, lazy
from integration.log import get_logger
from integration.people.models import Person
from integration.people.people import record_directory_entry
from integration.tools import Tools

log = get_logger(__name__)
DUTIES: tuple[Duty, ...] = ()


def resolve_person(tools: Tools, person_id: int) -> None:
    """Look somebody up in the directory: object id, language, other addresses.

    Whoever is not there is not an error of ours: it is said in words on the person, for the coordinator to read.
    """
    with tools.database.reading() as session:
        person = session.get(Person, person_id)
        key = (person.object_id or person.mail) if person and person.is_here else None
    if key is None:
        return
    user = _user(tools, key)
    with tools.database.transaction() as session:
        person = session.get(Person, person_id)
        if person is not None:
            person.directory_note = _record(session, person, user)
    log.info("person resolved", person_id=person_id, found=user is not None)


def _user(tools: Tools, key: str) -> User | None:
    try:
        return tools.graph.directory.user(key)
    except NotFound:
        return None


def _record(session: Session, person: Person, user: User | None) -> Wording | None:
    """Note the directory's answer; returns what a coordinator should know, or None when all is well."""
    if user is None:
        return lazy("The directory knows nobody with this address. Correct it if it is wrong.")
    other = session.scalar(select(Person).where(Person.object_id == user.id, Person.id != person.id))
    if other is not None:
        return lazy(
            "The directory says this is the same account as %(name)s's. Remove one of the two.", name=other.name
        )
    addresses = tuple(filter(None, (user.mail, user.user_principal_name, *user.other_mails)))
    record_directory_entry(session, person, object_id=user.id, language=user.language, addresses=addresses)
    return None if user.enabled else lazy("The account is disabled. Should this person be marked as having left?")
