"""The weekly summary as a mail: figures are put together, published under the small-group rule, and written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.feedback.models import FeedbackAnswer, FeedbackRequest
from integration.mail.mails import Content, Picture, add_mail
from integration.mail.models import Mail
from integration.mail.rendering import render, text_of
from integration.metrics.figures import ProgramFigures, program_figures, program_tallies
from integration.metrics.participation import participation
from integration.metrics.satisfaction import Satisfaction
from integration.metrics.small_groups import may_publish_again, published_mean
from integration.metrics.tallies import OccurrenceTally
from integration.scheduling.models import Occurrence, Pod, Program, ProgramLeader, Series
from integration.summaries.calendar_week import week_of
from integration.summaries.chart import WeekBar, chart_alt, chart_png
from integration.summaries.models import PublishedFeedback
from integration.summaries.weekly import PublishedMean, Targets, WeeklySummary, weekly_summary

KIND = "weekly-summary"
WEEK = timedelta(days=7)
CHART = "chart"
WEEKS_SHOWN = 8


def write_summary(session: Session, leader: ProgramLeader, *, now: datetime, unsubscribe_url: str) -> Mail | None:
    """The summary of this week for one leader; written once a week. None while no session has ended yet.

    ``now`` decides the week (on the wall of the leader's zone) and which sessions count.
    """
    program, zone = leader.program, leader.person.time_zone or "UTC"
    figures = program_figures(session, program, at=now)
    if not any(pod.held + pod.not_held + pod.unknown_occurrences for pod in figures.pods):
        return None
    targets = Targets(program.participation_target, program.sessions_target, program.small_group)
    published = _published(session, program, figures.satisfaction, now=now)
    before = program_figures(session, program, at=now - WEEK)
    summary = weekly_summary(figures, before, published=published, targets=targets)
    bars = week_bars(program_tallies(session, program, at=now), figures, k=program.small_group, zone=zone)
    monday = week_of(now, zone)
    content = _content(
        summary, bars, target=program.participation_target, monday=monday, zone=zone, unsubscribe_url=unsubscribe_url
    )
    return add_mail(session, kind=KIND, key=f"{leader.id}:{monday}", person=leader.person, content=content, now=now)


def week_bars(tallies: list[OccurrenceTally], figures: ProgramFigures, *, k: int, zone: str) -> tuple[WeekBar, ...]:
    """Participation per calendar week, the latest eight; a week of fewer than ``k`` invitations shows no figure."""
    weeks: dict[date, list[OccurrenceTally]] = {}
    for tally in tallies:
        weeks.setdefault(week_of(tally.starts_at, zone), []).append(tally)
    bars = []
    for monday in sorted(weeks)[-WEEKS_SHOWN:]:
        rate = participation(weeks[monday])
        may_show = figures.people >= k and rate.invited >= k
        bars.append(WeekBar(f"{monday.day} {monday:%b}", rate.value if may_show else None))
    return tuple(bars)


def is_over(session: Session, program: Program, *, now: datetime) -> bool:
    """Whether the program's last session is two weeks past: then no further summary is due."""
    last = session.scalar(
        select(func.max(Occurrence.ends_at)).join(Series).join(Pod).where(Pod.program_id == program.id)
    )
    return last is not None and last + 2 * WEEK < now


def _published(session: Session, program: Program, answers: Satisfaction, *, now: datetime) -> PublishedMean:
    """What leaders may see of the answers; replaced only when answers of k more people enter together."""
    row = session.scalar(select(PublishedFeedback).filter_by(program_id=program.id).with_for_update())
    since = row.published_at if row else datetime.min.replace(tzinfo=UTC)
    if may_publish_again(people_with_new_answers=_answering_since(session, program, since), k=program.small_group):
        row = row or PublishedFeedback(program_id=program.id)
        row.mean = published_mean(answers, k=program.small_group)
        row.n, row.asked, row.published_at = answers.n, answers.asked, now
        session.add(row)
        session.flush()
    return PublishedMean(row.mean, row.n, row.asked) if row else PublishedMean(None, 0, 0)


def _answering_since(session: Session, program: Program, since: datetime) -> int:
    people = (
        select(func.count(FeedbackRequest.participant_id.distinct()))
        .join(FeedbackAnswer, FeedbackAnswer.request_id == FeedbackRequest.id)
        .join(Occurrence, FeedbackRequest.occurrence_id == Occurrence.id)
        .join(Series)
        .join(Pod)
        .where(Pod.program_id == program.id, FeedbackAnswer.answered_at > since)
    )
    return session.scalar(people) or 0


def _content(
    summary: WeeklySummary,
    bars: tuple[WeekBar, ...],
    *,
    target: float,
    monday: date,
    zone: str,
    unsubscribe_url: str,
) -> Content:
    html = render(
        KIND,
        summary=summary,
        week=f"{monday.day} {monday:%B %Y}",
        zone=ZoneInfo(zone).key,
        chart=f"cid:{CHART}",
        chart_alt=chart_alt(bars, target=target),
        unsubscribe_url=unsubscribe_url,
    )
    picture = Picture(CHART, "image/png", chart_png(bars, target=target), "participation.png")
    subject = f"{summary.program}: the week of {monday.day} {monday:%B}"
    return Content(subject, html, text_of(html), (picture,), list_unsubscribe=unsubscribe_url)
