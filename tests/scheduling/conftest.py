"""A pod of four in Zurich and Berlin, a tenant that knows them, and the tools that a worker is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from integration.clock import Clock
from integration.config import Settings
from integration.db import Database
from integration.doorbell import Doorbell
from integration.graph.client import connect
from integration.graph.resources import Attendee, EventChanges
from integration.graph.simulator.clock import MovableClock
from integration.graph.simulator.seed import STARTS_AT, build_tenant
from integration.graph.simulator.tenant.events import Event
from integration.graph.simulator.tenant.responses import Answer
from integration.graph.simulator.tenant.tenant import Tenant
from integration.people.models import Participant, Person
from integration.scheduling.jobs import draft_plan
from integration.scheduling.models import Occurrence, Plan, Series
from integration.scheduling.plan import apply_plan
from integration.scheduling.programs import ProgramDraft, add_members, create_program
from integration.scheduling.reading import read_series
from integration.tools import Tools
from tests.conftest import RunningSimulator

FIRST_DAY = date(2026, 3, 9)


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    return tmp_path / "clock"


@pytest.fixture
def tenant(clock_file: Path) -> Tenant:
    return build_tenant(people=8, clock=MovableClock(STARTS_AT, file=clock_file))


def tools_for(simulator: RunningSimulator, database: Database, folder: Path, **more: str) -> Tools:
    settings = Settings.from_environment(
        {
            **simulator.settings,
            "DATA_DIR": str(folder),
            "GRAPH_TIMEOUT_SECONDS": "20",
            "CLOCK_FILE": str(folder / "clock"),
            **more,
        }
    )
    return Tools(
        settings, database, Clock(settings.clock_file), Doorbell.from_settings(settings), [connect(settings)]
    )


@pytest.fixture
def tools(simulator: RunningSimulator, sqlite_database: Database, tmp_path: Path) -> Iterator[Tools]:
    made = tools_for(simulator, sqlite_database, tmp_path)
    yield made
    made.close()


@dataclass(frozen=True)
class Office:
    """The tenant, and our rows about the same people."""

    simulator: RunningSimulator
    tools: Tools

    @property
    def tenant(self) -> Tenant:
        return self.simulator.tenant

    def mails(self, *names: str) -> list[str]:
        """Main addresses of people by given name."""
        by_name = {person.given_name: person.mail for person in self.tenant.directory.people}
        return [by_name[name] for name in names]

    def settle(self, *names: str, time_zone: str = "Europe/Zurich") -> None:
        """Let people live in one zone with empty calendars and know them by rows."""
        with self.tools.database.transaction() as session:
            for mail in self.mails(*names):
                account = self.tenant.directory.find(mail)
                assert account is not None
                account.time_zone, account.exchange, account.busy = time_zone, True, ()
                account.working_days = ("monday", "tuesday", "wednesday", "thursday", "friday")
                session.add(
                    Person(
                        mail=mail,
                        name=account.name,
                        department=account.department,
                        time_zone=time_zone,
                        participant=Participant(),
                    )
                )

    def draft(self, **changes: object) -> ProgramDraft:
        wanted: dict[str, object] = {
            "name": "Onboarding",
            "outcome": "New colleagues answer customers alone",
            "metric": "days to first call",
            "baseline": "60 days",
            "weeks": 4,
            "starts_on": FIRST_DAY,
            **changes,
        }
        return ProgramDraft(**wanted)  # type: ignore[arg-type]

    def program(self, *names: str, **changes: object) -> int:
        """A program with these people; returns its id."""
        with self.tools.database.transaction() as session:
            program = create_program(session, self.draft(**changes), now=self.tools.clock.now())
            people = session.scalars(select(Person).where(Person.mail.in_(self.mails(*names)))).all()
            add_members(session, program, people)
            return program.id

    def planned(self, *names: str, time_zone: str = "Europe/Zurich", **changes: object) -> int:
        """A plan for a pod of these people; returns its id."""
        self.settle(*names, time_zone=time_zone)
        return draft_plan(self.tools, self.program(*names, **changes))

    def applied(self, *names: str, time_zone: str = "Europe/Zurich", **changes: object) -> int:
        """The only series of an applied plan; returns its id. Nothing has been pushed yet."""
        plan_id = self.planned(*names, time_zone=time_zone, **changes)
        with self.tools.database.transaction() as session:
            (series,) = apply_plan(session, session.get_one(Plan, plan_id), now=self.tools.clock.now())
            return series.id

    def series(self, series_id: int) -> Series:
        series = read_series(self.tools.database, series_id)
        assert series is not None
        return series

    def occurrence(self, series_id: int, number: int) -> Occurrence:
        return next(one for one in self.series(series_id).occurrences if one.number == number)

    def events(self) -> list[Event]:
        """What stands in the organizers' calendars."""
        return [event for person in self.tenant.organizers for event in self.tenant.calendars.series_of(person)]

    def meeting_mails(self) -> Counter[tuple[str, str]]:
        """How many mails about meetings everybody got: (given name, kind) -> number."""
        found: Counter[tuple[str, str]] = Counter()
        for person in self.tenant.directory.people:
            if person.kind == "person":
                for message in self.tenant.mailboxes.of(person).in_folder():
                    found[(person.given_name, message.kind)] += 1
        return found

    def reply(self, series_id: int, name: str, response: Answer, *, number: int | None = None) -> None:
        """Somebody answers the series, or one meeting of it."""
        person = self.tenant.directory.find(self.mails(name)[0])
        assert person is not None
        start = self.occurrence(series_id, number).starts_at if number else None
        uid = self.series(series_id).ical_uid or ""
        self.tenant.calendars.reply(person, uid=uid, response=response, occurrence_start=start)

    def forward(self, series_id: int, address: str) -> None:
        """As when the organizer's copy learns of somebody to whom an attendee forwarded the series."""
        series, calendar = self.series(series_id), self.tools.graph.calendar
        event = calendar.get_event(series.organizer, series.event_id or "")
        changes = EventChanges(attendees=(*event.attendees, Attendee(address)))
        calendar.update_event(series.organizer, event.id, changes)

    def wait_until(self, at: datetime) -> None:
        with self.tenant.lock:
            self.tenant.clock.move_to(at)

    def wait(self, **duration: float) -> None:
        self.wait_until(self.tenant.clock.now() + timedelta(**duration))


@pytest.fixture
def office(simulator: RunningSimulator, tools: Tools) -> Office:
    return Office(simulator, tools)
