"""The page behind the link in a weekly summary: one button, which only the leader who got the mail can press."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from integration.app import create_app
from integration.config import Settings
from integration.db import Database
from integration.people.models import Participant, Person
from integration.scheduling.models import ProgramLeader
from integration.scheduling.programs import ProgramDraft, add_leader, create_program
from integration.summaries.unsubscribing import unsubscribe_url

NOW = datetime(2026, 3, 4, 7, tzinfo=UTC)  # a Wednesday
KEY = "a key that is long enough"
PUBLIC_URL = "https://pods.example.com"


@pytest.fixture
def client(sqlite_database_url: str, tmp_path: Path) -> Iterator[FlaskClient]:
    environ = {"DATA_DIR": str(tmp_path), "DATABASE_URL": sqlite_database_url, "SECRET_KEY": KEY}
    app = create_app(Settings.from_environment(environ))
    yield app.test_client()
    app.extensions["tools"].close()


@pytest.fixture
def ada(sqlite_database: Database) -> int:
    """Ada leads a program and gets its summary; the id of that."""
    with sqlite_database.transaction() as session:
        draft = ProgramDraft("Onboarding", "answer alone", "days", "60", NOW.date())
        person = Person(mail="ada@example.com", name="Ada", time_zone="Europe/Zurich", participant=Participant())
        session.add(person)
        return add_leader(session, create_program(session, draft, now=NOW), person, now=NOW).id


def link(leader_id: int, *, secret_key: str = KEY) -> str:
    return unsubscribe_url(PUBLIC_URL, secret_key, leader_id).removeprefix(PUBLIC_URL)


def leader(database: Database, leader_id: int) -> ProgramLeader:
    with database.reading() as session:
        return session.get_one(ProgramLeader, leader_id)


def test_opening_the_link_shows_one_button_and_changes_nothing(client, sqlite_database, ada):
    page = client.get(link(ada))

    assert page.status_code == 200
    assert "Onboarding" in page.text
    assert "Stop these mails" in page.text
    assert leader(sqlite_database, ada).unsubscribed_at is None


def test_ada_stops_the_summaries_and_starts_them_again_from_next_monday(client, sqlite_database, ada):
    stopped = client.post(link(ada), follow_redirects=True)
    after_stop = leader(sqlite_database, ada)
    started = client.post(link(ada), data={"choice": "start"}, follow_redirects=True)
    after_start = leader(sqlite_database, ada)

    assert "You get no weekly summary" in stopped.text
    assert (after_stop.unsubscribed_at is not None, after_stop.summary_due_at) == (True, None)
    assert "Each Monday you get one mail" in started.text
    assert after_start.unsubscribed_at is None
    assert after_start.summary_due_at is not None
    assert after_start.summary_due_at.weekday() == 0


def test_mallory_cannot_make_a_link_and_nobody_can_use_one_of_somebody_who_leads_no_more(
    client, sqlite_database, ada
):
    forged, cut, gone = link(ada, secret_key="Mallory's own long key"), link(ada)[:-3], link(ada + 1)

    for address in (forged, cut, gone, "/summaries/" + "x" * 500):
        for page in (client.get(address), client.post(address)):
            assert page.status_code == 404
            assert "This link does not work" in page.text
    assert leader(sqlite_database, ada).unsubscribed_at is None
