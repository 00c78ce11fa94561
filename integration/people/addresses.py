"""A person's main address, corrected. The earlier one stays theirs, among the other addresses: by it reports, answers
and rosters that still have it find the same person."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from integration import outbox
from integration.config import Settings
from integration.errors import Conflict, InputRefused
from integration.language import lazy
from integration.outbox import Task
from integration.people.models import OtherAddress, Person
from integration.people.people import find_by_address
from integration.people.roster_file import LONGEST_MAIL, MAIL


def address_for(session: Session, person: Person, text: str, *, settings: Settings) -> str:
    """The address that somebody typed for a person, in lower case; raises InputRefused, which says what is wrong."""
    mail = text.strip().lower()
    if not mail:
        raise InputRefused(lazy("No address was given."), remedy=lazy("Write it like ada@example.com."))
    if len(mail) > LONGEST_MAIL or not MAIL.fullmatch(mail) or not mail.isprintable():
        raise InputRefused(
            lazy("“%(text)s” is no address.", text=text.strip()[:LONGEST_MAIL]),
            remedy=lazy("Write it like ada@example.com."),
        )
    if mail in settings.own_mailboxes:
        raise InputRefused(
            lazy("%(mail)s is a mailbox of Learning Pods itself.", mail=mail),
            remedy=lazy("Write the person's own address."),
        )
    if not settings.may_mail(mail):
        raise InputRefused(
            lazy("MAIL_ALLOWLIST does not name %(mail)s, so nothing could be sent to it.", mail=mail),
            remedy=lazy("Correct the address, or have the administrator widen the setting first."),
        )
    owner = find_by_address(session, mail)
    if owner is not None and owner.id != person.id:
        raise InputRefused(
            lazy("%(mail)s is %(name)s's address already.", mail=mail, name=owner.name),
            remedy=lazy("Nobody can share an address: correct it, or theirs first."),
        )
    return mail


def change_address(session: Session, person: Person, mail: str) -> None:
    """Give somebody another main address, checked before; the directory is asked anew whose account it is.

    Raises Conflict when somebody else got it in the same instant.
    """
    person.addresses = [each for each in person.addresses if each.mail != mail] + [OtherAddress(mail=person.mail)]
    person.mail = mail
    person.object_id = person.directory_note = person.unreachable_at = None
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(
            lazy("%(mail)s has just become somebody else's address.", mail=mail),
            remedy=lazy("Look who has it, and try again."),
        ) from error
    outbox.add(session, Task.PERSON_RESOLVE, person.id)
