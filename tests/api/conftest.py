from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from integration.admin.permissions import Permission
from integration.api import tokens
from integration.clock import real_now
from tests.admin.conftest import Site, environ, site  # noqa: F401 (fixtures)


@dataclass
class Script:
    """A program that shows a token."""

    client: FlaskClient
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=self._headers(more), **more)

    def post(self, path: str, **more: Any) -> TestResponse:
        return self.client.post(f"/api/v1{path}", headers=self._headers(more), **more)

    def _headers(self, more: dict[str, Any]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}


@dataclass(frozen=True)
class Api:
    site: Site

    def script(
        self,
        name: str = "nightly import",
        *,
        scopes: Iterable[Permission] = tokens.SCOPES,
        expires_at: datetime | None = None,
        program_ids: Iterable[int] | None = None,
    ) -> Script:
        """A program with a token of its own."""
        with self.site.tools.database.transaction() as session:
            made_at = {"made_by": "ada@pods.example", "now": real_now(), "expires_at": expires_at}
            _, text = tokens.make_token(session, name, scopes, program_ids=program_ids, **made_at)  # type: ignore[arg-type]
        return Script(self.site.app.test_client(), text)


@pytest.fixture
def api(site: Site) -> Api:  # noqa: F811
    return Api(site)
