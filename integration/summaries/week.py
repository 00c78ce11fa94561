"""The figures that leaders see in one week: computed when they are first needed, then the same for mail and page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from integration.feedback.models import FeedbackAnswer, FeedbackRequest
from integration.formats import chart_day
from integration.metrics.figures import ProgramFigures, program_figures, program_tallies
from integration.metrics.participation import participation
from integration.metrics.satisfaction import Satisfaction
from integration.metrics.small_groups import may_publish_again, published_mean
from integration.metrics.tallies import OccurrenceTally
from integration.scheduling.dues import summary_due
from integration.scheduling.models import Occurrence, Pod, Program, Series
from integration.summaries.calendar_week import week_of
from integration.summaries.chart import WeekBar
from integration.summaries.models import PublishedFeedback, WeeklyFigures
from integration.summaries.weekly import PublishedMean, Targets, WeeklySummary, weekly_summary

WEEK = timedelta(days=7)
WEEKS_SHOWN = 8


@dataclass(frozen=True)
class WeekRate:
    """Participation in the calendar week of ``monday``; None where it is unknown or must not be shown."""

    monday: date
    rate: float | None


@dataclass(frozen=True)
class ShownWeek:
    """What a week's summary is made of. Figures, not words: every reader has them in their language.

    ``now`` and ``before`` hold every pod's figures; only ``summary`` is for leaders' eyes.
    """

    monday: date
    as_of: datetime
    time_zone: str  # IANA: on its wall the weeks of ``rates`` begin
    now: ProgramFigures
    before: ProgramFigures
    published: PublishedMean
    targets: Targets
    rates: tuple[WeekRate, ...]

    @property
    def summary(self) -> WeeklySummary:
        """The summary in words of the language that is spoken now, by the small-group rule."""
        return weekly_summary(self.now, self.before, published=self.published, targets=self.targets)

    @property
    def bars(self) -> tuple[WeekBar, ...]:
        return tuple(WeekBar(chart_day(each.monday), each.rate) for each in self.rates)


def last_issue(now: datetime, time_zone: str) -> datetime:
    """The latest Monday at eight, on the wall of this zone (IANA): what happened since waits for the next summary."""
    return summary_due(summary_due(now, time_zone) - timedelta(days=10), time_zone)  # in the week before it


def kept_week(session: Session, program: Program, monday: date) -> ShownWeek | None:
    """The figures of a week as they were first shown; None when nobody has needed them."""
    row = session.scalar(select(WeeklyFigures).filter_by(program_id=program.id, monday=monday))
    return msgspec.convert(row.content, ShownWeek) if row else None


def kept_mondays(session: Session, program: Program) -> list[date]:
    """The weeks whose figures are kept, the latest first."""
    kept = select(WeeklyFigures.monday).where(WeeklyFigures.program_id == program.id)
    return list(session.scalars(kept.order_by(WeeklyFigures.monday.desc())))


def week_to_show(session: Session, program: Program, *, now: datetime, zone: str) -> ShownWeek | None:
    """The figures of the week of ``now`` on the wall of ``zone``, kept from the first time on.

    None before a session has ended. Writes: needs a transaction.
    """
    monday = week_of(now, zone)
    kept = kept_week(session, program, monday)
    if kept is not None:
        return kept
    made = _made(session, program, monday=monday, now=now, zone=zone)
    if made is None:
        return None
    try:
        with session.begin_nested():
            content = msgspec.to_builtins(made)
            session.add(WeeklyFigures(program_id=program.id, monday=monday, as_of=now, content=content))
            session.flush()
    except IntegrityError:  # somebody else was first, between our look and our insert
        return kept_week(session, program, monday)
    return made


def week_rates(
    tallies: Sequence[OccurrenceTally], figures: ProgramFigures, *, k: int, zone: str
) -> tuple[WeekRate, ...]:
    """Participation per calendar week, the latest eight; a week of fewer than ``k`` invitations shows no figure."""
    weeks: dict[date, list[OccurrenceTally]] = {}
    for tally in tallies:
        weeks.setdefault(week_of(tally.starts_at, zone), []).append(tally)
    rates = []
    for monday in sorted(weeks)[-WEEKS_SHOWN:]:
        rate = participation(weeks[monday])
        may_show = figures.people >= k and rate.invited >= k
        rates.append(WeekRate(monday, rate.value if may_show else None))
    return tuple(rates)


def _made(session: Session, program: Program, *, monday: date, now: datetime, zone: str) -> ShownWeek | None:
    figures = program_figures(session, program, at=now)
    if not any(pod.held + pod.not_held + pod.unknown_occurrences for pod in figures.pods):
        return None
    tallies = program_tallies(session, program, at=now)
    return ShownWeek(
        monday=monday,
        as_of=now,
        time_zone=zone,
        now=figures,
        before=program_figures(session, program, at=now - WEEK),
        published=_published(session, program, figures.satisfaction, now=now),
        targets=Targets(program.participation_target, program.sessions_target, program.small_group),
        rates=week_rates(tallies, figures, k=program.small_group, zone=zone),
    )


def _published(session: Session, program: Program, answers: Satisfaction, *, now: datetime) -> PublishedMean:
    """What leaders may see of the answers; replaced only when answers of k more people enter together."""
    row = session.scalar(select(PublishedFeedback).filter_by(program_id=program.id).with_for_update())
    since = row.published_at if row else datetime.min.replace(tzinfo=UTC)
    answering = _answering(session, program, since=since, until=now)
    if may_publish_again(people_with_new_answers=answering, k=program.small_group):
        row = row or PublishedFeedback(program_id=program.id)
        row.mean = published_mean(answers, k=program.small_group)
        row.n, row.asked, row.published_at = answers.n, answers.asked, now
        session.add(row)
        session.flush()
    return PublishedMean(row.mean, row.n, row.asked) if row else PublishedMean(None, 0, 0)


def _answering(session: Session, program: Program, *, since: datetime, until: datetime) -> int:
    people = (
        select(func.count(FeedbackRequest.participant_id.distinct()))
        .join(FeedbackAnswer, FeedbackAnswer.request_id == FeedbackRequest.id)
        .join(Occurrence, FeedbackRequest.occurrence_id == Occurrence.id)
        .join(Series)
        .join(Pod)
        .where(
            Pod.program_id == program.id,
            FeedbackAnswer.answered_at > since,
            FeedbackAnswer.answered_at <= until,
        )
    )
    return session.scalar(people) or 0
