"""The people of the demonstration: what the roster says about them, and who leads.

Pure: the same directory and the same seed give the same roster.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

SKILLS = (
    "Escalations",
    "Excel",
    "Customer calls",
    "Root cause analysis",
    "Writing for customers",
    "Power BI",
    "Onboarding",
    "Quality reviews",
)
NEWCOMERS = 0.45  # the share hired in the weeks before the pilot
DAYS_TO_COMPETENCE, SPREAD = 105, 16
FASTER_IN_PODS = 0.78  # the story of this demonstration: people learn faster in pods
COLUMNS = ("name", "mail", "role", "department", "manager", "start date", "skills taught", "skills wanted")


@dataclass(frozen=True)
class Member:
    """Somebody of the directory, with the dates of the roster."""

    mail: str
    name: str
    role: str
    department: str
    manager_mail: str
    time_zone: str
    employed_on: date
    competent_on: date  # the day the milestone is reached, perhaps after the pilot
    teaches: tuple[str, ...]
    wants: tuple[str, ...]


def cast_of(people: Sequence[dict[str, Any]], *, seed: int, starts_on: date) -> tuple[Member, ...]:
    """The employees of a directory (as the tenant shows it), in the order of their addresses."""
    by_id = {person["id"]: person for person in people}
    employees = sorted((person for person in people if person["kind"] == "person"), key=lambda each: each["mail"])
    return tuple(
        _member(person, by_id, chance=random.Random(f"{seed}:{person['mail']}"), starts_on=starts_on)
        for person in employees
    )


def leader_of(cast: Sequence[Member]) -> Member:
    """The one who gets the weekly summary: whoever manages most people."""
    managers = [member.manager_mail for member in cast if member.manager_mail]
    return max(cast, key=lambda member: (managers.count(member.mail), member.mail))


def roster_csv(cast: Sequence[Member], *, known_until: date) -> str:
    """The roster as an HR system exports it: milestones reached after ``known_until`` are not in it yet."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, "time zone", "competent on"])
    for member in cast:
        reached = member.competent_on.isoformat() if member.competent_on <= known_until else ""
        writer.writerow(
            [
                member.name,
                member.mail,
                member.role,
                member.department,
                member.manager_mail,
                member.employed_on.isoformat(),
                ";".join(member.teaches),
                ";".join(member.wants),
                member.time_zone,
                reached,
            ]
        )
    return out.getvalue()


def _member(
    person: dict[str, Any], by_id: dict[str, dict[str, Any]], *, chance: random.Random, starts_on: date
) -> Member:
    is_new = chance.random() < NEWCOMERS and person["manager_id"] is not None
    hired = chance.randint(20, 75) if is_new else chance.randint(140, 900)
    days = max(30, round(chance.gauss(DAYS_TO_COMPETENCE, SPREAD) * (FASTER_IN_PODS if is_new else 1)))
    employed_on = starts_on - timedelta(days=hired)
    skills = chance.sample(SKILLS, 4)
    manager = by_id.get(person["manager_id"] or "")
    return Member(
        mail=person["mail"],
        name=person["name"],
        role=person["job_title"] or "",
        department=person["department"] or "",
        manager_mail=manager["mail"] if manager else "",
        time_zone=person["time_zone"],
        employed_on=employed_on,
        competent_on=employed_on + timedelta(days=days),
        teaches=tuple(skills[:2]),
        wants=tuple(skills[2:]),
    )
