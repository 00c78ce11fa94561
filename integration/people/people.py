"""Finding people under any of their names, and letting them go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import NotThere
from integration.language import lazy
from integration.mail.mails import cancel_mails
from integration.people.models import OtherAddress, Participant, Person


def by_mail(session: Session, mail: str) -> Person:
    """The person with this main address, in any case of letters; raises NotThere."""
    person = session.scalar(select(Person).where(Person.mail == mail.strip().lower()))
    if person is None:
        raise NotThere(lazy("person"), mail)
    return person


def by_id(session: Session, person_id: int) -> Person:
    """The person of this row; raises NotThere."""
    person = session.get(Person, person_id)
    if person is None:
        raise NotThere(lazy("person"), person_id)
    return person


def find_by_address(session: Session, address: str | None) -> Person | None:
    """Whose main address or other address this is, in any case of letters; None when it is nobody's."""
    if not address:
        return None
    wanted = address.strip().lower()
    return session.scalar(select(Person).where(Person.mail == wanted)) or session.scalar(
        select(Person).join(OtherAddress).where(OtherAddress.mail == wanted)
    )


def identify(session: Session, object_id: str | None = None, address: str | None = None) -> Participant | None:
    """Whose object id or address this is: the id counts first, then the main address, then every other one.

    People who have left are found too: what they took part in stays theirs. None when it is nobody we know.
    """
    person = _by_object_id(session, object_id) or find_by_address(session, address)
    return person.participant if person else None


def record_departure(session: Session, person: Person, *, at: datetime) -> bool:
    """Note that somebody has left the company: nothing is sent to them any more. False when it was noted before.

    Mails that wait or are held are cancelled here; one that a worker has in hand is cancelled by the worker.
    Their pods and invitations are ended by ``integration.scheduling.membership.leave``, which calls this.
    """
    if person.left_at is not None:
        return False
    person.left_at = at
    session.flush()
    cancel_mails(session, person.participant_id)
    return True


def record_directory_entry(
    session: Session, person: Person, *, object_id: str, language: str | None, addresses: tuple[str, ...]
) -> None:
    """Note what the directory says of somebody. Addresses that are known to be another person's are left out."""
    person.object_id = object_id
    person.directory_note = None
    person.language = person.language or language
    wanted = dict.fromkeys(address.strip().lower() for address in addresses)
    for address in wanted:
        if address and find_by_address(session, address) is None:
            person.addresses.append(OtherAddress(mail=address))
    session.flush()


def _by_object_id(session: Session, object_id: str | None) -> Person | None:
    if not object_id:
        return None
    return session.scalar(select(Person).where(Person.object_id == object_id))
