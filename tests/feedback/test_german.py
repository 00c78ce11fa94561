"""Somebody who reads German is asked, and answers, in German; the others of the pod are not."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from integration.feedback.jobs import ask_feedback, ask_met
from integration.mail.models import Mail
from integration.people.models import Person
from integration.tools import Tools
from tests.feedback.conftest import Session1


@pytest.fixture
def database_url(sqlite_database_url: str) -> str:
    """Which database it is makes no difference here."""
    return sqlite_database_url


@pytest.fixture
def asked(first_session: Session1, tools: Tools) -> Session1:
    """Ada reads German and Grace English; both came and are asked, and Ada whether they met as well."""
    with tools.database.transaction() as session:
        session.scalars(select(Person).where(Person.name == "Ada")).one().language = "de-CH"
    ask_met(tools, first_session.occurrence_id)
    for name in ("Ada", "Grace"):
        first_session.record(name, attended=True)
    ask_feedback(tools, first_session.occurrence_id)
    return first_session


def mail(tools: Tools, kind: str, name: str) -> Mail:
    with tools.database.reading() as session:
        return session.scalars(select(Mail).where(Mail.kind == kind, Mail.to_name == name)).one()


def test_each_is_asked_in_their_language_with_its_dates(asked: Session1, tools: Tools) -> None:
    ada, grace = (mail(tools, "feedback-request", name) for name in ("Ada", "Grace"))
    assert ada.subject == "Pod Aurora, 4. März: Wie war es?"
    assert '<html lang="de"' in ada.html
    assert "Pod Aurora hat sich am Mittwoch, 4. März, 10:00–10:30 Uhr (Europe/Zurich) getroffen." in ada.text
    assert "😃 5 – Außerordentlich: http" in ada.text
    assert "funktionieren bis zum 18. März." in ada.text
    assert grace.subject == "Pod Aurora, 4 March: how was it?"
    assert "Wednesday 4 March, 14:30–15:00 (Asia/Kolkata)" in grace.text


def test_did_you_meet_is_german_too(asked: Session1, tools: Tools, browser: FlaskClient) -> None:
    assert mail(tools, "did-you-meet", "Ada").subject == "Pod Aurora, 4. März: Haben Sie sich getroffen?"
    assert "Ja, wir haben uns getroffen" in browser.get(asked.met_path()).text


def test_the_pages_behind_the_link_speak_as_the_mail_did_whatever_the_browser_prefers(
    asked: Session1, browser: FlaskClient
) -> None:
    german, english = {"Accept-Language": "de"}, {"Accept-Language": "en"}
    page = browser.get(asked.path("Ada"), headers=english)
    assert (page.headers["Content-Language"], '<html lang="de"' in page.text) == ("de", True)
    assert "Wie nützlich war diese Sitzung" in page.text
    assert "Bitte wählen Sie eine der fünf Antworten." in browser.post(asked.path("Ada"), headers=english).text
    browser.post(asked.path("Ada"), data={"score": "4", "comment": "Gut"}, headers=english)
    thanks = browser.get(asked.path("Ada") + "/thanks", headers=english).text
    assert "4 – Sehr" in thanks
    assert "wird niemandem gezeigt" in thanks
    assert "Wie nützlich" in browser.get(asked.path("Grace"), headers=german).text  # of Grace nobody knows it
    assert "Dieser Link stammt nicht von uns." in browser.get("/feedback/forged", headers=german).text
