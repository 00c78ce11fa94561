"""The figures as files: JSON in the shape of the demonstration's summary.json, CSV with one row per pod."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.attendance.provenances import people_by_provenance
from integration.csv_export import csv_text
from integration.metrics.figures import PodFigures, ProgramFigures, competency_figures, program_figures
from integration.metrics.participation import Participation
from integration.scheduling.models import Occurrence, Program, Series

CSV_COLUMNS = (
    "program",
    "pod",
    "invited",
    "attended",
    "participation",
    "participation_high",
    "unknown_occurrences",
    "held",
    "mean_duration_minutes",
    "people_measured",
    "people_measured_uploaded",
    "people_declared",
    "people_corrected",
    "people_unknown",
)


def programs_as_json(session: Session, *, at: datetime) -> list[dict[str, Any]]:
    """Every program's figures in the order of their creation. Unknown figures are null, never 0."""
    programs = session.scalars(select(Program).order_by(Program.id))
    return [_program(session, program, at=at) for program in programs]


def pods_as_csv(session: Session, *, at: datetime) -> str:
    """One row per pod, in the columns of CSV_COLUMNS."""
    return csv_text(
        CSV_COLUMNS,
        [
            _csv_row(program.name, pod, _provenance(session, pod, at=at))
            for program in session.scalars(select(Program).order_by(Program.id))
            for pod in program_figures(session, program, at=at).pods
        ],
    )


def _program(session: Session, program: Program, *, at: datetime) -> dict[str, Any]:
    figures = program_figures(session, program, at=at)
    onboarding = competency_figures(session, program, at=at)
    return {
        "name": figures.name,
        "participation": _participation(figures.participation),
        "held": figures.frequency.held,
        "frequency_per_28_days": figures.frequency.value,
        "mean_duration_minutes": figures.mean_duration_minutes,
        "satisfaction": _satisfaction(figures),
        "time_to_competency": {
            "baseline": asdict(onboarding.baseline),
            "pilot": asdict(onboarding.pilot),
            "verdict": onboarding.verdict,
        },
        "pods": [_pod(pod, _provenance(session, pod, at=at)) for pod in figures.pods],
    }


def _provenance(session: Session, pod: PodFigures, *, at: datetime) -> dict[str, int]:
    """How many attendances of a pod's invited people are known in which way."""
    wanted = (
        select(Occurrence)
        .join(Series)
        .where(Series.pod_id == pod.pod_id, Occurrence.ends_at <= at, Occurrence.cancelled_at.is_(None))
    )
    return people_by_provenance(session, session.scalars(wanted).all())


def _participation(rate: Participation) -> dict[str, Any]:
    return {
        "value": rate.value,
        "low": rate.low,
        "high": rate.high,
        "attended": rate.attended,
        "invited": rate.invited,
        "unknown_people": rate.unknown_people,
        "known_occurrences": rate.known_occurrences,
        "unknown_occurrences": rate.unknown_occurrences,
        "of_those_not_away": rate.of_those_not_away,
        "interval_over_pods": asdict(rate.interval) if rate.interval else None,
    }


def _satisfaction(figures: ProgramFigures) -> dict[str, Any]:
    answers = figures.satisfaction
    return {
        "value": answers.value,
        "n": answers.n,
        "people": answers.people,
        "asked": answers.asked,
        "response_rate": answers.response_rate,
    }


def _pod(pod: PodFigures, provenance: dict[str, int]) -> dict[str, Any]:
    return {
        "name": pod.name,
        "participation": _participation(pod.participation),
        "held": pod.held,
        "not_held": pod.not_held,
        "unknown_occurrences": pod.unknown_occurrences,
        "mean_duration_minutes": pod.mean_duration_minutes,
        "provenance": provenance,
    }


def _csv_row(program: str, pod: PodFigures, provenance: dict[str, int]) -> tuple[object, ...]:
    rate = pod.participation
    return (
        program,
        pod.name,
        rate.invited,
        rate.attended,
        rate.value,
        rate.high,
        pod.unknown_occurrences,
        pod.held,
        pod.mean_duration_minutes,
        *provenance.values(),
    )
