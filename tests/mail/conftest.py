"""A tenant whose clock is ours too, and the tools that a worker is given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from integration.clock import Clock
from integration.config import Settings
from integration.db import Database
from integration.doorbell import Doorbell
from integration.graph.client import connect
from integration.graph.simulator.clock import MovableClock
from integration.graph.simulator.seed import STARTS_AT, build_tenant
from integration.graph.simulator.tenant.tenant import Tenant
from integration.tools import Tools
from tests.conftest import RunningSimulator

STARTS = STARTS_AT + timedelta(hours=3)  # ten in Zurich


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    return tmp_path / "clock"


@pytest.fixture
def tenant(clock_file: Path) -> Tenant:
    return build_tenant(people=4, senders=2, clock=MovableClock(STARTS, file=clock_file))


@pytest.fixture
def tools(simulator: RunningSimulator, database: Database, clock_file: Path, tmp_path: Path) -> Iterator[Tools]:
    tenant = simulator.tenant
    senders = [person.mail for person in tenant.directory.people if person.kind == "sender"]
    settings = Settings.from_environment(
        {
            "DATA_DIR": str(tmp_path),
            "GRAPH_BASE_URL": simulator.graph_url,
            "GRAPH_TIMEOUT_SECONDS": "20",
            "TENANT_ID": tenant.id,
            "CLIENT_ID": tenant.app_id,
            "CLIENT_SECRET": tenant.app.secret,
            "SENDER_MAILBOXES": ",".join(senders),
            "CLOCK_FILE": str(clock_file),
        }
    )
    graph = connect(settings)
    doorbell = Doorbell.from_settings(settings)
    yield Tools(settings, database, Clock(clock_file), doorbell, [graph])
    graph.close()
    doorbell.close()


class Wait:
    """Lets the movable clock run, for the tenant and for us."""

    def __init__(self, simulator: RunningSimulator) -> None:
        self._simulator = simulator

    def __call__(self, **duration: float) -> datetime:
        tenant = self._simulator.tenant
        with tenant.lock:
            tenant.clock.move_to(tenant.clock.now() + timedelta(**duration))
        return tenant.clock.now()


@pytest.fixture
def wait(simulator: RunningSimulator) -> Wait:
    return Wait(simulator)
