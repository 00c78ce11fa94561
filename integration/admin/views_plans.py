"""Plans: what one would do, applying it, undoing it, and how far the workers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload

from integration.admin.audit import record
from integration.admin.door import needs, this_visitor
from integration.admin.permissions import Permission
from integration.admin.plan_words import PodShown, shown_pod
from integration.admin.tables import TablePage
from integration.admin.things import about_plan
from integration.errors import Conflict, NotThere
from integration.language import gettext as _
from integration.language import lazy, ngettext
from integration.people.models import Person
from integration.scheduling.models import Plan, Pod, Series
from integration.scheduling.plan import (
    Undoing,
    apply_plan,
    lock_plan,
    preview_undo,
    stale_reason,
    undo_plan,
)
from integration.scheduling.planned import summary
from integration.scheduling.planning import failing_message, progress_of
from integration.tools import Tools

PODS_PER_PAGE = 50
TROUBLES_SHOWN = 50

plans = Blueprint("plans", __name__, url_prefix="/admin/plans")


@plans.get("/<int:plan_id>")
@needs(Permission.PROGRAM_SEE, about=about_plan)
def show(plan_id: int) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        return _page(session, _plan(session, plan_id))


@plans.get("/<int:plan_id>/progress")
@needs(Permission.PROGRAM_SEE, about=about_plan)
def progress(plan_id: int) -> ResponseReturnValue:
    """The part of the page that shows how far the workers are, asked for every other second until they are done."""
    with _tools().database.reading() as session:
        plan = _plan(session, plan_id, defer(Plan.content))
        answer = make_response(render_template("plans/_progress.html", **_progress(session, plan)))
        if plan.state != "drafting" and request.args.get("while") == "drafting":
            answer.headers["HX-Refresh"] = "true"  # drafted: the whole page says something else now
        return answer


@plans.get("/<int:plan_id>/apply")
@needs(Permission.PROGRAM_APPLY, about=about_plan)
def confirm_apply(plan_id: int) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        plan = _plan(session, plan_id)
        reason = _why_not(session, plan, now=_tools().clock.now())
        if reason is not None:
            return _page(session, plan, fault=reason, status=409)
        return render_template("plans/apply.html", plan=plan, mails=_mails(plan), words=summary(plan.content))


@plans.post("/<int:plan_id>/apply")
@needs(Permission.PROGRAM_APPLY, about=about_plan)
def apply(plan_id: int) -> ResponseReturnValue:
    """Applied once, however often the button was pressed; a plan that cannot be applied says why, on its page."""
    try:
        with _tools().database.transaction() as session:
            plan = _plan(session, plan_id)
            lock_plan(session, plan)
            is_new = plan.applied_at is None
            count = len(apply_plan(session, plan, now=_tools().clock.now()))
            if is_new:
                _record(session, plan, Permission.PROGRAM_APPLY, {"series": count, "people": len(_mails(plan))})
    except Conflict as error:
        return _refused(plan_id, error)
    if is_new:
        flash(ngettext("%(n)s series is being created.", "%(n)s series are being created.", count), "good")
    else:
        flash(_("This plan had been applied already; nothing new is created."), "warning")
    return redirect(url_for("plans.show", plan_id=plan_id), code=303)


@plans.get("/<int:plan_id>/undo")
@needs(Permission.PROGRAM_UNDO, about=about_plan)
def confirm_undo(plan_id: int) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        plan = _plan(session, plan_id)
        if plan.applied_at is None or plan.undone_at is not None:
            return _page(session, plan, fault=_("There is nothing to undo."), status=409)
        undoing = preview_undo(session, plan, now=_tools().clock.now())
        return render_template("plans/undo.html", plan=plan, undoing=undoing, mails=_cancellations(session, undoing))


@plans.post("/<int:plan_id>/undo")
@needs(Permission.PROGRAM_UNDO, about=about_plan)
def undo(plan_id: int) -> ResponseReturnValue:
    try:
        with _tools().database.transaction() as session:
            plan = _plan(session, plan_id)
            lock_plan(session, plan)
            is_new = plan.undone_at is None
            undoing = undo_plan(session, plan, now=_tools().clock.now())
            if is_new:
                told = {"series": undoing.series, "cancellations": len(undoing.cancellations)}
                _record(session, plan, Permission.PROGRAM_UNDO, told)
    except Conflict as error:
        return _refused(plan_id, error)
    if is_new:
        flash(_("The series are being cancelled."), "good")
    else:
        flash(_("This plan had been undone already."), "warning")
    return redirect(url_for("plans.show", plan_id=plan_id), code=303)


def _tools() -> Tools:
    return current_app.extensions["tools"]


def _plan(session: Session, plan_id: int, *options: Any) -> Plan:
    plan = session.get(Plan, plan_id, options=[joinedload(Plan.program), *options])
    if plan is None:
        raise NotThere(lazy("plan"), plan_id)
    return plan


def _page(session: Session, plan: Plan, *, fault: str = "", status: int = 200) -> Response:
    """The page of a plan; ``fault`` says why the last thing that was asked for was not done."""
    now = _tools().clock.now()
    is_open = plan.state == "ready" and plan.applied_at is None and plan.undone_at is None
    table = _pods(plan)
    page = render_template(
        "plans/show.html",
        fault=fault,
        stale=stale_reason(session, plan, now=now) if is_open else None,
        words=summary(plan.content) if plan.content else "",
        table=table,
        made=_made(session, plan, table.rows),
        **_progress(session, plan),
    )
    return make_response(page, status)


def _pods(plan: Plan) -> TablePage:
    pods: Sequence[Mapping[str, Any]] = plan.content.get("pods", [])
    last = max(1, -(-len(pods) // PODS_PER_PAGE))
    asked = request.args.get("page", "")
    page = min(max(int(asked), 1), last) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1
    rows: list[PodShown] = [shown_pod(pod) for pod in pods[(page - 1) * PODS_PER_PAGE : page * PODS_PER_PAGE]]
    return TablePage((), rows, len(pods), page, "", False, {})


def _progress(session: Session, plan: Plan) -> dict[str, Any]:
    running = plan.applied_at is not None
    found = progress_of(session, plan.id) if running else None
    return {
        "plan": plan,
        "progress": found,
        "waiting_for": failing_message(session, plan) if plan.state == "drafting" else None,
        "is_moving": plan.state == "drafting" or (found is not None and not found.is_over),
        "troubles": _troubles(session, plan) if found is not None and found.in_trouble else [],
    }


def _troubles(session: Session, plan: Plan) -> list[Series]:
    is_done = Series.cancelled_at if plan.undone_at else Series.invited_at
    wanted = select(Series).where(Series.plan_id == plan.id, Series.trouble.is_not(None), is_done.is_(None))
    return list(
        session.scalars(wanted.options(joinedload(Series.pod)).order_by(Series.id).limit(TROUBLES_SHOWN)).unique()
    )


def _made(session: Session, plan: Plan, rows: Sequence[PodShown]) -> dict[str, int]:
    """The pods that an applied plan made, as name -> id, for links."""
    if plan.applied_at is None:
        return {}
    wanted = select(Pod.name, Pod.id).join(Series).where(Series.plan_id == plan.id)
    named = wanted.where(Pod.name.in_([pod.name for pod in rows]))
    return {row[0]: row[1] for row in session.execute(named)}


def _why_not(session: Session, plan: Plan, *, now: datetime) -> str | None:
    if plan.state != "ready":
        return _("The plan is not ready.")
    if plan.undone_at is not None:
        return _("The plan was undone. Make a new plan, look at it and apply that one.")
    if plan.applied_at is not None:
        return _("The plan was applied already.")
    reason = stale_reason(session, plan, now=now)
    if reason is None:
        return None
    return _("The plan is out of date: %(reason)s Make a new plan, look at it and apply that one.", reason=reason)


def _mails(plan: Plan) -> list[tuple[str, int]]:
    """Who gets how many mails when the plan is applied, by name."""
    names = {mail: name for pod in plan.content["pods"] for mail, name in pod["names"].items()}
    mails = [(f"{names.get(mail, mail)} ({mail})", count) for mail, count in plan.content["mails"].items() if count]
    return sorted(mails)


def _cancellations(session: Session, undoing: Undoing) -> list[tuple[str, int]]:
    named = select(Person.mail, Person.name).where(Person.mail.in_(list(undoing.cancellations)))
    names = {row[0]: row[1] for row in session.execute(named)}
    return sorted((f"{names.get(mail, mail)} ({mail})", count) for mail, count in undoing.cancellations.items())


def _record(session: Session, plan: Plan, action: Permission, told: dict[str, Any]) -> None:
    record(session, this_visitor(), action, thing="plan", thing_id=plan.id, after=told)


def _refused(plan_id: int, error: Conflict) -> Response:
    with _tools().database.reading() as session:
        return _page(session, _plan(session, plan_id), fault=str(error), status=409)
