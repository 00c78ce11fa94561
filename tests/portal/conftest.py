"""The site of tests/admin, at an instant between two sessions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.admin.conftest import (
    environ_out_of_reach,
    site,  # noqa: F401 (a fixture)
)

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)  # sessions are on 4, 11 and 18 March at nine


@pytest.fixture
def environ(tmp_path: Path, database_url: str) -> dict[str, str]:
    return environ_out_of_reach(tmp_path, database_url, now=NOW)
