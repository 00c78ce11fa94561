"""Two hundred sessions as they really go, by the simulator's control and the real client, against plain counting.

The default run takes forty of them; `make soak` the two hundred, by the same code.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import delete, func, select

from integration.attendance.jobs import DUTIES, collect_attendance
from integration.attendance.models import Attendance, UnmatchedRecord
from integration.graph.simulator.clock import MovableClock
from integration.graph.simulator.seed import build_tenant
from integration.graph.simulator.tenant.directory import Person as Account
from integration.graph.simulator.tenant.tenant import Tenant
from integration.outbox import Message, Task
from integration.people.models import OtherAddress, Participant, Person
from integration.scheduling.models import Occurrence
from integration.tools import Tools
from tests.attendance.build import at, build_series
from tests.attendance.generated import LENGTH, MEMBERS, Session, Stay, Truth, generated, truth
from tests.conftest import RunningSimulator

SEED = 20261125
BETWEEN = timedelta(minutes=11)  # the sessions begin one after the other


@pytest.fixture(params=["_sqlite_url"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from request.getfixturevalue(request.param)


@pytest.fixture
def tenant(clock_file) -> Tenant:
    return build_tenant(people=32, clock=MovableClock(at(-24 * 60), file=clock_file))


@dataclass
class Played:
    """A generated session with its rows and accounts."""

    session: Session
    starts_at: datetime  # its second 0
    occurrence_id: int
    accounts: dict[str, Account]
    join_urls: tuple[str, ...]


@dataclass
class Stage:
    tools: Tools
    tenant: Tenant
    control: httpx.Client

    def play(self, sessions: list[Session]) -> list[Played]:
        """Make the pods, tell the tenant who will join and leave, and look at every date that falls due."""
        played = [one for number, session in enumerate(sessions) for one in self._set_up(number, session)]
        while (due_at := self._next_due()) is not None:
            self._post("clock", {"to": max(due_at, self.tenant.clock.now()).isoformat()})
            DUTIES[0].run(self.tools, self.tools.clock.now())
            for occurrence_id in self._asked_for():
                collect_attendance(self.tools, occurrence_id)
        return played

    def found(self, one: Played) -> Truth | None:
        """What the rows say, in the words of the ground truth; None: everybody is unknown, with a reason."""
        with self.tools.database.reading() as session:
            occurrence = session.get_one(Occurrence, one.occurrence_id)
            rows = session.scalars(select(Attendance).where(Attendance.occurrence_id == one.occurrence_id)).all()
            for row in rows:
                assert row.attended is not None or str(row.reason), one.session.case
            if occurrence.attendance == "unknown":
                assert str(occurrence.attendance_reason)
                assert {row.attended for row in rows} == {None}
                return None
            by_name = {row.participant.name: row for row in rows}
            unmatched = session.scalars(
                select(UnmatchedRecord).where(UnmatchedRecord.occurrence_id == one.occurrence_id)
            )
            return Truth(
                people={
                    who: (by_name[one.accounts[who].name].attended, by_name[one.accounts[who].name].seconds or 0)
                    for who in MEMBERS
                },
                unmatched=sorted((row.kind, row.seconds or 0) for row in unmatched),
                guests=occurrence.guests or 0,
                together=occurrence.together_seconds or 0,
                held=bool(occurrence.held),
            )

    def told(self, one: Played) -> list[str]:
        """Each unmatched record and each unknown person, with the reason."""
        with self.tools.database.reading() as session:
            occurrence = session.get_one(Occurrence, one.occurrence_id)
            if occurrence.attendance == "unknown":
                return [f"all unknown: {occurrence.attendance_reason}"]
            of_it = UnmatchedRecord.occurrence_id == one.occurrence_id
            records = [f"unmatched: {row.kind}" for row in session.scalars(select(UnmatchedRecord).where(of_it))]
            rows = session.scalars(select(Attendance).where(Attendance.occurrence_id == one.occurrence_id))
            return records + [f"{row.participant.name} unknown: {row.reason}" for row in rows if row.attended is None]

    def _set_up(self, number: int, session: Session) -> list[Played]:
        starts_at = at(0) + number * BETWEEN
        organizer = self.tenant.organizers[number % 2]
        accounts = self._accounts(number, session)
        meetings = [
            self.tenant.teams.mint_meeting(
                organizer, subject=None, starts_at=starts_at, ends_at=starts_at + timedelta(days=9), recurring=True
            )
            for _ in range(session.links)
        ]
        for meeting in meetings:
            meeting.lobby_scope = "everyone"
        with self.tools.database.transaction() as rows:
            people = [self._person(rows, accounts[who], session, who) for who in MEMBERS]
            planned = [(session.starts, session.starts + LENGTH), *session.neighbours]
            series = build_series(
                rows,
                people,
                name=f"Pod {number}",
                count=len(planned),
                organizer=organizer.mail,
                organizer_id=organizer.id,
                join_urls=tuple(each.join_url for each in meetings),
            )
            for occurrence, (begins, ends) in zip(series.occurrences, planned, strict=True):
                occurrence.starts_at = starts_at + timedelta(seconds=begins)
                occurrence.ends_at = starts_at + timedelta(seconds=ends)
                occurrence.collect_due_at = occurrence.ends_at + timedelta(minutes=5)
            urls = tuple(each.join_url for each in meetings)
            found = [
                Played(as_seen, starts_at, occurrence.id, accounts, urls)
                for as_seen, occurrence in zip(seen_from_each(session), series.occurrences, strict=True)
            ]
        self._announce(found[0])
        return found

    def _announce(self, one: Played) -> None:
        if one.session.delay is not None:
            for url in one.join_urls:
                self._post("reports", {"join_url": url, "delay_minutes": one.session.delay})
        steps = [(each.start, 1, "join", each) for each in one.session.stays]
        steps += [(each.end, 0, "leave", each) for each in one.session.stays]
        for second, _, step, stay in sorted(steps, key=lambda each: each[:2]):
            self._post(f"calls/{step}", {**self._who(one, stay), "at": self._instant(one, second)})

    def _who(self, one: Played, stay: Stay) -> dict[str, object]:
        kind = {"colleague": "member", "organizer": "member"}.get(stay.kind, stay.kind)
        key = {"colleague": "colleague", "organizer": "organizer", "room": "room"}.get(stay.kind, stay.who)
        account = one.accounts.get(key)
        person = {"person": account.mail} if account else {"name": stay.who}
        return {**person, "kind": kind, "device": stay.device, "join_url": one.join_urls[stay.link]}

    def _instant(self, one: Played, second: int) -> str:
        return (one.starts_at + timedelta(seconds=second)).isoformat()

    def _accounts(self, number: int, session: Session) -> dict[str, Account]:
        employees = [each for each in self.tenant.directory.people if each.kind == "person" and "#" not in each.mail]
        chosen = [employees[(number * 5 + place) % len(employees)] for place in range(5)]
        accounts = dict(zip((*MEMBERS, "colleague"), chosen, strict=True))
        accounts["organizer"] = self.tenant.organizers[number % 2]
        accounts["room"] = next(each for each in self.tenant.directory.people if each.kind == "room")
        if session.case in ("other address", "guest's home address"):
            accounts["first"] = self.tenant.directory.add(self._elsewhere(accounts["first"], number, session.case))
        return accounts

    def _elsewhere(self, account: Account, number: int, case: str) -> Account:
        """Another account of somebody: under an alias, or as a guest of the tenant."""
        local = f"visitor{number}"
        mail = f"{local}@alias.example" if case == "other address" else f"{local}_home.example#EXT#@pods.example"
        return replace(account, id=f"id-of-{local}", mail=mail, name=f"Visitor {number}", other_mails=())

    def _person(self, rows, account: Account, session: Session, who: str) -> Person:
        known = rows.scalar(select(Person).where(Person.name == account.name))
        if known is not None:
            return known
        person = Person(participant=Participant(), name=account.name, mail=account.mail, object_id=account.id)
        if account.name.startswith("Visitor") and who == "first":
            person.object_id = None
            person.mail = f"{account.name.replace(' ', '').lower()}@home.example"
            if session.case == "other address":
                person.addresses = [OtherAddress(mail=account.mail)]
        rows.add(person)
        rows.flush()
        return person

    def _next_due(self) -> datetime | None:
        with self.tools.database.reading() as session:
            return session.scalar(select(func.min(Occurrence.collect_due_at)))

    def _asked_for(self) -> list[int]:
        with self.tools.database.transaction() as session:
            asked = select(Message).where(Message.task == Task.OCCURRENCE_COLLECT)
            found = [int(each.subject) for each in session.scalars(asked)]
            session.execute(delete(Message))
            return found

    def _post(self, path: str, sent: dict[str, object]) -> None:
        self.control.post(path, json=sent).raise_for_status()


def seen_from_each(session: Session) -> list[Session]:
    """The same calls as they belong to the session, and to each of its neighbours under the same links."""
    own = (session.starts, session.starts + LENGTH)
    others = [
        replace(session, case=f"{session.case}, the later one", starts=begins, neighbours=[own])
        for begins, _ in session.neighbours
    ]
    return [session, *others]


SOAK = pytest.mark.soak
SIZES = [(40, False), pytest.param(200, False, marks=SOAK), pytest.param(200, True, marks=SOAK)]


@pytest.mark.parametrize(("count", "shows_running_calls"), SIZES)
def test_the_seconds_of_everybody_are_those_that_were_spent(
    tools: Tools, tenant: Tenant, simulator: RunningSimulator, count: int, shows_running_calls: bool
) -> None:
    tenant.switches.set("report_while_running", shows_running_calls)
    tenant.switches.set("record_per_device", shows_running_calls)
    began = time.monotonic()
    with httpx.Client(base_url=f"{simulator.url}/control/", timeout=20) as control:
        stage = Stage(tools, tenant, control)
        played = stage.play(generated(SEED, count))
    wrong = {
        f"{number} {one.session.case}": (found, wanted)
        for number, one in enumerate(played)
        if (found := stage.found(one)) != (wanted := truth(one.session))
    }
    for number, one in enumerate(played):
        for line in stage.told(one):
            print(f"{number:3d} {one.session.case}: {line}")
    print(f"{count} sessions in {time.monotonic() - began:.1f} s, {len(wrong)} wrong")
    assert wrong == {}
