"""A pod that was invited to, what people do to it in Outlook, and the workers' share, for tests about drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select

from integration.delivery import claim, deliver
from integration.graph.resources import Attendee, CalendarEvent, EventChanges
from integration.graph.simulator.tenant.events import Event
from integration.jobs import HANDLERS
from integration.outbox import Message, State
from integration.scheduling.drift.drifts import decide
from integration.scheduling.drift.kinds import Kind, Repair
from integration.scheduling.drift.models import Drift
from integration.scheduling.drift.words import sentence
from integration.scheduling.jobs import pull_series, push_series
from integration.setting_values import drift_policy
from tests.scheduling.conftest import Office

FOUR = ("Ada", "Grace", "Alan", "Linus")
BY = "ada@pods.example"
Mails = Counter[tuple[str, str]]


def with_policy(office: Office, text: str) -> Office:
    """The same office, its administrator having set DRIFT_POLICY."""
    settings = replace(office.tools.settings, drift_policy=drift_policy("DRIFT_POLICY", text))
    return replace(office, tools=replace(office.tools, settings=settings))


def invited(office: Office, *names: str, **changes: object) -> int:
    """A pod of four that has its invitations; returns the series' id."""
    series_id = office.applied(*(names or FOUR), **changes)  # type: ignore[arg-type]
    work(office)
    return series_id


def work(office: Office) -> None:
    """Let the workers do everything that is asked for; nothing may be left."""
    while claims := claim(office.tools.database, 8, timedelta(seconds=30)):
        for each in claims:
            deliver(office.tools, each, HANDLERS)
    with office.tools.database.reading() as session:
        left = session.execute(select(Message.task, Message.last_error).where(Message.state != State.DONE)).all()
    assert left == []


def seen(office: Office, series_id: int) -> list[Drift]:
    """The differences after two looks: the second one adds nothing."""
    for _ in range(2):
        pull_series(office.tools, series_id)
    with office.tools.database.reading() as session:
        return list(session.scalars(select(Drift).where(Drift.series_id == series_id).order_by(Drift.id)))


def the_one(office: Office, series_id: int, kind: Kind) -> Drift:
    """The only difference, which is of this kind and still waits for somebody."""
    (row,) = seen(office, series_id)
    assert (row.kind, row.closed_at, row.decision) == (kind, None, None), words_of(office, row.id)
    return row


def adopted(office: Office, series_id: int, kind: Kind) -> Drift:
    """The only difference, which the policy has adopted."""
    (row,) = seen(office, series_id)
    assert (row.kind, row.decision, row.decided_by) == (kind, Repair.ADOPT, "policy"), words_of(office, row.id)
    assert row.closed_at is not None
    return row


def words_of(office: Office, drift_id: int) -> str:
    with office.tools.database.reading() as session:
        return sentence(session.get_one(Drift, drift_id), "Europe/Zurich")


def decided(office: Office, drift_id: int, repair: Repair) -> None:
    """Somebody decides, twice by mistake, and the workers do it."""
    for _ in range(2):
        with office.tools.database.transaction() as session:
            row = session.get_one(Drift, drift_id)
            decide(session, row, repair, by=BY, now=office.tools.clock.now())
    work(office)


def is_settled(office: Office, series_id: int) -> bool:
    """Whether nothing is open, and a further look finds nothing new."""
    before = len(seen(office, series_id))
    rows = seen(office, series_id)
    return len(rows) == before and all(row.closed_at is not None for row in rows)


@contextmanager
def mails(office: Office) -> Iterator[Mails]:
    """What everybody got from Outlook in the block: (given name, kind) -> number."""
    before, told = office.meeting_mails(), Counter()
    yield told
    told.update(office.meeting_mails() - before)


def promised(office: Office, row: Drift) -> Counter[str]:
    """How many mails the difference said that putting ours back costs, by given name."""
    names = {person.mail: person.given_name for person in office.tenant.directory.people}
    return Counter({names.get(address, address): count for address, count in row.mails.items()})


def per_person(told: Mails) -> Counter[str]:
    counted: Counter[str] = Counter()
    for (name, _kind), number in told.items():
        counted[name] += number
    return counted


def event(office: Office, series_id: int) -> CalendarEvent:
    series = office.series(series_id)
    return office.tools.graph.calendar.get_event(series.organizer, series.event_id or "")


def held(office: Office) -> Event:
    """The series as the tenant has it."""
    (found,) = office.events()
    return found


def instances(office: Office, series_id: int) -> tuple[CalendarEvent, ...]:
    series = office.series(series_id)
    window = datetime.fromisoformat("2026-01-01T00:00+00:00"), datetime.fromisoformat("2027-01-01T00:00+00:00")
    return office.tools.graph.calendar.instances(series.organizer, series.event_id or "", *window)


def change(office: Office, series_id: int, changes: EventChanges, *, number: int | None = None) -> None:
    """Somebody changes the series, or one meeting of it, in the organizer's calendar."""
    series = office.series(series_id)
    target = office.occurrence(series_id, number).event_id if number else series.event_id
    office.tools.graph.calendar.update_event(series.organizer, target or "", changes)


def move(office: Office, series_id: int, local: str, *, number: int | None = None, **more: str) -> None:
    """Somebody moves the series, or one meeting of it, to a wall clock in Zurich (or another zone)."""
    zone = more.get("time_zone", "Europe/Zurich")
    start = datetime.fromisoformat(local)
    changes = EventChanges(starts_local=start, length=timedelta(minutes=30), time_zone=zone)
    change(office, series_id, changes, number=number)


def take_off(office: Office, series_id: int, name: str, *, number: int | None = None) -> None:
    """Somebody takes an attendee off in the organizer's calendar."""
    left = [one for one in present(office, series_id, number) if one.address != office.mails(name)[0]]
    change(office, series_id, EventChanges(attendees=tuple(left)), number=number)


def put_on(office: Office, series_id: int, address: str, *, number: int | None = None) -> None:
    changed = (*present(office, series_id, number), Attendee(address))
    change(office, series_id, EventChanges(attendees=changed), number=number)


def present(office: Office, series_id: int, number: int | None = None) -> tuple[Attendee, ...]:
    series = office.series(series_id)
    target = office.occurrence(series_id, number).event_id if number else series.event_id
    return office.tools.graph.calendar.get_event(series.organizer, target or "").attendees


def unlink(office: Office) -> None:
    """Somebody switches the Teams meeting off."""
    found = held(office)
    with office.tenant.lock:
        found.content = replace(found.content, meeting=None)
        office.tenant.calendars.touch(found)


def as_pushed(office: Office, series_id: int) -> None:
    push_series(office.tools, series_id)
