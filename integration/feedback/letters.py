"""The mails of this package: what they say, and in whose time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from integration.feedback.models import FeedbackRequest, MetRequest, SharedRequest
from integration.feedback.questions import FACES, question_for, who_sees
from integration.feedback.requests import may_be_absent
from integration.feedback.tokens import Purpose, Ticket, token_for
from integration.formats import day_and_time, day_of_year, zone
from integration.language import gettext as _
from integration.language import speaking
from integration.mail.mails import Content
from integration.mail.rendering import render, text_of
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

    def shared(self, request: SharedRequest) -> str:
        token = token_for(Ticket(request.id, request.nonce), purpose=Purpose.SHARED, secret_key=self.secret_key)
        return f"{self.public_url}/feedback/shared/{token}"


def feedback_letter(
    request: FeedbackRequest,
    person: Person,
    *,
    links: Links,
    is_reminder: bool = False,
    shared: SharedRequest | None = None,
) -> Content:
    """One question, five answers as links, in the language of the reader; the first of two taps.

    ``shared``: whoever is asked who shared a screen finds that question in the same mail.
    """
    with speaking(person.language):
        return _feedback_letter(request, person, links=links, is_reminder=is_reminder, shared=shared)


def met_letter(request: MetRequest, person: Person, *, links: Links) -> Content:
    """ "Did you meet?", with a link for yes and one for no, in the language of the reader."""
    with speaking(person.language):
        return _met_letter(request, person, links=links)


def shared_letter(request: SharedRequest, person: Person, *, names: Sequence[str], links: Links) -> Content:
    """ "Who shared the room?", with one link to the names to tick, in the language of the reader."""
    with speaking(person.language):
        return _shared_letter(request, person, names=names, links=links)


def when(occurrence: Occurrence, person: Person | None) -> str:
    """When the session was, on the wall of the reader (of the pod, where the reader's zone is not known)."""
    return day_and_time(occurrence.starts_at, occurrence.ends_at, time_zone=_zone(occurrence, person))


def day(at: datetime, occurrence: Occurrence, person: Person | None) -> str:
    """A day on the same wall: "24 November"."""
    return day_of_year(at.astimezone(zone(_zone(occurrence, person))))


def _feedback_letter(
    request: FeedbackRequest, person: Person, *, links: Links, is_reminder: bool, shared: SharedRequest | None
) -> Content:
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
        shared_url=links.shared(shared) if shared else None,
        expires_on=day(request.expires_at, occurrence, person),
    )
    told = {"pod": pod.name, "day": day(occurrence.starts_at, occurrence, person)}
    asked = _("Reminder: %(pod)s, %(day)s: how was it?") if is_reminder else _("%(pod)s, %(day)s: how was it?")
    return Content(subject=asked % told, html=html, text=text_of(html))


def _met_letter(request: MetRequest, person: Person, *, links: Links) -> Content:
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
        expires_on=day(request.expires_at, occurrence, person),
    )
    on = day(occurrence.starts_at, occurrence, person)
    subject = _("%(pod)s, %(day)s: did you meet?", pod=pod.name, day=on)
    return Content(subject=subject, html=html, text=text_of(html))


def _shared_letter(request: SharedRequest, person: Person, *, names: Sequence[str], links: Links) -> Content:
    occurrence = request.occurrence
    pod = occurrence.series.pod
    html = render(
        "who-shared-the-room",
        pod=pod.name,
        program=pod.program.name,
        when=when(occurrence, person),
        names=names,
        url=links.shared(request),
        is_facilitator=occurrence.facilitator_id == person.participant_id,
        expires_on=day(request.expires_at, occurrence, person),
    )
    on = day(occurrence.starts_at, occurrence, person)
    subject = _("%(pod)s, %(day)s: who shared the room?", pod=pod.name, day=on)
    return Content(subject=subject, html=html, text=text_of(html))


def _zone(occurrence: Occurrence, person: Person | None) -> str:
    return (person.time_zone if person else None) or occurrence.series.time_zone
