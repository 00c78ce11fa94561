"""An unclear mail that is sent again or given up leaves no draft that somebody could send by hand."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest
from sqlalchemy import select

from integration.graph.errors import Unavailable
from integration.graph.simulator.faults import Fault
from integration.jobs import HANDLERS
from integration.mail.jobs import remove_draft
from integration.mail.models import OldDraft
from integration.mail.settling import Settlement, settle
from integration.outbox import Message, Task
from integration.tools import Tools
from tests.conftest import RunningSimulator
from tests.mail.conftest import Wait
from tests.mail.test_sending import (
    SEND,
    TO_ADA,
    arrive,
    drafts,
    letters,
    posted,  # noqa: F401  a fixture
    row,
    send_what_is_due,
)

DELETE = {"method": "DELETE", "path": "/messages/"}


@pytest.fixture
def stuck(tools: Tools, simulator: RunningSimulator, posted: int, wait: Wait) -> int:  # noqa: F811
    """A mail to Ada that Exchange took and took and never sent: unclear, and its draft is there."""
    simulator.faults.order(Fault(do="drop", when="before", times=None, **SEND))  # type: ignore[arg-type]
    for _ in range(30):
        with suppress(Unavailable):
            send_what_is_due(tools)
        wait(minutes=5)
        if row(tools, posted).state == "unclear":
            break
    simulator.faults.clear()
    assert (row(tools, posted).state, drafts(simulator), letters(simulator)) == ("unclear", 1, [])
    return posted


def settled(tools: Tools, mail_id: int, settlement: Settlement) -> list[int]:
    """The drafts that are to be removed, as the outbox asks for it."""
    with tools.database.transaction() as session:
        settle(session, mail_id, settlement, now=tools.clock.now())
    with tools.database.reading() as session:
        return [
            int(each) for each in session.scalars(select(Message.subject).where(Message.task == Task.DRAFT_REMOVE))
        ]


def rows(tools: Tools) -> int:
    with tools.database.reading() as session:
        return len(session.scalars(select(OldDraft)).all())


def anywhere(simulator: RunningSimulator) -> list[tuple[str, bool]]:
    """What lies in the senders' mailboxes: folder, and whether it still is a draft that can be sent."""
    people = [each for each in simulator.tenant.directory.people if each.kind == "sender"]
    boxes = [simulator.tenant.mailboxes.of(person) for person in people]
    return [(message.folder, message.is_draft) for box in boxes for message in box.messages.values()]


def test_given_up_its_draft_is_gone_from_every_folder(tools: Tools, simulator: RunningSimulator, stuck: int):
    (draft,) = settled(tools, stuck, Settlement.GIVEN_UP)
    assert drafts(simulator) == 1, "a page never waits for Microsoft"

    HANDLERS[Task.DRAFT_REMOVE](tools, draft)

    assert (anywhere(simulator), rows(tools), letters(simulator)) == ([], 0, [])
    assert row(tools, stuck).state == "cancelled"


def test_sent_again_the_new_draft_leaves_and_the_old_one_is_gone(
    tools: Tools, simulator: RunningSimulator, stuck: int, wait: Wait
):
    (draft,) = settled(tools, stuck, Settlement.AGAIN)
    for _ in range(3):
        send_what_is_due(tools)
        wait(minutes=1)
    assert drafts(simulator) == 1

    remove_draft(tools, draft)
    arrive(simulator, wait)

    assert anywhere(simulator) == [("sentitems", False)]
    assert (row(tools, stuck).state, letters(simulator)) == ("sent", TO_ADA)


def test_the_old_draft_goes_first_and_the_new_one_is_left_alone(
    tools: Tools, simulator: RunningSimulator, stuck: int, wait: Wait
):
    (draft,) = settled(tools, stuck, Settlement.AGAIN)
    remove_draft(tools, draft)
    simulator.faults.order(Fault(do="drop", when="before", **SEND))  # type: ignore[arg-type]
    for _ in range(3):
        with suppress(Unavailable):
            send_what_is_due(tools)
        wait(seconds=10)

    remove_draft(tools, draft)

    assert anywhere(simulator) == [("drafts", True)]


def test_what_arrived_leaves_nothing_to_be_removed(tools: Tools, stuck: int):
    assert settled(tools, stuck, Settlement.ARRIVED) == []
    assert rows(tools) == 0


def test_a_draft_that_somebody_sent_by_hand_meanwhile_stays_among_the_sent_items(
    tools: Tools, simulator: RunningSimulator, stuck: int, wait: Wait
):
    mail = row(tools, stuck)
    (draft,) = settled(tools, stuck, Settlement.GIVEN_UP)
    tools.graph.mail.send_draft(mail.sender or "", mail.message_id or "")
    arrive(simulator, wait)

    remove_draft(tools, draft)

    assert (anywhere(simulator), rows(tools), letters(simulator)) == ([("sentitems", False)], 0, TO_ADA)


def test_a_draft_that_somebody_deleted_meanwhile_is_taken_out_of_the_bin_too(
    tools: Tools, simulator: RunningSimulator, stuck: int
):
    mail = row(tools, stuck)
    (draft,) = settled(tools, stuck, Settlement.GIVEN_UP)
    tools.graph.mail.delete_message(mail.sender or "", mail.message_id or "")

    for _ in range(2):
        remove_draft(tools, draft)

    assert (anywhere(simulator), rows(tools)) == ([], 0)


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_at_a_deletion_is_followed_by_one_that_finishes(
    tools: Tools, simulator: RunningSimulator, stuck: int, nth: int, when: str
):
    """With the answer lost the draft is as it is after a death: deleted or not, and nothing is written down."""
    (draft,) = settled(tools, stuck, Settlement.GIVEN_UP)
    simulator.faults.order(Fault(do="drop", when=when, nth=nth, **DELETE))  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        remove_draft(tools, draft)
    assert rows(tools) == 1

    remove_draft(tools, draft)

    assert (anywhere(simulator), rows(tools)) == ([], 0)


def test_two_workers_at_once_remove_it_once(tools: Tools, simulator: RunningSimulator, stuck: int):
    (draft,) = settled(tools, stuck, Settlement.GIVEN_UP)
    threads = [threading.Thread(target=remove_draft, args=[tools, draft]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (anywhere(simulator), rows(tools)) == ([], 0)
