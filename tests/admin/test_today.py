from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from integration.admin.models import CoordinatorLimit
from integration.admin.permissions import Role
from integration.clock import real_now
from integration.db import Database
from integration.mail.models import Mail
from integration.outbox import Message, State, Task
from integration.people.models import Person
from integration.scheduling.models import Plan, PodMember, ProgramMember, Series
from tests.admin.conftest import Site
from tests.attendance.build import build_person, build_series


def test_a_fresh_installation_is_led_through_three_steps(site: Site):
    ada = site.browser("ada@pods.example", Role.ADMINISTRATOR)
    assert ada.get("/admin/").text.count("<li>") == 3

    with site.tools.database.transaction() as session:
        build_person(session, "Grace")

    page = ada.get("/admin/").text
    assert page.count('<li class="done">') == 1
    assert "1 person is known." in page


def test_the_sessions_of_the_next_seven_days_stand_in_the_viewers_zone(site: Site):
    with site.tools.database.transaction() as session:
        ada = build_person(session, "Ada")
        ada.time_zone = "Asia/Kolkata"
        series = pod(session, "Pod of Grace")
        soon, later, past = series.occurrences
        move(soon, timedelta(days=2))
        move(later, timedelta(days=9))
        move(past, timedelta(days=-1))
        soon.facilitator = ada.participant
    page = site.browser("ada@pods.example", Role.COORDINATOR).get("/admin/").text

    assert page.count(">Pod of Grace<") == 1
    assert "Asia/Kolkata" in page
    assert "<td>Ada</td>" in page


def test_what_went_wrong_says_what_helps_and_where(site: Site):
    with site.tools.database.transaction() as session:
        series = pod(session, "Pod of Grace")
        series.trouble = "Outlook shows 2 of 3 instances. Look at the organizer's calendar."
        series.occurrences[0].attendance, series.occurrences[0].attendance_reason = "unknown", "No report after 24 h."
        move(series.occurrences[0], timedelta(days=-2))
        session.add(parked(series))
        session.add(mail(session, "held"))
    page = site.browser("ada@pods.example", Role.COORDINATOR).get("/admin/").text

    for words in ("2 of 3 instances", "No report after 24 h.", "Graph refused.", "1 mail is held back."):
        assert words in page, words
    assert 'href="/admin/health/mails?state=held"' in page
    assert 'href="/admin/health#parked"' in page


def test_the_latest_plan_waits_until_it_is_applied_and_so_do_members_without_a_pod(site: Site):
    with site.tools.database.transaction() as session:
        series = pod(session, "Pod of Grace")
        program = series.pod.program
        alan, linus = build_person(session, "Alan"), build_person(session, "Linus")
        session.add_all(ProgramMember(program=program, participant=each.participant) for each in (alan, linus))
        session.add(PodMember(pod=series.pod, participant=alan.participant, joined_at=real_now()))
        session.add_all(Plan(program=program, made_at=real_now(), content={}) for _ in range(2))
    ada = site.browser("ada@pods.example", Role.COORDINATOR)
    page = ada.get("/admin/").text
    assert page.count("Plan not applied") == 1
    assert "1 member is in no pod." in page

    with site.tools.database.transaction() as session:
        session.scalars(select(Plan).order_by(Plan.id.desc())).first().applied_at = real_now()  # type: ignore[union-attr]
        session.scalars(select(Person).where(Person.name == "Linus")).one().left_at = real_now()
    assert "Nothing waits for you." in ada.get("/admin/").text


def test_a_limited_coordinator_sees_nothing_of_other_programs(site: Site):
    with site.tools.database.transaction() as session:
        mine, other = pod(session, "Pod of Grace"), pod(session, "Pod of Mallory")
        for series in (mine, other):
            series.trouble = f"Trouble of {series.subject}"
            move(series.occurrences[0], timedelta(days=1))
            session.add_all([parked(series), Plan(program=series.pod.program, made_at=real_now(), content={})])
        session.add(mail(session, "held"))
        session.add(CoordinatorLimit(mail="grace@pods.example", program_id=mine.pod.program_id))
    page = site.browser("grace@pods.example", Role.COORDINATOR).get("/admin/").text

    assert "Trouble of Pod of Grace" in page
    assert "Mallory" not in page
    assert "held back" not in page


def test_today_asks_few_questions_however_much_there_is(site: Site):
    with site.tools.database.transaction() as session:
        for number in range(30):
            series = pod(session, f"Pod {number}")
            series.trouble = "Trouble"
            move(series.occurrences[0], timedelta(days=1))
            move(series.occurrences[1], timedelta(days=-1))
            series.occurrences[1].attendance = "unknown"
            session.add_all([parked(series), Plan(program=series.pod.program, made_at=real_now(), content={})])
    ada = site.browser("ada@pods.example", Role.ADMINISTRATOR)
    with counted(site.tools.database) as questions:
        page = ada.get("/admin/").text

    assert "and 10 more" in page
    assert len(questions) < 25


def pod(session: Session, name: str) -> Series:
    """A pod without members whose sessions are long over."""
    series = build_series(session, [], name=name)
    for occurrence in series.occurrences:
        move(occurrence, timedelta(days=-100))
    return series


def move(occurrence, ahead: timedelta) -> None:
    occurrence.starts_at = real_now() + ahead
    occurrence.ends_at = occurrence.starts_at + timedelta(minutes=30)


def parked(series: Series) -> Message:
    now = real_now()
    return Message(
        task=Task.SERIES_PUSH, kind="series", subject=str(series.id), state=State.PARKED,
        first_asked_at=now, asked_at=now, due_at=now, attempts=5, refusals=5, last_error="Graph refused.",
    )  # fmt: skip


def mail(session: Session, state: str, *, name: str = "Barbara") -> Mail:
    person = build_person(session, name)
    return Mail(
        kind="feedback-request", participant=person.participant, to_address=person.mail, to_name=person.name,
        subject="How was it?", html="", text="", tag=f"tag-{state}", created_at=real_now(), state=state,
    )  # fmt: skip


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Every statement that is sent to the database in the block."""
    seen: list[str] = []

    def note(_connection, _cursor, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)
