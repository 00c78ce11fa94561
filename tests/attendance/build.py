"""A pod as it stands in the database after its series was made: each argument has a default."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from integration.people.models import OtherAddress, Participant, Person
from integration.scheduling.models import (
    Invited,
    Occurrence,
    Pod,
    Program,
    Series,
    SeriesAttendee,
    SeriesMeeting,
)

FIRST = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)  # a Wednesday
WEEK = timedelta(weeks=1)


def at(minute: float, *, occurrence: int = 1) -> datetime:
    """Minutes after the planned start of an occurrence."""
    return FIRST + (occurrence - 1) * WEEK + timedelta(minutes=minute)


def build_person(
    session: Session,
    name: str,
    *,
    object_id: str | None = None,
    mail: str | None = None,
    others: tuple[str, ...] = (),
) -> Person:
    person = Person(
        participant=Participant(),
        name=name,
        mail=mail or f"{name.lower()}@pods.example",
        object_id=object_id or f"id-of-{name.lower()}",
        addresses=[OtherAddress(mail=address) for address in others],
    )
    session.add(person)
    session.flush()
    return person


def build_series(
    session: Session,
    people: list[Person],
    *,
    detail: str = "minutes",
    minutes: int = 30,
    count: int = 3,
    frozen: bool = True,
    organizer: str = "pods.one@pods.example",
    organizer_id: str | None = "id-of-the-organizer",
    join_urls: tuple[str, ...] = ("https://teams.example/one",),
    forwarded_to: tuple[str, ...] = (),
    name: str = "Pod 1",
) -> Series:
    program = Program(
        name=f"Program of {name}",
        outcome="",
        metric="",
        baseline="",
        minutes=minutes,
        starts_on=date(2026, 3, 2),
        attendance_detail=detail,
        created_at=FIRST - WEEK,
    )
    series = Series(
        pod=Pod(program=program, name=name, time_zone="Europe/Zurich"),
        organizer=organizer,
        organizer_id=organizer_id,
        subject=name,
        starts_local=datetime(2026, 3, 4, 10, 0),  # noqa: DTZ001 (a wall clock)
        time_zone="Europe/Zurich",
        minutes=minutes,
        count=count,
        wanted_at=FIRST - WEEK,
        event_id=f"event-of-{name}",
        meetings=[SeriesMeeting(join_url=url, since=FIRST - WEEK) for url in join_urls],
        attendees=[SeriesAttendee(participant=each.participant, address=each.mail) for each in people]
        + [SeriesAttendee(address=address) for address in forwarded_to],
        occurrences=[_occurrence(number, people, minutes, frozen=frozen) for number in range(1, count + 1)],
    )
    session.add(series)
    session.flush()
    return series


def _occurrence(number: int, people: list[Person], minutes: int, *, frozen: bool) -> Occurrence:
    starts_at, ends_at = at(0, occurrence=number), at(minutes, occurrence=number)
    return Occurrence(
        number=number,
        original_start_at=starts_at,
        starts_at=starts_at,
        ends_at=ends_at,
        event_id=f"occurrence-{number}",
        frozen_at=starts_at if frozen else None,
        collect_due_at=ends_at + timedelta(minutes=5),
        invited=[Invited(participant=each.participant) for each in people] if frozen else [],
    )
