"""Pods: the list of them, and one with its people, its series in Outlook and its sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from integration import outbox
from integration.admin.absences import absence_words
from integration.admin.attendance_shown import attendance_shown
from integration.admin.audit import record
from integration.admin.door import needs, this_visitor
from integration.admin.permissions import Permission, programs_within_reach
from integration.admin.plan_words import wall
from integration.admin.pod_table import LABELS, POD_FILTERS, beside_pods, filtered_pods, pod_columns
from integration.admin.tables import Column, page_of
from integration.admin.things import about_pod
from integration.admin.views_drift import drift_of
from integration.attendance.provenances import provenance_words, provenances_of
from integration.errors import NotThere
from integration.language import gettext as _
from integration.language import lazy
from integration.outbox import Message, State, Task
from integration.people.models import Participant
from integration.scheduling.models import Invited, Occurrence, Pod, PodMember, Program, Series
from integration.scheduling.standing import Standing, standings
from integration.tools import Tools

pods = Blueprint("pods", __name__, url_prefix="/admin/pods")
pods.add_app_template_filter(wall)


@pods.app_context_processor
def labels() -> dict[str, object]:
    """Every list of pods shows standings by the same words."""
    return {"standing_labels": LABELS, "Standing": Standing}


@pods.get("")
@needs(Permission.POD_SEE)
def index() -> ResponseReturnValue:
    now, query = _tools().clock.now(), request.args.to_dict()
    reach = programs_within_reach(this_visitor(), Permission.POD_SEE)
    wanted = filtered_pods(query, now=now).options(joinedload(Pod.program))
    if reach is not None:
        wanted = wanted.where(Pod.program_id.in_(reach))
    columns = (*pod_columns(now), Column("program", _("Program"), Program.name))
    with _tools().database.reading() as session:
        table = page_of(session, wanted, columns, query, sort="program", filters=POD_FILTERS)
        return render_template("pods/index.html", table=table, beside=beside_pods(session, table.rows, now=now))


@pods.get("/<int:pod_id>")
@needs(Permission.POD_SEE, about=about_pod)
def show(pod_id: int) -> ResponseReturnValue:
    now = _tools().clock.now()
    with _tools().database.reading() as session:
        pod = _pod(session, pod_id)
        shown = _sessions(session, pod, now=now)
        over = [each.occurrence for each in shown if each.state not in ("cancelled", "planned")]
        return render_template(
            "pods/show.html",
            ways=provenances_of(session, [each.occurrence for each in shown]),
            provenance_words=provenance_words,
            pod=pod,
            standing=standings(session, [pod], now=now).get(pod.id),
            members=[member for member in pod.members if member.left_at is None],
            absences=absence_words(session, [each.participant_id for each in pod.members], now=now),
            former=[member for member in pod.members if member.left_at is not None],
            responses=_responses(pod),
            **drift_of(session, pod, _tools(), now=now),
            sessions=shown,
            attendance=attendance_shown(session, over),
        )


@pods.post("/<int:pod_id>/retry")
@needs(Permission.PROGRAM_APPLY, about=about_pod)
def retry(pod_id: int) -> ResponseReturnValue:
    """Try again now what the workers could not do for the pod's series, parked or backing off."""
    with _tools().database.transaction() as session:
        tried = [series.id for series in _pod(session, pod_id).series if _ask_again(session, series)]
        for series_id in tried:
            record(session, this_visitor(), Permission.PROGRAM_APPLY, thing="series", thing_id=series_id)
    if tried:
        flash(_("The workers try again now."), "good")
    else:
        flash(_("There is nothing to be tried again."), "warning")
    return redirect(url_for("pods.show", pod_id=pod_id), code=303)


@dataclass(frozen=True)
class SessionShown:
    """An occurrence as the page of its pod shows it; ``local`` and ``was_local`` are on the pod's wall."""

    occurrence: Occurrence
    local: datetime
    was_local: datetime | None  # where it was to be, if it has been moved
    state: str  # cancelled | planned | pending | held | not held | unknown
    invited: int


def _tools() -> Tools:
    return current_app.extensions["tools"]


def _pod(session: Session, pod_id: int) -> Pod:
    pod = session.scalar(
        select(Pod)
        .where(Pod.id == pod_id)
        .options(
            joinedload(Pod.program),
            selectinload(Pod.members).joinedload(PodMember.participant).joinedload(Participant.person),
            selectinload(Pod.series).selectinload(Series.attendees),
            selectinload(Pod.series).selectinload(Series.meetings),
            selectinload(Pod.series)
            .selectinload(Series.occurrences)
            .joinedload(Occurrence.facilitator)
            .joinedload(Participant.person),
        )
    )
    if pod is None:
        raise NotThere(lazy("pod"), pod_id)
    return pod


def _responses(pod: Pod) -> Mapping[int, str]:
    """What members answered to the latest series, by participant; "held" where they were not invited on purpose."""
    if not pod.series:
        return {}
    # A series of one stands for a session that was lost: people answered the pod's own.
    latest = max(pod.series, key=lambda each: (each.count > 1, each.id))
    return {one.participant_id: "held" if one.held else one.response for one in latest.people if one.participant_id}


def _sessions(session: Session, pod: Pod, *, now: datetime) -> list[SessionShown]:
    found = sorted(
        (occurrence for series in pod.series for occurrence in series.occurrences), key=lambda each: each.starts_at
    )
    counted = select(Invited.occurrence_id, func.count()).where(Invited.occurrence_id.in_([one.id for one in found]))
    invited = {row[0]: row[1] for row in session.execute(counted.group_by(Invited.occurrence_id))}
    return [_session(one, invited=invited.get(one.id, 0), now=now, pod=pod) for one in found]


def _session(occurrence: Occurrence, *, invited: int, now: datetime, pod: Pod) -> SessionShown:
    zone = ZoneInfo(pod.time_zone)
    moved = abs(occurrence.starts_at - occurrence.original_start_at) > timedelta(0)
    was = occurrence.original_start_at.astimezone(zone).replace(tzinfo=None) if moved else None
    local = occurrence.starts_at.astimezone(zone).replace(tzinfo=None)
    return SessionShown(occurrence, local, was, _state(occurrence, now=now), invited)


def _state(occurrence: Occurrence, *, now: datetime) -> str:
    if occurrence.cancelled_at is not None:
        return "cancelled"
    if occurrence.ends_at > now:
        return "planned"
    if occurrence.held is not None:
        return "held" if occurrence.held else "not held"
    return "pending" if occurrence.attendance == "pending" else "unknown"


def _ask_again(session: Session, series: Series) -> bool:
    """Ask for what is still to be done for a series; False when nothing is."""
    is_leaving = series.cancel_wanted_at is not None
    is_done = series.cancelled_at is not None if is_leaving else series.invited_at is not None and not series.trouble
    if is_done:
        return False
    task = Task.SERIES_CANCEL if is_leaving else Task.SERIES_PUSH
    stuck = select(Message.id).where(Message.task == task, Message.subject == str(series.id))
    for message_id in session.scalars(stuck.where(Message.state.in_([State.PARKED, State.WAITING]))).all():
        outbox.retry(session, message_id)
    outbox.add(session, task, series.id)
    return True
