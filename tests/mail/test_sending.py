"""A mail leaves once, wherever a worker dies and however many there are. Over HTTP, against the simulated tenant."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select

from integration.graph.errors import Forbidden, GraphError, NotFound, Throttled, Unavailable
from integration.graph.simulator.faults import Fault
from integration.jobs import HANDLERS
from integration.mail.jobs import DUTIES, send_mail
from integration.mail.mails import Content, Picture, add_mail, erase_mails
from integration.mail.models import Mail
from integration.mail.sending import SEND_AGAIN
from integration.outbox import Message, Task
from integration.people.people import record_departure
from integration.tools import Tools
from tests.conftest import RunningSimulator
from tests.mail.cast import person_called, want_mail
from tests.mail.conftest import Wait

CREATE = {"method": "POST", "path": r"/messages$"}
SEND = {"method": "POST", "path": r"/messages/[^/]+/send$"}


@pytest.fixture
def posted(tools: Tools) -> int:
    """A mail to Ada that has been given its sender and its turn."""
    with tools.database.transaction() as session:
        mail = want_mail(session, person_called(session, "Ada"), now=tools.clock.now())
    run_duties(tools)
    return mail.id


def run_duties(tools: Tools) -> None:
    for duty in DUTIES:
        with tools.database.reading() as session:
            due_at = session.scalar(duty.due)
        if due_at is not None and due_at <= tools.clock.now():
            duty.run(tools, tools.clock.now())


def asked_to_send(tools: Tools) -> list[str]:
    with tools.database.transaction() as session:
        messages = list(session.scalars(select(Message).where(Message.task == Task.MAIL_SEND)))
        for message in messages:
            session.delete(message)
        return [message.subject for message in messages]


def send_what_is_due(tools: Tools) -> None:
    run_duties(tools)
    for subject in asked_to_send(tools):
        send_mail(tools, int(subject))


def row(tools: Tools, mail_id: int) -> Mail:
    with tools.database.reading() as session:
        return session.get_one(Mail, mail_id)


def letters(simulator: RunningSimulator) -> list[tuple[str, ...]]:
    return [letter.recipients for letter in simulator.tenant.mailboxes.transport.letters]


def drafts(simulator: RunningSimulator) -> int:
    boxes = simulator.tenant.mailboxes.all()
    return sum(len(box.in_folder("drafts")) for box in boxes)


TO_ADA = [("ada@pods.example",)]


def test_a_mail_leaves_as_it_was_written(tools: Tools, simulator: RunningSimulator, wait: Wait) -> None:
    picture = Picture("trend", "image/png", b"\x89PNG", "trend.png")
    content = Content(
        "Week 3", '<p>é <img src="cid:trend" alt="up"></p>', "é up\n", (picture,), "https://pods.example/s"
    )
    with tools.database.transaction() as session:
        ada = person_called(session, "Ada")
        mail = add_mail(session, kind="weekly-summary", key="1", person=ada, content=content, now=tools.clock.now())
    send_what_is_due(tools)
    wait(seconds=10)
    sent = row(tools, mail.id)
    assert (sent.state, sent.sent_at) == ("sent", tools.clock.now() - timedelta(seconds=10))
    simulator.tenant.mailboxes.transport.advance(tools.clock.now())
    (letter,) = simulator.tenant.mailboxes.transport.letters
    assert (letter.subject, letter.recipients, letter.sender) == ("Week 3", ("ada@pods.example",), sent.sender)
    assert '<img src="cid:trend" alt="up">' in letter.body_html


def test_sending_again_what_was_sent_does_nothing(
    tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait
) -> None:
    for _ in range(3):
        send_mail(tools, posted)
    arrive(simulator, wait)
    assert letters(simulator) == TO_ADA


# What a worker's death leaves behind: the tenant acted, or did not, and nobody heard the answer.
@pytest.mark.parametrize("match", [CREATE, SEND], ids=["creating", "sending"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_while_it_talks_to_graph_costs_no_second_mail(
    tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait, match: dict[str, str], when: str
) -> None:
    simulator.faults.order(Fault(do="drop", when="after" if when == "after" else "before", **match))  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        send_mail(tools, posted)
    send_mail(tools, posted)  # the next worker, at once
    for _ in range(4):
        wait(minutes=5)
        send_what_is_due(tools)
    arrive(simulator, wait)
    assert row(tools, posted).state == "sent"
    assert letters(simulator) == TO_ADA
    assert drafts(simulator) == 0


def test_while_the_last_send_may_still_be_on_its_way_nobody_sends_again(
    tools: Tools, simulator: RunningSimulator, posted: int
) -> None:
    simulator.faults.order(Fault(do="drop", when="before", **SEND))  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        send_mail(tools, posted)
    before = tools.graph.requests()
    send_mail(tools, posted)
    assert tools.graph.requests() == before
    assert row(tools, posted).state == "sending"


@pytest.mark.parametrize("sent_id_changes", [False, True])
def test_a_mail_long_in_transit_is_found_sent(
    tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait, sent_id_changes: bool
) -> None:
    simulator.tenant.switches.transit_seconds = 12 * 60
    simulator.tenant.switches.sent_id_changes = sent_id_changes
    lose_the_answer_to_send(tools, simulator, posted)
    states = []
    for _ in range(4):
        wait(minutes=5)
        send_what_is_due(tools)
        states.append(row(tools, posted).state)
    assert states == ["sending", "sending", "sent", "sent"] or states == ["sending", "sending", "sending", "sent"]
    assert letters(simulator) == TO_ADA


def test_a_mail_found_nowhere_for_half_an_hour_is_unclear_and_never_created_again(
    tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait
) -> None:
    simulator.tenant.switches.transit_seconds = 3600
    lose_the_answer_to_send(tools, simulator, posted)
    for _ in range(10):
        wait(minutes=5)
        send_what_is_due(tools)
    assert row(tools, posted).state == "unclear"
    assert asked_to_send(tools) == []
    wait(hours=2)
    send_mail(tools, posted)
    arrive(simulator, wait)
    assert row(tools, posted).state == "unclear"
    assert letters(simulator) == TO_ADA


def test_a_draft_that_somebody_deleted_becomes_unclear_not_a_new_mail(
    tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait
) -> None:
    simulator.faults.order(Fault(do="drop", when="before", **SEND))  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        send_mail(tools, posted)
    mail = row(tools, posted)
    assert mail.sender is not None
    assert mail.message_id is not None
    tools.graph.mail.delete_message(mail.sender, mail.message_id)
    empty_the_bin(simulator)
    for _ in range(10):
        wait(minutes=5)
        send_what_is_due(tools)
    assert row(tools, posted).state == "unclear"
    assert letters(simulator) == []


def test_a_draft_that_will_not_leave_is_sent_for_half_an_hour_and_is_then_unclear(
    tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait
) -> None:
    simulator.faults.order(Fault(do="drop", when="before", times=None, **SEND))  # type: ignore[arg-type]
    began_at = tools.clock.now()
    tries = try_until_it_is_not_sending(tools, posted, wait)
    assert row(tools, posted).state == "unclear"
    assert tries == 1 + SEND_AGAIN
    assert timedelta(minutes=30) <= tools.clock.now() - began_at <= timedelta(minutes=45)
    simulator.faults.clear()
    wait(hours=2)
    send_what_is_due(tools)
    send_mail(tools, posted)
    arrive(simulator, wait)
    assert (row(tools, posted).state, letters(simulator), drafts(simulator)) == ("unclear", [], 1)


def test_workers_that_slept_for_hours_still_try_again(
    tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait
) -> None:
    simulator.faults.order(Fault(do="drop", when="before", times=2, **SEND))  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        send_mail(tools, posted)
    for _ in range(2):
        wait(hours=6)
        with suppress(Unavailable):
            send_what_is_due(tools)
    arrive(simulator, wait)
    assert row(tools, posted).state == "sent"
    assert letters(simulator) == TO_ADA


@pytest.mark.parametrize("refusal", [Fault(do="throttle", seconds=0.0), Fault(do="status", status=403)])
def test_a_send_that_graph_refuses_is_tried_again_with_the_same_draft(
    tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait, refusal: Fault
) -> None:
    simulator.faults.order(Fault(do=refusal.do, status=refusal.status, seconds=refusal.seconds, times=1, **SEND))  # type: ignore[arg-type]
    with pytest.raises((Throttled, Forbidden)):
        send_mail(tools, posted)
    assert row(tools, posted).state == "drafting"
    send_mail(tools, posted)
    arrive(simulator, wait)
    assert row(tools, posted).state == "sent"
    assert letters(simulator) == TO_ADA
    assert drafts(simulator) == 0


@pytest.mark.parametrize("match", [CREATE, SEND], ids=["creating", "sending"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_thought_dead_that_comes_back_sends_no_second_mail(
    tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait, match: dict[str, str], when: str
) -> None:
    simulator.faults.order(Fault(do="hold", when="after" if when == "after" else "before", **match))  # type: ignore[arg-type]
    slow = in_background(lambda: send_mail(tools, posted))
    until(lambda: bool(simulator.faults.held()))
    send_mail(tools, posted)
    wait(minutes=1)
    for held in simulator.faults.held():
        simulator.faults.decide(held.id)
    slow.join(20)
    for _ in range(3):
        wait(minutes=5)
        send_what_is_due(tools)
    arrive(simulator, wait)
    assert row(tools, posted).state == "sent"
    assert letters(simulator) == TO_ADA
    assert drafts(simulator) == 0


def test_two_workers_at_once_send_one_mail(
    tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait
) -> None:
    threads = [in_background(lambda: send_mail(tools, posted)) for _ in range(2)]
    for thread in threads:
        thread.join(20)
    for _ in range(2):
        wait(minutes=5)
        send_what_is_due(tools)
    arrive(simulator, wait)
    assert letters(simulator) == TO_ADA
    assert drafts(simulator) == 0


def test_somebody_who_leaves_while_the_mail_is_a_draft_does_not_get_it(
    tools: Tools, simulator: RunningSimulator, posted: int
) -> None:
    simulator.faults.order(Fault(do="drop", when="after", **CREATE))  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        send_mail(tools, posted)
    with tools.database.transaction() as session:
        person = session.get_one(Mail, posted).participant.person
        assert person is not None
        person.left_at = tools.clock.now()
    send_mail(tools, posted)
    assert row(tools, posted).state == "cancelled"
    assert drafts(simulator) == 0
    assert letters(simulator) == []


@pytest.mark.parametrize("after", ["she leaves", "she leaves and is erased"])
def test_a_mail_whose_sending_failed_is_not_sent_again_to_somebody_who_left(
    tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait, after: str
) -> None:
    simulator.faults.order(Fault(do="drop", when="before", **SEND))  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        send_mail(tools, posted)
    goes(tools, posted, is_erased=after != "she leaves")
    wait(minutes=5)
    send_what_is_due(tools)
    arrive(simulator, wait)
    assert (row(tools, posted).state, letters(simulator), drafts(simulator)) == ("cancelled", [], 0)


def test_a_mail_found_sent_is_sent_also_when_its_reader_has_left_since(
    tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait
) -> None:
    lose_the_answer_to_send(tools, simulator, posted)
    goes(tools, posted)
    wait(minutes=5)
    send_what_is_due(tools)
    assert row(tools, posted).state == "sent"
    assert letters(simulator) == TO_ADA


def test_of_somebody_who_is_erased_no_draft_stays_behind(
    tools: Tools, simulator: RunningSimulator, posted: int
) -> None:
    simulator.faults.order(Fault(do="drop", when="after", **CREATE))  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        send_mail(tools, posted)
    assert drafts(simulator) == 1
    goes(tools, posted, is_erased=True)
    send_what_is_due(tools)
    assert (row(tools, posted).state, letters(simulator), drafts(simulator)) == ("cancelled", [], 0)


@pytest.mark.parametrize("state", ["waiting", "held"])
def test_what_waits_for_somebody_who_leaves_never_leaves(
    tools: Tools, simulator: RunningSimulator, wait: Wait, state: str
) -> None:
    with tools.database.transaction() as session:
        ada, grace = person_called(session, "Ada"), person_called(session, "Grace")
        want_mail(session, ada, now=tools.clock.now())
        to_grace = want_mail(session, grace, now=tools.clock.now())
        to_grace.state = state
    goes(tools, to_grace.id)
    assert row(tools, to_grace.id).state == "cancelled"
    send_what_is_due(tools)
    arrive(simulator, wait)
    assert letters(simulator) == TO_ADA


def test_a_mail_that_does_not_exist_any_more_is_no_error(tools: Tools) -> None:
    send_mail(tools, 4711)
    assert tools.graph.requests() == 0


def test_the_task_is_done_by_this_job() -> None:
    assert HANDLERS[Task.MAIL_SEND] is send_mail


def try_until_it_is_not_sending(tools: Tools, mail_id: int, wait: Wait) -> int:
    """Let the clock run and the workers look, for two hours at most; returns how often sending was tried."""
    with pytest.raises(Unavailable):
        send_mail(tools, mail_id)
    tries = 1
    for _ in range(60):
        if row(tools, mail_id).state != "sending":
            break
        wait(minutes=2)
        try:
            send_what_is_due(tools)
        except Unavailable:
            tries += 1
    return tries


def goes(tools: Tools, mail_id: int, *, is_erased: bool = False) -> None:
    """The mail's reader leaves the company."""
    with tools.database.transaction() as session:
        person = session.get_one(Mail, mail_id).participant.person
        assert person is not None
        record_departure(session, person, at=tools.clock.now())
        if is_erased:
            erase_mails(session, person.participant_id)
            session.delete(person)


def arrive(simulator: RunningSimulator, wait: Wait) -> None:
    now = wait(hours=2)
    with simulator.tenant.lock:
        simulator.tenant.mailboxes.transport.advance(now)


def lose_the_answer_to_send(tools: Tools, simulator: RunningSimulator, mail_id: int) -> None:
    simulator.faults.order(Fault(do="drop", when="after", **SEND))  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        send_mail(tools, mail_id)


def empty_the_bin(simulator: RunningSimulator) -> None:
    for box in simulator.tenant.mailboxes.all():
        for message in box.in_folder("deleteditems"):
            with suppress(KeyError, NotFound):
                del box.messages[message.immutable_id]


def in_background(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        with suppress(GraphError):
            work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def until(true: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 10
    while not true():
        assert time.monotonic() < ends_at, "waited in vain"
        time.sleep(0.01)
