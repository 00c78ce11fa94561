"""What was deleted in Outlook, wanted anew: a series from its next meeting on, or one meeting in place of one."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from integration import outbox
from integration.errors import Conflict
from integration.language import lazy
from integration.outbox import Task
from integration.scheduling.models import Occurrence, Series
from integration.scheduling.recurrence import WEEK
from integration.scheduling.series import move_occurrence, single_like


def want_anew(session: Session, series: Series, *, now: datetime) -> None:
    """Have the meetings to come created and invited to again; what is past keeps its link and stays history.

    Meetings that had been moved come where the weekly rule has them. Raises Conflict when none are left.
    """
    left = [one for one in series.occurrences if one.cancelled_at is None and one.original_start_at > now]
    if not left:
        raise Conflict(lazy("No session of this series is left."), remedy=lazy("Plan the pod anew."))
    zone = ZoneInfo(series.time_zone)
    walls = [one.original_start_at.astimezone(zone).replace(tzinfo=None) for one in left]
    series.starts_local, series.count = walls[0], round((walls[-1] - walls[0]) / WEEK) + 1
    series.generation += 1
    series.event_id = series.ical_uid = series.body_hash = series.trouble = None
    series.created_at = series.checked_at = series.invited_at = None
    for occurrence in left:
        occurrence.wanted_starts_at = occurrence.wanted_ends_at = occurrence.event_id = None
        move_occurrence(occurrence, starts_at=occurrence.wanted[0], ends_at=occurrence.wanted[1])
        occurrence.replies.clear()
    for attendee in list(series.attendees):
        attendee.invited_at, attendee.response, attendee.responded_at = None, "none", None
        if attendee.participant_id is None:
            session.delete(attendee)  # whoever forwards the invitation again brings their guests again
    outbox.add(session, Task.SERIES_PUSH, series.id)


def want_in_its_place(session: Session, lost: Occurrence, *, now: datetime) -> Series:
    """Have a single meeting made and invited to where one was deleted: Outlook gives no meeting of a series back.

    It is a series of one, with a link, replies and attendance of its own; the others are not touched.
    """
    series, (starts_at, ends_at) = lost.series, lost.wanted
    wall = starts_at.astimezone(ZoneInfo(series.time_zone)).replace(tzinfo=None)
    minutes = round((ends_at - starts_at).total_seconds() / 60)
    single = single_like(series, starts_local=wall, minutes=minutes, facilitator=lost.facilitator, now=now)
    session.add(single)
    session.flush()
    outbox.add(session, Task.SERIES_PUSH, single.id)
    return single
