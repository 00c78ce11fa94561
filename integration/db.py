"""The database: one metadata, one engine per process, one place where transactions begin and end.

Edges (jobs, views, commands) open ``database.transaction()`` or ``database.reading()`` and pass the session down
first; everything below may ``flush()`` and never commits. No transaction is held across the network.
"""

from __future__ import annotations

import threading
import time
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
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import PoolProxiedConnection

BUSY_TIMEOUT_MS = 20_000
TRUSTED_SECONDS = 1.0
USED_AT = "used_at"  # on the pool's record of a connection: when it was last given back, on a monotonic clock


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
        self._is_over = False
        self._writing = threading.Lock()
        self._watching: list[PoolProxiedConnection] = []
        event.listen(self.engine, "checkin", self._close_when_over)

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
            with self._turn():
                if self.is_sqlite:
                    session.connection(execution_options={"begin": "IMMEDIATE"})
                yield session
                session.commit()
            for tell in self.after_commit:
                tell(session)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """On SQLite one thread of this process writes at a time, and the next begins at once.

        SQLite would let the others look again after ever longer sleeps. It still does for other processes, and when
        somebody has waited too long it is SQLite who says so.
        """
        is_mine = self.is_sqlite and self._writing.acquire(timeout=BUSY_TIMEOUT_MS / 1000)
        try:
            yield
        finally:
            if is_mine:
                self._writing.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads; whatever is changed in it is thrown away."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    def watch(self) -> Callable[[], bool]:
        """A question that is cheap to ask again and again: may anything have been committed since it was last asked?

        The first answer is yes. Only SQLite can tell (its ``data_version``, without reading a table); elsewhere the
        answer is always yes. The caller keeps the answer to one thread.
        """
        if not self.is_sqlite:
            return lambda: True
        connection, version = self.engine.raw_connection(), -1
        connection.detach()  # versions that two connections tell cannot be compared: it is for this question alone
        self._watching.append(connection)

        def has_changed() -> bool:
            nonlocal version
            before, version = version, connection.cursor().execute("PRAGMA data_version").fetchone()[0]
            return version != before

        return has_changed

    def dispose(self) -> None:
        """Close all connections: those in use when they are given back, which SQLAlchemy would only forget."""
        self._is_over = True
        for connection in self._watching:
            connection.close()
        self.engine.dispose()

    def _close_when_over(self, _connection: Any, record: Any) -> None:
        if self._is_over:
            record.invalidate()


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        engine = create_engine(url)
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", _ask_whether_it_lives)
        return engine
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _note_use(_connection: Any, record: Any) -> None:
    record.info[USED_AT] = time.monotonic()


def _ask_whether_it_lives(connection: Any, record: Any, _proxy: Any) -> None:
    """The server may have gone while a connection was idle; SQLAlchemy then tries another one.

    Its own `pool_pre_ping` asks each time, which costs a transaction a fifth of its round trips. One that was used a
    moment ago is taken at its word: whoever meets the end of a server in between is told so, and tries again.
    """
    idle_since = record.info.get(USED_AT)
    if idle_since is None or time.monotonic() - idle_since < TRUSTED_SECONDS:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise DisconnectionError from error


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
