"""People in the API."""

from __future__ import annotations

import csv

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from integration.admin import audit
from integration.admin.addresses import about_address, correct_for
from integration.admin.permissions import Permission, Thing
from integration.api.operations import Call, operation
from integration.api.paging import page_after
from integration.api.shapes import AddressRequest, ImportAnswer, Page, PeopleQuery, PersonAnswer, RefusedLineAnswer
from integration.errors import InputRefused, NotThere
from integration.language import lazy
from integration.people.models import Person
from integration.people.roster import import_roster


def _one(session: Session, person_id: int) -> Thing:
    if session.get(Person, person_id) is None:
        raise NotThere(lazy("person"), person_id)
    return Thing(person_id=person_id)


@operation("GET", "/people", Permission.PEOPLE_SEE, query=PeopleQuery, answer=Page[PersonAnswer])
def list_people(call: Call) -> Page[PersonAnswer]:
    """People on the roster, in the order in which they came"""
    query: PeopleQuery = call.query
    wanted = select(Person).options(selectinload(Person.skills))
    if query.state != "all":
        wanted = wanted.where(Person.left_at.is_(None) if query.state == "here" else Person.left_at.is_not(None))
    if query.q:
        wanted = wanted.where(
            or_(Person.name.icontains(query.q, autoescape=True), Person.mail.icontains(query.q, autoescape=True))
        )
    rows, following = page_after(call.session, wanted, Person.id, cursor=query.cursor, limit=query.limit)
    return Page([_person(each) for each in rows], following)


@operation("GET", "/people/{person_id}", Permission.PEOPLE_SEE, about=_one, answer=PersonAnswer)
def get_person(call: Call, person_id: int) -> PersonAnswer:
    """Somebody on the roster"""
    return _person(call.session.get_one(Person, person_id))


@operation("POST", "/people/import", Permission.PEOPLE_IMPORT, media="text/csv", answer=ImportAnswer)
def import_people(call: Call) -> ImportAnswer:
    """Add and change people as a CSV roster says; lines that cannot be used are named"""
    done = import_roster(call.session, _lines(call.text), now=call.tools.clock.now())
    audit.record(
        call.session,
        call.visitor,
        Permission.PEOPLE_IMPORT,
        thing="roster",
        after={"added": done.added, "changed": done.changed, "refused": len(done.refused)},
    )
    return ImportAnswer(
        created=done.added,
        updated=done.changed,
        unchanged=done.unchanged,
        refused=[RefusedLineAnswer(line=each.number, reason=each.reason) for each in done.refused],
        unknown_columns=list(done.unknown_columns),
    )


@operation(
    "POST",
    "/people/{person_id}/address",
    Permission.PERSON_CORRECT,
    about=about_address,
    body=AddressRequest,
    answer=PersonAnswer,
)
def correct_address(call: Call, person_id: int) -> PersonAnswer:
    """Correct somebody's address: their invitations and waiting mails move to it; the same again changes nothing"""
    wanted: AddressRequest = call.body
    correct_for(call.session, call.visitor, call.tools, person_id, wanted.mail, before=wanted.before.strip().lower())
    return _person(call.session.get_one(Person, person_id))


def _lines(text: bytes) -> list[str]:
    """The lines of a roster; raises InputRefused where there is no CSV at all."""
    try:
        lines = text.decode("utf-8-sig").splitlines(keepends=True)
        for _ in csv.reader(lines):  # only to learn of a cell without end before anything is read into rows
            pass
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputRefused(
            lazy("The roster cannot be read: %(why)s.", why=str(error)), remedy=lazy("Send CSV in UTF-8.")
        ) from error
    return lines


def _person(person: Person) -> PersonAnswer:
    return PersonAnswer(
        id=person.id,
        name=person.name,
        mail=person.mail,
        role=person.role,
        department=person.department,
        time_zone=person.time_zone,
        language=person.language,
        state="here" if person.is_here else "left",
        left_at=person.left_at,
        teaches=sorted(each.name for each in person.skills if each.direction == "teaches"),
        wants=sorted(each.name for each in person.skills if each.direction == "wants"),
    )
