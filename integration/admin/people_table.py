"""The table of people: what a coordinator searches, filters and sorts by, and what stands beside each name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, or_, select
from sqlalchemy.orm import Session

from integration.admin.tables import Column
from integration.language import gettext as _
from integration.language import lazy
from integration.people.models import Participant, Person, Skill
from integration.scheduling.models import Pod, PodMember, Program


class Whereabouts(StrEnum):
    """How somebody stands; the first of left, unreachable and paused that is true."""

    HERE = "here"
    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    LEFT = "left"


LABELS = {
    Whereabouts.HERE: (lazy("Here"), "good"),
    Whereabouts.PAUSED: (lazy("Paused"), "neutral"),
    Whereabouts.UNREACHABLE: (lazy("Address takes no mail"), "bad"),
    Whereabouts.LEFT: (lazy("Left"), "neutral"),
}
FILTERS = ("q", "department", "state")


@dataclass(frozen=True)
class Beside:
    """What is counted for the people of one page, by the person's id."""

    skills: Mapping[int, int]
    pods: Mapping[int, int]


def people_columns() -> tuple[Column, ...]:
    """The columns; counts are not sorted by, which would count for everybody."""
    return (
        Column("name", _("Name"), func.lower(Person.name)),
        Column("mail", _("Address"), Person.mail),
        Column("role", _("Role"), func.lower(func.coalesce(Person.role, ""))),
        Column("department", _("Department"), func.lower(func.coalesce(Person.department, ""))),
        Column("manager", _("Manager"), func.coalesce(Person.manager_mail, "")),
        Column("skills", _("Skills"), is_number=True),
        Column("pods", _("Pods now"), is_number=True),
        Column("state", _("State")),
    )


def people_wanted(query: Mapping[str, str], *, today: date) -> Select[Any]:
    """People as the address asks for them; whatever it says wrongly is taken as not said."""
    wanted = select(Person)
    text = query.get("q", "").strip()
    if text:
        found = (column.icontains(text, autoescape=True) for column in (Person.name, Person.mail, Person.role))
        wanted = wanted.where(or_(*found))
    if query.get("department"):
        wanted = wanted.where(Person.department == query["department"])
    if query.get("state") in set(Whereabouts):
        wanted = wanted.where(_whereabouts(today) == query["state"])
    return wanted


def whereabouts_of(person: Person, *, today: date) -> Whereabouts:
    if person.left_at is not None:
        return Whereabouts.LEFT
    if person.unreachable_at is not None:
        return Whereabouts.UNREACHABLE
    paused = person.paused_until is not None and person.paused_until >= today
    return Whereabouts.PAUSED if paused else Whereabouts.HERE


def today_of(now: datetime) -> date:
    """The date that pauses are compared with."""
    return now.date()


def departments(session: Session) -> list[str]:
    """Every department that somebody is in."""
    found = select(Person.department).where(Person.department.is_not(None)).distinct().order_by(Person.department)
    return [each for each in session.scalars(found) if each]


def beside(session: Session, people: Collection[Person]) -> Beside:
    """Skills and pods of the people of one page, in two queries."""
    ids = [person.id for person in people]
    skills = select(Skill.person_id, func.count()).where(Skill.person_id.in_(ids)).group_by(Skill.person_id)
    pods = (
        select(Person.id, func.count())
        .join(PodMember, PodMember.participant_id == Person.participant_id)
        .join(Pod, PodMember.pod_id == Pod.id)
        .join(Program, Pod.program_id == Program.id)
        .where(Person.id.in_(ids), PodMember.left_at.is_(None), Program.ended_at.is_(None))
        .group_by(Person.id)
    )
    return Beside(_counts(session, skills), _counts(session, pods))


def erased_count(session: Session) -> int:
    """How many people were erased: what they took part in stays, without a name."""
    nameless = not_(select(Person.id).where(Person.participant_id == Participant.id).exists())
    return session.scalar(select(func.count()).select_from(Participant).where(nameless)) or 0


def _whereabouts(today: date) -> ColumnElement[str]:
    paused = and_(Person.paused_until.is_not(None), Person.paused_until >= today)
    return case(
        (Person.left_at.is_not(None), Whereabouts.LEFT.value),
        (Person.unreachable_at.is_not(None), Whereabouts.UNREACHABLE.value),
        (paused, Whereabouts.PAUSED.value),
        else_=Whereabouts.HERE.value,
    )


def _counts(session: Session, counted: Select[int, int]) -> dict[int, int]:
    return {row_id: number for row_id, number in session.execute(counted)}  # noqa: C416 (typed)
