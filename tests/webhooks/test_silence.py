"""A day on which no notification arrives: afterwards our rows are what the tenant has, by code that knows neither."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from flask import Flask
from sqlalchemy import text

from integration.config import Settings
from integration.graph.resources import Attendee, EventChanges
from integration.graph.simulator.clock import MovableClock
from integration.graph.simulator.seed import STARTS_AT, build_tenant
from integration.graph.simulator.tenant.tenant import Tenant
from integration.jobs import DUTIES, begin
from integration.scheduling.jobs import draft_plan
from integration.scheduling.models import Plan
from integration.scheduling.plan import apply_plan
from integration.tools import Tools
from tests.attendance.conftest import queue_url  # noqa: F401 (fixture)
from tests.conftest import RunningSimulator
from tests.scheduling.conftest import Office
from tests.scheduling.drifting import work
from tests.webhooks.conftest import app, endpoint, environ  # noqa: F401 (fixtures)

PEOPLE = 9
HOURS = 24
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANSWERED = {"accepted", "declined", "tentativelyAccepted"}


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    return tmp_path / "clock"


@pytest.fixture
def tenant(clock_file: Path) -> Tenant:
    return build_tenant(people=PEOPLE + 2, organizers=1, clock=MovableClock(STARTS_AT, file=clock_file))


@pytest.fixture(params=["on", "off"])
def webhooks(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def office(
    webhooks: str,
    simulator: RunningSimulator,
    environ: dict[str, str],  # noqa: F811
    app: Flask,  # noqa: F811
    tools: Tools,
) -> Iterator[Office]:
    """Pods of three with webhooks, and the same without."""
    if webhooks == "on":
        yield Office(simulator, tools)
        return
    made = Tools.from_settings(Settings.from_environment(environ | {"WEBHOOKS": "off"}))
    yield Office(simulator, made)
    made.close()


@pytest.fixture
def tools(environ: dict[str, str]) -> Iterator[Tools]:  # noqa: F811
    made = Tools.from_settings(Settings.from_environment(environ))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("database_url", "webhooks"),
    [
        ("sqlite", "on"),
        ("postgresql", "off"),
        ("postgresql", "on"),
        ("sqlite", "off"),
    ],
    indirect=True,
)
def test_after_a_day_of_silence_the_rows_are_what_the_tenant_has(office: Office):
    names = [person.given_name for person in office.tenant.directory.people if person.kind == "person"][:PEOPLE]
    plan_id = planned(office, names)
    with office.tools.database.transaction() as session:
        apply_plan(session, session.get_one(Plan, plan_id), now=office.tools.clock.now())
    begin(office.tools)
    work(office)
    order(office, "/control/faults", [{"notifications": "lose"}])
    office.wait_until(datetime.fromisoformat("2026-03-08T12:00+00:00"))
    tick(office)

    people = Outlook(office, random.Random(7))
    for _ in range(HOURS):
        for _ in range(2):
            people.act()
        office.wait(hours=1)
        tick(office)

    assert people.did.keys() >= {"reply", "reply once", "move", "cancel", "forward", "take off", "propose"}
    if office.tools.settings.webhooks:
        assert order(office, "/control/notifications")["lost"] > HOURS
    assert faults(office) == []


class Outlook:
    """People who do things to the pods in Outlook, one at a time."""

    def __init__(self, office: Office, dice: random.Random) -> None:
        self.office, self.dice, self.did = office, dice, dict[str, int]()
        self.series = [row[0] for row in query(office, "SELECT id FROM series ORDER BY id")]

    def act(self) -> None:
        what = self.dice.choice(["reply", "reply", "reply once", "move", "cancel", "forward", "take off", "propose"])
        series_id = self.dice.choice(self.series)
        living = [one for one in self.office.series(series_id).occurrences if one.cancelled_at is None]
        if getattr(self, what.replace(" ", "_"))(series_id, self.dice.choice(living)):
            self.did[what] = self.did.get(what, 0) + 1

    def reply(self, series_id: int, _occurrence: Any) -> bool:
        self._answer(series_id, None)
        return True

    def reply_once(self, series_id: int, occurrence: Any) -> bool:
        return self._answer(series_id, occurrence.starts_at)

    def propose(self, series_id: int, occurrence: Any) -> bool:
        then = occurrence.starts_at + HOUR
        return self._answer(series_id, occurrence.starts_at, proposed=(then, then + HOUR / 2))

    def move(self, series_id: int, occurrence: Any) -> bool:
        if occurrence.starts_at != occurrence.original_start_at:
            return False
        local = occurrence.starts_at.replace(tzinfo=None) + DAY * self.dice.choice([-1, 1, 2]) + HOUR
        changes = EventChanges(starts_local=local, length=HOUR / 2, time_zone="UTC")
        self.office.tools.graph.calendar.update_event(self._organizer(series_id), occurrence.event_id, changes)
        return True

    def cancel(self, series_id: int, occurrence: Any) -> bool:
        if self.did.get("cancel", 0) > 2:
            return False
        self.office.tools.graph.calendar.cancel_event(self._organizer(series_id), occurrence.event_id)
        return True

    def forward(self, series_id: int, _occurrence: Any) -> bool:
        event = self._event(series_id)
        guest = Attendee(f"guest{len(event.attendees)}@partner.example")
        self._write(series_id, (*event.attendees, guest))
        return True

    def take_off(self, series_id: int, _occurrence: Any) -> bool:
        if self.did.get("take off", 0):
            return False
        self._write(series_id, self._event(series_id).attendees[1:])
        return True

    def _answer(self, series_id: int, start: datetime | None, **more: Any) -> bool:
        ours = {one.address for one in self._event(series_id).attendees if one.address.endswith("pods.example")}
        person = self.office.tenant.directory.find(self.dice.choice(sorted(ours)))
        response = "decline" if more else self.dice.choice(["accept", "decline", "tentativelyAccept"])
        uid = self.office.series(series_id).ical_uid or ""
        assert person is not None
        calendars = self.office.tenant.calendars
        calendars.reply(person, uid=uid, response=response, occurrence_start=start, **more)  # type: ignore[arg-type]
        return True

    def _organizer(self, series_id: int) -> str:
        return self.office.series(series_id).organizer

    def _event(self, series_id: int) -> Any:
        event_id = self.office.series(series_id).event_id or ""
        return self.office.tools.graph.calendar.get_event(self._organizer(series_id), event_id)

    def _write(self, series_id: int, attendees: tuple[Attendee, ...]) -> None:
        event_id = self.office.series(series_id).event_id or ""
        self.office.tools.graph.calendar.update_event(
            self._organizer(series_id), event_id, EventChanges(attendees=attendees)
        )


def planned(office: Office, names: list[str]) -> int:
    office.settle(*names)
    return draft_plan(office.tools, office.program(*names, pod_size=3))


def tick(office: Office) -> None:
    """What falls due now, and the workers' share."""
    for duty in DUTIES:
        duty.run(office.tools, office.tools.clock.now())
    work(office)


def order(office: Office, path: str, body: object = None) -> Any:
    sent = json.dumps(body).encode() if body is not None else None
    request = Request(office.simulator.url + path, data=sent, headers={"Content-Type": "application/json"})
    with urlopen(request) as answer:
        return json.load(answer)


def query(office: Office, sql: str) -> list[Any]:
    with office.tools.database.engine.connect() as connection:
        return list(connection.execute(text(sql)))


def stamp(at: object) -> str:
    """An instant in UTC, to the minute; SQLite hands back its text as it is."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if isinstance(at, datetime) else str(at)[:16]


def faults(office: Office) -> list[str]:
    """Where our rows are not what the tenant has: meetings, who is on them, and every answer."""
    found: list[str] = []
    truth = {one["id"]: one for one in order(office, "/control/events")}
    series = query(office, "SELECT id, event_id, starts_local FROM series ORDER BY id")
    assert len(series) == len(truth) > 1
    for series_id, event_id, _ in series:
        theirs = truth[event_id]
        sql = f"SELECT address, response, participant_id FROM series_attendee WHERE series_id = {series_id}"
        ours = {row[0]: (row[1], row[2]) for row in query(office, sql)}
        found += _people(office, series_id, ours, theirs)
        found += _meetings(office, series_id, ours, theirs)
    return found


def _people(office: Office, series_id: int, ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    missing = f"SELECT address FROM drift WHERE kind = 'attendee missing' AND series_id = {series_id}"
    missed = {row[0] for row in query(office, missing + " AND occurrence_id IS NULL AND closed_at IS NULL")}
    here = {address: said for address, (said, _) in ours.items() if address not in missed}
    there = {one["address"]: one["response"] for one in theirs["attendees"]}
    return [] if here == there else [f"series {series_id}: {here} for {there}"]


def _meetings(office: Office, series_id: int, ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    sql = f"SELECT id, starts_at, ends_at, cancelled_at FROM occurrence WHERE series_id = {series_id}"
    rows = {stamp(row[1]): row for row in query(office, sql) if row[3] is None}
    there = {one["starts_at"][:16].replace("T", " "): one for one in theirs["instances"] if not one["is_cancelled"]}
    if rows.keys() != there.keys():
        return [f"series {series_id} meets {sorted(rows)} for {sorted(there)}"]
    found: list[str] = []
    by_participant = {participant: address for address, (_, participant) in ours.items() if participant}
    for starts, row in rows.items():
        replies = query(
            office, f"SELECT participant_id, response FROM occurrence_reply WHERE occurrence_id = {row[0]}"
        )
        said = {address: response for address, (response, participant) in ours.items() if participant}
        said |= {by_participant[participant]: response for participant, response in replies}
        told = {one["address"]: one["response"] for one in there[starts]["attendees"]}
        for address in said.keys() & told.keys():
            if said[address] != told[address] and {said[address], told[address]} & ANSWERED:
                found.append(f"{starts} {address}: {said[address]} for {told[address]}")
    proposed = {
        (one["address"], one["proposed"][0][:16])
        for instance in there.values()
        for one in instance["attendees"]
        if one["proposed"]
    }
    sql = (
        "SELECT address, time_proposal.starts_at FROM time_proposal JOIN occurrence"
        f" ON occurrence.id = occurrence_id WHERE series_id = {series_id} AND withdrawn_at IS NULL"
    )
    kept = {(row[0], stamp(row[1]).replace(" ", "T")) for row in query(office, sql)}
    if not proposed <= kept:
        found.append(f"series {series_id}: proposed {proposed - kept}")
    return found
