"""What the facilitator's guide says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integration.mail.mails import Content
from integration.mail.rendering import day_and_time, render, text_of
from integration.people.models import Person
from integration.scheduling.models import Occurrence

STEPS = (
    "Join five minutes early and greet everybody by name.",
    "Name the agenda and who speaks first; keep the time for all of you.",
    "Ask whoever has said least so far. Silence of ten seconds is fine.",
    "Close with one thing that each of you will try until next time.",
)


@dataclass(frozen=True)
class Guest:
    """Somebody who is expected, and what they said."""

    name: str
    answer: str


def guide_content(
    occurrence: Occurrence, facilitator: Person, *, guests: Sequence[Guest], join_url: str | None
) -> Content:
    """The guide of one meeting for one person, with times on that person's wall."""
    pod = occurrence.series.pod
    zone = facilitator.time_zone or pod.time_zone
    when = day_and_time(occurrence.starts_at, occurrence.ends_at, time_zone=zone)
    html = render(
        "facilitator-guide",
        language="en",
        name=facilitator.name,
        pod=pod.name,
        program=pod.program.name,
        purpose=pod.program.outcome,
        when=when,
        agenda=[line.strip(" -*\t") for line in pod.program.agenda.splitlines() if line.strip(" -*\t")],
        guests=[{"name": guest.name, "answer": guest.answer} for guest in guests if guest.name != facilitator.name],
        steps=list(STEPS),
        join_url=join_url or "",
    )
    return Content(subject=f"You facilitate {pod.name}: {when}", html=html, text=text_of(html))
