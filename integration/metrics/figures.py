"""All figures of a program at an instant, from its rows (docs: definitions).

Nothing is left out for small groups here: what leaders may see goes through ``small_groups`` first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.feedback.models import FeedbackAnswer, FeedbackRequest
from integration.metrics.competency import (
    Competency,
    Milestone,
    baseline_spells,
    competency,
    pilot_spells,
    verdict,
)
from integration.metrics.participation import (
    Frequency,
    Participation,
    frequency,
    mean_duration_minutes,
    participation,
)
from integration.metrics.satisfaction import Satisfaction, satisfaction
from integration.metrics.tallies import OccurrenceTally
from integration.people.models import Person
from integration.scheduling.models import Invited, Occurrence, Pod, Program, ProgramMember, Series


@dataclass(frozen=True)
class PodFigures:
    """One pod's figures. ``people`` counts who was ever invited to one of its occurrences."""

    pod_id: int
    name: str
    people: int
    participation: Participation
    held: int
    not_held: int
    unknown_occurrences: int
    mean_duration_minutes: float | None


@dataclass(frozen=True)
class ProgramFigures:
    """A program's figures over the occurrences that began before ``at``."""

    name: str
    at: datetime
    people: int
    participation: Participation
    frequency: Frequency
    mean_duration_minutes: float | None
    satisfaction: Satisfaction
    pods: tuple[PodFigures, ...]


@dataclass(frozen=True)
class CompetencyFigures:
    baseline: Competency
    pilot: Competency
    verdict: str


def program_figures(session: Session, program: Program, *, at: datetime) -> ProgramFigures:
    """The figures of a program as its rows know them, over occurrences that began before ``at`` (aware)."""
    tallies = program_tallies(session, program, at=at)
    invited = _invited_people(session, program, at=at)
    return ProgramFigures(
        name=program.name,
        at=at,
        people=len(set().union(*invited.values())),
        participation=participation(tallies),
        frequency=frequency(tallies),
        mean_duration_minutes=mean_duration_minutes(tallies),
        satisfaction=_satisfaction(session, program, at=at),
        pods=tuple(_pod_figures(pod, tallies, people=len(invited.get(pod.id, ()))) for pod in program.pods),
    )


def competency_figures(session: Session, program: Program, *, at: datetime) -> CompetencyFigures:
    """Time-to-competency before the program began and of its members since; everybody's start dates count."""
    members = set(session.scalars(select(ProgramMember.participant_id).filter_by(program_id=program.id)))
    people = [
        Milestone(employed_on, competent_on, participant_id in members)
        for employed_on, competent_on, participant_id in session.execute(
            select(Person.employed_on, Person.competent_on, Person.participant_id).where(
                Person.employed_on.is_not(None)
            )
        )
        if employed_on is not None
    ]
    today = at.astimezone(ZoneInfo("UTC")).date()
    baseline = competency(
        baseline_spells(people, starts_on=program.starts_on, counted_since=program.competency_counted_since)
    )
    pilot = competency(pilot_spells(people, starts_on=program.starts_on, until=today))
    return CompetencyFigures(baseline, pilot, verdict(baseline, pilot, faster_by=program.onboarding_target))


def program_tallies(session: Session, program: Program, *, at: datetime) -> list[OccurrenceTally]:
    """Occurrences that ended before ``at``, were not cancelled, and of which somebody was invited."""
    invited = select(
        Invited.occurrence_id,
        func.count().label("invited"),
        func.count().filter(Invited.away).label("away"),
    ).group_by(Invited.occurrence_id)
    counts = invited.subquery()
    rows = session.execute(
        select(Occurrence, Series.pod_id, counts.c.invited, counts.c.away)
        .join(Series, Occurrence.series_id == Series.id)
        .join(Pod, Series.pod_id == Pod.id)
        .join(counts, counts.c.occurrence_id == Occurrence.id)
        .where(Pod.program_id == program.id, Occurrence.ends_at <= at, Occurrence.cancelled_at.is_(None))
        .order_by(Occurrence.starts_at, Occurrence.id)
    )
    return [_tally(occurrence, pod_id, invited=n, away=away) for occurrence, pod_id, n, away in rows]


def _tally(occurrence: Occurrence, pod_id: int, *, invited: int, away: int) -> OccurrenceTally:
    return OccurrenceTally(
        pod_id=pod_id,
        starts_at=occurrence.starts_at,
        is_known=occurrence.attendance in ("measured", "declared"),  # by reports, or by people who were there
        invited=invited,
        attended=occurrence.attended_count or 0,
        unknown=occurrence.unknown_count or 0,
        away=away,
        held=occurrence.held,
        together_seconds=occurrence.together_seconds,
    )


def _invited_people(session: Session, program: Program, *, at: datetime) -> dict[int, set[int]]:
    rows = session.execute(
        select(Series.pod_id, Invited.participant_id)
        .join(Occurrence, Invited.occurrence_id == Occurrence.id)
        .join(Series, Occurrence.series_id == Series.id)
        .join(Pod, Series.pod_id == Pod.id)
        .where(Pod.program_id == program.id, Occurrence.ends_at <= at)
        .distinct()
    )
    people: dict[int, set[int]] = {}
    for pod_id, participant_id in rows:
        people.setdefault(pod_id, set()).add(participant_id)
    return people


def _pod_figures(pod: Pod, tallies: list[OccurrenceTally], *, people: int) -> PodFigures:
    own = [tally for tally in tallies if tally.pod_id == pod.id]
    return PodFigures(
        pod_id=pod.id,
        name=pod.name,
        people=people,
        participation=participation(own),
        held=sum(1 for tally in own if tally.held),
        not_held=sum(1 for tally in own if tally.held is False),
        unknown_occurrences=sum(1 for tally in own if not tally.is_known),
        mean_duration_minutes=mean_duration_minutes(own),
    )


def _satisfaction(session: Session, program: Program, *, at: datetime) -> Satisfaction:
    asked = (
        select(FeedbackRequest.id, FeedbackRequest.participant_id)
        .join(Occurrence, FeedbackRequest.occurrence_id == Occurrence.id)
        .join(Series, Occurrence.series_id == Series.id)
        .join(Pod, Series.pod_id == Pod.id)
        .where(Pod.program_id == program.id, FeedbackRequest.asked_at <= at)
    ).subquery()
    answers = session.execute(
        select(asked.c.participant_id, FeedbackAnswer.score)
        .join(asked, FeedbackAnswer.request_id == asked.c.id)
        .where(FeedbackAnswer.answered_at <= at)
    )
    total = session.scalar(select(func.count()).select_from(asked)) or 0
    return satisfaction([(participant, score) for participant, score in answers], asked=total)
