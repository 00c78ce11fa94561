"""Mails are wanted once per reason, outside the quiet hours of whoever gets them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from integration.db import Database
from integration.errors import Conflict
from integration.mail.mails import Content, Picture, add_mail, cancel_mails, content_of, erase_mails, release
from integration.mail.models import Mail, MailItem
from integration.mail.quiet import after_quiet_hours
from integration.outbox import Message
from integration.people.models import Person
from tests.at_once import at_once
from tests.mail.cast import NOON, letter, person_called, want_mail


def count(database: Database, model: type[Mail] | type[MailItem]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_wanting_a_mail_again_for_the_same_reason_returns_the_first_unchanged(database: Database) -> None:
    with database.transaction() as session:
        ada = person_called(session, "Ada")
        first = want_mail(session, ada)
        again = add_mail(
            session, kind="feedback-request", key="7", person=ada, content=letter("Other words"), now=NOON
        )
        assert again is first
        assert again.subject == "How was it?"
    assert count(database, Mail) == count(database, MailItem) == 1


def test_another_reason_or_another_person_is_another_mail(database: Database) -> None:
    with database.transaction() as session:
        ada, grace = person_called(session, "Ada"), person_called(session, "Grace")
        mails = {want_mail(session, ada).id, want_mail(session, ada, key="8").id, want_mail(session, grace).id}
    assert len(mails) == 3


def test_two_workers_that_want_the_same_mail_at_once_make_one(database: Database) -> None:
    with database.transaction() as session:
        ada_id = person_called(session, "Ada").id

    def want() -> int:
        with database.transaction() as session:
            return want_mail(session, session.get_one(Person, ada_id)).id

    assert len(set(at_once(want, want))) == 1
    assert count(database, Mail) == 1


def test_somebody_who_left_is_written_nothing(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        alan = person_called(session, "Alan")
        alan.left_at = NOON
        mail = want_mail(session, alan)
    assert (mail.state, mail.due_at) == ("cancelled", None)


def test_pictures_come_back_as_they_were_written(database: Database) -> None:
    dot = Picture("trend", "image/png", b"\x89PNG\x00\xff", "trend.png")
    content = Content("Week 3", '<img src="cid:trend" alt="up">', "up\n", (dot,), "https://pods.example/stop")
    with database.transaction() as session:
        mail = add_mail(
            session, kind="weekly-summary", key="1", person=person_called(session, "Ada"), content=content, now=NOON
        )
    with database.reading() as session:
        assert content_of(session.get_one(Mail, mail.id)) == content


def test_a_line_break_in_a_subject_makes_no_header(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        mallory = person_called(session, "Mallory")
        evil = letter("Pod\r\nBcc: everyone@pods.example")
        mail = add_mail(session, kind="feedback-request", key="7", person=mallory, content=evil, now=NOON)
    assert mail.subject == "Pod Bcc: everyone@pods.example"


def test_a_held_mail_can_be_released_and_no_other(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        mail = want_mail(session, person_called(session, "Ada"))
        mail.state, mail.due_at = "held", None
        release(session, mail, now=NOON)
        assert (mail.state, mail.due_at) == ("waiting", NOON)
        with pytest.raises(Conflict, match="not held"):
            release(session, mail, now=NOON)


def test_cancelling_stops_what_waits_and_leaves_what_was_sent(database: Database) -> None:
    with database.transaction() as session:
        ada = person_called(session, "Ada")
        waiting, sent = want_mail(session, ada), want_mail(session, ada, key="8")
        sent.state, sent.due_at = "sent", None
        assert cancel_mails(session, ada.participant_id) == 1
    with database.reading() as session:
        states = [session.get_one(Mail, mail.id).state for mail in (waiting, sent)]
    assert states == ["cancelled", "sent"]


def test_erasing_somebody_leaves_no_word_of_what_they_were_written(database: Database) -> None:
    with database.transaction() as session:
        ada = person_called(session, "Ada")
        mail = want_mail(session, ada)
        mail.state = "sent"
        session.flush()
        erase_mails(session, ada.participant_id)
    with database.reading() as session:
        row = session.get_one(Mail, mail.id)
        assert {row.to_address, row.to_name, row.subject, row.html, row.text} == {"(erased)"}
        assert row.state == "sent"


def test_a_draft_of_somebody_who_is_erased_is_given_to_the_workers_to_delete(database: Database) -> None:
    with database.transaction() as session:
        ada = person_called(session, "Ada")
        mail = want_mail(session, ada)
        mail.state, mail.due_at, mail.sender = "drafting", None, "sender1@pods.example"
        session.flush()
        erase_mails(session, ada.participant_id)
    with database.reading() as session:
        assert [each.subject for each in session.scalars(select(Message))] == [str(mail.id)]
        assert session.get_one(Mail, mail.id).html == "(erased)"


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        ("2026-03-02T12:00", "Europe/Zurich", "2026-03-02T12:00"),
        ("2026-03-02T18:59", "Europe/Zurich", "2026-03-02T18:59"),  # 19:59 there
        ("2026-03-02T19:00", "Europe/Zurich", "2026-03-03T06:00"),  # 20:00 there: tomorrow at seven
        ("2026-03-02T05:59", "Europe/Zurich", "2026-03-02T06:00"),
        ("2026-03-28T20:00", "Europe/Zurich", "2026-03-29T05:00"),  # the clocks change in that night
        ("2026-03-02T16:00", "Asia/Kolkata", "2026-03-03T01:30"),
        ("2026-03-02T22:00", None, "2026-03-03T07:00"),
        ("2026-03-02T22:00", "Mars/Olympus", "2026-03-03T07:00"),
    ],
)
def test_nothing_falls_due_in_quiet_hours(at: str, zone: str | None, expected: str) -> None:
    due_at = after_quiet_hours(datetime.fromisoformat(at).replace(tzinfo=UTC), zone)
    assert due_at == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)), st.sampled_from(sorted(available_timezones())))  # noqa: DTZ001
def test_a_due_date_is_by_day_never_earlier_and_at_most_a_night_later(naive: datetime, zone: str) -> None:
    at = naive.replace(tzinfo=UTC)
    due_at = after_quiet_hours(at, zone)
    assert at <= due_at <= at + timedelta(hours=13)
    assert 7 <= due_at.astimezone(ZoneInfo(zone)).hour < 20
