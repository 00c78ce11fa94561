"""Tools on a database of the test's own, and a queue of this test run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.config import Settings
from integration.serve import EmbeddedRedis, start_embedded_redis
from integration.tools import Tools


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = start_embedded_redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def environ(database_url: str, redis_server: EmbeddedRedis, tmp_path: Path) -> dict[str, str]:
    """The environment of a product whose leases are short."""
    return {
        "DATA_DIR": str(tmp_path / "var"),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_server.url,
        "CLAIM_LEASE_SECONDS": "1",
    }


@pytest.fixture
def tools(environ: dict[str, str]) -> Iterator[Tools]:
    made = Tools.from_settings(Settings.from_environment(environ))
    made.doorbell.connection.flushall()
    yield made
    made.close()
