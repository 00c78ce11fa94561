"""Tools that talk to a tenant of the test's own, whose clock they share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from integration.attendance.jobs import DUTIES, collect_attendance
from integration.attendance.models import Attendance
from integration.config import Settings
from integration.graph.simulator.clock import MovableClock
from integration.graph.simulator.seed import build_tenant
from integration.graph.simulator.tenant.calls import JoinRequest, Kind
from integration.graph.simulator.tenant.directory import Person as Account
from integration.graph.simulator.tenant.teams import OnlineMeeting
from integration.graph.simulator.tenant.tenant import Tenant
from integration.outbox import Message, Task
from integration.people.models import Person
from integration.scheduling.models import Occurrence
from integration.serve import start_embedded_redis
from integration.tools import Tools
from tests.attendance.build import at, build_person, build_series
from tests.conftest import RunningSimulator


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    return tmp_path / "clock"


@pytest.fixture
def tenant(clock_file: Path) -> Tenant:
    return build_tenant(clock=MovableClock(at(-60), file=clock_file))


@pytest.fixture(scope="session")
def queue_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = start_embedded_redis(tmp_path_factory.mktemp("queue"))
    yield server.url
    server.stop()


@pytest.fixture
def tools(
    simulator: RunningSimulator, tmp_path: Path, clock_file: Path, database_url: str, queue_url: str
) -> Iterator[Tools]:
    made = Tools.from_settings(
        Settings.from_environment(
            {
                **simulator.settings,
                "DATA_DIR": str(tmp_path / "var"),
                "DATABASE_URL": database_url,
                "REDIS_URL": queue_url,
                "CLOCK_FILE": str(clock_file),
            }
        )
    )
    yield made
    made.close()


@dataclass
class PodInTeams:
    """Ada, Grace and Alan, their pod in the database, and the calls behind its links in the tenant."""

    tools: Tools
    tenant: Tenant
    accounts: dict[str, Account]
    meetings: list[OnlineMeeting]
    occurrence_ids: list[int]

    def account(self, name: str) -> Account:
        return self.accounts[name]

    def stays(
        self,
        name: str,
        start: float,
        end: float,
        *,
        kind: Kind = "member",
        device: str = "computer",
        link: int = 0,
        occurrence: int = 1,
    ) -> None:
        """Somebody joins and leaves at these minutes after the planned start (told before it happens)."""
        for minute, step in ((start, self.tenant.teams.join), (end, self.tenant.teams.leave)):
            request = JoinRequest(
                at=at(minute, occurrence=occurrence),
                kind=kind,
                person=self.accounts.get(name),
                name=name,
                device=device,
            )
            with self.tenant.lock:
                step(self.meetings[link], request)

    def set(self, **switches: object) -> None:
        for name, value in switches.items():
            self.tenant.switches.set(name, value)

    def wait_until(self, minute: float, *, occurrence: int = 1) -> None:
        self.tenant.clock.move_to(at(minute, occurrence=occurrence))  # type: ignore[attr-defined]
        with self.tenant.lock:
            self.tenant.teams.advance(self.tenant.clock.now())

    def look(self, minute: float, *, occurrence: int = 1) -> Occurrence:
        """Let the time come and collect, as the duty and the worker do."""
        self.wait_until(minute, occurrence=occurrence)
        DUTIES[0].run(self.tools, self.tools.clock.now())
        collect_attendance(self.tools, self.occurrence_ids[occurrence - 1])
        return self.occurrence(occurrence)

    def look_until_done(self, *, occurrence: int = 1) -> list[float]:
        """Collect at every due date until there is none; returns the minutes after the planned end."""
        looks: list[float] = []
        while (due_at := self.occurrence(occurrence).collect_due_at) is not None:
            minute = (due_at - at(0, occurrence=occurrence)) / timedelta(minutes=1)
            self.look(minute, occurrence=occurrence)
            looks.append(minute - 30)
        return looks

    def occurrence(self, number: int = 1) -> Occurrence:
        with self.tools.database.reading() as session:
            return session.get_one(Occurrence, self.occurrence_ids[number - 1])

    def attendance(self, occurrence: int = 1) -> dict[str, Attendance]:
        with self.tools.database.reading() as session:
            rows = session.execute(
                select(Person.name, Attendance)
                .join(Attendance, Attendance.participant_id == Person.participant_id)
                .where(Attendance.occurrence_id == self.occurrence_ids[occurrence - 1])
            )
            return {row[0]: row[1] for row in rows}

    def attended(self, occurrence: int = 1) -> dict[str, bool | None]:
        return {name: row.attended for name, row in self.attendance(occurrence).items()}

    def asked(self, task: Task) -> int:
        """How many messages of a task were ever put into the outbox and are still there."""
        with self.tools.database.reading() as session:
            return len(session.scalars(select(Message).where(Message.task == task)).all())


@pytest.fixture
def detail() -> str:
    return "minutes"


@pytest.fixture
def pod(tools: Tools, tenant: Tenant, detail: str) -> PodInTeams:
    return set_up_pod(tools, tenant, detail=detail)


def set_up_pod(tools: Tools, tenant: Tenant, *, detail: str) -> PodInTeams:
    organizer = tenant.organizers[0]
    employees = [person for person in tenant.directory.people if person.kind == "person"]
    cast: dict[str, Account] = dict(zip(("Ada", "Grace", "Alan", "Barbara"), employees, strict=False))
    cast["Room"] = next(person for person in tenant.directory.people if person.kind == "room")
    meetings = [
        tenant.teams.mint_meeting(organizer, subject="Pod 1", starts_at=at(0), ends_at=at(30), recurring=True)
        for _ in range(2)
    ]
    for meeting in meetings:
        meeting.lobby_scope = "everyone"
    with tools.database.transaction() as session:
        people = [
            build_person(session, name, object_id=cast[name].id, mail=cast[name].mail)
            for name in ("Ada", "Grace", "Alan")
        ]
        series = build_series(
            session,
            people,
            detail=detail,
            organizer=organizer.mail,
            organizer_id=organizer.id,
            join_urls=tuple(meeting.join_url for meeting in meetings),
        )
        occurrence_ids = [occurrence.id for occurrence in series.occurrences]
    return PodInTeams(tools, tenant, cast, meetings, occurrence_ids)
