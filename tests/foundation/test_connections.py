"""A database server that goes away takes its connections along; nobody but whoever is in the middle notices."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from integration.db import TRUSTED_SECONDS, Database


@pytest.fixture
def database_url(_postgresql_url: Iterator[str]) -> Iterator[str]:
    """A file has no server that could go away."""
    yield from _postgresql_url


def say_one(database: Database) -> int | None:
    with database.reading() as session:
        return session.scalar(text("SELECT 1"))


def end_all_connections(database_url: str) -> None:
    """What a server that is restarted does."""
    other = Database(database_url)
    with other.reading() as session:
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        session.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    other.dispose()


def test_after_a_rest_a_connection_to_a_server_that_was_restarted_is_replaced(database: Database, database_url: str):
    assert say_one(database) == 1
    end_all_connections(database_url)
    time.sleep(TRUSTED_SECONDS)
    assert say_one(database) == 1


def test_whoever_comes_at_once_is_told_and_the_next_one_is_served(database: Database, database_url: str):
    assert say_one(database) == 1
    end_all_connections(database_url)
    with pytest.raises(OperationalError):
        say_one(database)
    assert say_one(database) == 1


def test_a_connection_in_use_when_all_are_closed_is_closed_once_it_is_given_back(database: Database):
    with database.reading() as session:
        used = session.connection().connection.dbapi_connection
        assert used is not None
        database.dispose()
        assert session.scalar(text("SELECT 1")) == 1
        assert not used.closed
    assert used.closed
