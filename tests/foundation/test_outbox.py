"""The outbox under two hands at once. Each test runs on SQLite and on PostgreSQL."""

import threading
import time
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, text, update

from integration.clock import real_now
from integration.db import Database
from integration.delivery import (
    DEATHS_AT_ONCE,
    Claim,
    claim,
    heartbeat,
    record_again,
    record_done,
    record_parked,
    sweep,
)
from integration.errors import Conflict, NotThere
from integration.outbox import Message, State, Task, add, discard, next_due_at, open_count, parked, retry
from tests.at_once import at_once

LEASE = timedelta(seconds=30)
ADAS_SERIES = 7
GRACES_SERIES = 8


def ask_for(database: Database, task: Task, subject: int = ADAS_SERIES) -> None:
    with database.transaction() as session:
        add(session, task, subject)


def states(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        rows = session.execute(select(Message.task, Message.state).order_by(Message.id)).all()
        return [(task, state) for task, state in rows]


def let_lease_end(database: Database, lost: Claim) -> None:
    with database.transaction() as session:
        past = real_now() - timedelta(seconds=1)
        session.execute(update(Message).where(Message.claim == lost.token).values(claimed_until=past))


def test_asking_twice_while_it_waits_is_one_wish(database: Database) -> None:
    ask_for(database, Task.SERIES_PUSH)
    ask_for(database, Task.SERIES_PUSH)
    assert states(database) == [("series.push", "waiting")]


def test_a_wish_that_is_rolled_back_was_never_made(database: Database) -> None:
    def change_her_mind() -> None:
        with database.transaction() as session:
            add(session, Task.SERIES_PUSH, ADAS_SERIES)
            raise Conflict("The pod is full.", remedy="")

    with pytest.raises(Conflict):
        change_her_mind()
    assert states(database) == []


def test_a_change_committed_while_a_worker_has_claimed_is_worked_on_again(database: Database) -> None:
    ask_for(database, Task.SERIES_PUSH)
    [first] = claim(database, 1, LEASE)
    ask_for(database, Task.SERIES_PUSH)
    assert record_done(database, first)
    [second] = claim(database, 1, LEASE)
    assert (second.task, second.subject) == (Task.SERIES_PUSH, str(ADAS_SERIES))


def test_a_change_made_while_a_worker_is_just_claiming_is_not_lost(database: Database) -> None:
    """The worker's claim is not committed yet when Ada's change asks: the ask must wait, then let a new row wait."""
    ask_for(database, Task.SERIES_PUSH)
    asked = threading.Thread(target=ask_for, args=(database, Task.SERIES_PUSH))
    with database.transaction() as session:
        session.execute(update(Message).values(state="claimed", claim="worker", claimed_until=real_now() + LEASE))
        asked.start()
        time.sleep(0.2)
        assert asked.is_alive(), "the change waits for the worker's claim"
    asked.join(10)
    assert states(database) == [("series.push", "claimed"), ("series.push", "waiting")]


def test_an_ask_not_committed_yet_is_left_alone_by_a_worker(database: Database) -> None:
    """The opposite order: the worker comes while the change is open; afterwards the wish is claimed, once."""
    ask_for(database, Task.SERIES_PUSH)
    claims: list[Claim] = []
    with database.transaction() as session:
        add(session, Task.SERIES_PUSH, ADAS_SERIES)
        worker = threading.Thread(target=lambda: claims.extend(claim(database, 1, LEASE)))
        worker.start()
        time.sleep(0.1)
    worker.join(30)
    claims.extend(claim(database, 1, LEASE))
    assert len(claims) == 1
    assert states(database) == [("series.push", "claimed")]


def test_two_tasks_of_one_series_are_never_worked_on_at_once(database: Database) -> None:
    ask_for(database, Task.SERIES_PUSH)
    ask_for(database, Task.SERIES_CANCEL)
    ask_for(database, Task.SERIES_PUSH, GRACES_SERIES)
    first = claim(database, 8, LEASE)
    assert [(each.task, each.subject) for each in first] == [(Task.SERIES_PUSH, "7"), (Task.SERIES_PUSH, "8")]
    assert claim(database, 8, LEASE) == []
    assert record_done(database, first[0])
    assert [each.task for each in claim(database, 8, LEASE)] == [Task.SERIES_CANCEL]


def test_many_workers_claim_each_wish_once(database: Database) -> None:
    for subject in range(20):
        ask_for(database, Task.SERIES_PUSH, subject)
        ask_for(database, Task.SERIES_CANCEL, subject)
    claims: list[Claim] = []
    workers = [threading.Thread(target=lambda: claims.extend(claim(database, 8, LEASE))) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    while more := claim(database, 8, LEASE):
        claims.extend(more)
    assert len(claims) == 20
    assert {each.subject for each in claims} == {str(subject) for subject in range(20)}


def test_two_different_tasks_of_one_series_claimed_at_the_same_moment(database: Database) -> None:
    """What the unique index is for: neither worker has seen the other's claim."""
    ask_for(database, Task.SERIES_PUSH)
    ask_for(database, Task.SERIES_CANCEL)
    claims = at_once(*[partial(claim, database, 8, LEASE)] * 2)
    assert sum(map(len, claims)) == 1


def test_the_work_of_a_dead_worker_is_taken_over_and_its_late_answer_refused(database: Database) -> None:
    ask_for(database, Task.SERIES_PUSH)
    [lost] = claim(database, 1, LEASE)
    let_lease_end(database, lost)
    assert sweep(database) == 1
    [taken_over] = claim(database, 1, LEASE)
    assert taken_over.attempts == 2
    assert not record_done(database, lost)
    assert not record_again(database, lost, due_at=real_now(), error="late", refused=False)
    assert not record_parked(database, lost, error="late")
    assert states(database) == [("series.push", "claimed")]
    assert record_done(database, taken_over)


def test_a_dead_workers_wish_is_merged_with_the_one_that_came_meanwhile(database: Database) -> None:
    ask_for(database, Task.SERIES_PUSH)
    [lost] = claim(database, 1, LEASE)
    ask_for(database, Task.SERIES_PUSH)
    let_lease_end(database, lost)
    assert sweep(database) == 1
    assert states(database) == [("series.push", "waiting")]


def test_a_beating_heart_keeps_the_claim(database: Database) -> None:
    ask_for(database, Task.SERIES_PUSH)
    [held] = claim(database, 1, LEASE)
    let_lease_end(database, held)
    heartbeat(database, [held], LEASE)
    assert sweep(database) == 0
    assert record_done(database, held)


def test_a_wish_whose_workers_die_again_and_again_waits_and_is_never_parked(database: Database) -> None:
    ask_for(database, Task.SERIES_PUSH)
    for _ in range(DEATHS_AT_ONCE + 1):
        [lost] = claim(database, 1, LEASE)
        let_lease_end(database, lost)
        assert sweep(database) == 1
    assert claim(database, 1, LEASE) == []
    with database.reading() as session:
        message = session.scalars(select(Message)).one()
    assert (message.state, message.refusals, message.attempts) == ("waiting", 0, DEATHS_AT_ONCE + 1)
    assert message.due_at > real_now()


def test_waiting_again_keeps_its_age_and_its_date(database: Database) -> None:
    ask_for(database, Task.SERIES_PUSH)
    [held] = claim(database, 1, LEASE)
    later = real_now() + timedelta(minutes=5)
    assert record_again(database, held, due_at=later, error="Graph is away.", refused=False)
    assert claim(database, 1, LEASE) == []
    ask_for(database, Task.SERIES_PUSH)
    with database.reading() as session:
        message = session.scalars(select(Message)).one()
        assert next_due_at(session) == later
    assert message.first_asked_at == held.first_asked_at
    assert (message.attempts, message.refusals, message.last_error) == (1, 0, "Graph is away.")


def test_a_parked_wish_is_shown_retried_and_given_up(database: Database) -> None:
    for subject in (ADAS_SERIES, GRACES_SERIES):
        ask_for(database, Task.SERIES_PUSH, subject)
    for each in claim(database, 2, LEASE):
        record_parked(database, each, error="ErrorAccessDenied")
    with database.transaction() as session:
        assert open_count(session) == 0
        adas, graces = parked(session)
        retry(session, adas.id)
        discard(session, graces.id, "Grace has left")
    with database.reading() as session:
        assert parked(session) == []
        assert str(session.get_one(Message, graces.id).last_error) == "given up: Grace has left"
    [again] = claim(database, 2, LEASE)
    assert (again.subject, again.attempts, again.refusals) == ("7", 1, 0)
    with database.transaction() as session:
        with pytest.raises(Conflict):
            retry(session, again.message_id)
        with pytest.raises(NotThere):
            discard(session, 999, "no such message")


def test_success_clears_what_was_parked_before(database: Database) -> None:
    ask_for(database, Task.SERIES_PUSH)
    [refused] = claim(database, 1, LEASE)
    record_parked(database, refused, error="ErrorAccessDenied")
    ask_for(database, Task.SERIES_PUSH)
    [repaired] = claim(database, 1, LEASE)
    record_done(database, repaired)
    assert [state for _, state in states(database)] == ["done", "done"]


def test_the_database_itself_refuses_a_second_worker_on_one_thing(database: Database) -> None:
    ask_for(database, Task.SERIES_PUSH)
    ask_for(database, Task.SERIES_CANCEL)
    claim(database, 1, LEASE)
    with pytest.raises(Exception, match=r"(?i)unique"), database.transaction() as session:
        session.execute(text("UPDATE outbox_message SET state = 'claimed' WHERE state = 'waiting'"))


def test_the_queue_is_quiet_only_when_nothing_waits_or_is_claimed(database: Database) -> None:
    ask_for(database, Task.SERIES_PUSH)
    with database.reading() as session:
        assert open_count(session) == 1
    [held] = claim(database, 1, LEASE)
    with database.reading() as session:
        assert open_count(session) == 1
    record_done(database, held)
    with database.reading() as session:
        assert open_count(session) == 0
        assert session.scalars(select(Message)).one().state == State.DONE
