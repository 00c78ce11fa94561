"""Asking who shared the room: once, by one mail at most, on a page of names to tick, and on My pods."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from flask.testing import FlaskClient
from sqlalchemy import select

from integration.attendance.models import Attendance, SharedDeclaration, UnmatchedRecord
from integration.feedback.jobs import ask_feedback
from integration.feedback.models import FeedbackRequest
from integration.feedback.requests import ANSWERABLE_FOR
from integration.mail.models import Mail
from integration.people.models import Person
from integration.portal.my_pods import open_questions
from integration.scheduling.models import Occurrence
from integration.tools import Tools
from tests.at_once import at_once
from tests.feedback.conftest import OVER, PUBLIC_URL, Session1


def mails(tools: Tools, kind: str) -> list[Mail]:
    with tools.database.reading() as session:
        return list(session.scalars(select(Mail).where(Mail.kind == kind)))


def ids(asked: Session1) -> dict[str, int]:
    with asked.tools.database.reading() as session:
        return {each.name: each.participant_id for each in session.scalars(select(Person))}


def attended(asked: Session1) -> dict[str, bool | None]:
    with asked.tools.database.reading() as session:
        return {row.participant.name: row.attended for row in session.scalars(select(Attendance))}


def test_the_facilitator_gets_one_mail_however_often_it_is_asked_for(room_session: Session1) -> None:
    for _ in range(3):
        ask_feedback(room_session.tools, room_session.occurrence_id)
    (mail,) = mails(room_session.tools, "who-shared-the-room")
    assert (mail.to_name, mail.subject) == ("Ada", "Pod Aurora, 4 March: who shared the room?")
    assert "Grace, Alan" in mail.text
    assert f"{PUBLIC_URL}{room_session.shared_path()}" in mail.text


def test_two_workers_at_once_ask_once(room_session: Session1) -> None:
    at_once(*[partial(ask_feedback, room_session.tools, room_session.occurrence_id)] * 2)
    assert len(mails(room_session.tools, "who-shared-the-room")) == 1


def test_without_a_room_the_question_stands_in_the_feedback_mail_and_costs_none(room_session: Session1) -> None:
    with room_session.tools.database.transaction() as session:
        session.delete(session.scalars(select(UnmatchedRecord)).one())
        occurrence = session.get_one(Occurrence, room_session.occurrence_id)
        for row in occurrence.invited:
            row.response = "accepted"
    ask_feedback(room_session.tools, room_session.occurrence_id)
    assert mails(room_session.tools, "who-shared-the-room") == []
    (mail,) = mails(room_session.tools, "feedback-request")
    assert f"{PUBLIC_URL}{room_session.shared_path()}" in mail.text


def test_looking_at_the_page_writes_nothing_and_ticking_names_does(
    room_session: Session1, browser: FlaskClient
) -> None:
    ask_feedback(room_session.tools, room_session.occurrence_id)
    address, who = room_session.shared_path(), ids(room_session)
    page = browser.get(address)
    assert page.status_code == 200
    assert ["Grace" in page.text, "Alan" in page.text] == [True, True]
    assert attended(room_session) == {"Ada": True, "Grace": None, "Alan": None}
    nothing = browser.post(address)
    assert (nothing.status_code, "Tick at least one name" in nothing.text) == (400, True)
    thanks = browser.post(address, data={"who": [who["Grace"]]}, follow_redirects=True)
    assert "these were there: Grace" in thanks.text
    assert attended(room_session) == {"Ada": True, "Grace": True, "Alan": False}
    browser.post(address, data={"who": [who["Grace"], who["Alan"]]})
    assert attended(room_session) == {"Ada": True, "Grace": True, "Alan": True}
    browser.post(address, data={"nobody": "yes"})
    assert attended(room_session) == {"Ada": True, "Grace": False, "Alan": False}
    with room_session.tools.database.reading() as session:
        answers = [row.participant_ids for row in session.scalars(select(SharedDeclaration).order_by("id"))]
    assert answers == [[who["Grace"]], sorted([who["Grace"], who["Alan"]]), []]


def test_whoever_was_named_is_asked_how_it_was(room_session: Session1, browser: FlaskClient) -> None:
    ask_feedback(room_session.tools, room_session.occurrence_id)
    browser.post(room_session.shared_path(), data={"who": [ids(room_session)["Grace"]]})
    ask_feedback(room_session.tools, room_session.occurrence_id)
    with room_session.tools.database.reading() as session:
        assert {each.participant.name for each in session.scalars(select(FeedbackRequest))} == {"Ada", "Grace"}


def test_nobody_can_be_named_who_is_not_missing(room_session: Session1, browser: FlaskClient) -> None:
    ask_feedback(room_session.tools, room_session.occurrence_id)
    answer = browser.post(room_session.shared_path(), data={"who": [ids(room_session)["Ada"], 4711]})
    assert (answer.status_code, "Nobody is missing" in answer.text) == (410, True)
    with room_session.tools.database.reading() as session:
        assert session.scalars(select(SharedDeclaration)).all() == []


def test_a_forged_and_an_expired_link_lead_nowhere(room_session: Session1, browser: FlaskClient) -> None:
    ask_feedback(room_session.tools, room_session.occurrence_id)
    assert browser.get("/feedback/shared/forged").status_code == 404
    room_session.move_clock(OVER + ANSWERABLE_FOR + timedelta(seconds=1))
    assert browser.get(room_session.shared_path()).status_code == 410
    assert browser.post(room_session.shared_path(), data={"nobody": "yes"}).status_code == 410


def test_the_question_stands_on_my_pods_until_it_is_answered(room_session: Session1, browser: FlaskClient) -> None:
    ask_feedback(room_session.tools, room_session.occurrence_id)

    def open_for(name: str) -> int:
        with room_session.tools.database.reading() as session:
            person = session.scalars(select(Person).where(Person.name == name)).one()
            return len(open_questions(session, person, now=OVER).shared)

    assert (open_for("Ada"), open_for("Grace")) == (1, 0)
    browser.post(room_session.shared_path(), data={"nobody": "yes"})
    assert open_for("Ada") == 0
