"""A page asks for a plan and does not wait; a worker drafts it, once, and says why it could not."""

from __future__ import annotations

from sqlalchemy import func, select

from integration.db import Database
from integration.outbox import Message, Task
from integration.scheduling.jobs import draft_plan, fill_plan
from integration.scheduling.models import Plan, Program
from integration.scheduling.plan import apply_plan, stale_reason, undo_plan
from integration.scheduling.planning import ask_for_plan, progress_of
from integration.scheduling.programs import ProgramDraft, create_program, edit_program
from tests.at_once import at_once
from tests.scheduling.conftest import FIRST_DAY, tools_for
from tests.scheduling.test_plan_rows import NOW

FOUR = ("Ada", "Grace", "Alan", "Linus")


def asked(office, program_id):
    with office.tools.database.transaction() as session:
        return ask_for_plan(session, session.get_one(Program, program_id), now=office.tools.clock.now()).id


def plan_of(office, plan_id):
    with office.tools.database.reading() as session:
        return session.get_one(Plan, plan_id)


def test_grace_asks_twice_and_gets_one_plan_that_a_worker_drafts(office):
    office.settle(*FOUR)
    program_id = office.program(*FOUR)

    first, second = asked(office, program_id), asked(office, program_id)
    with office.tools.database.reading() as session:
        wishes = session.scalars(select(Message).where(Message.task == Task.PLAN_DRAFT)).all()
    before = plan_of(office, first)
    fill_plan(office.tools, first)
    fill_plan(office.tools, first)  # the worker died after it had drafted the plan, and another one came

    assert first == second
    assert [wish.subject for wish in wishes] == [str(first)]
    assert (before.state, before.content) == ("drafting", {})
    assert plan_of(office, first).state == "ready"
    assert [pod["name"] for pod in plan_of(office, first).content["pods"]] == ["Pod 01"]
    assert asked(office, program_id) != first, "a plan that is ready is not made again"


def test_a_plan_that_needs_a_person_has_failed_and_names_the_remedy(office, tmp_path):
    office.settle(*FOUR)
    plan_id = asked(office, office.program(*FOUR))
    nobody_organizes = tools_for(office.simulator, office.tools.database, tmp_path, ORGANIZER_MAILBOXES="")

    fill_plan(nobody_organizes, plan_id)

    nobody_organizes.close()
    plan = plan_of(office, plan_id)
    assert plan.state == "failed"
    assert "ORGANIZER_MAILBOXES" in str(plan.trouble)
    assert "Set ORGANIZER_MAILBOXES" in str(plan.remedy)


def test_two_who_ask_at_the_same_moment_get_the_same_plan(database: Database):
    with database.transaction() as session:
        program_id = create_program(session, ProgramDraft("Onboarding", "o", "m", "b", NOW.date()), now=NOW).id

    def ask() -> int:
        with database.transaction() as session:
            return ask_for_plan(session, session.get_one(Program, program_id), now=NOW).id

    found = at_once(ask, ask, ask, ask)
    with database.reading() as session:
        plans = session.scalar(select(func.count()).select_from(Plan))
    assert (len(found), len(set(found)), plans) == (4, 1, 1)


def test_a_plan_is_stale_once_the_program_says_otherwise(office):
    office.settle(*FOUR)
    program_id = office.program(*FOUR)
    plan_id = draft_plan(office.tools, program_id)
    now = office.tools.clock.now()

    with office.tools.database.transaction() as session:
        plan = session.get_one(Plan, plan_id)
        assert stale_reason(session, plan, now=now) is None
        changed = edit_program(session, plan.program, office.draft(weeks=6))
        assert changed == {"weeks": (4, 6)}
        assert stale_reason(session, plan, now=now) == "the program was changed after the plan was made."
        edit_program(session, plan.program, office.draft(starts_on=FIRST_DAY))
        assert stale_reason(session, plan, now=now) is None


def test_the_progress_counts_what_is_invited_and_after_an_undo_what_is_cancelled(office):
    plan_id = office.planned(*FOUR, pod_size=2)
    now = office.tools.clock.now()
    with office.tools.database.transaction() as session:
        first, second = apply_plan(session, session.get_one(Plan, plan_id), now=now)
        first.created_at = first.invited_at = now
        second.trouble = "Outlook refused."
    with office.tools.database.reading() as session:
        applied = progress_of(session, plan_id)
    with office.tools.database.transaction() as session:
        undo_plan(session, session.get_one(Plan, plan_id), now=now)
    with office.tools.database.reading() as session:
        undone = progress_of(session, plan_id)

    assert (applied.series, applied.invited, applied.in_trouble, applied.is_over) == (2, 1, 1, True)
    assert (undone.series, undone.cancelled, undone.undone) == (2, 0, True)
