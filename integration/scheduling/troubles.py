"""What keeps a series from going on, in words with the remedy, and the links under which it could be joined."""

from __future__ import annotations

from datetime import datetime

from integration.db import Database
from integration.errors import PodsError
from integration.language import Wording
from integration.scheduling.models import Series, SeriesMeeting


class SeriesTrouble(PodsError):
    """Outlook made something else of a series than was wanted; nobody is invited to it as it is."""


def record_trouble(database: Database, series_id: int, words: Wording | None) -> None:
    """Show on the series why it does not go on; None when all is well."""
    with database.transaction() as session:
        series = session.get(Series, series_id)
        if series is not None and series.trouble != words:
            series.trouble = words


def record_link(series: Series, join_url: str | None, *, now: datetime, meeting_id: str | None = None) -> None:
    """Note the link an event shows now. A new one closes the one before, which may still be joined by old mails."""
    if not join_url:
        return
    known = next((meeting for meeting in series.meetings if meeting.join_url == join_url), None)
    if known is None:
        known = SeriesMeeting(join_url=join_url, since=now)
        series.meetings.append(known)
    for meeting in series.meetings:
        if meeting is not known and meeting.until is None:
            meeting.until = now
    known.until = None
    known.meeting_id = meeting_id or known.meeting_id
