"""Importing a roster: who is new, who has changed, and which lines could not be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import outbox
from integration.outbox import Task
from integration.people.models import OtherAddress, Participant, Person, Skill
from integration.people.roster_file import RefusedLine, RosterLine, parse_roster

FARTHEST_START = timedelta(days=366)  # later start dates are a slip of the keyboard
KEPT_WHEN_EMPTY = ("time_zone", "language")  # the directory may have told; an empty cell does not unsay it
PLAIN = ("role", "department", "manager_mail", "employed_on", "competent_on", "time_zone", "language")


@dataclass(frozen=True)
class RosterImport:
    """What an import did. Columns that the file does not have were left as they were."""

    added: int
    changed: int
    unchanged: int
    refused: tuple[RefusedLine, ...]
    unknown_columns: tuple[str, ...] = ()


def import_roster(session: Session, lines: Iterable[str], *, now: datetime) -> RosterImport:
    """Add and change people as the CSV ``lines`` say; the same file again changes nothing.

    Nobody is removed. Whoever is new or changed is looked up in the directory later. Raises InputRefused when the
    file as a whole cannot be used; single lines that cannot are in ``refused``.
    """
    file = parse_roster(lines)
    refused = list(file.refused)
    added = changed = unchanged = 0
    for line in file.lines:
        person = session.scalar(select(Person).where(Person.mail == line.mail))
        reason = _objection(session, line, person, now=now)
        if reason:
            refused.append(RefusedLine(line.number, reason))
        elif person is None:
            added += _add(session, line)
        elif _change(session, line, person):
            changed += 1
        else:
            unchanged += 1
    return RosterImport(
        added, changed, unchanged, tuple(sorted(refused, key=lambda line: line.number)), file.unknown_columns
    )


def _objection(session: Session, line: RosterLine, person: Person | None, *, now: datetime) -> str | None:
    """Why a line that is right in itself does not fit what we know; None when it does."""
    if person is not None and person.left_at is not None:
        return f"names {line.mail}, who left on {person.left_at:%d %B %Y}"
    if line.employed_on and line.employed_on > (now + FARTHEST_START).date():
        return f"has the start date {line.employed_on}, more than a year ahead"
    for address in (line.mail, *line.other_mails):
        owner = _owner(session, address)
        if owner is not None and owner is not person:
            return f"has the address {address}, which is {owner.name}'s"
    return None


def _owner(session: Session, address: str) -> Person | None:
    return session.scalar(select(Person).where(Person.mail == address)) or session.scalar(
        select(Person).join(OtherAddress).where(OtherAddress.mail == address)
    )


def _add(session: Session, line: RosterLine) -> int:
    person = Person(mail=line.mail, name=line.name, participant=Participant())
    session.add(person)
    _change(session, line, person)
    return 1


def _change(session: Session, line: RosterLine, person: Person) -> bool:
    """Make the person's row say what the line says; whether anything was different."""
    before = _facts(person)
    person.name = line.name
    for column in PLAIN:
        value = getattr(line, column)
        if column in line.columns and (value is not None or column not in KEPT_WHEN_EMPTY):
            setattr(person, column, value)
    for direction in ("teaches", "wants"):
        if direction in line.columns:
            _set_skills(person, direction, getattr(line, direction))
    if "other_mails" in line.columns:
        _set_addresses(person, line.other_mails)
    session.flush()
    if _facts(person) == before:
        return False
    outbox.add(session, Task.PERSON_RESOLVE, person.id)
    return True


def _facts(person: Person) -> tuple[object, ...]:
    if person.id is None:
        return ()
    skills = frozenset((skill.direction, skill.name) for skill in person.skills)
    return (
        person.name,
        *(getattr(person, column) for column in PLAIN),
        skills,
        frozenset(address.mail for address in person.addresses),
    )


def _set_skills(person: Person, direction: str, names: tuple[str, ...]) -> None:
    kept = [skill for skill in person.skills if skill.direction != direction or skill.name in names]
    known = {skill.name for skill in kept if skill.direction == direction}
    person.skills = kept + [Skill(direction=direction, name=name) for name in names if name not in known]


def _set_addresses(person: Person, mails: tuple[str, ...]) -> None:
    """Add the roster's addresses. None is removed: the directory may have told of others."""
    known = {address.mail for address in person.addresses} | {person.mail}
    person.addresses += [OtherAddress(mail=mail) for mail in dict.fromkeys(mails) if mail not in known]
