"""Plans: ask for everybody's free/busy, then write into the plan what would be done; the rest is rows."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from integration.errors import NotThere, PodsError
from integration.graph.resources import Schedule
from integration.language import lazy
from integration.log import get_logger
from integration.scheduling import plan as plans
from integration.scheduling.models import Plan, Program
from integration.scheduling.planning import open_plan, record_failure
from integration.scheduling.programs import people_without_pod
from integration.tools import Tools

log = get_logger(__name__)
SAMPLE = timedelta(days=14)  # free/busy of the first two weeks stands for all of them; later weeks are not known yet


def draft_plan(tools: Tools, program_id: int) -> int:
    """Make a plan for a program here and now; returns its id. Raises NotThere, SettingRefused, GraphError."""
    tools.settings.required("ORGANIZER_MAILBOXES")
    with tools.database.transaction() as session:
        program = session.get(Program, program_id)
        if program is None:
            raise NotThere(lazy("program"), program_id)
        plan_id = open_plan(session, program, now=tools.clock.now()).id
    try:
        _fill(tools, plan_id)
    except PodsError as error:
        _record_failure(tools, plan_id, error)
        raise
    return plan_id


def fill_plan(tools: Tools, plan_id: int) -> None:
    """Draft a plan that was asked for; one that is drafted stays as it is.

    What needs a person is shown on the plan, which has then failed; what passes by itself is raised and tried again.
    """
    try:
        _fill(tools, plan_id)
    except PodsError as error:
        if error.passes_by_itself:
            raise
        log.warning("plan failed", plan_id=plan_id, error=str(error))
        _record_failure(tools, plan_id, error)


def _fill(tools: Tools, plan_id: int) -> None:
    now = tools.clock.now()
    with tools.database.reading() as session:
        plan = session.get(Plan, plan_id)
        if plan is None or plan.state != "drafting":
            return
        first_day = max(plan.program.starts_on, now.date())
        mails = [person.mail for person in people_without_pod(session, plan.program, on=first_day)]
    schedules = _schedules(tools, mails, starts_at=datetime.combine(first_day, time(), tzinfo=UTC))
    with tools.database.transaction() as session:
        plan = session.get_one(Plan, plan_id)
        plans.lock_plan(session, plan)
        if plan.state != "drafting":  # drafted by somebody else while we read the calendars
            return
        plans.fill_plan(
            session,
            plan,
            schedules,
            now=now,
            organizers=tools.settings.organizer_mailboxes,
            may_mail=tools.settings.may_mail,
            mails_per_minute=tools.settings.mails_per_minute,
        )
    log.info("plan drafted", plan_id=plan_id, people=len(mails))


def _schedules(tools: Tools, mails: list[str], *, starts_at: datetime) -> dict[str, Schedule]:
    tools.settings.required("ORGANIZER_MAILBOXES")
    if not mails:
        return {}
    return tools.graph.availability.schedules(
        tools.settings.organizer_mailboxes[0], mails, starts_at, starts_at + SAMPLE
    )


def _record_failure(tools: Tools, plan_id: int, error: PodsError) -> None:
    with tools.database.transaction() as session:
        record_failure(session, session.get_one(Plan, plan_id), message=error.said_message, remedy=error.said_remedy)
