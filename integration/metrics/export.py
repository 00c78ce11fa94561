"""The figures as files: JSON in the shape of the demonstration's summary.json, CSV with one row per pod."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.metrics.competency import Competency
from integration.metrics.figures import PodFigures, ProgramFigures, competency_figures, program_figures
from integration.metrics.participation import Participation
from integration.scheduling.models import Program

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
)
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def programs_as_json(session: Session, *, at: datetime) -> list[dict[str, Any]]:
    """Every program's figures in the order of their creation. Unknown figures are null, never 0."""
    programs = session.scalars(select(Program).order_by(Program.id))
    return [_program(session, program, at=at) for program in programs]


def pods_as_csv(session: Session, *, at: datetime) -> str:
    """One row per pod; texts that a spreadsheet would take for a formula begin with an apostrophe."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list[str](CSV_COLUMNS), lineterminator="\r\n")
    writer.writeheader()
    for program in session.scalars(select(Program).order_by(Program.id)):
        for pod in program_figures(session, program, at=at).pods:
            writer.writerow(_csv_row(program.name, pod))
    return out.getvalue()


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
            "baseline": _competency(onboarding.baseline),
            "pilot": _competency(onboarding.pilot),
            "verdict": onboarding.verdict,
        },
        "pods": [_pod(pod) for pod in figures.pods],
    }


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


def _competency(cohort: Competency) -> dict[str, Any]:
    return asdict(cohort)


def _pod(pod: PodFigures) -> dict[str, Any]:
    return {
        "name": pod.name,
        "participation": _participation(pod.participation),
        "held": pod.held,
        "not_held": pod.not_held,
        "unknown_occurrences": pod.unknown_occurrences,
        "mean_duration_minutes": pod.mean_duration_minutes,
    }


def _csv_row(program: str, pod: PodFigures) -> dict[str, object]:
    rate = pod.participation
    return {
        "program": _inert(program),
        "pod": _inert(pod.name),
        "invited": rate.invited,
        "attended": rate.attended,
        "participation": rate.value,
        "participation_high": rate.high,
        "unknown_occurrences": pod.unknown_occurrences,
        "held": pod.held,
        "mean_duration_minutes": pod.mean_duration_minutes,
    }


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
