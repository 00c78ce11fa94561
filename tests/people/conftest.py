"""A database of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

import integration.outbox
import integration.people.models
import integration.scheduling.models  # noqa: F401 (its tables)
from integration.db import Base, Database


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'pods.sqlite3'}")
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


@pytest.fixture
def session(rows: Database) -> Iterator[Session]:
    with rows.transaction() as session:
        yield session
