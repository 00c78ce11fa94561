"""A tenant with an organizer and a sender of ours, and a worker that reads their inboxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from integration.clock import Clock
from integration.config import Settings
from integration.db import Database
from integration.doorbell import Doorbell
from integration.graph.client import connect
from integration.graph.simulator.tenant.transport import Letter as Sent
from integration.inbox.jobs import read_inbox
from integration.inbox.models import Letter
from integration.mail.inboxes import begin_inboxes
from integration.mail.models import Inbox
from integration.outbox import Message, Task
from integration.tools import Tools
from tests.attendance.build import build_person
from tests.conftest import RunningSimulator
from tests.inbox.cast import build_coordinator, build_pod
from tests.mail.conftest import Wait, clock_file, tenant
from tests.mail.test_sending import send_what_is_due

__all__ = ["clock_file", "tenant"]


@pytest.fixture
def tools(simulator: RunningSimulator, database: Database, clock_file: Path, tmp_path: Path) -> Iterator[Tools]:
    people = simulator.tenant.directory.people
    settings = Settings.from_environment(
        simulator.settings
        | {
            "DATA_DIR": str(tmp_path),
            "GRAPH_TIMEOUT_SECONDS": "20",
            "ORGANIZER_MAILBOXES": next(each.mail for each in people if each.kind == "organizer"),
            "SENDER_MAILBOXES": next(each.mail for each in people if each.kind == "sender"),
            "CLOCK_FILE": str(clock_file),
            "SECRET_KEY": "a secret for these tests",
        }
    )
    graph = connect(settings)
    doorbell = Doorbell.from_settings(settings)
    yield Tools(settings, database, Clock(clock_file), doorbell, [graph])
    graph.close()
    doorbell.close()


@pytest.fixture
def wait(simulator: RunningSimulator) -> Wait:
    return Wait(simulator)


@pytest.fixture
def organizer(tools: Tools) -> str:
    return tools.settings.organizer_mailboxes[0]


@pytest.fixture
def sender(tools: Tools) -> str:
    return tools.settings.sender_mailboxes[0]


def read_all(tools: Tools) -> None:
    """Every inbox of ours is read now."""
    with tools.database.transaction() as session:
        begin_inboxes(session, tools.settings.own_mailboxes, now=tools.clock.now())
        ids = list(session.scalars(select(Inbox.id).order_by(Inbox.id)))
    for inbox_id in ids:
        read_inbox(tools, inbox_id)


def letters(tools: Tools) -> list[Letter]:
    with tools.database.reading() as session:
        return list(session.scalars(select(Letter).order_by(Letter.id)))


def kinds(tools: Tools) -> list[str]:
    return sorted(each.kind for each in letters(tools))


def asked(tools: Tools, task: Task) -> list[int]:
    """The subjects of what was asked for, which is then forgotten."""
    with tools.database.transaction() as session:
        messages = list(session.scalars(select(Message).where(Message.task == task).order_by(Message.subject)))
        for message in messages:
            session.delete(message)
        return [int(message.subject) for message in messages]


@pytest.fixture
def ada(tools: Tools, organizer: str) -> str:
    """Ada coordinates everything; Grace is in a pod."""
    with tools.database.transaction() as session:
        ada = build_coordinator(session, "Ada", seen_at=tools.clock.now())
        grace = build_person(session, "Grace")
        ada.time_zone = grace.time_zone = "Europe/Zurich"
        build_pod(session, [grace], organizer=organizer)
    return ada.mail


def passed_on(tools: Tools, simulator: RunningSimulator, wait: Wait) -> list[Sent]:
    """Every mail that left, after all that is due was sent."""
    for _ in range(3):
        send_what_is_due(tools)
        wait(minutes=3)
        simulator.tenant.mailboxes.transport.advance(tools.clock.now())
    return list(simulator.tenant.mailboxes.transport.letters)
