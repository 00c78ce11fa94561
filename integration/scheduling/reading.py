"""Whole series and occurrences, read in one go and used after the transaction is closed: no job holds one open."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from integration.db import Database
from integration.people.models import Participant
from integration.scheduling.models import Occurrence, Pod, PodMember, Series, SeriesAttendee


def read_series(database: Database, series_id: int) -> Series | None:
    """A series with attendees, occurrences, meetings and pod, detached: to be read, never written."""
    with database.reading() as session:
        return session.scalar(
            select(Series)
            .where(Series.id == series_id)
            .options(
                selectinload(Series.attendees).joinedload(SeriesAttendee.participant).joinedload(Participant.person),
                selectinload(Series.occurrences),
                selectinload(Series.meetings),
                joinedload(Series.pod).selectinload(Pod.members).joinedload(PodMember.participant),
            )
        )


def read_dates(database: Database, series_id: int) -> Series | None:
    """A series with its occurrences and meetings alone, detached: who is on it is not asked for."""
    with database.reading() as session:
        return session.get(
            Series, series_id, options=[selectinload(Series.occurrences), selectinload(Series.meetings)]
        )


def read_occurrence(database: Database, occurrence_id: int) -> Occurrence | None:
    """An occurrence with its series, attendees and invited people, detached: to be read, never written."""
    with database.reading() as session:
        return session.scalar(
            select(Occurrence)
            .where(Occurrence.id == occurrence_id)
            .options(
                selectinload(Occurrence.invited),
                joinedload(Occurrence.series).selectinload(Series.attendees),
                joinedload(Occurrence.series).joinedload(Series.pod).joinedload(Pod.program),
            )
        )


def open_link(series: Series) -> str | None:
    """The link under which a series is joined now; None before Outlook has made one."""
    return next((meeting.join_url for meeting in series.meetings if meeting.until is None), None)
