"""Who came gets exactly one question; who does not answer gets at most one reminder."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from integration.attendance.models import CORRECTED, UPLOADED
from integration.feedback.answers import record_answer
from integration.feedback.jobs import DUTIES, ask_feedback, ask_met
from integration.feedback.models import FeedbackRequest, MetRequest
from integration.feedback.requests import ANSWERABLE_FOR, REMIND_AFTER
from integration.jobs import DUTIES as ALL_DUTIES
from integration.jobs import HANDLERS
from integration.mail.models import Mail
from integration.outbox import Task
from integration.people.models import Person
from integration.scheduling.models import Occurrence
from integration.tools import Tools
from tests.at_once import at_once
from tests.feedback.conftest import OVER, Session1


def mails(tools: Tools, kind: str = "feedback-request") -> list[Mail]:
    with tools.database.reading() as session:
        return list(session.scalars(select(Mail).where(Mail.kind == kind).order_by(Mail.to_name)))


def remind(tools: Tools) -> None:
    (duty,) = DUTIES
    with tools.database.reading() as session:
        due_at = session.scalar(duty.due)
    if due_at is not None and due_at <= tools.clock.now():
        duty.run(tools, tools.clock.now())


def test_only_who_came_is_asked_and_asking_again_asks_nobody(first_session: Session1) -> None:
    first_session.record("Ada", attended=True)
    first_session.record("Grace", attended=True, provenance=UPLOADED)
    first_session.record("Alan", attended=False)
    for _ in range(2):
        ask_feedback(first_session.tools, first_session.occurrence_id)
    assert sorted(first_session.asked()) == ["Ada", "Grace"]
    assert [mail.to_name for mail in mails(first_session.tools)] == ["Ada", "Grace"]


def test_of_whom_nobody_knows_whether_they_came_is_not_asked(first_session: Session1) -> None:
    ask_feedback(first_session.tools, first_session.occurrence_id)
    assert first_session.asked() == []


def test_a_later_correction_asks_the_one_it_found_and_nobody_else(first_session: Session1) -> None:
    first_session.record("Ada", attended=True)
    ask_feedback(first_session.tools, first_session.occurrence_id)
    first_session.record("Alan", attended=True, provenance=CORRECTED)
    ask_feedback(first_session.tools, first_session.occurrence_id)
    assert sorted(first_session.asked()) == ["Ada", "Alan"]
    assert len(mails(first_session.tools)) == 2


def test_two_workers_at_once_ask_each_person_once(first_session: Session1) -> None:
    for name in ("Ada", "Grace", "Alan"):
        first_session.record(name, attended=True)
    at_once(*[partial(ask_feedback, first_session.tools, first_session.occurrence_id)] * 2)
    assert sorted(first_session.asked()) == ["Ada", "Alan", "Grace"]
    assert len(mails(first_session.tools)) == 3


def test_somebody_who_left_is_not_asked(first_session: Session1) -> None:
    first_session.record("Alan", attended=True)
    with first_session.tools.database.transaction() as session:
        session.scalars(select(Person).where(Person.name == "Alan")).one().left_at = OVER
    ask_feedback(first_session.tools, first_session.occurrence_id)
    assert first_session.asked() == []


@pytest.mark.parametrize("held", [True, False])
def test_where_only_counts_are_kept_all_who_may_have_come_to_a_held_session_are_asked(
    first_session: Session1, held: bool
) -> None:
    with first_session.tools.database.transaction() as session:
        occurrence = session.get_one(Occurrence, first_session.occurrence_id)
        occurrence.series.pod.program.attendance_detail = "counts only"
        occurrence.attendance, occurrence.held = "measured", held
        occurrence.invited[2].response = "declined"
    ask_feedback(first_session.tools, first_session.occurrence_id)
    assert sorted(first_session.asked()) == (["Ada", "Grace"] if held else [])


def test_the_mail_says_when_it_was_in_the_readers_zone_and_has_five_answers_in_words(first_session: Session1) -> None:
    for name in ("Ada", "Grace"):
        first_session.record(name, attended=True)
    ask_feedback(first_session.tools, first_session.occurrence_id)
    ada, grace = mails(first_session.tools)
    assert ada.subject == "Pod Aurora, 4 March: how was it?"
    assert "Wednesday 4 March, 10:00–10:30 (Europe/Zurich)" in ada.text
    assert "Wednesday 4 March, 14:30–15:00 (Asia/Kolkata)" in grace.text
    for score, words in enumerate(("Not at all", "A little", "Somewhat", "Much", "Very much"), start=1):
        assert f"{score} – {words}: http://127.0.0.1:8360{first_session.path('Ada')}?score={score}" in ada.text
    assert "none of fewer than 5 answers" in ada.text
    assert "You get this mail because" in ada.text


def test_who_has_not_answered_after_two_days_is_reminded_once(first_session: Session1) -> None:
    tools = first_session.tools
    for name in ("Ada", "Grace"):
        first_session.record(name, attended=True)
    ask_feedback(tools, first_session.occurrence_id)
    with tools.database.transaction() as session:
        request = next(each for each in session.scalars(select(FeedbackRequest)) if each.participant.name == "Ada")
        record_answer(session, request, score=4, comment="", consent=False, at=OVER)
    first_session.move_clock(OVER + REMIND_AFTER - timedelta(seconds=1))
    remind(tools)
    assert mails(tools, "feedback-reminder") == []
    for hours in (0, 1, 48):
        first_session.move_clock(OVER + REMIND_AFTER + timedelta(hours=hours))
        remind(tools)
    assert [mail.to_name for mail in mails(tools, "feedback-reminder")] == ["Grace"]
    assert mails(tools, "feedback-reminder")[0].subject.startswith("Reminder: Pod Aurora")


def test_after_the_question_has_closed_nobody_is_reminded(first_session: Session1) -> None:
    first_session.record("Ada", attended=True)
    ask_feedback(first_session.tools, first_session.occurrence_id)
    first_session.move_clock(OVER + ANSWERABLE_FOR)
    remind(first_session.tools)
    assert mails(first_session.tools, "feedback-reminder") == []


def test_the_facilitator_is_asked_once_whether_a_silent_session_took_place(first_session: Session1) -> None:
    for _ in range(2):
        ask_met(first_session.tools, first_session.occurrence_id)
    (mail,) = mails(first_session.tools, "did-you-meet")
    assert (mail.to_name, mail.subject) == ("Ada", "Pod Aurora, 4 March: did you meet?")
    assert f"Yes, we met: http://127.0.0.1:8360{first_session.met_path()}?met=yes" in mail.text


def test_when_the_facilitator_has_left_somebody_else_who_may_have_come_is_asked(first_session: Session1) -> None:
    with first_session.tools.database.transaction() as session:
        occurrence = session.get_one(Occurrence, first_session.occurrence_id)
        assert occurrence.facilitator is not None
        assert occurrence.facilitator.person is not None
        occurrence.facilitator.person.left_at = OVER
        occurrence.invited[1].response = "declined"
    ask_met(first_session.tools, first_session.occurrence_id)
    with first_session.tools.database.reading() as session:
        assert session.scalars(select(MetRequest)).one().participant.name == "Alan"


def test_a_session_that_was_measured_meanwhile_is_not_asked_about(first_session: Session1) -> None:
    with first_session.tools.database.transaction() as session:
        session.get_one(Occurrence, first_session.occurrence_id).attendance = "measured"
    ask_met(first_session.tools, first_session.occurrence_id)
    assert mails(first_session.tools, "did-you-meet") == []


def test_the_tasks_and_duties_are_known_to_the_workers() -> None:
    assert HANDLERS[Task.OCCURRENCE_ASK] is ask_feedback
    assert HANDLERS[Task.OCCURRENCE_ASK_MET] is ask_met
    assert set(DUTIES) <= set(ALL_DUTIES)
