"""Pods on four continents keep their time on the wall through both changes of clocks: in Outlook, feeds and mails."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import cast
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events
from icalendar import Calendar
from sqlalchemy import select

from integration.mail.models import Mail
from integration.portal.feed import Ticket, Whose, feed_of
from integration.scheduling.jobs import push_series, send_guide
from tests.scheduling.conftest import Office

# From March to November: in New York the clocks change on 8 March and 1 November, in Zurich on 29 March and
# 25 October, in Sydney on 5 April and 4 October, in Kolkata never.
WEEKS, FROM, UNTIL = 37, date(2026, 3, 3), datetime(2026, 12, 1, tzinfo=UTC)
CHANGES = {"Europe/Zurich": 2, "America/New_York": 2, "Australia/Sydney": 2, "Asia/Kolkata": 0}


@pytest.mark.parametrize("zone", CHANGES)
def test_ada_and_grace_meet_at_the_same_hour_on_their_wall_all_year(office: Office, zone: str) -> None:
    series_id = office.applied("Ada", "Grace", time_zone=zone, weeks=WEEKS, starts_on=FROM)
    push_series(office.tools, series_id)
    series, wall = office.series(series_id), ZoneInfo(zone)
    rows = [occurrence.starts_at for occurrence in series.occurrences]
    (hour,) = {at.astimezone(wall).time() for at in rows}

    assert len(rows) == WEEKS
    assert changes_of_offset(rows, wall) == CHANGES[zone]
    (event,) = office.events()
    assert [view.starts_at for view in event.views(until=UNTIL)] == rows
    assert hours_in_feed(office, series.pod_id, wall) == [(at.astimezone(wall).date(), hour) for at in rows]
    for number in (1, WEEKS // 2, WEEKS):
        assert f"{hour:%H:%M}" in guide_of(office, series_id, number)
        assert zone in guide_of(office, series_id, number)


def changes_of_offset(starts: list[datetime], wall: ZoneInfo) -> int:
    offsets = [at.astimezone(wall).utcoffset() for at in starts]
    return sum(1 for before, after in pairwise(offsets) if before != after)


def hours_in_feed(office: Office, pod_id: int, wall: ZoneInfo) -> list[tuple[date, time]]:
    """The feed as a calendar program reads it: with its own zones, expanded by a library of its own."""
    with office.tools.database.reading() as session:
        text = feed_of(session, Ticket(Whose.POD, pod_id))
    assert text is not None
    found = recurring_ical_events.of(Calendar.from_ical(text)).between(FROM - timedelta(days=2), UNTIL)
    starts = sorted(cast(datetime, event.decoded("DTSTART")).astimezone(wall) for event in found)
    return [(at.date(), at.time()) for at in starts]


def guide_of(office: Office, series_id: int, number: int) -> str:
    """The subject of the day-before mail of one occurrence."""
    occurrence = office.occurrence(series_id, number)
    day_before = occurrence.starts_at - timedelta(days=1)
    if day_before > office.tenant.clock.now():
        office.wait_until(day_before)
    send_guide(office.tools, occurrence.id)
    with office.tools.database.reading() as session:
        mails = session.scalars(select(Mail.subject).where(Mail.kind == "facilitator-guide").order_by(Mail.id)).all()
    return mails[-1]
