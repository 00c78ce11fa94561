"""The opening of the demonstration, with nothing running yet but the tenant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from integration.config import Settings
from integration.demo.cast import cast_of
from integration.demo.opening import open_pilot
from integration.demo.outside import Outside
from integration.graph.simulator.http.server import settings_of
from integration.jobs import look
from integration.serve import start_embedded_redis
from integration.tools import Tools
from tests.conftest import RunningSimulator

MONDAY = date(2026, 3, 9)


@pytest.fixture
def database_url(_sqlite_url: Iterator[str]) -> str:
    return next(_sqlite_url)


@pytest.fixture
def tools(simulator: RunningSimulator, database_url: str, tmp_path: Path) -> Iterator[Tools]:
    settings = settings_of(simulator.tenant, simulator.url)
    redis = start_embedded_redis(tmp_path / "var")
    made = Tools.from_settings(
        Settings.from_environment({**settings, "DATA_DIR": str(tmp_path / "var"), "DATABASE_URL": database_url})
    )
    yield made
    made.close()
    redis.stop()


def test_the_clock_waits_for_a_scheduler_that_is_slow_to_start(tools: Tools, simulator: RunningSimulator) -> None:
    outside = Outside(simulator.url)
    cast = cast_of(outside.people(), seed=7, starts_on=MONDAY)
    outside.close()
    open_pilot(tools, cast, starts_on=MONDAY, weeks=1)
    assert "read inboxes" in {duty.name for duty in look(tools.database).due(tools.clock.now())}
