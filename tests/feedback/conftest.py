"""A session that three people were invited to, and the tools that a worker and the pages are given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from integration.app import create_app
from integration.attendance.models import MEASURED, Attendance, AttendanceReport, UnmatchedRecord
from integration.config import Settings
from integration.feedback.letters import Links
from integration.feedback.models import FeedbackRequest, MetRequest, SharedRequest
from integration.people.models import Person
from integration.scheduling.models import Occurrence
from integration.tools import Tools
from tests.attendance.build import at, build_person, build_series

PUBLIC_URL = "http://127.0.0.1:8360"
OVER = at(45)


class Session1:
    """The first occurrence of Ada's, Grace's and Alan's pod; Ada facilitated."""

    def __init__(self, tools: Tools, clock_file: Path, occurrence_id: int) -> None:
        self.tools = tools
        self.occurrence_id = occurrence_id
        self._clock_file = clock_file

    def move_clock(self, to: datetime) -> None:
        self._clock_file.write_text(to.isoformat(), encoding="ascii")

    def record(self, name: str, *, attended: bool, provenance: str = MEASURED) -> None:
        with self.tools.database.transaction() as session:
            person = session.scalars(select(Person).where(Person.name == name)).one()
            chosen = (Attendance.occurrence_id == self.occurrence_id, Attendance.participant == person.participant)
            known = session.scalar(select(Attendance).where(*chosen)) or Attendance(
                occurrence_id=self.occurrence_id, participant_id=person.participant_id
            )
            known.attended, known.provenance, known.known_at = attended, provenance, OVER
            session.add(known)

    def asked(self) -> list[str]:
        with self.tools.database.reading() as session:
            return [each.participant.name for each in session.scalars(select(FeedbackRequest))]

    def path(self, name: str) -> str:
        """The path in the mail that somebody got."""
        with self.tools.database.reading() as session:
            requests = session.scalars(select(FeedbackRequest))
            return self._links.feedback(next(each for each in requests if each.participant.name == name))[
                len(PUBLIC_URL) :
            ]

    def met_path(self) -> str:
        with self.tools.database.reading() as session:
            return self._links.met(session.scalars(select(MetRequest)).one())[len(PUBLIC_URL) :]

    def shared_path(self) -> str:
        with self.tools.database.reading() as session:
            return self._links.shared(session.scalars(select(SharedRequest)).one())[len(PUBLIC_URL) :]

    @property
    def _links(self) -> Links:
        return Links(PUBLIC_URL, self.tools.settings.secret_key)


@pytest.fixture
def app(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    clock_file = tmp_path / "clock"
    clock_file.write_text(OVER.isoformat(), encoding="ascii")
    environ = {
        "DATA_DIR": str(tmp_path / "var"),
        "DATABASE_URL": database_url,
        "GRAPH_BASE_URL": "http://127.0.0.1:9/v1.0",
        "CLOCK_FILE": str(clock_file),
        "PUBLIC_URL": PUBLIC_URL,
        "SENDER_MAILBOXES": "learning@pods.example",
    }
    made = create_app(Settings.from_environment(environ))
    yield made
    made.extensions["tools"].close()


@pytest.fixture
def tools(app: Flask) -> Tools:
    return app.extensions["tools"]


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """A browser without cookies."""
    return app.test_client(use_cookies=False)


@pytest.fixture
def first_session(tools: Tools, tmp_path: Path) -> Session1:
    with tools.database.transaction() as session:
        people = [build_person(session, name) for name in ("Ada", "Grace", "Alan")]
        for person, zone in zip(people, ("Europe/Zurich", "Asia/Kolkata", None), strict=True):
            person.time_zone = zone
        series = build_series(session, people, name="Pod Aurora")
        occurrence: Occurrence = series.occurrences[0]
        occurrence.facilitator = people[0].participant
        session.flush()
        return Session1(tools, tmp_path / "clock", occurrence.id)


@pytest.fixture
def room_session(first_session: Session1) -> Session1:
    """Ada, who facilitated, was found; a room's device was there, and so Grace and Alan are unknown."""
    with first_session.tools.database.transaction() as session:
        occurrence = session.get_one(Occurrence, first_session.occurrence_id)
        ada, grace, alan = (each.participant_id for each in occurrence.invited)
        stay = [[at(0).isoformat(), at(30).isoformat()]]
        presences = [_presence(f"participant:{ada}", "participant", stay, ada), _presence("room-id", "room", stay)]
        session.add(
            AttendanceReport(
                meeting=occurrence.series.meetings[0],
                occurrence=occurrence,
                report_id="report-1",
                presences=presences,
                read_at=OVER,
            )
        )
        session.add(UnmatchedRecord(occurrence=occurrence, kind="room", key="room-id", name="Room", seconds=1800))
        session.add(_row(occurrence, ada, attended=True, matched_by="account"))
        for other in (grace, alan):
            session.add(_row(occurrence, other, provenance="unknown", reason="Not found."))
        occurrence.attendance = "measured"
    return first_session


def _presence(key: str, kind: str, stay: list[list[str]], participant: int | None = None) -> dict[str, object]:
    by = "account" if participant else None
    return {
        "key": key,
        "kind": kind,
        "participant": participant,
        "by": by,
        "name": None,
        "traces": [],
        "intervals": stay,
    }


def _row(occurrence: Occurrence, participant_id: int, **more: object) -> Attendance:
    fields = {"provenance": "measured", "known_at": OVER, **more}
    return Attendance(occurrence_id=occurrence.id, participant_id=participant_id, **fields)
