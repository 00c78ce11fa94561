"""What becomes of a wish: done, tried again, or put aside for a person."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from integration.clock import Clock, real_now
from integration.delivery import MOST_REFUSALS, Patience, Shift
from integration.errors import PodsError
from integration.jobs import is_quiet, tick
from integration.outbox import Message, State, Task, add
from integration.tools import Tools

GO_ON = threading.Event()


class GraphIsAway(PodsError):
    passes_by_itself = True


class Throttled(PodsError):
    passes_by_itself = True
    retry_after = 120.0


def ask_for(tools: Tools, *subjects: int, task: Task = Task.SERIES_PUSH) -> None:
    with tools.database.transaction() as session:
        for subject in subjects:
            add(session, task, subject)


def work(tools: Tools, push: Callable[[Tools, int], None]) -> int:
    return Shift(tools, {Task.SERIES_PUSH: push, Task.SERIES_CANCEL: push}).work(GO_ON)


def the_message(tools: Tools) -> Message:
    with tools.database.reading() as session:
        return session.scalars(select(Message)).one()


def make_due(tools: Tools) -> None:
    with tools.database.transaction() as session:
        session.execute(update(Message).values(due_at=real_now()))


def refuse(_tools: Tools, _series_id: int) -> None:
    raise PodsError("The organizer has no licence.", remedy="Assign a Teams licence.")


def test_several_things_are_worked_on_at_once(tools: Tools) -> None:
    ask_for(tools, *range(8))
    together = threading.Barrier(8, timeout=30)

    def meet(_tools: Tools, _series_id: int) -> None:
        together.wait()

    assert work(tools, meet) == 8


def test_a_wish_that_comes_during_the_work_is_worked_on_in_the_same_shift(tools: Tools) -> None:
    ask_for(tools, 1)
    seen: list[int] = []

    def push(tools: Tools, series_id: int) -> None:
        seen.append(series_id)
        if len(seen) == 1:
            ask_for(tools, series_id)

    assert work(tools, push) == 2
    assert seen == [1, 1]


def test_what_passes_by_itself_is_never_parked(tools: Tools) -> None:
    def away(_tools: Tools, _series_id: int) -> None:
        raise GraphIsAway("Microsoft Graph cannot be reached.")

    ask_for(tools, 1)
    for _ in range(MOST_REFUSALS + 3):
        make_due(tools)
        assert work(tools, away) == 1
    message = the_message(tools)
    assert (message.state, message.attempts, message.refusals) == (State.WAITING, MOST_REFUSALS + 3, 0)
    assert message.last_error == "Microsoft Graph cannot be reached."
    assert message.due_at > real_now()


def test_a_wait_that_was_asked_for_is_kept(tools: Tools) -> None:
    def throttle(_tools: Tools, _series_id: int) -> None:
        raise Throttled("Too many requests.")

    ask_for(tools, 1)
    work(tools, throttle)
    assert the_message(tools).due_at > real_now() + timedelta(seconds=110)


def test_a_refusal_is_parked_with_its_remedy(tools: Tools) -> None:
    ask_for(tools, 1)
    for _ in range(MOST_REFUSALS):
        make_due(tools)
        work(tools, refuse)
    message = the_message(tools)
    assert (message.state, message.refusals) == (State.PARKED, MOST_REFUSALS)
    assert str(message.last_error) == "The organizer has no licence. Assign a Teams licence."


def test_a_mistake_of_ours_is_kept_with_the_wish_without_anybodys_address(tools: Tools) -> None:
    def break_down(_tools: Tools, _series_id: int) -> None:
        raise KeyError("grace@example.com")

    ask_for(tools, 1)
    work(tools, break_down)
    message = the_message(tools)
    assert message.state == State.WAITING
    assert message.refusals == 1
    assert "KeyError" in str(message.last_error)
    assert "grace" not in str(message.last_error)


def test_work_that_takes_longer_than_the_lease_keeps_its_claim(tools: Tools) -> None:
    ask_for(tools, 1)
    assert work(tools, lambda _tools, _id: time.sleep(1.6)) == 1
    message = the_message(tools)
    assert (message.state, message.attempts) == (State.DONE, 1)


def test_a_worker_told_to_stop_takes_nothing_more(tools: Tools) -> None:
    stop = threading.Event()
    ask_for(tools, *range(12))

    def push(_tools: Tools, _series_id: int) -> None:
        stop.set()

    worked = Shift(tools, {Task.SERIES_PUSH: push}).work(stop)
    with tools.database.reading() as session:
        left = session.scalars(select(Message.state)).all()
    assert worked < 12
    assert sorted(left) == ["done"] * worked + ["waiting"] * (12 - worked)


def test_a_committed_wish_rings_once_and_a_wiped_queue_is_rung_again(tools: Tools) -> None:
    ask_for(tools, 1, 2, 3)
    assert tools.doorbell.queue.count == 1
    ask_for(tools, 4)
    assert tools.doorbell.queue.count == 1
    tools.doorbell.connection.flushall()
    tick(tools)
    assert tools.doorbell.queue.count == 0  # the commit has just rung: too early to doubt that somebody heard it
    with tools.database.transaction() as session:
        session.execute(update(Message).values(due_at=real_now() - timedelta(seconds=5)))
    tick(tools)
    assert tools.doorbell.queue.count == 1


def test_a_missing_redis_fails_nobody(tools: Tools, tmp_path: Path) -> None:
    nowhere = replace(tools.settings, redis_url=f"unix://{tmp_path}/nobody.sock")
    deaf = Tools.from_settings(nowhere)
    ask_for(deaf, 1)
    assert work(deaf, lambda _tools, _id: None) == 1
    assert is_quiet(deaf)
    deaf.close()


def test_the_wait_doubles_up_to_its_limit_and_is_never_exactly_the_same() -> None:
    patience = Patience(timedelta(seconds=4), timedelta(minutes=1))
    for failures, seconds in ((1, 4), (2, 8), (3, 16), (9, 60), (500, 60)):
        waits = {patience.wait(failures).total_seconds() for _ in range(20)}
        assert all(0.75 * seconds <= wait <= 1.25 * seconds for wait in waits)
        assert len(waits) > 1


def test_a_moved_clock_ends_no_lease(tools: Tools, tmp_path: Path) -> None:
    file = tmp_path / "now"
    file.write_text("2030-01-01T09:00:00+00:00")
    moved = replace(tools, clock=Clock(file))
    ask_for(moved, 1)

    def push(_tools: Tools, _series_id: int) -> None:
        file.write_text("2030-06-01T09:00:00+00:00")

    assert work(moved, push) == 1
    assert moved.clock.now() == datetime(2030, 6, 1, 9, tzinfo=UTC)
    assert the_message(moved).state == State.DONE
