"""Plans in the API: asked for, read, applied, undone."""

from __future__ import annotations

from integration.admin import audit
from integration.admin.permissions import Permission
from integration.admin.things import about_plan, about_program
from integration.api.answers import plan_answer
from integration.api.operations import Call, operation
from integration.api.shapes import PlanAnswer
from integration.scheduling import plan as plans
from integration.scheduling import planning
from integration.scheduling.models import Plan, Program


@operation(
    "POST", "/programs/{program_id}/plans", Permission.PROGRAM_PLAN, about=about_program,
    answer=PlanAnswer, status=202, location="/plans/{id}",
)  # fmt: skip
def ask_for_plan(call: Call, program_id: int) -> PlanAnswer:
    """Ask for a plan; a worker drafts it from everybody's calendars, and nothing is sent until it is applied"""
    program = call.session.get_one(Program, program_id)
    plan = planning.ask_for_plan(call.session, program, now=call.tools.clock.now())
    _record(call, Permission.PROGRAM_PLAN, plan, {"program": program_id})
    return plan_answer(call.session, plan)


@operation("GET", "/plans/{plan_id}", Permission.PROGRAM_SEE, about=about_plan, answer=PlanAnswer)
def get_plan(call: Call, plan_id: int) -> PlanAnswer:
    """A plan: what would be done, or was"""
    return plan_answer(call.session, call.session.get_one(Plan, plan_id))


@operation("POST", "/plans/{plan_id}/apply", Permission.PROGRAM_APPLY, about=about_plan, answer=PlanAnswer)
def apply_plan(call: Call, plan_id: int) -> PlanAnswer:
    """Make the pods and series of a plan and invite everybody; a plan that is applied already stays as it is"""
    plan = call.session.get_one(Plan, plan_id)
    plans.lock_plan(call.session, plan)  # of two at once, one applies it and is written down
    was_applied = plan.applied_at is not None
    series = plans.apply_plan(call.session, plan, now=call.tools.clock.now())
    if not was_applied:
        _record(call, Permission.PROGRAM_APPLY, plan, {"series": len(series)})
    return plan_answer(call.session, plan)


@operation("POST", "/plans/{plan_id}/undo", Permission.PROGRAM_UNDO, about=about_plan, answer=PlanAnswer)
def undo_plan(call: Call, plan_id: int) -> PlanAnswer:
    """Cancel everything that a plan has made; one that is undone already stays as it is"""
    plan = call.session.get_one(Plan, plan_id)
    plans.lock_plan(call.session, plan)
    was_undone = plan.undone_at is not None
    undoing = plans.undo_plan(call.session, plan, now=call.tools.clock.now())
    if not was_undone:
        mails = sum(undoing.cancellations.values())
        _record(call, Permission.PROGRAM_UNDO, plan, {"series": undoing.series, "cancellations": mails})
    return plan_answer(call.session, plan)


def _record(call: Call, permission: Permission, plan: Plan, after: dict[str, int]) -> None:
    audit.record(call.session, call.visitor, permission, thing="plan", thing_id=plan.id, after=after)
