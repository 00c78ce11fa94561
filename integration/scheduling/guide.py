"""What the facilitator's guide says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integration.formats import day_and_time
from integration.language import Lazy, lazy, speaking
from integration.language import gettext as _
from integration.mail.mails import Content
from integration.mail.rendering import render, text_of
from integration.people.models import Person
from integration.scheduling.invitation import points_of
from integration.scheduling.models import Occurrence

STEPS = (
    lazy("Join five minutes early and greet everybody by name."),
    lazy("Name the agenda and who speaks first; keep the time for all of you."),
    lazy("Ask whoever has said least so far. Silence of ten seconds is fine."),
    lazy("Close with one thing that each of you will try until next time."),
)


@dataclass(frozen=True)
class Guest:
    """Somebody who is expected, and what they said; ``answer`` is shown in the facilitator's language."""

    name: str
    answer: Lazy


@dataclass(frozen=True)
class CheckInPages:
    """Where the code is shown by which people in a room check in, and where the facilitator confirms it."""

    code_url: str
    session_url: str


def guide_content(
    occurrence: Occurrence,
    facilitator: Person,
    *,
    guests: Sequence[Guest],
    join_url: str | None,
    check_in: CheckInPages | None = None,
) -> Content:
    """The guide of one meeting for one person, in that person's language and with times on that person's wall.

    ``check_in`` None: no names are kept, so nobody checks in.
    """
    with speaking(facilitator.language):
        return _content(occurrence, facilitator, guests=guests, join_url=join_url, check_in=check_in)


def _content(
    occurrence: Occurrence,
    facilitator: Person,
    *,
    guests: Sequence[Guest],
    join_url: str | None,
    check_in: CheckInPages | None,
) -> Content:
    pod = occurrence.series.pod
    zone = facilitator.time_zone or pod.time_zone
    when = day_and_time(occurrence.starts_at, occurrence.ends_at, time_zone=zone)
    html = render(
        "facilitator-guide",
        name=facilitator.name,
        pod=pod.name,
        program=pod.program.name,
        purpose=pod.program.outcome,
        when=when,
        agenda=points_of(pod.program.agenda),
        guests=[{"name": guest.name, "answer": str(guest.answer)} for guest in guests],
        steps=[str(step) for step in STEPS],
        join_url=join_url or "",
        check_in=check_in,
    )
    return Content(
        subject=_("You facilitate %(pod)s: %(when)s", pod=pod.name, when=when), html=html, text=text_of(html)
    )
