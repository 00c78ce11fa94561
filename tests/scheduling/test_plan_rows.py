"""Two people who press the button at once apply a plan once, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from sqlalchemy import func, select

from integration.db import Database
from integration.outbox import Message
from integration.people.models import Participant, Person
from integration.scheduling.models import Plan, Pod, Series
from integration.scheduling.plan import apply_plan, make_plan, undo_plan
from integration.scheduling.programs import ProgramDraft, add_leader, add_members, create_program
from tests.at_once import at_once

NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)
ORGANIZERS = ("pods.one@example.com", "pods.two@example.com")


def plan_twice(database: Database) -> list[int]:
    """Two plans for the same four people; returns their ids."""
    with database.transaction() as session:
        people = [
            Person(mail=f"{name}@example.com", name=name, time_zone="Europe/Zurich", participant=Participant())
            for name in ("ada", "grace", "alan", "linus")
        ]
        session.add_all(people)
        program = create_program(session, ProgramDraft("Onboarding", "o", "m", "b", NOW.date()), now=NOW)
        session.flush()
        add_members(session, program, people)
        return [make_plan(session, program, {}, now=NOW, organizers=ORGANIZERS).id for _ in range(2)]


def applied_at_once(database: Database, *plan_ids: int) -> list[object]:
    """Apply plans in threads of their own; the answers or errors."""

    def press(plan_id: int) -> object:
        try:
            with database.transaction() as session:
                return len(apply_plan(session, session.get_one(Plan, plan_id), now=NOW))
        except Exception as error:
            return type(error).__name__

    return at_once(*(partial(press, plan_id) for plan_id in plan_ids))


def test_one_plan_applied_by_two_at_once_makes_one_series(database):
    first, _ = plan_twice(database)

    assert applied_at_once(database, first, first, first) == [1, 1, 1]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Series)) == 1
        assert session.scalar(select(func.count()).select_from(Message)) == 1


def test_of_two_plans_for_the_same_people_one_is_refused(database):
    answers = applied_at_once(database, *plan_twice(database))

    assert sorted(map(str, answers)) == ["1", "Conflict"]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Pod)) == 1


def test_undone_and_undone_again_asks_for_one_cancellation(database):
    plan_id, _ = plan_twice(database)
    applied_at_once(database, plan_id)
    for _ in range(2):
        with database.transaction() as session:
            undo_plan(session, session.get_one(Plan, plan_id), now=NOW)

    with database.reading() as session:
        assert sorted(session.scalars(select(Message.task))) == ["series.cancel", "series.push"]


def test_a_leader_hears_next_monday_at_eight_on_their_own_wall(database):
    plan_twice(database)
    with database.transaction() as session:
        program = session.scalars(select(Plan)).first().program  # type: ignore[union-attr]
        ada = session.scalars(select(Person).where(Person.mail == "ada@example.com")).one()
        leader, _ = (add_leader(session, program, ada, now=NOW.replace(hour=8)) for _ in range(2))
        assert leader.summary_due_at == datetime(2026, 3, 9, 7, tzinfo=UTC)
        assert len(program.leaders) == 1
