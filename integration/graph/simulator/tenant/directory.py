"""People of the tenant, and what changed about them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal

Showing = Literal["busy", "tentative", "oof", "workingElsewhere", "free"]


@dataclass(frozen=True)
class BusyBlock:
    """A weekly appointment of a person's own, in the person's time zone. `weekday` counts from Monday = 0."""

    weekday: int
    starts: time
    ends: time
    subject: str
    shows_as: Showing = "busy"
    private: bool = False


@dataclass(frozen=True)
class OutOfOffice:
    starts_at: datetime
    ends_at: datetime
    message: str


@dataclass
class Person:
    """A user account. Times of day are in `time_zone` (IANA).

    `engagement_report` is the organizer's own `AllowEngagementReport`, None as the tenant's switch says.
    """

    id: str
    mail: str
    name: str
    given_name: str
    surname: str
    job_title: str | None
    department: str | None
    manager_id: str | None
    language: str
    time_zone: str
    working_days: tuple[str, ...]
    work_starts: time
    work_ends: time
    enabled: bool = True
    exchange: bool = True
    teams: bool = True
    access_policy: bool = True
    access_policy_effective_at: datetime | None = None
    engagement_report: str | None = None
    other_mails: tuple[str, ...] = ()
    kind: Literal["person", "organizer", "sender", "room"] = "person"
    busy: tuple[BusyBlock, ...] = ()
    out_of_office: OutOfOffice | None = None
    city: str | None = None
    country: str | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        return (self.mail, *self.other_mails)


@dataclass(frozen=True)
class DirectoryChange:
    revision: int
    removed: Literal["changed", "deleted"] | None = None


@dataclass
class Directory:
    people: list[Person] = field(default_factory=list)
    revision: int = 0

    def __post_init__(self) -> None:
        self._by_key: dict[str, Person] = {}
        self._changes: dict[str, DirectoryChange] = {}
        people, self.people = self.people, []
        for person in people:
            self.add(person)

    def find(self, key: str) -> Person | None:
        """By object id, mail or user principal name, in any case."""
        return self._by_key.get(key.casefold())

    def by_address(self, address: str) -> Person | None:
        """By mail or one of the other mails, in any case."""
        person = self._by_key.get(address.casefold())
        return person if person and address.casefold() != person.id else None

    def add(self, person: Person) -> Person:
        self.people.append(person)
        for key in (person.id, *person.addresses):
            self._by_key[key.casefold()] = person
        self.touch(person)
        return person

    def touch(self, person: Person) -> None:
        """Something about the person changed: the next delta round tells."""
        self.revision += 1
        self._changes[person.id] = DirectoryChange(self.revision)

    def remove(self, person: Person, *, reason: Literal["changed", "deleted"] = "changed") -> None:
        self.people.remove(person)
        self._by_key = {key: one for key, one in self._by_key.items() if one is not person}
        self.revision += 1
        self._changes[person.id] = DirectoryChange(self.revision, removed=reason)

    def changed_since(self, revision: int) -> Iterable[tuple[str, DirectoryChange]]:
        """Object ids with their last change after `revision`, oldest first."""
        later = [(key, change) for key, change in self._changes.items() if change.revision > revision]
        return sorted(later, key=lambda one: one[1].revision)
