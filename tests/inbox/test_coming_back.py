"""Who has no mailbox is written to once; what comes back is read, and the next mails are held and shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from integration.inbox.jobs import DUTIES, read_inbox
from integration.inbox.returned import Report, Trouble, record_report
from integration.jobs import HANDLERS
from integration.mail.mails import release
from integration.mail.models import Inbox, Mail
from integration.outbox import Task
from integration.people.models import Person
from integration.tools import Tools
from tests.attendance.build import build_person
from tests.conftest import RunningSimulator
from tests.inbox.cast import build_pod
from tests.inbox.conftest import asked
from tests.mail.cast import NOON, person_called, want_mail
from tests.mail.conftest import Wait
from tests.mail.test_sending import send_what_is_due


@pytest.fixture
def database_url(sqlite_database_url: str) -> str:
    """Which database it is makes no difference here."""
    return sqlite_database_url


def account_without_mailbox(simulator: RunningSimulator) -> str:
    account = next(each for each in simulator.tenant.directory.people if each.kind == "person")
    account.exchange = False
    return account.mail


def write_to(tools: Tools, address: str, *, key: str) -> int:
    """Somebody of this address is wanted a mail, which leaves if it may; returns its id."""
    with tools.database.transaction() as session:
        person = session.scalar(select(Person).where(Person.mail == address)) or person_called(session, "Grace")
        person.mail = address
        mail = want_mail(session, person, key=key, now=tools.clock.now())
    send_what_is_due(tools)
    return mail.id


def read_what_came_back(tools: Tools, wait: Wait) -> None:
    wait(minutes=11)
    DUTIES[0].run(tools, tools.clock.now())
    for inbox_id in asked(tools, Task.INBOX_READ):
        read_inbox(tools, inbox_id)


def state_of(tools: Tools, mail_id: int) -> str:
    with tools.database.reading() as session:
        return session.get_one(Mail, mail_id).state


def test_to_somebody_without_a_mailbox_nothing_more_is_sent_after_the_first_came_back(
    tools: Tools, simulator: RunningSimulator, wait: Wait
) -> None:
    grace = account_without_mailbox(simulator)
    first = write_to(tools, grace, key="7")
    read_what_came_back(tools, wait)
    with tools.database.reading() as session:
        mail = session.get_one(Mail, first)
        assert mail.state == "sent"
        assert mail.returned_at is not None
        assert mail.participant.person is not None
        assert mail.participant.person.unreachable_at == mail.returned_at
    second = write_to(tools, grace, key="8")
    assert state_of(tools, second) == "held"
    sent = [letter for letter in simulator.tenant.mailboxes.transport.letters if letter.recipients == (grace,)]
    assert len(sent) == 1


def test_whoever_has_a_mailbox_goes_on_getting_mails(tools: Tools, simulator: RunningSimulator, wait: Wait) -> None:
    ada = next(each for each in simulator.tenant.directory.people if each.kind == "person").mail
    first = write_to(tools, ada, key="7")
    read_what_came_back(tools, wait)
    second = write_to(tools, ada, key="8")
    wait(minutes=1)
    send_what_is_due(tools)
    assert [state_of(tools, first), state_of(tools, second)] == ["sent", "sent"]


def test_a_mail_released_by_a_person_is_tried_again(tools: Tools, simulator: RunningSimulator, wait: Wait) -> None:
    grace = account_without_mailbox(simulator)
    write_to(tools, grace, key="7")
    read_what_came_back(tools, wait)
    second = write_to(tools, grace, key="8")
    assert state_of(tools, second) == "held"
    account = simulator.tenant.directory.find(grace)
    assert account is not None
    account.exchange = True
    with tools.database.transaction() as session:
        release(session, session.get_one(Mail, second), now=tools.clock.now())
    send_what_is_due(tools)
    assert state_of(tools, second) == "sent"
    read_what_came_back(tools, wait)
    third = write_to(tools, grace, key="9")
    assert state_of(tools, third) == "sent"


def test_an_inbox_is_read_once_for_all_mails_that_left(tools: Tools, simulator: RunningSimulator, wait: Wait) -> None:
    grace = account_without_mailbox(simulator)
    write_to(tools, grace, key="7")
    read_what_came_back(tools, wait)
    before = tools.graph.requests()
    read_what_came_back(tools, wait)
    assert tools.graph.requests() == before
    with tools.database.reading() as session:
        (inbox,) = session.scalars(select(Inbox))
        assert inbox.read_due_at is not None
        assert inbox.read_due_at > tools.clock.now() + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("subject", "text", "trouble"),
    [
        ("Unzustellbar: How was it?", "ada@pods.example: 550 5.1.10 RecipientNotFound", Trouble.GONE),
        ("Undeliverable: How was it?", "ADA@pods.example 550 5.1.1 unknown", Trouble.GONE),
        ("Undeliverable: How was it?", "<ada@pods.example> was refused with 5.1.1.", Trouble.GONE),
        ("Delivery delayed: How was it?", "ada@pods.example 450 4.7.0 try later", Trouble.DELAYED),
        ("Übermittlung verzögert: How was it?", "ada@pods.example", Trouble.DELAYED),
        ("Undeliverable: How was it?", "ada@pods.example 552 5.2.2 mailbox full", Trouble.FULL),
        ("Unzustellbar: How was it?", "ada@pods.example 554 5.2.2 QuotaExceeded", Trouble.FULL),
        ("Undeliverable: How was it?", "ada@pods.example 550 5.1.90 daily limit exceeded", Trouble.REFUSED),
        ("Undeliverable: How was it?", "ada@pods.example from 15.1.2 (host 5.1.10.7)", Trouble.REFUSED),
        ("Undeliverable: How was it?", "grace@pods.example 550 5.1.10 RecipientNotFound", None),
        ("Undeliverable: How was it?", "nevada@pods.example 550 5.1.10 RecipientNotFound", None),
        ("Undeliverable: Lunch on Friday", "ada@pods.example 550 5.1.10 RecipientNotFound", None),
    ],
)
def test_only_a_report_that_names_our_mail_and_a_missing_mailbox_marks_somebody(
    tools: Tools, subject: str, text: str, trouble: Trouble | None
) -> None:
    report = Report(subject, text, NOON)
    with tools.database.transaction() as session:
        ada = person_called(session, "Ada")
        mail = want_mail(session, ada)
        mail.state, mail.due_at, mail.sender, mail.sent_at = "sent", None, "learning@pods.example", NOON
        session.flush()
        told = record_report(session, "learning@pods.example", report)
        assert (told.mail_id if told else None) == (mail.id if trouble else None)
        assert (report.trouble == trouble) or told is None
        is_gone = trouble is Trouble.GONE
        assert (ada.unreachable_at == NOON, mail.returned_at == NOON) == (is_gone, is_gone)


def test_an_invitation_that_came_back_marks_the_person_too(tools: Tools) -> None:
    with tools.database.transaction() as session:
        grace, alan = build_person(session, "Grace"), build_person(session, "Alan")
        series = build_pod(session, [grace, alan], organizer="organizer@pods.example")
        report = Report(f"Undeliverable: {series.subject}", "alan@pods.example: 5.1.10", NOON)
        told = record_report(session, "organizer@pods.example", report)
        assert told is not None
        assert told.series_id == series.id
        assert (grace.unreachable_at, alan.unreachable_at) == (None, NOON)


def test_an_invitation_that_came_back_before_its_worker_wrote_it_down_marks_the_person(tools: Tools) -> None:
    with tools.database.transaction() as session:
        alan = build_person(session, "Alan")
        series = build_pod(session, [alan], organizer="organizer@pods.example")
        series.invited_at = None
        report = Report(f"Undeliverable: {series.subject}", "alan@pods.example: 5.1.10", NOON)
        told = record_report(session, "organizer@pods.example", report)
        assert told is not None
        assert alan.unreachable_at == NOON


@pytest.mark.parametrize("state", ["sending", "unclear"])
def test_a_mail_that_came_back_before_its_worker_wrote_it_down_marks_the_person(tools: Tools, state: str) -> None:
    with tools.database.transaction() as session:
        ada = person_called(session, "Ada")
        mail = want_mail(session, ada)
        mail.state, mail.due_at, mail.sender, mail.sending_since = state, None, "learning@pods.example", NOON
        session.flush()
        report = Report("Undeliverable: How was it?", f"{mail.to_address} 5.1.1", NOON + timedelta(seconds=5))
        told = record_report(session, "learning@pods.example", report)
        assert told is not None
        assert told.mail_id == mail.id
        assert ada.unreachable_at == report.received_at


def test_a_mail_that_has_not_begun_to_leave_cannot_have_come_back(tools: Tools) -> None:
    with tools.database.transaction() as session:
        ada = person_called(session, "Ada")
        mail = want_mail(session, ada)
        mail.sender = "learning@pods.example"
        session.flush()
        report = Report("Undeliverable: How was it?", f"{mail.to_address} 5.1.1", NOON)
        assert record_report(session, "learning@pods.example", report) is None


def test_a_late_report_says_nothing_of_an_address_that_was_corrected(tools: Tools) -> None:
    with tools.database.transaction() as session:
        ada = person_called(session, "Ada")
        mail = want_mail(session, ada)
        mail.state, mail.due_at, mail.sender, mail.sent_at = "sent", None, "learning@pods.example", NOON
        ada.mail = "ada.lovelace@pods.example"
        session.flush()
        record_report(
            session, "learning@pods.example", Report("Undeliverable: How was it?", f"{mail.to_address} 5.1.1", NOON)
        )
        assert ada.unreachable_at is None


def test_the_task_is_done_by_this_job() -> None:
    assert HANDLERS[Task.INBOX_READ] is read_inbox
