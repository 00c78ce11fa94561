from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from integration.admin.permissions import Role
from integration.admin.sessions import open_session
from integration.app import create_app
from integration.clock import real_now
from integration.config import Settings
from integration.tools import Tools


@dataclass(frozen=True)
class Site:
    """The web application over an own database, and browsers of people who are signed in."""

    app: Flask
    tools: Tools

    def browser(self, mail: str | None = None, *roles: Role, name: str = "Ada Lovelace") -> FlaskClient:
        """A browser in which somebody is signed in with these roles; without an address, nobody."""
        client = self.app.test_client()
        if mail is not None:
            with self.tools.database.transaction() as session:
                key = open_session(session, now=real_now(), mail=mail, name=name, roles=roles)
            client.set_cookie(self.app.config["SESSION_COOKIE_NAME"], key)
        return client


@pytest.fixture
def environ(tmp_path: Path, database_url: str) -> dict[str, str]:
    return environ_out_of_reach(tmp_path, database_url)


def environ_out_of_reach(folder: Path, database_url: str, *, now: datetime | None = None) -> dict[str, str]:
    """A product whose Graph and Redis are out of reach: no page needs them; ``now``: what its clock says."""
    environ = {
        "DATA_DIR": str(folder / "var"),
        "DATABASE_URL": database_url,
        "REDIS_URL": f"unix://{folder}/nobody.sock",
        "GRAPH_BASE_URL": "http://127.0.0.1:9/v1.0",
        "ORGANIZER_MAILBOXES": "learning@pods.example",
    }
    if now is None:
        return environ
    clock = folder / "clock"
    clock.write_text(now.isoformat(), encoding="ascii")
    return {**environ, "CLOCK_FILE": str(clock)}


@pytest.fixture
def site(environ: dict[str, str]) -> Iterator[Site]:
    app = create_app(Settings.from_environment(environ))
    app.config["WTF_CSRF_ENABLED"] = False  # hostile tests make an app of their own, with it
    yield Site(app, app.extensions["tools"])
    app.extensions["tools"].close()
