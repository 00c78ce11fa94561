"""Rows keep what was said, not the words: each reader gets it in their own language."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from integration.db import Database
from integration.errors import Conflict
from integration.graph.errors import error_from
from integration.graph.operations import Operation
from integration.language import Lazy, Wording, joined, lazy, speaking
from integration.outbox import Message, Task, add
from integration.wording import BEGINS, KeptWording, kept, said

BUSY = lazy(
    "%(name)s cannot always come: %(reason)s.", name="Grace", reason=lazy("busy on %(day)s", day=date(2026, 3, 2))
)
VALUES = st.recursive(
    st.text() | st.integers() | st.dates() | st.times(),
    lambda inner: st.builds(Lazy, st.text(), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=5,
)


def written(database: Database, words: Wording | None) -> Wording | None:
    """What a row says that was given these words."""
    with database.transaction() as session:
        add(session, Task.MAIL_SEND, 1)
        session.execute(update(Message).values(last_error=words))
    with database.reading() as session:
        return session.scalars(select(Message.last_error)).one()


def test_a_text_that_was_kept_is_said_in_the_language_of_whoever_reads_it(database: Database):
    found = written(database, BUSY)

    assert found == BUSY
    assert str(found) == "Grace cannot always come: busy on 2 March 2026."
    with speaking("de"):
        assert str(found) == "Grace kann nicht immer kommen: am 2. März 2026 beschäftigt."


@pytest.mark.parametrize("words", ["Graph refused.", "", "100 % {sure}", '{"say": "database", "with": {}}', None])
def test_words_of_people_and_of_rows_from_before_stay_as_they_are(database: Database, words: str | None):
    with speaking("de"):
        found = written(database, words)

        assert found == words or str(found) == words


def test_a_row_from_before_is_read_as_it_was_written(database: Database):
    written(database, "anything")
    with database.transaction() as session:
        session.execute(text("UPDATE outbox_message SET last_error = 'Graph answered 403. Ask somebody.'"))
    with database.reading() as session:
        assert session.scalars(select(Message.last_error)).one() == "Graph answered 403. Ask somebody."


@given(VALUES)
def test_whatever_is_kept_comes_back(value: object):
    again = said(json.loads(json.dumps(kept(value))))

    assert again == (value if isinstance(value, Lazy) else said(kept(value)))


@given(st.text())
def test_nobodys_words_are_taken_for_ours(words: str):
    column = KeptWording()
    stored = column.process_bind_param(BEGINS + words, None)  # type: ignore[arg-type]

    assert str(column.process_result_value(stored, None)) == BEGINS + words  # type: ignore[arg-type]


def test_instants_are_told_in_the_zone_that_they_carry():
    wanted = datetime(2026, 11, 24, 8, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Zurich"))
    words = said(kept(lazy("%(at)s and %(time)s", at=wanted, time=time(9, 5))))

    assert str(words) == "24 Nov 2026, 09:30 CET and 09:05"
    with speaking("de"):
        assert str(words) == "24.11.2026, 09:30 MEZ and 09:05"


def test_an_error_says_itself_in_the_language_that_is_spoken_when_it_is_read():
    error = Conflict(lazy("The series has no Teams meeting."), remedy=lazy("It is tried again."))

    assert str(error) == "The series has no Teams meeting. It is tried again."
    with speaking("de"):
        assert str(error) == "Die Serie hat keine Teams-Besprechung. Es wird erneut versucht."
        assert error.remedy == "Es wird erneut versucht."


def test_what_graph_refuses_is_told_in_german_with_its_own_words_quoted():
    body = b'{"error": {"code": "ErrorAccessDenied", "message": "Access is denied."}}'
    operation = Operation("GET", "/users/{user-id}/calendarView", "Calendars.ReadWrite")
    refusal = error_from(403, body, operation=operation, request_id=None, retry_after=None)

    with speaking("de"):
        words = str(said(kept(refusal.wording)))
    assert "Graph antwortete auf GET" in words
    assert "„Access is denied.“" in words
    assert "Nötig ist die Berechtigung Calendars.ReadWrite." in words


def test_joining_leaves_out_what_is_empty():
    assert joined() == joined("", "") == ""
    assert str(joined("one", "", lazy("no meeting"), between=", ")) == "one, no meeting"
