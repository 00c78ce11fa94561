"""Plans: ask for everybody's free/busy, then plan; applying and undoing are rows only."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from integration.errors import NotThere, SettingRefused
from integration.graph.resources import Schedule
from integration.log import get_logger
from integration.scheduling import plan as plans
from integration.scheduling.models import Plan, Program
from integration.scheduling.programs import people_without_pod
from integration.tools import Tools

log = get_logger(__name__)
SAMPLE = timedelta(days=14)  # free/busy of the first two weeks stands for all of them; later weeks are not known yet


def draft_plan(tools: Tools, program_id: int) -> int:
    """Make a plan for a program from everybody's free/busy; returns its id. Raises NotThere, SettingRefused."""
    now = tools.clock.now()
    with tools.database.reading() as session:
        program = session.get(Program, program_id)
        if program is None:
            raise NotThere("program", program_id)
        first_day = max(program.starts_on, now.date())
        mails = [person.mail for person in people_without_pod(session, program, on=first_day)]
    schedules = _schedules(tools, mails, starts_at=datetime.combine(first_day, time(), tzinfo=UTC))
    with tools.database.transaction() as session:
        plan = plans.make_plan(
            session,
            session.get_one(Program, program_id),
            schedules,
            now=now,
            organizers=tools.settings.organizer_mailboxes,
            may_mail=tools.settings.may_mail,
        )
        plan_id = plan.id
    log.info("plan drafted", program_id=program_id, plan_id=plan_id, people=len(mails))
    return plan_id


def apply_plan(tools: Tools, plan_id: int) -> None:
    """Apply a plan; the series are pushed by messages of their own."""
    with tools.database.transaction() as session:
        plans.apply_plan(session, session.get_one(Plan, plan_id), now=tools.clock.now())


def undo_plan(tools: Tools, plan_id: int) -> None:
    """Undo a plan; the series are cancelled by messages of their own."""
    with tools.database.transaction() as session:
        plans.undo_plan(session, session.get_one(Plan, plan_id), now=tools.clock.now())


def _schedules(tools: Tools, mails: list[str], *, starts_at: datetime) -> dict[str, Schedule]:
    organizers = tools.settings.organizer_mailboxes
    if not organizers:
        raise SettingRefused(
            "ORGANIZER_MAILBOXES", "is not set.", remedy="Name the licensed accounts that may own meeting series."
        )
    if not mails:
        return {}
    return tools.graph.availability.schedules(organizers[0], mails, starts_at, starts_at + SAMPLE)
