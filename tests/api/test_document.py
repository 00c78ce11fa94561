"""Whatever the document of the API says is true of the served application: requests are made up from it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import schemathesis
from cheroot.wsgi import Server
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from sqlalchemy import select

from integration import outbox
from integration.api import tokens
from integration.api.operations import OPERATIONS
from integration.app import create_app
from integration.clock import real_now
from integration.config import Settings
from integration.outbox import Message, State, Task
from integration.pace import Pace
from integration.people.models import Person
from integration.scheduling.plan import make_plan
from integration.scheduling.programs import ProgramDraft, add_members, create_program
from integration.tools import Tools
from tests.attendance.build import build_person, build_series

REQUESTS_PER_OPERATION = 12


@schemathesis.serializer("text/csv")
def write_csv(_context: schemathesis.SerializationContext, value: object) -> bytes:
    return value.encode(errors="replace") if isinstance(value, str) else str(value).encode(errors="replace")


@pytest.fixture
def served(tmp_path: Path, sqlite_database_url: str) -> Iterator[tuple[str, str]]:
    """The address of an application with something in every table, and a token to it."""
    environ = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": sqlite_database_url,
        "REDIS_URL": f"unix://{tmp_path}/nobody.sock",
        "ORGANIZER_MAILBOXES": "learning@pods.example",
    }
    app = create_app(Settings.from_environment(environ))
    app.extensions["pace"] = Pace(limit=1_000_000, seconds=60)
    tools: Tools = app.extensions["tools"]
    server = Server(("127.0.0.1", 0), app, numthreads=4)
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield f"http://127.0.0.1:{server.bind_addr[1]}", _token(tools)
    server.stop()
    thread.join()
    tools.close()


def _token(tools: Tools) -> str:
    with tools.database.transaction() as session:
        people = [build_person(session, name) for name in ("Ada", "Grace", "Alan")]
        build_series(session, people)
        program = create_program(session, ProgramDraft("P", "o", "m", "b", date(2026, 3, 2)), now=real_now())
        add_members(session, program, session.scalars(select(Person)))
        now = datetime(2026, 3, 1, tzinfo=UTC)
        make_plan(session, program, {}, now=now, organizers=["learning@pods.example"])
        for subject in range(1, 4):
            outbox.add(session, Task.SERIES_PUSH, subject)
        for message in session.scalars(select(Message)):
            message.state = State.PARKED
        _, text = tokens.make_token(session, "schema", tokens.SCOPES, made_by="ada", now=now)
        return text


def test_the_document_is_true_of_every_operation(served: tuple[str, str]) -> None:
    url, token = served
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json")
    schema.config.update(base_url=f"{url}/api/v1")
    schema.config.checks.positive_data_acceptance.expected_statuses = ["2xx", "400", "403", "404", "409", "422"]
    seen = []

    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        seen.append(f"{operation.method.upper()} {operation.path}")
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            _try(operation, mode, token)

    assert sorted(seen) == sorted(f"{each.method} {each.path}" for each in OPERATIONS)


def _try(operation: schemathesis.APIOperation, mode: schemathesis.GenerationMode, token: str) -> None:
    @settings(
        max_examples=REQUESTS_PER_OPERATION,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        if mode is schemathesis.GenerationMode.POSITIVE:
            _make_real(case)
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

    ask()


def _make_real(case: schemathesis.Case) -> None:
    """Every other time about things that are there, and a roster with the columns of one: guesses never hit those."""
    for name, value in case.path_parameters.items():
        case.path_parameters[name] = 1 + value % 3 if value % 2 else value
    if case.media_type == "text/csv" and isinstance(case.body, str):
        case.body = f"name,mail\nAda,ada@pods.example\n{case.body}"
