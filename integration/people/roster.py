"""Importing a roster: who is new, who has changed, and which lines could not be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from integration import outbox
from integration.formats import day
from integration.language import gettext as _
from integration.outbox import Task
from integration.people.models import OtherAddress, Participant, Person, Skill
from integration.people.roster_file import RefusedLine, RosterFile, RosterLine, parse_roster

FARTHEST_START = timedelta(days=366)  # later start dates are a slip of the keyboard
KEPT_WHEN_EMPTY = ("time_zone", "language")  # the directory may have told; an empty cell does not unsay it
DIRECTIONS = ("teaches", "wants")
PER_QUERY = 500  # addresses asked for at once
PLAIN = ("role", "department", "manager_mail", "employed_on", "competent_on", "time_zone", "language")


@dataclass(frozen=True)
class RosterImport:
    """What an import did, or would do. Columns that the file does not have are left as they are."""

    added: int
    changed: int
    unchanged: int
    refused: tuple[RefusedLine, ...]
    unknown_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Comparison:
    """The file beside what we know: nothing is written yet."""

    new: list[RosterLine]
    changed: list[tuple[RosterLine, Person]]
    unchanged: int
    refused: tuple[RefusedLine, ...]
    unknown_columns: tuple[str, ...]

    @property
    def counts(self) -> RosterImport:
        return RosterImport(len(self.new), len(self.changed), self.unchanged, self.refused, self.unknown_columns)


def preview_roster(session: Session, lines: Iterable[str], *, now: datetime) -> RosterImport:
    """What ``import_roster`` would do with these lines; writes nothing. Raises InputRefused as it does."""
    return _compare(session, parse_roster(lines), now=now).counts


def import_roster(session: Session, lines: Iterable[str], *, now: datetime) -> RosterImport:
    """Add and change people as the CSV ``lines`` say; the same file again changes nothing.

    Nobody is removed. Whoever is new or changed is looked up in the directory later. Raises InputRefused when the
    file as a whole cannot be used; single lines that cannot are in ``refused``.
    """
    comparison = _compare(session, parse_roster(lines), now=now)
    people = [person for _, person in comparison.changed]
    for line, person in comparison.changed:
        _change(line, person)
    for line in comparison.new:
        person = Person(mail=line.mail, name=line.name, participant=Participant())
        session.add(person)
        _change(line, person)
        people.append(person)
    session.flush()
    outbox.add_all(session, Task.PERSON_RESOLVE, [person.id for person in people])
    return comparison.counts


def _compare(session: Session, file: RosterFile, *, now: datetime) -> _Comparison:
    known = _known_people(session, {address for line in file.lines for address in (line.mail, *line.other_mails)})
    people = {person.mail: person for person in known}
    owners = {each: (person.mail, person.name) for person in known for each in _addresses(person)}
    found = _Comparison([], [], 0, (), file.unknown_columns)
    refused, unchanged = list(file.refused), 0
    for line in file.lines:
        person = people.get(line.mail)
        reason = _objection(line, person, owners, now=now)
        if reason:
            refused.append(RefusedLine(line.number, reason))
            continue
        for address in (line.mail, *line.other_mails):
            owners.setdefault(address, (line.mail, line.name))
        if person is None:
            found.new.append(line)
        elif _wanted_facts(line, person) != _facts(person):
            found.changed.append((line, person))
        else:
            unchanged += 1
    in_order = tuple(sorted(refused, key=lambda line: line.number))
    return replace(found, unchanged=unchanged, refused=in_order)


def _known_people(session: Session, addresses: set[str]) -> list[Person]:
    """Everybody who has one of these addresses, with skills and addresses; a few queries per thousand."""
    ordered, found = sorted(addresses), dict[int, Person]()
    for start in range(0, len(ordered), PER_QUERY):
        some = ordered[start : start + PER_QUERY]
        under_another = select(OtherAddress.person_id).where(OtherAddress.mail.in_(some))
        wanted = select(Person).where(or_(Person.mail.in_(some), Person.id.in_(under_another)))
        loaded = session.scalars(wanted.options(selectinload(Person.skills), selectinload(Person.addresses)))
        found |= {person.id: person for person in loaded}
    return list(found.values())


def _addresses(person: Person) -> list[str]:
    return [person.mail, *(address.mail for address in person.addresses)]


def _objection(
    line: RosterLine, person: Person | None, owners: Mapping[str, tuple[str, str]], *, now: datetime
) -> str | None:
    """Why a line that is right in itself does not fit what we know; None when it does."""
    if person is not None and person.left_at is not None:
        return _("names %(mail)s, who left on %(day)s", mail=line.mail, day=day(person.left_at))
    if line.employed_on and line.employed_on > (now + FARTHEST_START).date():
        return _("has the start date %(day)s, more than a year ahead", day=line.employed_on)
    for address in (line.mail, *line.other_mails):
        mail, name = owners.get(address, (line.mail, line.name))
        if mail != line.mail:
            told = {"mail": address, "name": name, "main": mail}
            return _("has the address %(mail)s, which is %(name)s's; their address here is %(main)s", **told)
    return None


def _facts(person: Person) -> tuple[object, ...]:
    return (
        person.name,
        *(getattr(person, column) for column in PLAIN),
        frozenset((skill.direction, skill.name) for skill in person.skills),
        frozenset(address.mail for address in person.addresses),
    )


def _wanted_facts(line: RosterLine, person: Person) -> tuple[object, ...]:
    """What ``_facts`` would say after the change."""
    kept = {(skill.direction, skill.name) for skill in person.skills if skill.direction not in line.columns}
    told = {(way, name) for way in DIRECTIONS if way in line.columns for name in getattr(line, way)}
    others = {address.mail for address in person.addresses}
    return (
        line.name,
        *(_value(line, person, column) for column in PLAIN),
        frozenset(kept | told),
        frozenset(others | ({*line.other_mails} - {person.mail} if "other_mails" in line.columns else set())),
    )


def _value(line: RosterLine, person: Person, column: str) -> object:
    told = getattr(line, column)
    if column not in line.columns or (told is None and column in KEPT_WHEN_EMPTY):
        return getattr(person, column)
    return told


def _change(line: RosterLine, person: Person) -> None:
    """Make the person's row say what the line says."""
    person.name = line.name
    for column in PLAIN:
        setattr(person, column, _value(line, person, column))
    for direction in DIRECTIONS:
        if direction in line.columns:
            _set_skills(person, direction, getattr(line, direction))
    if "other_mails" in line.columns:
        _set_addresses(person, line.other_mails)


def _set_skills(person: Person, direction: str, names: tuple[str, ...]) -> None:
    kept = [skill for skill in person.skills if skill.direction != direction or skill.name in names]
    known = {skill.name for skill in kept if skill.direction == direction}
    person.skills = kept + [Skill(direction=direction, name=name) for name in names if name not in known]


def _set_addresses(person: Person, mails: tuple[str, ...]) -> None:
    """Add the roster's addresses. None is removed: the directory may have told of others."""
    known = {address.mail for address in person.addresses} | {person.mail}
    person.addresses += [OtherAddress(mail=mail) for mail in dict.fromkeys(mails) if mail not in known]
