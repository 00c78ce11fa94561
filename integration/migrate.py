"""Bring a database up to date, or write the next migration.

Several processes may start together: on PostgreSQL an advisory lock lets one migrate while the others wait; SQLite
has its own lock.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text

import integration
from integration.db import Base, Database

FOLDER = Path(__file__).parent / "migrations"
LOCK_NUMBER = 3_604_951_287  # any number that nobody else uses in this database


def upgrade(database_url: str, revision: str = "head") -> None:
    """Create or change tables until the database is what this version wants."""
    with _migrating(database_url) as config:
        command.upgrade(config, revision)


def downgrade(database_url: str, revision: str) -> None:
    """Go back to an earlier revision; ``base`` removes every table."""
    with _migrating(database_url) as config:
        command.downgrade(config, revision)


def write_migration(database_url: str, message: str) -> None:
    """Write the migration from what the database has to what the models want."""
    with _migrating(database_url) as config:
        command.revision(config, message=message, autogenerate=True, rev_id=f"{datetime.now(UTC):%Y%m%d_%H%M}")


def differences(database_url: str) -> list[object]:
    """What the models want and the database does not have, as Alembic words it; empty when they agree."""
    with _connected(database_url) as connection:
        options = {"compare_type": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), wanted_tables()))


def is_current(connection: Connection) -> bool:
    """Whether every migration has been run."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == head


def mark_as_current(connection: Connection) -> None:
    """Note that the tables, made in another way, are what the newest migration makes."""
    MigrationContext.configure(connection).stamp(ScriptDirectory.from_config(_config()), "head")


def wanted_tables() -> MetaData:
    """The tables of all packages: each declares its own in models.py."""
    for module in pkgutil.walk_packages(integration.__path__, "integration."):
        if module.name.endswith(".models"):
            importlib.import_module(module.name)
    importlib.import_module("integration.outbox")
    return Base.metadata


@contextmanager
def _migrating(database_url: str) -> Iterator[Config]:
    with _connected(database_url) as connection:
        _take_turns(connection)
        config = _config()
        config.attributes["connection"] = connection
        yield config


def _take_turns(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": LOCK_NUMBER})
        connection.commit()  # the lock belongs to the connection, not to the transaction
        return
    # SQLite changes a table by copying and replacing it: references to it must not be checked meanwhile.
    connection.exec_driver_sql("PRAGMA foreign_keys=off")
    connection.commit()
    connection.execution_options(begin="IMMEDIATE")


@contextmanager
def _connected(database_url: str) -> Iterator[Connection]:
    database = Database(database_url)
    try:
        with database.engine.connect() as connection:
            yield connection
            connection.commit()
    finally:
        database.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config
