"""The weekly summary as a mail, in the language of its reader."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.formats import day, day_of_year
from integration.language import gettext as _
from integration.language import speaking
from integration.mail.mails import Content, Picture, add_mail
from integration.mail.models import Mail
from integration.mail.rendering import render, text_of
from integration.scheduling.models import Occurrence, Pod, Program, ProgramLeader, Series
from integration.summaries.chart import chart_alt, chart_png
from integration.summaries.week import WEEK, ShownWeek, week_to_show

KIND = "weekly-summary"
CHART = "chart"


def write_summary(session: Session, leader: ProgramLeader, *, now: datetime, unsubscribe_url: str) -> Mail | None:
    """The summary of this week for one leader, in their language; written once a week. None before a session ended.

    ``now`` decides the week (on the wall of the leader's zone) and which sessions count.
    """
    with speaking(leader.person.language):
        return _write_summary(session, leader, now=now, unsubscribe_url=unsubscribe_url)


def is_over(session: Session, program: Program, *, now: datetime) -> bool:
    """Whether the program's last session is two weeks past: then no further summary is due."""
    last = session.scalar(
        select(func.max(Occurrence.ends_at)).join(Series).join(Pod).where(Pod.program_id == program.id)
    )
    return last is not None and last + 2 * WEEK < now


def _write_summary(session: Session, leader: ProgramLeader, *, now: datetime, unsubscribe_url: str) -> Mail | None:
    shown = week_to_show(session, leader.program, now=now, zone=leader.person.time_zone or "UTC")
    if shown is None:
        return None
    content = _content(shown, unsubscribe_url=unsubscribe_url)
    key = f"{leader.id}:{shown.monday}"
    return add_mail(session, kind=KIND, key=key, person=leader.person, content=content, now=now)


def _content(shown: ShownWeek, *, unsubscribe_url: str) -> Content:
    summary, bars, target = shown.summary, shown.bars, shown.targets.participation
    html = render(
        KIND,
        summary=summary,
        week=day(shown.monday),
        zone=ZoneInfo(shown.time_zone).key,
        chart=f"cid:{CHART}",
        chart_alt=chart_alt(bars, target=target),
        unsubscribe_url=unsubscribe_url,
    )
    picture = Picture(CHART, "image/png", chart_png(bars, target=target), "participation.png")
    subject = _("%(program)s: the week of %(day)s", program=summary.program, day=day_of_year(shown.monday))
    return Content(subject, html, text_of(html), (picture,), list_unsubscribe=unsubscribe_url)
