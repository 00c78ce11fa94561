"""The mails of this package: what they say, and in whose time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from integration.feedback.models import FeedbackRequest, MetRequest
from integration.feedback.questions import FACES, question_for, who_sees
from integration.feedback.requests import may_be_absent
from integration.feedback.tokens import Purpose, Ticket, token_for
from integration.mail.mails import Content
from integration.mail.quiet import zone_or_utc
from integration.mail.rendering import day_and_time, render, text_of
from integration.people.models import Person
from integration.scheduling.models import Occurrence


@dataclass(frozen=True)
class Links:
    """Where the pages are, and what signs the links to them."""

    public_url: str
    secret_key: str

    def feedback(self, request: FeedbackRequest) -> str:
        token = token_for(Ticket(request.id, request.nonce), purpose=Purpose.FEEDBACK, secret_key=self.secret_key)
        return f"{self.public_url}/feedback/{token}"

    def met(self, request: MetRequest) -> str:
        token = token_for(Ticket(request.id, request.nonce), purpose=Purpose.MET, secret_key=self.secret_key)
        return f"{self.public_url}/feedback/met/{token}"


def feedback_letter(request: FeedbackRequest, person: Person, *, links: Links, is_reminder: bool = False) -> Content:
    """One question, five answers as links; the first of two taps."""
    occurrence, url = request.occurrence, links.feedback(request)
    pod = occurrence.series.pod
    html = render(
        "feedback-reminder" if is_reminder else "feedback-request",
        question=question_for(pod.program.format),
        pod=pod.name,
        program=pod.program.name,
        when=when(occurrence, person),
        choices=[{"face": each.face, "label": each.label, "url": f"{url}?score={each.score}"} for each in FACES],
        who_sees=who_sees(pod.program.small_group),
        may_be_absent=may_be_absent(occurrence),
        is_reminder=is_reminder,
        expires_on=day(request.expires_at, person),
        language="en",
    )
    subject = f"{pod.name}, {day(occurrence.starts_at, person)}: how was it?"
    return Content(subject=f"Reminder: {subject}" if is_reminder else subject, html=html, text=text_of(html))


def met_letter(request: MetRequest, person: Person, *, links: Links) -> Content:
    """ "Did you meet?", with a link for yes and one for no."""
    occurrence, url = request.occurrence, links.met(request)
    pod = occurrence.series.pod
    html = render(
        "did-you-meet",
        pod=pod.name,
        program=pod.program.name,
        when=when(occurrence, person),
        yes_url=f"{url}?met=yes",
        no_url=f"{url}?met=no",
        is_facilitator=occurrence.facilitator_id == person.participant_id,
        expires_on=day(request.expires_at, person),
        language="en",
    )
    subject = f"{pod.name}, {day(occurrence.starts_at, person)}: did you meet?"
    return Content(subject=subject, html=html, text=text_of(html))


def when(occurrence: Occurrence, person: Person | None) -> str:
    """When the session was, on the wall of the reader (of the pod, where the reader's zone is not known)."""
    time_zone = (person.time_zone if person else None) or occurrence.series.time_zone
    return day_and_time(occurrence.starts_at, occurrence.ends_at, time_zone=time_zone)


def day(at: datetime, person: Person) -> str:
    """A day in the reader's zone: "24 November"."""
    local = at.astimezone(zone_or_utc(person.time_zone))
    return f"{local.day} {local:%B}"
