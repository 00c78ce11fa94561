"""Due work: a date column that is also the lock."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, update

from integration.clock import real_now
from integration.db import Database
from integration.due import earliest, take_due
from integration.outbox import Message, Task, add
from tests.at_once import at_once

WEEK = timedelta(days=7)


def fill(database: Database, count: int) -> None:
    """The outbox's own date column serves as any date column."""
    with database.transaction() as session:
        for subject in range(count):
            add(session, Task.SUMMARY_COMPILE, subject)


def test_of_two_schedulers_exactly_one_takes_each_row(database: Database) -> None:
    fill(database, 30)
    now = real_now() + timedelta(minutes=1)

    def schedule() -> Sequence[object]:
        with database.transaction() as session:
            return take_due(session, Message.due_at, now=now, then=lambda due_at: due_at + WEEK)

    taken = [each for ids in at_once(schedule, schedule, schedule) for each in ids]
    assert len(taken) == 30
    assert len(set(taken)) == 30


def test_what_is_not_due_yet_stays(database: Database) -> None:
    fill(database, 3)
    now = real_now()
    with database.transaction() as session:
        session.execute(update(Message).where(Message.subject == "2").values(due_at=now + WEEK))
        assert len(take_due(session, Message.due_at, now=now, then=lambda due_at: due_at + 2 * WEEK)) == 2
        assert session.scalar(earliest(Message.due_at)) == now + WEEK


def test_a_date_may_be_moved_to_nothing(database: Database) -> None:
    fill(database, 1)
    now = real_now()
    with database.transaction() as session:
        session.execute(update(Message).values(done_at=now))
        assert len(take_due(session, Message.done_at, now=now)) == 1
        assert session.scalar(select(Message.done_at)) is None
        assert take_due(session, Message.done_at, now=now) == []
