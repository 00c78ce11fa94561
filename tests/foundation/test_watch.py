"""Whoever waits for something to change first asks whether anything can have."""

from __future__ import annotations

from sqlalchemy import text

from integration.db import Database
from integration.outbox import Task, add


def write(database: Database) -> None:
    with database.transaction() as session:
        add(session, Task.PLAN_DRAFT, 1)


def read(database: Database) -> None:
    with database.reading() as session:
        session.execute(text("SELECT count(*) FROM outbox_message"))


def test_what_anybody_commits_is_noticed_once(database: Database, database_url: str) -> None:
    has_changed, other = database.watch(), Database(database_url)
    assert has_changed()
    write(other)
    write(database)
    assert has_changed()
    read(other)
    assert has_changed() is not database.is_sqlite  # where nobody can tell, it may have
    other.dispose()


def test_two_who_watch_are_told_each(database: Database) -> None:
    first, second = database.watch(), database.watch()
    assert (first(), second()) == (True, True)
    write(database)
    assert (first(), second()) == (True, True)
