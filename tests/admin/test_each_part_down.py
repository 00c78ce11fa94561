"""Graph, the queue, the issuer and the workers, one at a time away: every page works, and Health says what is."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.admin.permissions import Role
from integration.app import create_app
from integration.config import Settings
from integration.serve import EmbeddedRedis, start_embedded_redis, stop_processes
from tests.admin.conftest import Site
from tests.conftest import RunningSimulator

WORKER = Path(__file__).parents[2] / "worker.py"
NOWHERE = "http://127.0.0.1:9"
PARTS = {"Database", "Queue (Redis)", "Microsoft Graph", "Sign-in", "Worker"}
PAGES = ("/admin/", "/admin/people/", "/admin/programs", "/admin/pods", "/admin/audit", "/me/", "/summary/")
AWAY = {
    "nothing": {},
    "Microsoft Graph": {"GRAPH_BASE_URL": f"{NOWHERE}/v1.0"},
    "Queue (Redis)": {"REDIS_URL": "unix:///nobody/listens.sock"},
    "Sign-in": {"OIDC_ISSUER": NOWHERE},
    "Worker": {},
}
# Without its queue a worker cannot tell that it is there.
ALSO = {"Queue (Redis)": {"Worker"}}


@pytest.fixture(params=["_sqlite_url"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from request.getfixturevalue(request.param)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = start_embedded_redis(tmp_path)
    yield server
    server.stop()


@pytest.mark.parametrize("away", AWAY)
def test_pages_work_and_say_what_is_away(
    away: str, simulator: RunningSimulator, queue: EmbeddedRedis, database_url: str, tmp_path: Path
):
    issuer = f"{simulator.url}/{simulator.tenant.id}/v2.0"
    environ = {"DATA_DIR": str(tmp_path / "var"), "DATABASE_URL": database_url, "REDIS_URL": queue.url}
    environ |= simulator.settings | {"OIDC_ISSUER": issuer} | AWAY[away]
    workers = [] if away == "Worker" else [start_worker(environ)]
    app = create_app(Settings.from_environment(environ))
    site = Site(app, app.extensions["tools"])
    try:
        wanted = ({away} & PARTS) | ALSO.get(away, set())
        assert parts_away(site, wanted=wanted) == wanted
        browser = site.browser("ada@pods.example", Role.ADMINISTRATOR)
        assert {path: browser.get(path).status_code for path in PAGES} == dict.fromkeys(PAGES, 200)
    finally:
        stop_processes(workers)
        site.tools.close()


def start_worker(environ: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(WORKER), "work"]
    return subprocess.Popen(command, env=environ | {"LOG_LEVEL": "ERROR"}, start_new_session=True)


def parts_away(site: Site, *, wanted: set[str]) -> set[str]:
    """What Health shows as away; a worker that has just been started may take a while until it is seen."""
    deadline = time.monotonic() + 30
    while True:
        page = site.browser("ada@pods.example", Role.ADMINISTRATOR).get("/admin/health").text
        found = {each for each in PARTS if is_away(page, each)}
        if found == wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def is_away(page: str, part: str) -> bool:
    said = re.search(rf'badge-(good|bad)">[^<]*</span>\s*<strong>{re.escape(part)}</strong>', page)
    assert said, f"Health does not name {part}"
    return said.group(1) == "bad"
