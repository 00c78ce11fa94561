"""The database: one metadata, one engine per process, one place where transactions begin and end.

Edges (jobs, views, commands) open ``database.transaction()`` or ``database.reading()`` and pass the session down
first; everything below may ``flush()`` and never commits. No transaction is held across the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    TypeDecorator,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session

BUSY_TIMEOUT_MS = 20_000


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC. Naive datetimes are refused: they would mean another instant elsewhere."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError(f"{value!r} has no time zone; store aware instants")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        # SQLite hands back what was stored (UTC) without its zone; PostgreSQL in the session's zone.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WallClock(TypeDecorator[datetime]):
    """A naive date and time on the wall of some IANA zone that stands in a column beside it."""

    impl = DateTime(timezone=False)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is not None:
            raise TypeError(f"{value!r} has a time zone; a wall clock has none")
        return value


Json = JSON().with_variant(JSONB(), "postgresql")


class Base(DeclarativeBase):
    """The base of all rows. Enumerations are strings with CHECK constraints that the models name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (declared by SQLAlchemy)
        datetime: UtcDateTime(),
        dict[str, Any]: Json,
        list[Any]: Json,
        str: String(),
    }


class Database:
    """One engine and its transactions. Threads may share it; processes must each make their own (after a fork)."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self.after_commit: list[Callable[[Session], None]] = []  # called with each session just committed

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction that writes: committed at the end of the block, rolled back on any error.

        On SQLite it begins with BEGIN IMMEDIATE: a plain BEGIN that turns into a write
        fails when another wrote first.
        """
        with Session(self.engine, expire_on_commit=False) as session:
            if self.is_sqlite:
                session.connection(execution_options={"begin": "IMMEDIATE"})
            yield session
            session.commit()
            for tell in self.after_commit:
                tell(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads; whatever is changed in it is thrown away."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    def dispose(self) -> None:
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    for pragma in (
        "journal_mode=wal",
        "synchronous=full",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=on",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    mode = connection.get_execution_options().get("begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
