"""Before and after the clocks change, mails and pages tell the pod's own hour on the wall of whoever reads them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from integration.attendance.models import MEASURED, Attendance
from integration.feedback.jobs import DUTIES, ask_feedback, ask_met
from integration.feedback.letters import Links
from integration.feedback.models import FeedbackRequest, MetRequest
from integration.feedback.requests import REMIND_AFTER
from integration.mail.models import Mail
from integration.people.models import Person
from integration.scheduling.models import Occurrence
from integration.scheduling.recurrence import expand
from integration.tools import Tools
from tests.feedback.conftest import PUBLIC_URL, Session1

ZURICH, KOLKATA, NEW_YORK, SYDNEY = "Europe/Zurich", "Asia/Kolkata", "America/New_York", "Australia/Sydney"

# The zone of the pod, its first meeting on its wall, the zone of the reader (None: not known), and what is read about
# three meetings in a row. Written down from calendars, not computed.
AUTUMN = (ZURICH, "2026-10-21T10:00")  # Zurich leaves summer time on 25 October, New York on 1 November
SPRING = (ZURICH, "2027-03-24T10:00")  # Zurich goes to summer time on 28 March, Sydney leaves it on 4 April
IN_NEW_YORK = (NEW_YORK, "2026-10-21T17:00")
IN_KOLKATA = (KOLKATA, "2026-10-21T15:00")
IN_SYDNEY = (SYDNEY, "2027-03-25T09:00")
READ = [
    (AUTUMN, ZURICH, ["Wednesday 21 October, 10:00–10:30", "Wednesday 28 October, 10:00–10:30",
                      "Wednesday 4 November, 10:00–10:30"]),
    (AUTUMN, KOLKATA, ["Wednesday 21 October, 13:30–14:00", "Wednesday 28 October, 14:30–15:00",
                       "Wednesday 4 November, 14:30–15:00"]),
    (AUTUMN, NEW_YORK, ["Wednesday 21 October, 04:00–04:30", "Wednesday 28 October, 05:00–05:30",
                        "Wednesday 4 November, 04:00–04:30"]),
    (AUTUMN, SYDNEY, ["Wednesday 21 October, 19:00–19:30", "Wednesday 28 October, 20:00–20:30",
                      "Wednesday 4 November, 20:00–20:30"]),
    (SPRING, ZURICH, ["Wednesday 24 March, 10:00–10:30", "Wednesday 31 March, 10:00–10:30",
                      "Wednesday 7 April, 10:00–10:30"]),
    (SPRING, KOLKATA, ["Wednesday 24 March, 14:30–15:00", "Wednesday 31 March, 13:30–14:00",
                       "Wednesday 7 April, 13:30–14:00"]),
    (SPRING, NEW_YORK, ["Wednesday 24 March, 05:00–05:30", "Wednesday 31 March, 04:00–04:30",
                        "Wednesday 7 April, 04:00–04:30"]),
    (SPRING, SYDNEY, ["Wednesday 24 March, 20:00–20:30", "Wednesday 31 March, 19:00–19:30",
                      "Wednesday 7 April, 18:00–18:30"]),
    (IN_NEW_YORK, NEW_YORK, ["Wednesday 21 October, 17:00–17:30", "Wednesday 28 October, 17:00–17:30",
                             "Wednesday 4 November, 17:00–17:30"]),
    (IN_NEW_YORK, SYDNEY, ["Thursday 22 October, 08:00–08:30", "Thursday 29 October, 08:00–08:30",
                           "Thursday 5 November, 09:00–09:30"]),
    (IN_KOLKATA, ZURICH, ["Wednesday 21 October, 11:30–12:00", "Wednesday 28 October, 10:30–11:00",
                          "Wednesday 4 November, 10:30–11:00"]),
    (IN_SYDNEY, SYDNEY, ["Thursday 25 March, 09:00–09:30", "Thursday 1 April, 09:00–09:30",
                         "Thursday 8 April, 09:00–09:30"]),
    (IN_SYDNEY, NEW_YORK, ["Wednesday 24 March, 18:00–18:30", "Wednesday 31 March, 18:00–18:30",
                           "Wednesday 7 April, 19:00–19:30"]),
    (IN_SYDNEY, None, ["Thursday 25 March, 09:00–09:30", "Thursday 1 April, 09:00–09:30",
                       "Thursday 8 April, 09:00–09:30"]),
]  # fmt: skip


@pytest.fixture
def database_url(sqlite_database_url: str) -> str:
    """Which database it is makes no difference here."""
    return sqlite_database_url


def meet(tools: Tools, occurrence_id: int, pod: tuple[str, str], reader: str | None) -> list[int]:
    """Ada's pod meets three times from its first wall clock on, and she reads in her zone; ids of the occurrences."""
    zone, first = pod
    with tools.database.transaction() as session:
        series = session.get_one(Occurrence, occurrence_id).series
        session.scalars(select(Person).where(Person.name == "Ada")).one().time_zone = reader
        series.time_zone, series.starts_local = zone, datetime.fromisoformat(first)
        planned = expand(series.starts_local, time_zone=zone, length=timedelta(minutes=30), sessions=3)
        for occurrence, plan in zip(series.occurrences, planned.occurrences, strict=True):
            occurrence.starts_at, occurrence.ends_at = plan.starts_at, plan.ends_at
        return [occurrence.id for occurrence in series.occurrences]


def ask_ada(tools: Tools, occurrence_id: int) -> None:
    """She was there; she is asked how it was and, at the same time, whether it took place."""
    with tools.database.transaction() as session:
        ada = session.scalars(select(Person).where(Person.name == "Ada")).one().participant
        occurrence = session.get_one(Occurrence, occurrence_id)
        occurrence.facilitator = ada
        known = Attendance(occurrence_id=occurrence_id, participant=ada)
        known.attended, known.provenance, known.known_at = True, MEASURED, occurrence.ends_at
        session.add(known)
    ask_feedback(tools, occurrence_id)
    ask_met(tools, occurrence_id)


def mails(tools: Tools, kind: str) -> list[Mail]:
    with tools.database.reading() as session:
        return list(session.scalars(select(Mail).where(Mail.kind == kind).order_by(Mail.id)))


@pytest.mark.parametrize(("pod", "reader", "expected"), READ)
def test_the_hour_of_the_pod_is_told_on_the_wall_of_the_reader(
    first_session: Session1,
    browser: FlaskClient,
    pod: tuple[str, str],
    reader: str | None,
    expected: list[str],
) -> None:
    tools = first_session.tools
    meetings = meet(tools, first_session.occurrence_id, pod, reader)
    told = [f"{line} ({reader or pod[0]})" for line in expected]
    for meeting, line in zip(meetings, told, strict=True):
        with tools.database.reading() as session:
            ends_at = session.get_one(Occurrence, meeting).ends_at
        first_session.move_clock(ends_at)
        ask_ada(tools, meeting)
        assert all(line in browser.get(path).text for path in newest_pages(tools))
        first_session.move_clock(ends_at + REMIND_AFTER)
        DUTIES[0].run(tools, tools.clock.now())
    for kind in ("feedback-request", "did-you-meet", "feedback-reminder"):
        assert [line for line, mail in zip(told, mails(tools, kind), strict=True) if line in mail.text] == told
        days = [line.partition(" ")[2].partition(",")[0] for line in expected]
        subjects = [mail.subject for mail in mails(tools, kind)]
        assert [day for day, subject in zip(days, subjects, strict=True) if f"Pod Aurora, {day}:" in subject] == days


def newest_pages(tools: Tools) -> list[str]:
    """The pages behind the last question and the last "did you meet?"."""
    links = Links(PUBLIC_URL, tools.settings.secret_key)
    with tools.database.reading() as session:
        asked = session.scalars(select(FeedbackRequest).order_by(FeedbackRequest.id.desc())).first()
        asked_met = session.scalars(select(MetRequest).order_by(MetRequest.id.desc())).first()
        assert asked
        assert asked_met
        return [url.removeprefix(PUBLIC_URL) for url in (links.feedback(asked), links.met(asked_met))]
