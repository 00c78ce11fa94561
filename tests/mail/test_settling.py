"""A mail of which nobody can tell whether it left is settled by a person, once."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest
from sqlalchemy import select

from integration.db import Database
from integration.errors import Conflict
from integration.graph.errors import Unavailable
from integration.graph.simulator.faults import Fault
from integration.mail.jobs import send_mail
from integration.mail.models import Mail
from integration.mail.settling import Settlement, settle
from integration.people.models import Person
from integration.people.people import record_departure
from integration.tools import Tools
from tests.at_once import at_once
from tests.conftest import RunningSimulator
from tests.mail.cast import NOON, person_called, want_mail
from tests.mail.conftest import Wait
from tests.mail.test_sending import (
    SEND,
    TO_ADA,
    arrive,
    empty_the_bin,
    letters,
    lose_the_answer_to_send,
    posted,  # noqa: F401  a fixture
    row,
    send_what_is_due,
)


def unclear(database: Database) -> int:
    with database.transaction() as session:
        mail = want_mail(session, person_called(session, "Ada"))
        mail.state, mail.due_at, mail.sending_since, mail.sends = "unclear", None, NOON, 3
        session.flush()
        return mail.id


@pytest.mark.parametrize(
    ("settlement", "state"), [("arrived", "sent"), ("again", "waiting"), ("given-up", "cancelled")]
)
def test_it_is_settled_once_and_then_nothing_is_left_to_decide(database: Database, settlement: str, state: str):
    mail_id = unclear(database)
    with database.transaction() as session:
        assert settle(session, mail_id, Settlement(settlement), now=NOON).state == state
    for other in Settlement:
        with pytest.raises(Conflict, match="not unclear any more"), database.transaction() as session:
            settle(session, mail_id, other, now=NOON)


def test_of_two_people_who_settle_it_at_once_one_is_heard(database: Database):
    mail_id = unclear(database)
    heard = []

    def decide(settlement: Settlement) -> None:
        with suppress(Conflict):
            with database.transaction() as session:
                settle(session, mail_id, settlement, now=NOON)
            heard.append(settlement)

    at_once(partial(decide, Settlement.AGAIN), partial(decide, Settlement.GIVEN_UP))
    assert len(heard) == 1
    with database.reading() as session:
        state = session.get_one(Mail, mail_id).state
    assert state == {Settlement.AGAIN: "waiting", Settlement.GIVEN_UP: "cancelled"}[heard[0]]


def test_nothing_is_sent_again_to_somebody_who_left(sqlite_database: Database):
    mail_id = unclear(sqlite_database)
    with sqlite_database.transaction() as session:
        ada = session.scalars(select(Person)).one()
        record_departure(session, ada, at=NOON)
    with pytest.raises(Conflict, match="no longer here"), sqlite_database.transaction() as session:
        settle(session, mail_id, Settlement.AGAIN, now=NOON)
    with sqlite_database.transaction() as session:
        assert settle(session, mail_id, Settlement.GIVEN_UP, now=NOON).state == "cancelled"


def test_a_mail_whose_draft_was_deleted_is_sent_again_and_arrives_once(
    tools: Tools,
    simulator: RunningSimulator,
    posted: int,  # noqa: F811
    wait: Wait,
):
    simulator.faults.order(Fault(do="drop", when="before", **SEND))  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        send_mail(tools, posted)
    mail = row(tools, posted)
    tools.graph.mail.delete_message(mail.sender or "", mail.message_id or "")
    empty_the_bin(simulator)
    for _ in range(10):
        wait(minutes=5)
        send_what_is_due(tools)
    assert (row(tools, posted).state, letters(simulator)) == ("unclear", [])

    with tools.database.transaction() as session:
        settle(session, posted, Settlement.AGAIN, now=tools.clock.now())
    for _ in range(3):
        send_what_is_due(tools)
        wait(minutes=1)
    arrive(simulator, wait)
    assert (row(tools, posted).state, letters(simulator)) == ("sent", TO_ADA)


def test_a_mail_that_had_left_after_all_arrives_twice_as_the_page_said(
    tools: Tools,
    simulator: RunningSimulator,
    posted: int,  # noqa: F811
    wait: Wait,
):
    simulator.tenant.switches.transit_seconds = 3600
    lose_the_answer_to_send(tools, simulator, posted)
    for _ in range(10):
        wait(minutes=5)
        send_what_is_due(tools)
    assert row(tools, posted).state == "unclear"

    with tools.database.transaction() as session:
        settle(session, posted, Settlement.AGAIN, now=tools.clock.now())
    for _ in range(3):
        send_what_is_due(tools)
        wait(minutes=1)
    arrive(simulator, wait)
    assert letters(simulator) == TO_ADA * 2
