"""Alan leads a program: he reads on a page what his weekly mail says, and never more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from integration.admin.models import CoordinatorLimit
from integration.admin.permissions import Role
from integration.mail.models import Mail
from integration.people.models import Person
from integration.scheduling.models import Occurrence, Program, ProgramLeader, Series
from integration.summaries.mails import write_summary
from integration.summaries.week import last_issue
from tests.attendance.build import build_person, build_series

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)  # a Wednesday; sessions are on 4, 11 and 18 March at nine
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def environ(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "clock").write_text(NOW.isoformat(), encoding="ascii")
    return {**environ, "CLOCK_FILE": str(tmp_path / "clock")}


@pytest.fixture
def program_id(site) -> int:
    """Two pods of four met on 4 March, three of four came; Alan leads."""
    with site.tools.database.transaction() as session:
        program = build_program(session, pods=2)
        alan = build_person(session, "Alan")
        alan.time_zone = "Europe/Zurich"
        session.add(ProgramLeader(program=program, person=alan))
        session.flush()
        return program.id


def build_program(session: Session, *, pods: int, people: int = 4, name: str = "Pod") -> Program:
    series = [_met(session, name=f"{name} {number}", people=people) for number in range(1, pods + 1)]
    program = series[0].pod.program
    for other in series[1:]:
        unused, other.pod.program = other.pod.program, program
        session.flush()
        session.delete(unused)
    session.flush()
    session.refresh(program)
    return program


def test_alan_reads_what_his_mail_says(site, program_id):
    page = site.browser("alan@pods.example").get(f"/summary/{program_id}").text
    with site.tools.database.transaction() as session:
        leader = session.scalars(select(ProgramLeader)).one()
        mail = write_summary(session, leader, now=NOW, unsubscribe_url="https://pods.example/stop")

    assert mail is not None
    for words in ("75%", "6 of 8 invitations", "60% or more", "too early to tell", "2 held by 2 pods"):
        assert words in page, words
        assert words in mail.text, words
    assert "too few, or too alike, to show" in page
    assert "Attended over invited" in page


def test_what_happens_after_monday_waits_for_the_next_one_on_the_page_and_in_a_second_mail(site, program_id):
    browser, address = site.browser("alan@pods.example"), f"/summary/{program_id}"
    before = told(browser, address)
    with site.tools.database.transaction() as session:
        for occurrence in session.scalars(select(Occurrence).where(Occurrence.number == 1)):
            occurrence.attended_count = 4
        leader = session.scalars(select(ProgramLeader)).one()
        write_summary(session, leader, now=NOW + timedelta(hours=1), unsubscribe_url="https://pods.example/stop")

    assert told(browser, address) == before
    with site.tools.database.reading() as session:
        assert "75%" in session.scalars(select(Mail.text)).one()

    move_clock(site, NOW + timedelta(days=7))
    after = browser.get(address).text
    assert "100%" in after
    assert "75%" in browser.get(f"{address}?week=2026-03-09").text
    assert "week=2026-03-09" in after


def told(browser: FlaskClient, address: str) -> str:
    """What a page says; the form beside it, to sign out, has a token that is new with every second."""
    _head, main, body = browser.get(address).text.partition("<main")
    assert main
    return body


def test_a_program_of_three_tells_no_rate(site):
    with site.tools.database.transaction() as session:
        program_id = build_program(session, pods=1, people=3).id
    page = site.browser("ada@pods.example", Role.ADMINISTRATOR).get(f"/summary/{program_id}").text

    assert "too few people to tell" in page
    assert "67%" not in page


def test_before_the_first_session_there_is_nothing_to_report(site, program_id):
    move_clock(site, NOW - timedelta(days=7))
    browser = site.browser("alan@pods.example")

    assert "Nothing to report yet" in browser.get(f"/summary/{program_id}").text
    assert browser.get(f"/summary/{program_id}/chart.png").status_code == 404


def test_the_chart_is_a_picture_that_is_told_in_words(site, program_id):
    browser = site.browser("alan@pods.example")
    page = browser.get(f"/summary/{program_id}").text
    chart = browser.get(f"/summary/{program_id}/chart.png?week=2026-03-09")

    assert 'alt="Participation by week (target 60%): 2 Mar 75%"' in page
    assert (chart.mimetype, chart.data[:4]) == ("image/png", b"\x89PNG")


def test_only_the_programs_leaders_and_coordinators_read_it(site, program_id):
    with site.tools.database.transaction() as session:
        other = build_program(session, pods=1, name="Elsewhere")
        session.add(CoordinatorLimit(mail="eve@pods.example", program_id=other.id))
        other_id = other.id

    def status(mail: str, *roles: Role, of: int = program_id) -> int:
        return site.browser(mail, *roles).get(f"/summary/{of}").status_code

    assert status("alan@pods.example") == 200
    assert status("alan@pods.example", of=other_id) == 404
    assert status("alan@pods.example", of=4711) == 404
    assert status("mallory@pods.example") == 403
    assert status("mallory@pods.example", Role.LEADER) == 404
    assert status("eve@pods.example", Role.COORDINATOR) == 404
    assert status("eve@pods.example", Role.COORDINATOR, of=other_id) == 200
    assert "Elsewhere" not in site.browser("alan@pods.example").get("/summary/", follow_redirects=True).text


def test_a_week_that_nobody_has_seen_is_not_made_up(site, program_id):
    browser = site.browser("alan@pods.example")
    for week in ("2026-02-02", "2026-03-16", "yesterday", SCRIPT):
        assert browser.get(f"/summary/{program_id}", query_string={"week": week}).status_code == 404


def test_scripts_in_names_are_words_only_and_no_program_is_an_empty_page(site):
    assert "No program yet" in site.browser("ada@pods.example", Role.ADMINISTRATOR).get("/summary/").text
    with site.tools.database.transaction() as session:
        program = build_program(session, pods=2, name=SCRIPT)
        program.name = program.outcome = f"{SCRIPT} {'Wilhelmina-' * 20}"
        program_id = program.id
    browser = site.browser("ada@pods.example", Role.ADMINISTRATOR)

    page = browser.get(f"/summary/{program_id}").text + browser.get("/summary/", follow_redirects=True).text
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page


def test_a_program_of_many_pods_costs_few_queries(site):
    with site.tools.database.transaction() as session:
        program_id = build_program(session, pods=12).id
    browser, statements = site.browser("ada@pods.example", Role.COORDINATOR), list[str]()
    event.listen(site.tools.database.engine, "before_cursor_execute", lambda *said: statements.append(said[2]))

    assert browser.get(f"/summary/{program_id}").status_code == 200
    assert len(statements) < 40  # this once: the figures of two weeks are computed and kept
    statements.clear()
    browser.get(f"/summary/{program_id}")
    assert len(statements) < 25


@pytest.mark.parametrize("day", range(1, 32))
def test_the_latest_issue_is_the_monday_at_eight_before_whatever_clocks_do(day):
    now = datetime(2026, 3, day, 12, tzinfo=UTC)  # clocks change on the 29th
    issued_at = last_issue(now, "Europe/Zurich")
    assert timedelta() <= now - issued_at < timedelta(days=7, hours=1)
    assert (issued_at.weekday(), issued_at.hour) == (0, 6 if day >= 30 else 7)


def _met(session: Session, *, name: str, people: int) -> Series:
    """A pod that met on 4 March without one of its members; Outlook's other sessions are still to be read."""
    members: list[Person] = [build_person(session, f"{name}-{number}".replace(" ", "-")) for number in range(people)]
    series = build_series(session, members, name=name, organizer_id=f"organizer of {name}")
    first = series.occurrences[0]
    first.attendance, first.held, first.together_seconds = "measured", True, 1500
    first.attended_count, first.unknown_count = people - 1, 0
    return series


def move_clock(site, to: datetime) -> None:
    site.tools.settings.clock_file.write_text(to.isoformat(), encoding="ascii")
