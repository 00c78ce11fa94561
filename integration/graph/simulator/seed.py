"""A tenant from a seed: people on several continents with departments, managers, and full weeks.

The same seed makes the same tenant, person for person and id for id.
"""

import random
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from .clock import MovableClock
from .tenant.directory import BusyBlock, Directory, Person, Showing
from .tenant.tenant import Tenant

DOMAIN = "pods.example"
STARTS_AT = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
"""A Monday before the clocks change: in New York on the 8th, in Europe on the 29th."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
ORGANIZER_NAMES = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
FREQUENTLY_FREE_HOURS = ((7, 9), (13, 15))
"""Hours (UTC) in which continents share a working day; blocks there are rarer, so that groups can meet."""
KEPT_FREE = 0.75
EVERY_NTH_WITHOUT_MAILBOX = 11


@dataclass(frozen=True)
class Site:
    city: str
    country: str
    time_zone: str
    language: str
    starts: time
    ends: time


SITES = (
    Site("Zurich", "CH", "Europe/Zurich", "de-CH", time(8, 0), time(17, 0)),
    Site("Berlin", "DE", "Europe/Berlin", "de-DE", time(9, 0), time(17, 30)),
    Site("New York", "US", "America/New_York", "en-US", time(8, 30), time(17, 30)),
    Site("Zurich", "CH", "Europe/Zurich", "fr-CH", time(8, 30), time(17, 30)),
    Site("Bengaluru", "IN", "Asia/Kolkata", "en-IN", time(10, 0), time(19, 0)),
    Site("London", "GB", "Europe/London", "en-GB", time(9, 0), time(17, 30)),
    Site("Singapore", "SG", "Asia/Singapore", "en-SG", time(9, 0), time(18, 0)),
    Site("Berlin", "DE", "Europe/Berlin", "en-GB", time(10, 0), time(18, 30)),
    Site("Toronto", "CA", "America/Toronto", "en-CA", time(8, 0), time(17, 0)),
    Site("Lisbon", "PT", "Europe/Lisbon", "pt-PT", time(9, 0), time(18, 0)),
)
DEPARTMENTS = (
    ("Customer Support", ("Support Specialist", "Support Engineer", "Senior Support Specialist")),
    ("Customer Success", ("Success Partner", "Onboarding Specialist", "Renewals Specialist")),
    ("Operations", ("Operations Analyst", "Service Planner", "Quality Specialist")),
)
# fmt: off
GIVEN_NAMES = (
    "Ada", "Grace", "Alan", "Linus", "Margaret", "Edsger", "Barbara", "Donald", "Frances", "Tim", "Radia",
    "Ken", "Katherine", "Dennis", "Hedy", "Niklaus", "Joan", "Claude", "Evelyn", "John", "Mary", "Konrad",
    "Adele", "Guido", "Sophie", "Tony", "Anita", "Bjarne", "Dorothy", "Leslie", "Karen", "Vint", "Lynn",
    "Robin", "Shafi", "Whitfield", "Jean", "Maurice", "Erna", "Andrew",
)
SURNAMES = (
    "Keller", "Okafor", "Lindqvist", "Moreau", "Tanaka", "Brunner", "Iyer", "Novak", "Castillo", "Haddad",
    "Fischer", "Mbeki", "Larsen", "Rossi", "Chen", "Duarte", "Weber", "Nakamura", "Silva", "Petrov",
    "Andersen", "Mehta", "Costa", "Schmid", "Kowalski", "Laurent", "Rahman", "Berger", "Santos", "Ivanova",
    "Huber", "Osei", "Yamada", "Dubois", "Pereira", "Nilsson", "Kapoor", "Marino", "Vogel", "Tan",
)
# fmt: on
SUBJECTS = ("Team meeting", "Customer call", "One to one", "Shift handover", "Project work", "Review", "Planning")


def build_tenant(
    people: int = 24,
    seed: int = 7,
    starts_at: datetime | None = STARTS_AT,
    organizers: int = 2,
    senders: int = 1,
    *,
    clock: MovableClock | None = None,
) -> Tenant:
    """A tenant of `people` employees, and its service accounts: `pods.one@`, `pods.two@`, ..., `learning@`.

    The first employees are the heads of the departments. Without a `clock`, a movable one stands at `starts_at`.
    """
    chance = random.Random(seed)
    cast = _employees(people, chance)
    accounts = [
        _account(chance, f"pods.{name.lower()}", f"Learning Pods {name}", "organizer")
        for name in _organizer_names(organizers)
    ]
    accounts += [_account(chance, name, "Learning", "sender") for name in _sender_names(senders)]
    accounts.append(_room(chance))
    directory = Directory([*accounts, *cast])
    return Tenant(directory, clock=clock or MovableClock(starts_at), seed=seed, domain=DOMAIN)


def _employees(count: int, chance: random.Random) -> list[Person]:
    people: list[Person] = []
    heads: list[Person] = []
    for number in range(count):
        place = number % len(DEPARTMENTS)
        is_head = number < len(DEPARTMENTS)
        person = _employee(number, chance, manager=None if is_head else heads[place])
        people.append(person)
        if is_head:
            heads.append(person)
    for head in heads[1:]:
        head.manager_id = heads[0].id
    return people


def _employee(number: int, chance: random.Random, *, manager: Person | None) -> Person:
    department, titles = DEPARTMENTS[number % len(DEPARTMENTS)]
    site = SITES[number % len(SITES)]
    given, surname = _name(number)
    has_mailbox = manager is None or number % EVERY_NTH_WITHOUT_MAILBOX != EVERY_NTH_WITHOUT_MAILBOX - 1
    return Person(
        id=_guid(chance),
        mail=_address(given, surname, number),
        name=f"{given} {surname}",
        given_name=given,
        surname=surname,
        job_title=chance.choice(titles) if manager else f"Head of {department}",
        department=department,
        manager_id=manager.id if manager else None,
        language=site.language,
        time_zone=site.time_zone,
        working_days=WEEKDAYS if chance.random() > 0.12 else WEEKDAYS[:4],
        work_starts=site.starts,
        work_ends=site.ends,
        exchange=has_mailbox,
        busy=_week(site, chance) if has_mailbox else (),
        other_mails=(f"{_plain(given)}@{DOMAIN}",) if number == 0 else (),
        city=site.city,
        country=site.country,
    )


def _week(site: Site, chance: random.Random) -> tuple[BusyBlock, ...]:
    """Appointments of half an hour to an hour and a half, one to three a day, none overlapping; and lunch."""
    blocks: list[BusyBlock] = []
    for weekday in range(5):
        blocks.append(BusyBlock(weekday, time(12, 0), time(12, 30), "Lunch", "busy", private=True))
        for _ in range(chance.randint(1, 3)):
            block = _block(site, weekday, chance)
            if not any(_overlap(block, other) for other in blocks if other.weekday == weekday):
                blocks.append(block)
    return tuple(block for block in blocks if not _in_shared_hours(block, site) or chance.random() > KEPT_FREE)


def _block(site: Site, weekday: int, chance: random.Random) -> BusyBlock:
    halves = (site.ends.hour - site.starts.hour) * 2 - 3
    starts = datetime.combine(STARTS_AT, site.starts) + timedelta(minutes=30 * chance.randrange(halves))
    ends = starts + timedelta(minutes=30 * chance.randint(1, 3))
    shows: Showing = chance.choices(("busy", "tentative", "workingElsewhere", "oof"), weights=(16, 3, 1, 1))[0]
    return BusyBlock(weekday, starts.time(), ends.time(), chance.choice(SUBJECTS), shows, chance.random() < 0.1)


def _overlap(one: BusyBlock, other: BusyBlock) -> bool:
    return one.starts < other.ends and other.starts < one.ends


def _in_shared_hours(block: BusyBlock, site: Site) -> bool:
    day = datetime.combine(STARTS_AT, block.starts, tzinfo=ZoneInfo(site.time_zone)).astimezone(UTC)
    length = datetime.combine(STARTS_AT, block.ends) - datetime.combine(STARTS_AT, block.starts)
    starts = day.hour + day.minute / 60
    ends = starts + length.total_seconds() / 3600
    return any(starts < until and ends > since for since, until in FREQUENTLY_FREE_HOURS)


def _name(number: int) -> tuple[str, str]:
    """Every pair once: the second lap shifts the surnames by one, and so on."""
    lap, place = divmod(number, len(GIVEN_NAMES))
    return GIVEN_NAMES[place], SURNAMES[(place + lap) % len(SURNAMES)]


def _address(given: str, surname: str, number: int) -> str:
    suffix = str(number) if number >= len(GIVEN_NAMES) * len(SURNAMES) else ""
    return f"{_plain(given)}.{_plain(surname)}{suffix}@{DOMAIN}"


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def _organizer_names(count: int) -> list[str]:
    return [ORGANIZER_NAMES[n] if n < len(ORGANIZER_NAMES) else str(n + 1) for n in range(count)]


def _sender_names(count: int) -> list[str]:
    return ["learning" if n == 0 else f"learning.{n + 1}" for n in range(count)]


def _account(chance: random.Random, local: str, name: str, kind: Literal["organizer", "sender", "room"]) -> Person:
    given, _, surname = name.rpartition(" ")
    return Person(
        id=_guid(chance),
        mail=f"{local}@{DOMAIN}",
        name=name,
        given_name=given or name,
        surname=surname,
        job_title=None,
        department=None,
        manager_id=None,
        language="en-US",
        time_zone="Europe/Zurich",
        working_days=WEEKDAYS,
        work_starts=time(8),
        work_ends=time(17),
        kind=kind,
        country="CH",
    )


def _room(chance: random.Random) -> Person:
    room = _account(chance, "room.matterhorn", "Room Matterhorn", "room")
    room.enabled = room.teams = False
    return room


def _guid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
