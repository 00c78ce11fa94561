"""Asking people after a session. These jobs write rows only; the mails leave by the mail package's own jobs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.attendance.sharing import sharing_of
from integration.due import earliest, take_due
from integration.duties import Duty
from integration.feedback.letters import Links, feedback_letter, met_letter, shared_letter
from integration.feedback.models import FeedbackAnswer, FeedbackRequest, SharedRequest
from integration.feedback.requests import request_feedback, request_met, request_shared
from integration.mail.mails import add_mail
from integration.scheduling.models import Occurrence
from integration.tools import Tools


def ask_feedback(tools: Tools, occurrence_id: int) -> None:
    """Ask everybody who came to an occurrence and was not asked yet; running again asks nobody twice."""
    now = tools.clock.now()
    with tools.database.transaction() as session:
        occurrence = session.get(Occurrence, occurrence_id)
        if occurrence is None:
            return
        shared = request_shared(session, occurrence, now=now)
        for request in request_feedback(session, occurrence, now=now):
            is_theirs = shared is not None and shared.participant_id == request.participant_id
            _mail_question(
                session, tools, request, kind="feedback-request", now=now, shared=shared if is_theirs else None
            )
        if shared is not None:
            _mail_shared(session, tools, shared, now=now)


def ask_met(tools: Tools, occurrence_id: int) -> None:
    """Ask the facilitator whether an occurrence took place of which nothing is known; once."""
    now = tools.clock.now()
    with tools.database.transaction() as session:
        occurrence = session.get(Occurrence, occurrence_id)
        if occurrence is None or occurrence.attendance not in ("pending", "unknown"):
            return
        request = request_met(session, occurrence, now=now)
        if request is None or request.participant.person is None:
            return
        person = request.participant.person
        content = met_letter(request, person, links=_links(tools))
        add_mail(session, kind="did-you-meet", key=str(occurrence_id), person=person, content=content, now=now)


def remind(tools: Tools, now: datetime) -> int:
    """Remind those who have not answered, each once at most; returns how many."""
    with tools.database.transaction() as session:
        taken = take_due(session, FeedbackRequest.reminder_due_at, now=now)
        unanswered = ~select(FeedbackAnswer.id).where(FeedbackAnswer.request_id == FeedbackRequest.id).exists()
        still_open = (FeedbackRequest.expires_at > now, unanswered)
        chosen = select(FeedbackRequest).where(FeedbackRequest.id.in_(taken), *still_open)
        for request in session.scalars(chosen).all():
            _mail_question(session, tools, request, kind="feedback-reminder", now=now)
        return len(taken)


DUTIES: tuple[Duty, ...] = (Duty("remind of feedback", earliest(FeedbackRequest.reminder_due_at), remind),)


def _mail_shared(session: Session, tools: Tools, request: SharedRequest, *, now: datetime) -> None:
    """A mail of its own only where a room's device was there, so that somebody certainly shared it.

    Who accepted and was not seen most often just stayed away: that question stands in the feedback mail, and on My
    pods.
    """
    sharing, person = sharing_of(session, request.occurrence), request.participant.person
    if sharing is None or not sharing.has_room or person is None or not person.is_here:
        return
    names = [each.name for each in sharing.candidates]
    content = shared_letter(request, person, names=names, links=_links(tools))
    key = str(request.occurrence_id)
    add_mail(session, kind="who-shared-the-room", key=key, person=person, content=content, now=now)


def _mail_question(
    session: Session,
    tools: Tools,
    request: FeedbackRequest,
    *,
    kind: str,
    now: datetime,
    shared: SharedRequest | None = None,
) -> None:
    person = request.participant.person
    if person is None or not person.is_here:
        return
    is_reminder = kind == "feedback-reminder"
    content = feedback_letter(request, person, links=_links(tools), is_reminder=is_reminder, shared=shared)
    add_mail(session, kind=kind, key=str(request.occurrence_id), person=person, content=content, now=now)


def _links(tools: Tools) -> Links:
    return Links(tools.settings.public_url, tools.settings.secret_key)
