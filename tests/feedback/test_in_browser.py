"""The pages and mails in Chromium: axe finds nothing, they fit a telephone, and a keyboard is enough."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from integration.feedback.jobs import ask_feedback, ask_met
from integration.feedback.models import FeedbackAnswer
from integration.mail.models import Mail
from integration.people.models import Person
from integration.scheduling.models import Pod
from tests.browsers import faults, fits, keep, served
from tests.feedback.conftest import Session1

pytestmark = pytest.mark.browser
LONG_NAME = "Pod of Wilhelmina-Alexandrina Featherstonehaugh-Cholmondeley & Donaudampfschifffahrtsgesellschaft"


@pytest.fixture(params=["_sqlite_url"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from request.getfixturevalue(request.param)


@pytest.fixture(params=[("light", 390), ("dark", 390), ("light", 1280), ("dark", 1280)], ids=lambda each: f"{each}")
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    scheme, width = request.param
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, java_script_enabled=True, bypass_csp=True
    )
    yield context.new_page()
    context.close()


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    with served(app) as url:
        yield url


@pytest.fixture
def asked(first_session: Session1) -> Session1:
    with first_session.tools.database.transaction() as session:
        session.scalars(select(Pod)).one().name = LONG_NAME
    first_session.record("Ada", attended=True)
    ask_feedback(first_session.tools, first_session.occurrence_id)
    ask_met(first_session.tools, first_session.occurrence_id)
    return first_session


def test_each_page_is_accessible_and_fits(page: Page, site: str, asked: Session1) -> None:
    question, met = asked.path("Ada"), asked.met_path()
    for path in (f"{question}?score=4", question, f"{met}?met=no", "/feedback/forged"):
        page.goto(site + path)
        assert faults(page) == [], path
        assert fits(page), path
        keep(page, "page")


def test_asking_who_shared_the_room_is_accessible_and_fits(page: Page, site: str, room_session: Session1) -> None:
    with room_session.tools.database.transaction() as session:
        session.scalars(select(Pod)).one().name = LONG_NAME
        session.scalars(select(Person).where(Person.name == "Alan")).one().name = LONG_NAME
    ask_feedback(room_session.tools, room_session.occurrence_id)
    address = room_session.shared_path()
    page.goto(site + address)
    assert (faults(page), fits(page)) == ([], True)
    keep(page, "shared")
    page.get_by_role("checkbox", name="Grace").check()
    page.get_by_role("button", name="They were there").click()
    page.wait_for_url("**/thanks")
    assert (faults(page), fits(page)) == ([], True)
    with room_session.tools.database.reading() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "who-shared-the-room")).one()
    page.set_content(mail.html)
    assert [fault for fault in faults(page) if fault not in ("region", "landmark-one-main")] == []
    assert fits(page)
    keep(page, "shared-mail")


def test_each_mail_is_accessible_and_fits(page: Page, asked: Session1) -> None:
    with asked.tools.database.reading() as session:
        mails = list(session.scalars(select(Mail)))
    assert {mail.kind for mail in mails} == {"feedback-request", "did-you-meet"}
    for mail in mails:
        page.set_content(mail.html)
        # A mail is shown inside the page of a mail program, which has the landmarks.
        assert [fault for fault in faults(page) if fault not in ("region", "landmark-one-main")] == [], mail.kind
        assert fits(page), mail.kind
        keep(page, mail.kind)


def test_a_keyboard_is_enough(page: Page, site: str, asked: Session1) -> None:
    page.goto(f"{site}{asked.path('Ada')}?score=4")
    page.get_by_role("radio", name="4 – Much").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url("**/thanks")
    assert faults(page) == []
    keep(page, "thanks")
    with asked.tools.database.reading() as session:
        assert session.scalars(select(FeedbackAnswer.score)).all() == [5]
