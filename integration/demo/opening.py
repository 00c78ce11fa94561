"""The opening: a coordinator imports the roster, sets up the pilot, looks at the plan and applies it."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from integration.demo.cast import Member, leader_of, roster_csv
from integration.jobs import begin
from integration.people.models import Person
from integration.people.people import by_mail
from integration.people.roster import import_roster
from integration.scheduling.jobs import draft_plan
from integration.scheduling.models import Plan
from integration.scheduling.plan import apply_plan
from integration.scheduling.programs import ProgramDraft, add_leader, add_members, create_program
from integration.tools import Tools

PROGRAM = "Support Learning Pods"
COUNTED_FOR = timedelta(days=720)  # before that nobody wrote milestones down: older hires enter late


def open_pilot(tools: Tools, cast: tuple[Member, ...], *, starts_on: date, weeks: int) -> int:
    """From the roster to the applied plan; returns the plan's id. The workers do the rest.

    What the product asks for when it starts is asked for here too, and so is due: its scheduler may need a while to
    start, and a clock that moved meanwhile would have it read its inboxes days after the first reports came.
    """
    begin(tools)
    bring_roster(tools, cast, known_until=starts_on)
    now = tools.clock.now()
    with tools.database.transaction() as session:
        program = create_program(
            session,
            ProgramDraft(
                name=PROGRAM,
                outcome="New colleagues solve customer cases on their own sooner",
                metric="Days from the first day to the first case solved alone",
                baseline="The colleagues hired before the pilot",
                starts_on=starts_on,
                weeks=weeks,
            ),
            now=now,
        )
        program.competency_counted_since = starts_on - COUNTED_FOR
        add_members(session, program, session.scalars(select(Person)))
        add_leader(session, program, by_mail(session, leader_of(cast).mail), now=now)
        program_id = program.id
    plan_id = draft_plan(tools, program_id)
    with tools.database.transaction() as session:
        apply_plan(session, session.get_one(Plan, plan_id), now=tools.clock.now())
    return plan_id


def bring_roster(tools: Tools, cast: tuple[Member, ...], *, known_until: date) -> None:
    """Import the roster as it was on a day; again later, it brings the milestones reached since."""
    lines = roster_csv(cast, known_until=known_until).splitlines()
    with tools.database.transaction() as session:
        import_roster(session, lines, now=tools.clock.now())
