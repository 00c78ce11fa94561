"""What a person wrote reaches the coordinator responsible once, wherever a worker dies and however many there are."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import select, update

from integration.graph.errors import GraphError
from integration.graph.simulator.faults import Fault
from integration.inbox.forwarding import MOST_PER_WRITER
from integration.inbox.jobs import read_inbox
from integration.inbox.models import Letter
from integration.mail.models import Inbox
from integration.tools import Tools
from tests.at_once import at_once
from tests.conftest import RunningSimulator
from tests.inbox.cast import arrives
from tests.inbox.conftest import letters, passed_on, read_all
from tests.mail.conftest import Wait


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_worker_that_dies_at_any_call_passes_nothing_on_twice_and_loses_nothing(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str, wait: Wait, nth: int
) -> None:
    for number in range(2):  # a round, and one message after the other
        arrives(simulator.tenant, sender, subject=f"Question {number}")
    simulator.faults.order(Fault(do="status", path=rf"/users/{sender}/", nth=nth, status=400))
    with pytest.raises(GraphError):
        read_all(tools)
    read_all(tools)
    read_all(tools)
    left = [each.subject for each in passed_on(tools, simulator, wait)]
    assert sorted(left) == ["Grace wrote: Question 0", "Grace wrote: Question 1"]


def test_a_worker_that_dies_before_it_remembers_the_round_passes_nothing_on_twice(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str, wait: Wait
) -> None:
    read_all(tools)
    with tools.database.reading() as session:
        link = session.scalars(select(Inbox.delta_link).where(Inbox.address == sender)).one()
    arrives(simulator.tenant, sender)
    read_all(tools)
    with tools.database.transaction() as session:
        session.execute(update(Inbox).where(Inbox.address == sender).values(delta_link=link))
    read_all(tools)
    assert len(letters(tools)) == len(passed_on(tools, simulator, wait)) == 1


def test_two_workers_at_once_pass_a_message_on_once(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str, wait: Wait
) -> None:
    read_all(tools)
    for number in range(3):
        arrives(simulator.tenant, sender, subject=f"Question {number}")
    with tools.database.reading() as session:
        inbox_id = session.scalars(select(Inbox.id).where(Inbox.address == sender)).one()
    at_once(*[partial(read_inbox, tools, inbox_id)] * 2)
    assert len(letters(tools)) == len(passed_on(tools, simulator, wait)) == 3


@pytest.mark.parametrize("code", ["SyncStateNotFound", "resyncRequired"])
def test_a_full_round_after_a_lost_link_passes_nothing_on_twice(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str, wait: Wait, code: str
) -> None:
    arrives(simulator.tenant, sender, subject="First")
    read_all(tools)
    with tools.database.transaction() as session:  # even if the row were gone, the mail's own key is not
        session.delete(session.scalars(select(Letter)).one())
    simulator.faults.order(Fault(do="status", path=f"/users/{sender}/.*/delta", status=410, code=code))
    read_all(tools)
    assert len(letters(tools)) == len(passed_on(tools, simulator, wait)) == 1


def test_a_message_to_two_of_our_mailboxes_is_passed_on_once(
    tools: Tools, simulator: RunningSimulator, sender: str, organizer: str, ada: str, wait: Wait
) -> None:
    for mailbox in (sender, organizer):
        arrives(simulator.tenant, mailbox, internet_message_id="<to-both@pods.example>")
    read_all(tools)
    assert (len(letters(tools)), len(passed_on(tools, simulator, wait))) == (2, 1)


def test_of_what_one_writer_sends_a_few_are_passed_on_a_day(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str, wait: Wait
) -> None:
    for number in range(MOST_PER_WRITER + 2):
        arrives(simulator.tenant, sender, subject=f"Question {number}")
    arrives(simulator.tenant, sender, sender="alan@pods.example", subject="Another's")
    read_all(tools)
    many = [each for each in letters(tools) if each.kept_here == "many"]
    assert len(many) == 2
    assert len(letters(tools)) == MOST_PER_WRITER + 3
    wait(hours=25)
    arrives(simulator.tenant, sender, subject="A day later")
    read_all(tools)
    assert letters(tools)[-1].kept_here is None
