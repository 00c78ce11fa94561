"""My pods: what an employee sees of their own pods, and of nobody else's."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.admin.door import needs, this_visitor
from integration.admin.permissions import Permission, Thing
from integration.attendance.checkins import Door, door_of
from integration.errors import NotThere
from integration.feedback import tokens
from integration.feedback.models import FeedbackRequest, MetRequest, SharedRequest
from integration.language import gettext as _
from integration.language import lazy
from integration.people.models import Person
from integration.portal import feed
from integration.portal.my_pods import (
    NextSession,
    facilitators,
    memberships_of,
    my_person,
    open_questions,
    past_sessions,
    to_come,
)
from integration.scheduling.check_in_link import CheckInTicket, check_in_path
from integration.scheduling.models import Occurrence, PodMember
from integration.tools import Tools

portal = Blueprint("portal", __name__, url_prefix="/me")


def _own_pod(session: Session, pod_id: int) -> Thing:
    """The visitor's own, when they are or were in this pod; otherwise it looks as if there were none."""
    person_id = this_visitor().person_id
    member = select(PodMember.id).join(Person, Person.participant_id == PodMember.participant_id)
    if not session.scalar(member.where(PodMember.pod_id == pod_id, Person.id == person_id)):
        raise NotThere(lazy("pod"), pod_id)
    return Thing(person_id=person_id)


@portal.get("/")
@needs(Permission.MY_PODS_SEE)
def my_pods() -> ResponseReturnValue:
    now, person_id = _tools().clock.now(), this_visitor().person_id
    with _tools().database.reading() as session:
        person = my_person(session, person_id) if person_id is not None else None
        if person is None:
            return render_template("portal/unknown.html")
        memberships = memberships_of(session, person)
        coming = [each for member in memberships if member.left_at is None for each in to_come(member.pod, now=now)]
        coming.sort(key=lambda each: each.occurrence.starts_at)
        asked = open_questions(session, person, now=now)
        return render_template(
            "portal/my_pods.html",
            memberships=memberships,
            next_session=coming[0] if coming else None,
            next_of={member.pod_id: _first_of(coming, member.pod_id) for member in memberships},
            facilitators=facilitators(session, [each.occurrence for each in coming[:1]]),
            questions=[_question(each) for each in (*asked.feedback, *asked.met, *asked.shared)],
            feed_address=_feed_address(person),
            now=now,
        )


@portal.get("/pods/<int:pod_id>")
@needs(Permission.MY_PODS_SEE, about=_own_pod)
def my_pod(pod_id: int) -> ResponseReturnValue:
    now, person_id = _tools().clock.now(), this_visitor().person_id
    with _tools().database.reading() as session:
        person = my_person(session, person_id or 0)
        memberships = memberships_of(session, person) if person else []
        member = next((each for each in memberships if each.pod_id == pod_id), None)
        if person is None or member is None:
            raise NotThere(lazy("pod"), pod_id)
        coming = to_come(member.pod, now=now) if member.left_at is None else []
        return render_template(
            "portal/pod.html",
            member=member,
            me=person.participant_id,
            coming=coming,
            check_in=_check_in(coming, now=now),
            facilitates_now=bool(coming) and coming[0].occurrence.facilitator_id == person.participant_id,
            past=past_sessions(session, person, member.pod, now=now),
            facilitators=facilitators(session, [each.occurrence for each in coming]),
            provenances=_provenances(),
        )


def _tools() -> Tools:
    return current_app.extensions["tools"]


def _check_in(coming: list[NextSession], *, now: datetime) -> str | None:
    """Where somebody says that they are in the room, while that is taken."""
    if not coming or door_of(coming[0].occurrence, now=now) is not Door.OPEN:
        return None
    return check_in_path(CheckInTicket(coming[0].occurrence.id), secret_key=_tools().settings.secret_key)


def _first_of(coming: list[NextSession], pod_id: int) -> NextSession | None:
    return next((each for each in coming if each.pod.id == pod_id), None)


def _question(asked: FeedbackRequest | MetRequest | SharedRequest) -> tuple[str, Occurrence, str]:
    """What is asked, about which session, and where it is answered."""
    ticket, key = tokens.Ticket(asked.id, asked.nonce), _tools().settings.secret_key
    if isinstance(asked, FeedbackRequest):
        token = tokens.token_for(ticket, purpose=tokens.Purpose.FEEDBACK, secret_key=key)
        return _("How was it?"), asked.occurrence, url_for("feedback.show_question", token=token)
    if isinstance(asked, SharedRequest):
        token = tokens.token_for(ticket, purpose=tokens.Purpose.SHARED, secret_key=key)
        return _("Who shared a screen?"), asked.occurrence, url_for("feedback.show_shared", token=token)
    token = tokens.token_for(ticket, purpose=tokens.Purpose.MET, secret_key=key)
    return _("Did you meet?"), asked.occurrence, url_for("feedback.show_met", token=token)


def _feed_address(person: Person) -> str:
    ticket = feed.Ticket(feed.Whose.PARTICIPANT, person.participant_id)
    settings = _tools().settings
    token = feed.token_for(ticket, secret_key=settings.secret_key)
    return f"{settings.public_url.rstrip('/')}{url_for('feeds.feed', token=token)}"


def _provenances() -> dict[str, str]:
    """How an attendance came to be known, in words."""
    return {
        "measured": _("measured by Teams"),
        "measured (uploaded)": _("measured, from an uploaded report"),
        "declared": _("declared by the facilitator"),
        "corrected": _("corrected by hand"),
        "unknown": _("unknown"),
        "pending": _("not known yet: the report of Teams can take a day"),
        "counts only": _("not kept: this program keeps no names"),
    }
