"""Rows and figures as the API answers them: nobody who was erased has a name or an address here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from integration.api.shapes import (
    CompetencyAnswer,
    FiguresAnswer,
    MedianAnswer,
    OccurrenceAnswer,
    PlanAnswer,
    PlannedPod,
    PodAnswer,
    PodFiguresAnswer,
    RateAnswer,
    SatisfactionAnswer,
    SeriesAnswer,
    Somebody,
)
from integration.metrics.competency import Competency
from integration.metrics.figures import CompetencyFigures, PodFigures, ProgramFigures
from integration.metrics.participation import Participation
from integration.people.models import Participant, Person
from integration.scheduling.models import Invited, Occurrence, Plan, Pod, PodMember, Series
from integration.scheduling.planned import summary
from integration.scheduling.reading import open_link
from integration.wording import said

ERASED = Somebody(id=None, name="a former colleague", mail=None, state="erased")


def plan_answer(session: Session, plan: Plan) -> PlanAnswer:
    """A plan; whoever has been erased since it was made stands in it without name and address."""
    content: dict[str, Any] = plan.content or {}
    pods = content.get("pods", [])
    mails = {mail for pod in pods for mail in pod["members"]}
    people = {each.mail: each for each in session.scalars(select(Person).where(Person.mail.in_(mails)))}
    return PlanAnswer(
        id=plan.id,
        program_id=plan.program_id,
        state=_state_of_plan(plan),
        trouble=_trouble_of_plan(plan),
        made_at=plan.made_at,
        applied_at=plan.applied_at,
        undone_at=plan.undone_at,
        summary=summary(content) if pods else "",
        series=content.get("series", 0),
        mails=sum(content.get("mails", {}).values()),
        held=len(content.get("held", [])),
        pods=[_planned_pod(pod, people) for pod in pods],
    )


def pod_answer(session: Session, pod_id: int, *, now: datetime) -> PodAnswer:
    """A pod with members, series and meetings, in a handful of queries."""
    pod = session.scalars(
        select(Pod)
        .where(Pod.id == pod_id)
        .options(
            selectinload(Pod.members).joinedload(PodMember.participant).joinedload(Participant.person),
            selectinload(Pod.series).selectinload(Series.meetings),
            selectinload(Pod.series)
            .selectinload(Series.occurrences)
            .options(joinedload(Occurrence.facilitator).joinedload(Participant.person)),
        )
    ).one()
    invited = _invited(session, pod_id)
    return PodAnswer(
        id=pod.id,
        program_id=pod.program_id,
        name=pod.name,
        time_zone=pod.time_zone,
        members=[_participant(each.participant) for each in pod.members if each.left_at is None],
        series=[_series(each, invited, now=now) for each in pod.series],
    )


def figures_answer(program_id: int, figures: ProgramFigures, onboarding: CompetencyFigures) -> FiguresAnswer:
    """A program's figures; unknown ones stay unknown."""
    answers = figures.satisfaction
    return FiguresAnswer(
        program_id=program_id,
        at=figures.at,
        people=figures.people,
        participation=_rate(figures.participation),
        held=figures.frequency.held,
        sessions_per_28_days=figures.frequency.value,
        mean_duration_minutes=figures.mean_duration_minutes,
        satisfaction=SatisfactionAnswer(
            value=answers.value, answers=answers.n, people=answers.people, asked=answers.asked
        ),
        time_to_competency=CompetencyAnswer(
            baseline=_median(onboarding.baseline),
            pilot=_median(onboarding.pilot),
            verdict=cast(Any, onboarding.verdict),
        ),
        pods=[_pod_figures(each) for each in figures.pods],
    )


def _state_of_plan(plan: Plan) -> Literal["drafting", "failed", "ready", "applied", "undone"]:
    if plan.undone_at is not None:
        return "undone"
    if plan.applied_at is not None:
        return "applied"
    return cast(Any, plan.state)


def _trouble_of_plan(plan: Plan) -> str | None:
    return f"{plan.trouble} {plan.remedy or ''}".strip() if plan.trouble else None


def _planned_pod(pod: Mapping[str, Any], people: Mapping[str, Person]) -> PlannedPod:
    return PlannedPod(
        name=pod["name"],
        time_zone=pod["time_zone"],
        weekday=pod["weekday"],
        time=pod["time"],
        minutes=pod["minutes"],
        dates=list(pod["dates"]),
        members=[_person(people[mail]) if mail in people else ERASED for mail in pod["members"]],
        problems=[_without_erased(str(said(text)), pod, people) for text in pod["problems"]],
    )


def _without_erased(text: str, pod: Mapping[str, Any], people: Mapping[str, Person]) -> str:
    for mail in pod["members"]:
        if mail not in people:
            text = text.replace(mail, ERASED.name).replace(pod["names"].get(mail, mail), ERASED.name)
    return text


def _participant(participant: Participant) -> Somebody:
    return _person(participant.person) if participant.person else ERASED


def _person(person: Person) -> Somebody:
    return Somebody(id=person.id, name=person.name, mail=person.mail, state="here" if person.is_here else "left")


def _invited(session: Session, pod_id: int) -> dict[int, int]:
    rows = session.execute(
        select(Invited.occurrence_id, func.count())
        .join(Occurrence, Invited.occurrence_id == Occurrence.id)
        .join(Series, Occurrence.series_id == Series.id)
        .where(Series.pod_id == pod_id)
        .group_by(Invited.occurrence_id)
    )
    return {row[0]: row[1] for row in rows}


def _series(series: Series, invited: Mapping[int, int], *, now: datetime) -> SeriesAnswer:
    return SeriesAnswer(
        id=series.id,
        organizer=series.organizer,
        subject=series.subject,
        starts_local=series.starts_local,
        time_zone=series.time_zone,
        minutes=series.minutes,
        state=_state_of_series(series),
        uid=series.ical_uid,
        join_url=open_link(series),
        trouble=None if series.trouble is None else str(series.trouble),
        occurrences=[_occurrence(each, invited.get(each.id, 0), now=now) for each in series.occurrences],
    )


def _state_of_series(series: Series) -> Literal["planned", "created", "invited", "cancelled"]:
    if series.cancel_wanted_at is not None:
        return "cancelled"
    if series.invited_at is not None:
        return "invited"
    return "planned" if series.created_at is None else "created"


def _occurrence(occurrence: Occurrence, invited: int, *, now: datetime) -> OccurrenceAnswer:
    return OccurrenceAnswer(
        id=occurrence.id,
        number=occurrence.number,
        starts_at=occurrence.starts_at,
        ends_at=occurrence.ends_at,
        state=_state_of_occurrence(occurrence, now=now),
        facilitator=_participant(occurrence.facilitator) if occurrence.facilitator else None,
        invited=invited,
        attended=occurrence.attended_count,
        attendance=cast(Any, occurrence.attendance),
    )


def _state_of_occurrence(
    occurrence: Occurrence, *, now: datetime
) -> Literal["planned", "held", "not held", "unknown", "cancelled"]:
    if occurrence.cancelled_at is not None:
        return "cancelled"
    if occurrence.held is not None:
        return "held" if occurrence.held else "not held"
    return "planned" if occurrence.ends_at > now else "unknown"


def _pod_figures(pod: PodFigures) -> PodFiguresAnswer:
    return PodFiguresAnswer(
        pod_id=pod.pod_id,
        name=pod.name,
        people=pod.people,
        participation=_rate(pod.participation),
        held=pod.held,
        not_held=pod.not_held,
        unknown_occurrences=pod.unknown_occurrences,
        mean_duration_minutes=pod.mean_duration_minutes,
    )


def _rate(rate: Participation) -> RateAnswer:
    return RateAnswer(
        low=rate.low,
        high=rate.high,
        attended=rate.attended,
        invited=rate.invited,
        unknown_people=rate.unknown_people,
        known_occurrences=rate.known_occurrences,
        unknown_occurrences=rate.unknown_occurrences,
        of_those_not_away=rate.of_those_not_away,
    )


def _median(cohort: Competency) -> MedianAnswer:
    return MedianAnswer(
        median_days=cohort.median_days,
        low=cohort.low,
        high=cohort.high,
        people=cohort.n,
        not_there_yet=cohort.censored,
    )
