"""How the people of the demonstration behave: who replies, comes, comes late, and what they answer.

Pure and drawn from the seed, a person and an occurrence alone, so that no order of events changes what somebody does.
The awkward ones are given by their place among the pods (in the order of their names), and named at the end.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

REPLIES = (("accept", 0.74), ("tentativelyAccept", 0.09), ("decline", 0.06), ("", 0.11))
COMES = {"accept": 0.93, "tentativelyAccept": 0.6, "decline": 0.04, "": 0.55}
ANSWERS_FEEDBACK = 0.72
SCORES, WEIGHTS = (2, 3, 4, 5), (1, 3, 9, 7)
MINUTE = timedelta(minutes=1)
DECLINED_NUMBER = 4  # the occurrence that somebody declines alone
FIRST_IN_WEEK = {"meets_in_person": 2, "brings_a_guest": 2, "leaves": 3, "declines_once": DECLINED_NUMBER}


@dataclass(frozen=True)
class Stay:
    """Somebody's presence in a call. ``person`` is None for devices and strangers, who have a ``name``."""

    joins_at: datetime
    leaves_at: datetime
    kind: str = "member"
    person: str | None = None
    name: str | None = None
    device: str = "computer"

    def as_sent(self) -> dict[str, str]:
        """The words of the control API, without the link."""
        said = {"person": self.person, "name": self.name, "kind": self.kind, "device": self.device}
        return {word: value for word, value in said.items() if value is not None}


@dataclass(frozen=True)
class Roles:
    """Which pod and which of its members plays which awkward part; None where the cast is too small."""

    never_meets: str | None
    meets_in_person: str | None
    shares_a_room: str | None
    late: str | None
    on_the_phone: str | None
    rejoins: str | None
    two_devices: str | None
    leaves: str | None
    brings_a_guest: str | None
    declines_once: str | None

    def within(self, weeks: int) -> Roles:
        """Only the roles whose moment comes in a pilot of so many weeks."""
        late = [name for name, week in FIRST_IN_WEEK.items() if week > weeks]
        return replace(self, **dict.fromkeys(late))

    def as_words(self) -> list[str]:
        """The cases that occurred, without names of people."""
        return [name.replace("_", " ") for name, who in vars(self).items() if who is not None]


def roles_of(pods: Sequence[tuple[str, Sequence[str]]]) -> Roles:
    """Roles for pods, given as (subject, addresses of members)."""
    members = {subject: sorted(addresses) for subject, addresses in pods}
    names = sorted(members)

    def pod(place: int) -> str | None:
        return names[place] if place < len(names) - 1 else None

    def member(place: int, seat: int) -> str | None:
        subject = pod(place)
        return members[subject][seat] if subject and seat < len(members[subject]) else None

    return Roles(
        never_meets=names[-1] if len(names) > 1 else None,
        meets_in_person=pod(0),
        shares_a_room=pod(1),
        late=member(2, 0),
        on_the_phone=member(2, 1),
        rejoins=member(3, 0),
        two_devices=member(3, 1),
        leaves=member(3, 2),
        brings_a_guest=pod(4),
        declines_once=member(4, 0),
    )


def reply_of(mail: str, *, seed: int) -> tuple[str, timedelta]:
    """What somebody answers to the invitation ("" for nothing), and how long after it."""
    chance = random.Random(f"{seed}:reply:{mail}")
    words, weights = [word for word, _ in REPLIES], [weight for _, weight in REPLIES]
    return chance.choices(words, weights)[0], timedelta(minutes=chance.randint(5, 2 * 24 * 60))


def stays(subject: str, number: int, instance: dict[str, Any], roles: Roles, *, seed: int) -> list[Stay]:
    """Who is in the call of a pod's ``number``-th occurrence (from 1), as the tenant shows the instance."""
    if subject == roles.never_meets or (subject == roles.meets_in_person and number == 2):
        return []
    starts, ends = datetime.fromisoformat(instance["starts_at"]), datetime.fromisoformat(instance["ends_at"])
    coming = [each for each in instance["attendees"] if each["type"] != "resource"]
    present = [each["address"] for each in coming if _comes(each, number, roles, seed=seed)]
    found: list[Stay] = []
    if subject == roles.shares_a_room and number in (1, 3) and len(present) >= 3:
        found.append(Stay(starts - MINUTE, ends, kind="room", name="Meeting room Matterhorn"))
        present = present[3:] or present[:1]
    for mail in present:
        found += _stays_of(mail, starts, ends, roles, chance=random.Random(f"{seed}:stay:{mail}:{number}"))
    if subject == roles.brings_a_guest and number == 2:
        found.append(Stay(starts, ends - 5 * MINUTE, kind="guest", name="Robin from the supplier"))
    return found


def feedback_of(mail: str, link: str, *, seed: int) -> tuple[int, timedelta] | None:
    """The score somebody gives and how long after the mail; None when they do not answer.

    ``link`` only tells one question from the next; of it the number of earlier questions is passed, not the token.
    """
    chance = random.Random(f"{seed}:feedback:{mail}:{link}")
    if chance.random() > ANSWERS_FEEDBACK:
        return None
    return chance.choices(SCORES, WEIGHTS)[0], timedelta(minutes=chance.randint(3, 30 * 60))


def _comes(attendee: dict[str, Any], number: int, roles: Roles, *, seed: int) -> bool:
    mail = attendee["address"]
    if mail == roles.declines_once and number == DECLINED_NUMBER:
        return False
    if mail in (roles.late, roles.on_the_phone, roles.rejoins, roles.two_devices):
        return True
    answered, _ = reply_of(mail, seed=seed)
    return random.Random(f"{seed}:comes:{mail}:{number}").random() < COMES[answered]


def _stays_of(mail: str, starts: datetime, ends: datetime, roles: Roles, *, chance: random.Random) -> list[Stay]:
    joins, leaves = starts + chance.randint(-3, 4) * MINUTE, ends + chance.randint(-4, 5) * MINUTE
    if mail == roles.late:
        return [Stay(starts + 12 * MINUTE, leaves, person=mail)]
    if mail == roles.on_the_phone:
        return [Stay(joins, leaves, kind="phone", name="+41 79 555 01 23")]
    if mail == roles.rejoins:
        middle = starts + 11 * MINUTE
        return [Stay(joins, middle, person=mail), Stay(middle + 4 * MINUTE, leaves, person=mail)]
    if mail == roles.two_devices:
        phone = Stay(starts + 5 * MINUTE, ends - 2 * MINUTE, person=mail, device="mobile")
        return [Stay(joins, ends - 8 * MINUTE, person=mail), phone]
    return [Stay(joins, leaves, person=mail)]
