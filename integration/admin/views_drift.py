"""Where a pod's series and Outlook differ: shown on the pod's page, compared again, decided after a confirmation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from integration import outbox
from integration.admin.door import needs, this_visitor
from integration.admin.drift_decisions import decide_for
from integration.admin.permissions import Permission, Thing
from integration.admin.things import about_pod
from integration.errors import Conflict, NotThere
from integration.language import gettext as _
from integration.language import lazy
from integration.outbox import Task
from integration.people.models import Person
from integration.scheduling.drift import words
from integration.scheduling.drift.drifts import why_not
from integration.scheduling.drift.kinds import Kind, Policy, Repair, policies
from integration.scheduling.drift.lists import mailbox_troubles, of_pod
from integration.scheduling.drift.models import Drift
from integration.scheduling.models import Occurrence, Pod, Series
from integration.scheduling.proposals.answers import why_closed
from integration.scheduling.proposals.models import TimeProposal
from integration.tools import Tools

drift = Blueprint("drift", __name__, url_prefix="/admin")
MOST_PROPOSALS = 20


@dataclass(frozen=True)
class DifferenceShown:
    """A difference in the visitor's words; ``repairs``: (repair, label, whether it is proposed), that one first."""

    row: Drift
    name: str
    sentence: str
    standing: str
    mails: str
    no_way: str
    repairs: Sequence[tuple[str, str, bool]]


@dataclass(frozen=True)
class ProposalShown:
    row: TimeProposal
    answer: str


def drift_of(session: Session, pod: Pod, tools: Tools, *, now: datetime) -> dict[str, Any]:
    """What the page of a pod shows of differences, of its mailboxes and of proposed times."""
    zone = this_visitor().time_zone
    still_open, settled = of_pod(session, pod.id, now=now)
    mailboxes = [series.organizer for series in pod.series if series.cancelled_at is None]
    return {
        "differences": [_shown(row, zone, now=now) for row in still_open],
        "settled": [_shown(row, zone, now=now) for row in settled],
        "mailbox_troubles": mailbox_troubles(session, now=now, webhooks=tools.settings.webhooks, mailboxes=mailboxes),
        "proposals": _proposals(session, pod, now=now),
        "pulled_at": max((each.pulled_at for each in pod.series if each.pulled_at), default=None),
    }


def about_drift(session: Session, drift_id: int, repair: str) -> Thing:
    """The thing behind the address of a difference; raises NotThere."""
    wanted = select(Pod.program_id).join(Series, Series.pod_id == Pod.id).join(Drift, Drift.series_id == Series.id)
    program_id = session.scalar(wanted.where(Drift.id == drift_id))
    if program_id is None:
        raise NotThere(lazy("difference"), drift_id)
    return Thing(program_id=program_id)


@drift.post("/pods/<int:pod_id>/comparison")
@needs(Permission.POD_REPAIR, about=about_pod)
def compare_now(pod_id: int) -> ResponseReturnValue:
    """Have the pod's living series read from Outlook at once."""
    with _tools().database.transaction() as session:
        living = select(Series.id).where(Series.pod_id == pod_id, Series.invited_at.is_not(None))
        found = session.scalars(living.where(Series.cancel_wanted_at.is_(None))).all()
        for series_id in found:
            outbox.add(session, Task.SERIES_PULL, series_id)
    if found:
        flash(_("The workers compare it with Outlook now."), "good")
    else:
        flash(_("Nothing of it is in Outlook."), "warning")
    return redirect(url_for("pods.show", pod_id=pod_id), code=303)


@drift.get("/drift/<int:drift_id>/<repair>")
@needs(Permission.POD_REPAIR, about=about_drift)
def confirm(drift_id: int, repair: str) -> ResponseReturnValue:
    wanted = _repair(repair)
    with _tools().database.reading() as session:
        row = _drift(session, drift_id)
        return _confirmation(session, row, wanted, fault=why_not(row, wanted, now=_tools().clock.now()) or "")


@drift.post("/drift/<int:drift_id>/<repair>")
@needs(Permission.POD_REPAIR, about=about_drift)
def repair(drift_id: int, repair: str) -> ResponseReturnValue:
    wanted = _repair(repair)
    try:
        with _tools().database.transaction() as session:
            row = decide_for(session, drift_id, wanted, by=this_visitor(), now=_tools().clock.now())
            pod_id, done = row.series.pod_id, words.standing(row, this_visitor().time_zone)
    except Conflict as conflict:
        with _tools().database.reading() as session:
            return _confirmation(session, _drift(session, drift_id), wanted, fault=str(conflict)), 409
    flash(done, "good")
    return redirect(url_for("pods.show", pod_id=pod_id), code=303)


def _confirmation(session: Session, row: Drift, repair: Repair, *, fault: str = "") -> str:
    zone = this_visitor().time_zone
    mails = words.proposed_mails(row, repair)
    named = session.execute(select(Person.mail, Person.name).where(Person.mail.in_(list(mails))))
    names = {row[0]: row[1] for row in named}
    return render_template(
        "pods/repair.html",
        row=row,
        sentence=words.sentence(row, zone),
        label=words.repair_words(row, repair),
        mails=_by_name(mails, names),
        fault=fault,
    )


def _by_name(mails: Mapping[str, int], names: Mapping[str, str]) -> list[tuple[str, int]]:
    return sorted((f"{names[each]} ({each})" if each in names else each, count) for each, count in mails.items())


def _shown(row: Drift, zone: str, *, now: datetime) -> DifferenceShown:
    is_proposed = policies(_tools().settings)[Kind(row.kind)] is Policy.PUT_BACK and row.decision is None
    proposed = Repair.PUT_BACK if is_proposed else None
    possible = [each for each in Repair if why_not(row, each, now=now) is None and row.decision != each]
    possible.sort(key=lambda each: each is not proposed)
    return DifferenceShown(
        row,
        words.name_of(row.kind),
        words.sentence(row, zone),
        words.standing(row, zone),
        " ".join(words.mails_words(row, each) for each in possible),
        _no_way(row, now=now),
        [(each.value.replace(" ", "-"), words.repair_words(row, each), each is proposed) for each in possible],
    )


def _no_way(row: Drift, *, now: datetime) -> str:
    """Why something is not offered, where nobody has decided."""
    if row.decision is not None or row.closed_at is not None:
        return ""
    return " ".join(filter(None, (why_not(row, each, now=now) for each in Repair)))


def _proposals(session: Session, pod: Pod, *, now: datetime) -> list[ProposalShown]:
    wanted = (
        select(TimeProposal)
        .join(TimeProposal.occurrence)
        .join(Occurrence.series)
        .where(Series.pod_id == pod.id)
        .options(joinedload(TimeProposal.occurrence))
        .order_by(TimeProposal.id.desc())
    )
    return [ProposalShown(each, _answer(each, now=now)) for each in session.scalars(wanted.limit(MOST_PROPOSALS))]


def _answer(proposal: TimeProposal, *, now: datetime) -> str:
    if proposal.answer == "yes" and proposal.withdrawn_at and not proposal.moved_at:
        return _("yes, but it was too late to move it")
    if proposal.answer == "yes":
        return _("yes, and moved") if proposal.moved_at else _("yes, being moved")
    if proposal.answer == "no":
        return _("no")
    closed = why_closed(proposal, now=now)
    if closed is not None:
        return closed
    return _("the facilitator was asked") if proposal.asked_id else _("nobody facilitates, so nobody was asked")


def _repair(text: str) -> Repair:
    wanted = text.replace("-", " ")
    if wanted not in list(Repair):
        abort(404)
    return Repair(wanted)


def _drift(session: Session, drift_id: int) -> Drift:
    row = session.get(Drift, drift_id, options=[joinedload(Drift.series), joinedload(Drift.occurrence)])
    if row is None:
        raise NotThere(lazy("difference"), drift_id)
    return row


def _tools() -> Tools:
    return current_app.extensions["tools"]
