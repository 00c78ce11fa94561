"""People are found under any of their names, and what the directory says of them is noted in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integration.clock import Clock
from integration.config import Settings
from integration.db import Database
from integration.doorbell import Doorbell
from integration.errors import NotThere
from integration.people.jobs import resolve_person
from integration.people.models import OtherAddress, Participant, Person
from integration.people.people import by_mail, identify, record_departure
from integration.tools import Tools
from tests.conftest import RunningSimulator

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


def add(session, mail: str, **facts) -> Person:
    person = Person(mail=mail, name=mail.split("@")[0].title(), participant=Participant(), **facts)
    session.add(person)
    session.flush()
    return person


def test_ada_is_found_by_id_by_address_and_by_alias(session):
    ada = add(
        session, "ada@example.com", object_id="id-of-ada", addresses=[OtherAddress(mail="countess@example.com")]
    )

    assert identify(session, object_id="id-of-ada") is ada.participant
    assert identify(session, address="ADA@example.com") is ada.participant
    assert identify(session, address="Countess@example.com") is ada.participant
    assert identify(session, object_id="somebody else", address="mallory@example.com") is None
    assert identify(session) is None


def test_the_object_id_counts_more_than_the_address(session):
    ada = add(session, "ada@example.com", object_id="id-of-ada")
    add(session, "grace@example.com")

    assert identify(session, object_id="id-of-ada", address="grace@example.com") is ada.participant


def test_nobody_of_that_address_is_said(session):
    with pytest.raises(NotThere, match="mallory"):
        by_mail(session, "mallory@example.com")


def test_leaving_twice_keeps_the_first_day(session):
    ada = add(session, "ada@example.com")

    assert [record_departure(session, ada, at=at) for at in (NOW, NOW.replace(year=2027))] == [True, False]
    assert ada.left_at == NOW


@pytest.fixture
def tools(simulator: RunningSimulator, rows: Database, tmp_path: Path) -> Iterator[Tools]:
    tenant = simulator.tenant
    settings = Settings.from_environment(
        {
            "DATA_DIR": str(tmp_path),
            "GRAPH_BASE_URL": simulator.graph_url,
            "TENANT_ID": tenant.id,
            "CLIENT_ID": tenant.app_id,
            "CLIENT_SECRET": tenant.app.secret,
        }
    )
    made = Tools(settings, rows, Clock(), Doorbell.from_settings(settings))
    yield made
    made.close()


def resolved(tools: Tools, mail: str, *, times: int = 1) -> Person:
    with tools.database.transaction() as session:
        person_id = add(session, mail).id
    for _ in range(times):
        resolve_person(tools, person_id)
    with tools.database.reading() as session:
        person = session.get_one(Person, person_id)
        assert person.addresses is not None  # read while the session is open
        return person


def test_the_directory_tells_id_language_and_other_addresses(tools, simulator):
    account = next(person for person in simulator.tenant.directory.people if person.other_mails)

    person = resolved(tools, account.mail, times=2)

    assert (person.object_id, person.language) == (account.id, account.language)
    assert {one.mail for one in person.addresses} == set(account.other_mails)
    assert person.directory_note is None


def test_whoever_the_directory_does_not_know_is_said_in_words(tools):
    person = resolved(tools, "nobody@pods.example")

    assert person.object_id is None
    assert "knows nobody" in str(person.directory_note)


def test_two_rows_of_one_account_are_said_in_words(tools, simulator):
    account = next(person for person in simulator.tenant.directory.people if person.kind == "person")
    with tools.database.transaction() as session:
        add(session, "old@pods.example", object_id=account.id)

    person = resolved(tools, account.mail)

    assert person.object_id is None
    assert "same account as Old's" in str(person.directory_note)
