"""Posting keeps each sender's pace, holds what the allowlist does not name, and is done once by many schedulers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from integration.db import Database
from integration.errors import SettingRefused
from integration.mail.models import Mail
from integration.mail.posting import post_due
from integration.outbox import Message
from tests.at_once import at_once
from tests.mail.cast import NOON, OTHER_SENDER, SENDER, person_called, settings_for, want_mail


def want_mails(database: Database, number: int, *, now: datetime = NOON) -> None:
    with database.transaction() as session:
        for each in range(number):
            want_mail(session, person_called(session, f"Reader{each}"), now=now)


def mails(database: Database) -> list[Mail]:
    with database.reading() as session:
        return list(session.scalars(select(Mail).order_by(Mail.id)))


def asked(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.scalars(select(Message.subject).where(Message.task == "mail.send")))


def test_mails_are_spread_over_the_senders_and_paced(database: Database, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, MAILS_PER_MINUTE="30")
    want_mails(database, 6)
    with database.transaction() as session:
        assert post_due(session, settings, now=NOON) == 6
    rows = mails(database)
    assert [row.sender for row in rows] == [SENDER, OTHER_SENDER] * 3
    gap = timedelta(seconds=2)
    assert [row.due_at for row in rows] == [None, None, NOON + gap, NOON + gap, NOON + 2 * gap, NOON + 2 * gap]
    assert asked(database) == ["1", "2"]


def test_the_next_mails_leave_when_their_turn_has_come_and_keep_their_sender(
    database: Database, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path, MAILS_PER_MINUTE="30")
    want_mails(database, 4)
    for at in (NOON, NOON + timedelta(seconds=1), NOON + timedelta(seconds=2)):
        with database.transaction() as session:
            post_due(session, settings, now=at)
    assert asked(database) == ["1", "2", "3", "4"]
    assert [row.sender for row in mails(database)] == [SENDER, OTHER_SENDER] * 2


def test_over_three_busy_minutes_no_sender_exceeds_its_pace(sqlite_database: Database, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, MAILS_PER_MINUTE="10")
    want_mails(sqlite_database, 60)
    posted: list[tuple[str | None, datetime]] = []
    seen: set[int] = set()
    for at in (NOON + timedelta(seconds=3 * turn) for turn in range(60)):
        with sqlite_database.transaction() as session:
            post_due(session, settings, now=at)
        new = [row for row in mails(sqlite_database) if row.due_at is None and row.id not in seen]
        seen |= {row.id for row in new}
        posted += [(row.sender, at) for row in new]
    assert len(posted) == 60
    for sender in (SENDER, OTHER_SENDER):
        times = [at for name, at in posted if name == sender]
        assert len(times) == len(set(times)) == 30  # one each six seconds


def test_mails_outside_the_allowlist_are_held_and_the_others_sent(database: Database, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, MAIL_ALLOWLIST="reader1@pods.example")
    want_mails(database, 2)
    with database.transaction() as session:
        post_due(session, settings, now=NOON)
    assert [row.state for row in mails(database)] == ["held", "waiting"]
    assert asked(database) == ["2"]


def test_somebody_who_left_after_the_mail_was_wanted_gets_none(database: Database, tmp_path: Path) -> None:
    with database.transaction() as session:
        alan = person_called(session, "Alan")
        want_mail(session, alan)
        alan.left_at = NOON
    with database.transaction() as session:
        post_due(session, settings_for(tmp_path), now=NOON)
    assert [row.state for row in mails(database)] == ["cancelled"]
    assert asked(database) == []


def test_a_mail_that_is_late_waits_for_the_morning_instead_of_arriving_at_night(
    database: Database, tmp_path: Path
) -> None:
    want_mails(database, 1)
    night = datetime(2026, 3, 2, 22, tzinfo=UTC)
    with database.transaction() as session:
        post_due(session, settings_for(tmp_path), now=night)
    assert [row.due_at for row in mails(database)] == [datetime(2026, 3, 3, 6, tzinfo=UTC)]
    assert asked(database) == []


def test_two_schedulers_at_once_post_each_mail_once_and_keep_the_pace(database: Database, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, MAILS_PER_MINUTE="60")
    want_mails(database, 10)

    def post() -> int:
        with database.transaction() as session:
            return post_due(session, settings, now=NOON)

    assert sum(at_once(post, post)) == 10
    turns = sorted((row.sender or "", row.due_at or NOON) for row in mails(database))
    assert len(set(turns)) == 10


def test_without_a_mailbox_to_send_from_the_setting_is_named(sqlite_database: Database, tmp_path: Path) -> None:
    want_mails(sqlite_database, 1)
    settings = settings_for(tmp_path, SENDER_MAILBOXES="")
    with pytest.raises(SettingRefused, match="SENDER_MAILBOXES"), sqlite_database.transaction() as session:
        post_due(session, settings, now=NOON)
    assert [row.due_at for row in mails(sqlite_database)] == [NOON]
