"""The pages behind the links: a GET writes nothing, an answer can be changed, and no link works for anything else."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from integration.attendance.models import MetDeclaration
from integration.feedback.jobs import ask_feedback, ask_met
from integration.feedback.models import FeedbackAnswer, FeedbackRequest
from integration.feedback.requests import ANSWERABLE_FOR
from integration.feedback.tokens import Purpose, Ticket, read_token, token_for
from integration.people.models import Person
from integration.scheduling.models import Occurrence
from integration.tools import Tools
from tests.feedback.conftest import OVER, Session1


@pytest.fixture
def link(first_session: Session1) -> str:
    """The link in Ada's mail."""
    first_session.record("Ada", attended=True)
    ask_feedback(first_session.tools, first_session.occurrence_id)
    return first_session.path("Ada")


@pytest.fixture
def met_link(first_session: Session1) -> str:
    ask_met(first_session.tools, first_session.occurrence_id)
    return first_session.met_path()


def answers(tools: Tools) -> list[tuple[int, str | None, bool]]:
    with tools.database.reading() as session:
        return [(each.score, each.comment, each.consent) for each in session.scalars(select(FeedbackAnswer))]


def test_opening_every_link_as_a_scanner_does_writes_nothing(browser: FlaskClient, link: str, tools: Tools) -> None:
    for score in range(1, 6):
        assert browser.get(f"{link}?score={score}").status_code == 200
        assert browser.head(f"{link}?score={score}").status_code == 200
    assert browser.get(f"{link}/thanks").status_code == 303
    assert answers(tools) == []


def test_two_taps_answer_the_question(browser: FlaskClient, link: str, tools: Tools) -> None:
    page = browser.get(f"{link}?score=4")
    assert 'value="4" required checked' in page.text
    assert page.text.count(" checked") == 1
    stored = browser.post(link, data={"score": "4"})
    assert (stored.status_code, urlsplit(stored.location).path) == (303, f"{link}/thanks")
    assert "4 – Much" in browser.get(f"{link}/thanks").text
    assert answers(tools) == [(4, None, False)]


def test_an_answer_can_be_changed_until_it_expires_and_stays_one(
    browser: FlaskClient, link: str, tools: Tools, first_session: Session1
) -> None:
    browser.post(link, data={"score": "2", "comment": "Too <fast>", "consent": "yes"})
    page = browser.get(link).text
    assert 'value="2" required checked' in page
    assert "Too &lt;fast&gt;" in page
    first_session.move_clock(OVER + timedelta(days=3))
    browser.post(link, data={"score": "5", "comment": "Better now"})
    assert answers(tools) == [(5, "Better now", False)]
    with tools.database.reading() as session:
        answer = session.scalars(select(FeedbackAnswer)).one()
        assert (answer.answered_at, answer.changed_at) == (OVER, OVER + timedelta(days=3))


def test_consent_without_a_comment_is_none(browser: FlaskClient, link: str, tools: Tools) -> None:
    browser.post(link, data={"score": "5", "comment": "  ", "consent": "yes"})
    assert answers(tools) == [(5, None, False)]


@pytest.mark.parametrize("sent", [{}, {"score": "6"}, {"score": "0"}, {"score": "4.5"}, {"score": "four"}])
def test_what_is_none_of_the_five_answers_is_asked_again_with_the_comment_kept(
    browser: FlaskClient, link: str, tools: Tools, sent: dict[str, str]
) -> None:
    page = browser.post(link, data={**sent, "comment": "I typed this"})
    assert page.status_code == 400
    assert "Please choose one of the five answers." in page.text
    assert "I typed this" in page.text
    assert answers(tools) == []


def test_a_comment_that_is_too_long_is_refused_in_words_and_a_flood_unread(
    browser: FlaskClient, link: str, tools: Tools
) -> None:
    refused = browser.post(link, data={"score": "4", "comment": "a" * 2001})
    assert (refused.status_code, "2001 characters" in refused.text) == (400, True)
    assert browser.post(link, data={"score": "4", "comment": "a" * 100_000}).status_code == 413
    assert answers(tools) == []


def test_a_link_that_was_changed_by_one_letter_is_not_ours(browser: FlaskClient, link: str, tools: Tools) -> None:
    forged = link[:-3] + ("aaa" if link[-3:] != "aaa" else "bbb")
    for answer in (browser.get(forged), browser.post(forged, data={"score": "1"}), browser.get("/feedback/x" * 50)):
        assert answer.status_code == 404
    assert "not one of ours" in browser.get(forged).text
    assert answers(tools) == []


def test_a_link_for_one_question_is_forged_for_the_other(
    browser: FlaskClient, link: str, met_link: str, tools: Tools
) -> None:
    assert browser.get(link.replace("/feedback/", "/feedback/met/")).status_code == 404
    assert browser.post(met_link.replace("/met/", "/"), data={"score": "1"}).status_code == 404
    assert answers(tools) == []


def test_a_token_says_what_it_was_made_for_and_nothing_under_another_key() -> None:
    ticket = Ticket(7, "nonce")
    token = token_for(ticket, purpose=Purpose.FEEDBACK, secret_key="the right key")
    assert read_token(token, purpose=Purpose.FEEDBACK, secret_key="the right key") == ticket
    assert read_token(token, purpose=Purpose.FEEDBACK, secret_key="a wrong key") is None
    assert read_token(token, purpose=Purpose.MET, secret_key="the right key") is None


def test_after_two_weeks_the_link_is_gone_and_the_answer_kept(
    browser: FlaskClient, link: str, tools: Tools, first_session: Session1
) -> None:
    browser.post(link, data={"score": "4"})
    first_session.move_clock(OVER + ANSWERABLE_FOR)
    assert browser.get(link).status_code == 410
    assert browser.post(link, data={"score": "1"}).status_code == 410
    assert answers(tools) == [(4, None, False)]


def test_a_link_that_was_replaced_or_whose_person_was_erased_is_gone(
    browser: FlaskClient, link: str, tools: Tools
) -> None:
    with tools.database.transaction() as session:
        request = session.scalars(select(FeedbackRequest)).one()
        kept, request.nonce = request.nonce, "another"
    assert browser.get(link).status_code == 410
    with tools.database.transaction() as session:
        session.scalars(select(FeedbackRequest)).one().nonce = kept
        session.delete(session.scalars(select(Person).where(Person.name == "Ada")).one())
    gone = browser.get(link)
    assert (gone.status_code, "no longer exists" in gone.text) == (410, True)


def test_the_pages_set_no_cookie_run_no_script_and_tell_no_other_site_the_link(
    browser: FlaskClient, link: str
) -> None:
    page = browser.get(f"{link}?score=4")
    assert "Set-Cookie" not in page.headers
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for forbidden in ("<script", "style=", "onclick", "http://", "https://"):
        assert forbidden not in page.text


def test_a_thousand_taps_are_slowed_down(browser: FlaskClient, link: str, tools: Tools) -> None:
    statuses = [browser.post(link, data={"score": "3"}).status_code for _ in range(30)]
    assert statuses.count(303) == 20
    assert statuses[-1] == 429
    assert answers(tools) == [(3, None, False)]


def test_a_facilitator_declares_that_they_met_or_not_and_can_change_it(
    browser: FlaskClient, met_link: str, tools: Tools, first_session: Session1
) -> None:
    page = browser.get(f"{met_link}?met=no").text
    assert 'value="no" required checked' in page
    assert declarations(tools) == 0
    browser.post(met_link, data={"met": "no"})
    assert "no, we did not meet" in browser.get(f"{met_link}/thanks").text
    with tools.database.reading() as session:
        occurrence = session.get_one(Occurrence, first_session.occurrence_id)
        assert (occurrence.attendance, occurrence.held) == ("declared", False)
    browser.post(met_link, data={"met": "yes"})
    with tools.database.reading() as session:
        occurrence = session.get_one(Occurrence, first_session.occurrence_id)
        assert (occurrence.attendance, occurrence.held) == ("unknown", True)


def test_when_the_report_came_after_all_there_is_nothing_to_declare(
    browser: FlaskClient, met_link: str, tools: Tools, first_session: Session1
) -> None:
    with tools.database.transaction() as session:
        session.get_one(Occurrence, first_session.occurrence_id).attendance = "measured"
    assert browser.post(met_link, data={"met": "no"}).status_code == 410
    assert declarations(tools) == 0


def test_neither_yes_nor_no_is_asked_again(browser: FlaskClient, met_link: str) -> None:
    page = browser.post(met_link, data={"met": "perhaps"})
    assert (page.status_code, "Please choose yes or no." in page.text) == (400, True)


def declarations(tools: Tools) -> int:
    with tools.database.reading() as session:
        return session.scalar(select(func.count()).select_from(MetDeclaration)) or 0
