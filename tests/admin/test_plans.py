"""A plan on its page: what it would do, applied once however often it is pressed, undone with its mails named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from integration.admin.models import AuditEntry, CoordinatorLimit
from integration.admin.permissions import Role
from integration.outbox import Message, State, Task
from integration.people.models import Person
from integration.scheduling.models import Plan, Program, Series
from integration.scheduling.plan import make_plan
from integration.scheduling.planning import ask_for_plan, record_failure
from integration.scheduling.programs import ProgramDraft, add_members, create_program
from tests.admin.conftest import Site
from tests.at_once import at_once
from tests.attendance.build import build_person

NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)
FOUR = ("Grace", "Alan", "Linus", "Barbara")


@pytest.fixture
def environ(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "clock").write_text(NOW.isoformat(), encoding="ascii")
    return {**environ, "CLOCK_FILE": str(tmp_path / "clock")}


@dataclass(frozen=True)
class Office:
    """A program of four people with one plan, and Ada's browser."""

    site: Site
    ada: FlaskClient
    program_id: int
    plan_id: int

    @property
    def page(self) -> str:
        return f"/admin/plans/{self.plan_id}"

    def count(self, what: type) -> int:
        with self.site.tools.database.reading() as session:
            return session.scalar(select(func.count()).select_from(what)) or 0

    def invite(self) -> None:
        """As the workers do, without Outlook."""
        with self.site.tools.database.transaction() as session:
            for series in session.scalars(select(Series)):
                series.created_at = series.invited_at = NOW


@pytest.fixture
def office(site: Site) -> Office:
    with site.tools.database.transaction() as session:
        people = [build_person(session, name) for name in FOUR]
        for person in people:
            person.time_zone = "Europe/Zurich"
        draft = ProgramDraft("Onboarding", "Answer customers alone", "days", "60", NOW.date(), weeks=3)
        program = create_program(session, draft, now=NOW)
        add_members(session, program, people)
        held = "linus@pods.example"
        plan = make_plan(
            session, program, {}, now=NOW, organizers=["pods.one@pods.example"], may_mail=lambda mail: mail != held
        )
        made = program.id, plan.id
    return Office(site, site.browser("ada@pods.example", Role.COORDINATOR), *made)


def test_the_page_says_what_the_plan_does_in_the_pods_time_and_in_the_viewers(office: Office):
    page = office.ada.get(office.page).text

    assert "This will create 1 series, invite 3 people, change 0. 0 people have no common slot." in page
    assert "(Europe/Zurich)" in page
    assert "for you: 3 Mar 2026, 09:30 UTC" in page
    assert "1 person is not invited" in page
    assert "3 sessions, with their facilitators" in page


def test_the_confirmation_names_everybody_who_is_mailed_and_nobody_else(office: Office):
    page = office.ada.get(f"{office.page}/apply").text

    assert "3 mails are sent:" in page
    assert [name in page for name in ("Grace (grace@", "Alan (alan@", "Barbara (barbara@", "Linus (linus@")] == [
        True,
        True,
        True,
        False,
    ]
    assert office.count(Series) == 0


def test_applied_twice_and_by_two_at_once_it_makes_one_series_and_one_line_in_the_audit(office: Office):
    def press() -> int:
        browser = office.site.browser("ada@pods.example", Role.COORDINATOR)
        return browser.post(f"{office.page}/apply").status_code

    answers = at_once(press, press, press)
    again = office.ada.post(f"{office.page}/apply", follow_redirects=True)

    assert answers == [303, 303, 303]
    assert "had been applied already" in again.text
    assert office.count(Series) == 1
    with office.site.tools.database.reading() as session:
        assert [each.action for each in session.scalars(select(AuditEntry))] == ["program.apply"]


def test_the_progress_is_asked_for_until_everybody_is_invited_or_in_trouble(office: Office):
    office.ada.post(f"{office.page}/apply")
    before = office.ada.get(f"{office.page}/progress").text
    office.invite()
    after = office.ada.get(f"{office.page}/progress").text

    assert ("hx-trigger" in before, "hx-trigger" in after) == (True, False)
    assert "1 of 1" in after

    with office.site.tools.database.transaction() as session:
        series = session.scalars(select(Series)).one()
        series.invited_at, series.trouble = None, "Outlook refused it. Grant Calendars.ReadWrite."
    troubled = office.ada.get(office.page).text
    assert "1 series is in trouble:" in troubled
    assert "Grant Calendars.ReadWrite." in troubled
    assert "hx-trigger" not in troubled


def test_a_plan_that_is_being_drafted_shows_what_keeps_it_and_then_reloads(office: Office):
    with office.site.tools.database.transaction() as session:
        plan = ask_for_plan(session, session.get_one(Program, office.program_id), now=NOW)
        message = session.scalars(select(Message).where(Message.task == Task.PLAN_DRAFT)).one()
        message.last_error, message.state = "Microsoft Graph cannot be reached.", State.WAITING
    drafting = office.ada.get(f"/admin/plans/{plan.id}")
    refused = office.ada.post(f"/admin/plans/{plan.id}/apply")
    with office.site.tools.database.transaction() as session:
        record_failure(session, session.get_one(Plan, plan.id), message="No organizer.", remedy="Set one.")
    answer = office.ada.get(f"/admin/plans/{plan.id}/progress?while=drafting")

    assert "Microsoft Graph cannot be reached." in drafting.text
    assert (refused.status_code, "is not ready" in refused.text) == (409, True)
    assert answer.headers["HX-Refresh"] == "true"
    assert "No organizer." in office.ada.get(f"/admin/plans/{plan.id}").text


def test_a_plan_that_no_longer_fits_says_so_and_is_not_applied(office: Office):
    with office.site.tools.database.transaction() as session:
        session.scalars(select(Person).where(Person.name == "Linus")).one().left_at = NOW

    page, refused = office.ada.get(office.page), office.ada.post(f"{office.page}/apply")

    assert "out of date: linus@pods.example is no longer here." in page.text
    assert "Apply …" not in page.text
    assert (refused.status_code, "out of date" in refused.text) == (409, True)
    assert office.count(Series) == 0


def test_undoing_names_the_cancellations_and_applying_afterwards_is_refused_in_words(office: Office):
    assert office.ada.post(f"{office.page}/undo").status_code == 409
    office.ada.post(f"{office.page}/apply")
    office.invite()

    confirmation = office.ada.get(f"{office.page}/undo").text
    first = office.ada.post(f"{office.page}/undo", follow_redirects=True)
    second = office.ada.post(f"{office.page}/undo", follow_redirects=True)
    again = office.ada.post(f"{office.page}/apply")

    assert "This cancels 1 series." in confirmation
    assert "3 mails are sent:" in confirmation
    assert "Linus" not in confirmation
    assert "1 person was held back and gets none." in confirmation
    assert "The series are being cancelled." in first.text
    assert "Series cancelled" in first.text
    assert "had been undone already" in second.text
    assert (again.status_code, "was undone on" in again.text) == (409, True)
    with office.site.tools.database.reading() as session:
        assert [each.action for each in session.scalars(select(AuditEntry).order_by(AuditEntry.id))] == [
            "program.apply",
            "program.undo",
        ]


def test_a_plan_of_another_coordinators_program_looks_like_none(office: Office):
    with office.site.tools.database.transaction() as session:
        other = create_program(session, ProgramDraft("Excel", "o", "m", "b", NOW.date()), now=NOW)
        session.add(CoordinatorLimit(mail="eve@pods.example", program_id=other.id))
    eve = office.site.browser("eve@pods.example", Role.COORDINATOR)

    seen = [eve.get(f"{office.page}{part}").status_code for part in ("", "/progress", "/apply", "/undo")]
    done = [eve.post(f"{office.page}{part}").status_code for part in ("/apply", "/undo")]

    assert (seen, done) == ([404] * 4, [404] * 2)
    assert office.count(Series) == 0
