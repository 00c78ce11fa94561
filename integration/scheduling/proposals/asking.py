"""Another time was proposed in Outlook: it is kept, and the facilitator is asked for a yes or no, once."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.formats import day_and_time, day_of_year, zone
from integration.graph.resources import Attendee
from integration.language import gettext as _
from integration.language import speaking
from integration.mail.mails import Content, add_mail
from integration.mail.rendering import render, text_of
from integration.people.models import Person
from integration.scheduling.models import Occurrence
from integration.scheduling.proposals.models import TimeProposal
from integration.signing import signed

KIND = "time-proposal"
PURPOSE = "learning-pods time proposal"


@dataclass(frozen=True)
class Links:
    """Where the page is, and what signs the links to it."""

    public_url: str
    secret_key: str

    def to(self, proposal: TimeProposal) -> str:
        token = signed([proposal.id, proposal.nonce], purpose=PURPOSE, secret_key=self.secret_key)
        return f"{self.public_url}/proposals/{token}"


def proposals_of(session: Session, series_id: int) -> dict[int, list[TimeProposal]]:
    """What was ever proposed for the meetings of a series, by the id of the meeting."""
    found: dict[int, list[TimeProposal]] = {}
    wanted = select(TimeProposal).join(TimeProposal.occurrence).where(Occurrence.series_id == series_id)
    for proposal in session.scalars(wanted):
        found.setdefault(proposal.occurrence_id, []).append(proposal)
    return found


def record_proposals(
    session: Session,
    occurrence: Occurrence,
    attendees: Sequence[Attendee],
    *,
    held: Sequence[TimeProposal],
    links: Links,
    now: datetime,
) -> None:
    """Keep what is proposed for a meeting now, and ask about what is new; what is no longer proposed is withdrawn.

    ``held`` is what was proposed for it before.
    """
    shown = {(one.address.lower(), *one.proposed): one for one in attendees if one.proposed}
    known = {(one.address, one.starts_at, one.ends_at): one for one in held}
    for key, proposal in known.items():
        if key in shown:
            proposal.withdrawn_at = None
        elif proposal.answer != "yes":
            proposal.withdrawn_at = proposal.withdrawn_at or now
    for key in shown.keys() - known.keys():
        address, starts_at, ends_at = key
        proposal = TimeProposal(
            occurrence=occurrence,
            address=address,
            name=shown[key].name or address,
            starts_at=starts_at,
            ends_at=ends_at,
            nonce=secrets.token_hex(8),
            seen_at=now,
        )
        session.add(proposal)
        session.flush()
        _ask(session, proposal, links=links, now=now)


def proposal_letter(proposal: TimeProposal, person: Person, *, links: Links) -> Content:
    """The question, with a link for yes and one for no, in the language of the reader."""
    occurrence, url = proposal.occurrence, links.to(proposal)
    series = occurrence.series
    wall = person.time_zone or series.time_zone
    with speaking(person.language):
        html = render(
            KIND,
            pod=series.pod.name,
            program=series.pod.program.name,
            who=proposal.name,
            now_at=day_and_time(occurrence.starts_at, occurrence.ends_at, time_zone=wall),
            then_at=day_and_time(proposal.starts_at, proposal.ends_at, time_zone=wall),
            yes_url=f"{url}?answer=yes",
            no_url=f"{url}?answer=no",
        )
        on = day_of_year(occurrence.starts_at.astimezone(zone(wall)))
        subject = _("%(pod)s, %(day)s: %(who)s proposes another time", pod=series.pod.name, day=on, who=proposal.name)
        return Content(subject=subject, html=html, text=text_of(html))


def _ask(session: Session, proposal: TimeProposal, *, links: Links, now: datetime) -> None:
    facilitator = proposal.occurrence.facilitator
    person = facilitator.person if facilitator is not None else None
    if person is None or not person.is_here:
        return  # the pod's page shows it
    content = proposal_letter(proposal, person, links=links)
    add_mail(session, kind=KIND, key=str(proposal.id), person=person, content=content, now=now)
    proposal.asked_id = person.participant_id
