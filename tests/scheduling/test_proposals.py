"""Another time, proposed in Outlook: the facilitator says yes or no by a link, and nobody else is bothered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from integration.app import create_app
from integration.mail.models import Mail
from integration.scheduling.jobs import pull_series
from integration.scheduling.models import Series
from integration.scheduling.proposals.asking import Links
from integration.scheduling.proposals.models import TimeProposal
from tests.scheduling.conftest import Office
from tests.scheduling.drifting import FOUR, instances, invited, is_settled, mails, work

THEN = datetime(2026, 3, 18, 13, tzinfo=UTC)  # a Wednesday; the second session is on Tuesday the 17th
HALF_AN_HOUR = timedelta(minutes=30)


@dataclass(frozen=True)
class Question:
    office: Office
    series_id: int
    browser: FlaskClient

    def path(self) -> str:
        settings = self.office.tools.settings
        with self.office.tools.database.reading() as session:
            proposal = session.scalars(select(TimeProposal)).one()
            return Links("", settings.secret_key).to(proposal)

    def answer(self, given: str) -> int:
        return self.browser.post(self.path(), data={"answer": given}).status_code

    def row(self) -> TimeProposal:
        with self.office.tools.database.reading() as session:
            return session.scalars(select(TimeProposal)).one()


@pytest.fixture
def question(office: Office) -> Iterator[Question]:
    """Grace declines the second session and proposes the day after."""
    series_id = invited(office)
    propose(office, series_id, "Grace", THEN)
    for _ in range(2):
        pull_series(office.tools, series_id)
    app = create_app(office.tools.settings)
    app.config["WTF_CSRF_ENABLED"] = False
    yield Question(office, series_id, app.test_client())
    app.extensions["tools"].close()


def propose(office: Office, series_id: int, name: str, at: datetime) -> None:
    person = office.tenant.directory.find(office.mails(name)[0])
    assert person is not None
    series = office.series(series_id)
    office.tenant.calendars.reply(
        person,
        uid=series.ical_uid or "",
        response="decline",
        occurrence_start=office.occurrence(series_id, 2).starts_at,
        proposed=(at, at + HALF_AN_HOUR),
    )


def test_the_facilitator_is_asked_once_with_both_times(question: Question):
    with question.office.tools.database.reading() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "time-proposal")).one()
        second = session.get_one(Series, question.series_id).occurrences[1]
    assert mail.participant_id == second.facilitator_id
    assert "Tuesday 17 March, 10:30" in mail.text
    assert "Wednesday 18 March, 14:00" in mail.text
    assert "?answer=yes" in mail.html


def test_looking_at_the_question_changes_nothing(question: Question):
    for query in ("", "?answer=yes", "?answer=no"):
        page = question.browser.get(question.path() + query)
        assert page.status_code == 200
        assert "Grace" in page.text
    assert question.row().answer is None
    with mails(question.office) as told:
        work(question.office)
    assert told == {}


def test_a_yes_moves_the_session_by_one_update_and_twice_is_harmless(question: Question):
    office = question.office
    with mails(office) as told:
        assert [question.answer("yes"), question.answer("yes")] == [303, 303]
        work(office)
        work(office)

    assert told == {(name, "meetingUpdate"): 1 for name in FOUR}
    moved = office.occurrence(question.series_id, 2)
    assert (moved.starts_at, moved.wanted[0], moved.freeze_due_at) == (THEN, THEN, THEN)
    assert THEN in [one.starts_at for one in instances(office, question.series_id)]
    assert is_settled(office, question.series_id)
    assert question.answer("no") == 409
    assert "Wednesday 18 March" in question.browser.get(question.path() + "/thanks").text


def test_a_no_keeps_it_and_tells_nobody(question: Question):
    with mails(question.office) as told:
        assert [question.answer("no"), question.answer("no")] == [303, 303]
        work(question.office)
    assert told == {}
    assert question.office.occurrence(question.series_id, 2).starts_at == datetime(2026, 3, 17, 9, 30, tzinfo=UTC)


def test_it_is_closed_once_the_session_has_begun(question: Question):
    question.office.wait_until(datetime(2026, 3, 17, 9, 30, tzinfo=UTC))
    assert question.browser.get(question.path()).status_code == 410
    assert question.answer("yes") == 410
    assert question.row().answer is None


def test_it_is_withdrawn_when_its_author_answers_otherwise(question: Question):
    question.office.reply(question.series_id, "Grace", "accept", number=2)
    pull_series(question.office.tools, question.series_id)
    assert question.answer("yes") == 410


def test_a_time_past_the_next_session_is_refused_before_outlook_refuses_it(office: Office):
    series_id = invited(office)
    propose(office, series_id, "Grace", THEN + timedelta(days=7))
    pull_series(office.tools, series_id)
    app = create_app(office.tools.settings)
    app.config["WTF_CSRF_ENABLED"] = False
    asked = Question(office, series_id, app.test_client())

    assert "Outlook moves no session onto or past the day" in asked.browser.get(asked.path()).text
    assert asked.answer("yes") == 409
    assert asked.answer("no") == 303
    app.extensions["tools"].close()


def test_a_forged_or_foreign_link_opens_nothing(question: Question):
    assert question.browser.get("/proposals/nonsense").status_code == 404
    assert question.browser.post(question.path() + "x", data={"answer": "yes"}).status_code == 404
    assert question.answer("perhaps") == 400
