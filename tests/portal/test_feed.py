"""A calendar program that cannot sign in reads a pod's meetings, on the wall they hang on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar

from integration.clock import Clock
from integration.config import Settings
from integration.db import Database
from integration.doorbell import Doorbell
from integration.people.models import Participant, Person
from integration.people.people import by_mail
from integration.portal.feed import Ticket, Whose, read_token, token_for
from integration.portal.views import feeds
from integration.scheduling.models import Plan
from integration.scheduling.plan import apply_plan, make_plan
from integration.scheduling.programs import ProgramDraft, add_members, create_program
from integration.tools import Tools

NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)
KEY = "a key that is long enough"


@pytest.fixture
def tools(sqlite_database: Database, tmp_path) -> Iterator[Tools]:
    settings = Settings.from_environment({"DATA_DIR": str(tmp_path), "SECRET_KEY": KEY})
    made = Tools(settings, sqlite_database, Clock(), Doorbell.from_settings(settings))
    yield made
    made.close()


@pytest.fixture
def client(tools: Tools) -> FlaskClient:
    app = Flask(__name__)
    app.extensions["tools"] = tools
    app.register_blueprint(feeds)
    return app.test_client()


def meet(tools: Tools) -> int:
    """Ada and Grace meet weekly over the change to summer time; returns the pod's id."""
    with tools.database.transaction() as session:
        draft = ProgramDraft("Onboarding", "answer alone", "days", "60", NOW.date(), weeks=5)
        program = create_program(session, draft, now=NOW)
        people = [
            Person(mail=f"{name}@example.com", name=name, time_zone="Europe/Zurich", participant=Participant())
            for name in ("ada", "grace")
        ]
        session.add_all(people)
        session.flush()
        add_members(session, program, people)
        plan: Plan = make_plan(session, program, {}, now=NOW, organizers=["pods@example.com"])
        return apply_plan(session, plan, now=NOW)[0].pod_id


def test_the_feed_shows_every_meeting_on_the_pods_wall(client, tools):
    token = token_for(Ticket(Whose.POD, meet(tools)), secret_key=KEY)

    answer = client.get(f"/feeds/{token}.ics")

    calendar = Calendar.from_ical(answer.data)
    starts = [event.decoded("dtstart") for event in calendar.walk("VEVENT")]
    assert answer.mimetype == "text/calendar"
    assert {start.astimezone(ZoneInfo("Europe/Zurich")).strftime("%a %H:%M") for start in starts} == {"Tue 10:30"}
    assert len(starts) == 5
    assert [zone["tzid"] for zone in calendar.walk("VTIMEZONE")] == ["Europe/Zurich"]


def test_an_unchanged_feed_is_not_sent_again(client, tools):
    token = token_for(Ticket(Whose.POD, meet(tools)), secret_key=KEY)
    first = client.get(f"/feeds/{token}.ics")

    assert client.get(f"/feeds/{token}.ics", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_adas_feed_ends_when_she_leaves(client, tools):
    meet(tools)
    with tools.database.transaction() as session:
        ada = by_mail(session, "ada@example.com")
        token = token_for(Ticket(Whose.PARTICIPANT, ada.participant_id), secret_key=KEY)
    assert client.get(f"/feeds/{token}.ics").data.count(b"BEGIN:VEVENT") == 5

    with tools.database.transaction() as session:
        by_mail(session, "ada@example.com").left_at = NOW

    assert client.get(f"/feeds/{token}.ics").status_code == 404


def test_mallory_cannot_make_a_feed(client, tools):
    meet(tools)
    forged = token_for(Ticket(Whose.POD, 1), secret_key="mallory's own long key")

    assert client.get(f"/feeds/{forged}.ics").status_code == 404
    assert client.get("/feeds/nothing.ics").status_code == 404
    assert read_token("x" * 500, secret_key=KEY) is None
