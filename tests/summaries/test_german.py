"""A leader who reads German gets a German summary, with its dates, decimal commas and plurals."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from integration.db import Database
from integration.language import speaking
from integration.mail.models import Mail
from integration.people.models import Participant, Person
from integration.scheduling.models import Program, ProgramLeader, Series
from integration.summaries.chart import WeekBar, chart_alt, chart_png
from integration.summaries.mails import write_summary
from tests.attendance.build import build_person, build_series

MONDAY = datetime(2026, 3, 16, 8, tzinfo=UTC)
NAMES = ("Ada", "Grace", "Alan", "Linus", "Barbara", "Edsger")


@pytest.fixture
def series(sqlite_database: Database) -> int:
    """One pod of six met twice, all but one the second time; the third time is still to come."""
    with sqlite_database.transaction() as session:
        people = [build_person(session, name) for name in NAMES]
        series = build_series(session, people)
        for occurrence, came in zip(series.occurrences, (6, 5), strict=False):
            occurrence.attendance, occurrence.held = "measured", True
            occurrence.attended_count, occurrence.unknown_count, occurrence.together_seconds = came, 0, 1500
        return series.id


def summary_for(session: Session, series_id: int, language: str | None) -> Mail:
    program: Program = session.get_one(Series, series_id).pod.program
    person = Person(mail=f"{language}@pods.example", name="Mary", language=language, participant=Participant())
    person.time_zone, person.skills = "Europe/Zurich", []
    leader = ProgramLeader(program=program, person=person)
    session.add(leader)
    session.flush()
    mail = write_summary(session, leader, now=MONDAY, unsubscribe_url="https://pods.example/stop")
    assert mail is not None
    return mail


def test_a_german_leader_reads_german_and_an_english_one_english(sqlite_database: Database, series: int) -> None:
    with sqlite_database.transaction() as session:
        german, english = summary_for(session, series, "de"), summary_for(session, series, None)
    assert german.subject == "Program of Pod 1: die Woche vom 16. März"
    assert '<html lang="de"' in german.html
    for words in (
        "Was am 16. März 2026 bekannt ist (Europe/Zurich).",
        "Teilnahme 92 %",
        "11 von 12 Einladungen, 2 Sitzungen.",
        "Ziel: 60 % oder mehr",
        "Erfolg. Der eine Lernpod hat sich getroffen, 1 Sitzung in der vergangenen Woche.",
        "Diese E-Mails abbestellen: https://pods.example/stop",
    ):
        assert words in " ".join(german.text.split())
    assert english.subject == "Program of Pod 1: the week of 16 March"
    assert "Participation 92% Target: 60% or more" in " ".join(english.text.split())
    assert "Win. All 1 pod has met, 1 session held in the past week." in english.text


def test_the_chart_has_no_box_where_german_has_a_space_that_does_not_break() -> None:
    unbroken, plain = (chart_png([WeekBar(label, 0.75)], target=0.6) for label in ("60\xa0%", "60 %"))
    assert unbroken == plain


def test_the_chart_is_told_in_german() -> None:
    with speaking("de"):
        told = chart_alt([WeekBar("2.3.", 0.75), WeekBar("9.3.", None)], target=0.6)
    assert told == "Teilnahme je Woche (Ziel 60\xa0%): 2.3. 75\xa0%, 9.3. ohne Zahl"
