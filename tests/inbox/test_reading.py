"""Inboxes are read by delta, and every message does once what it asks for. Over HTTP, against a simulated tenant."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from integration.graph.simulator.faults import Fault
from integration.inbox.jobs import DUTIES, read_inbox
from integration.inbox.letters import excerpt_of
from integration.inbox.models import AutomaticAnswer
from integration.mail.models import Inbox
from integration.outbox import Task
from integration.tools import Tools
from tests.attendance.build import build_person
from tests.conftest import RunningSimulator
from tests.inbox.cast import arrives, build_pod, reply
from tests.inbox.conftest import asked, kinds, letters, read_all
from tests.mail.conftest import Wait


def test_a_reply_and_a_proposal_ask_for_a_look_at_the_series_and_nothing_else(
    tools: Tools, simulator: RunningSimulator, organizer: str
) -> None:
    with tools.database.transaction() as session:
        grace = build_person(session, "Grace")
        series = build_pod(session, [grace], organizer=organizer)
        build_pod(session, [grace], organizer=organizer, name="Another pod")
    tenant, at = simulator.tenant, tools.clock.now()
    proposed = (at, at + timedelta(hours=1))
    arrives(tenant, organizer, subject="Zugesagt: Pod of Grace", kind="meetingResponse", meeting=reply())
    arrives(
        tenant, organizer, subject="Tentative: Pod of Grace", kind="meetingResponse", meeting=reply(proposed=proposed)
    )
    arrives(tenant, organizer, subject="Accepted: Her own lunch", kind="meetingResponse", meeting=reply())
    read_all(tools)
    assert kinds(tools) == ["proposal", "reply", "reply"]
    assert asked(tools, Task.SERIES_PULL) == [series.id]
    ours, _, theirs = letters(tools)
    assert (ours.pod_id, ours.is_ours, theirs.is_ours) == (series.pod_id, True, False)
    with tools.database.reading() as session:
        attendee = session.get_one(type(series), series.id).attendees[0]
        assert attendee.response == "none"


def test_the_next_round_reads_what_is_new_only(tools: Tools, simulator: RunningSimulator, sender: str) -> None:
    arrives(simulator.tenant, sender, subject="First")
    read_all(tools)
    before = tools.graph.requests()
    read_all(tools)
    assert tools.graph.requests() - before == 2  # one for each of the two inboxes
    arrives(simulator.tenant, sender, subject="Second")
    read_all(tools)
    assert [each.subject for each in letters(tools)] == ["First", "Second"]


def test_what_had_arrived_before_the_product_did_is_left_alone(
    tools: Tools, simulator: RunningSimulator, sender: str, wait: Wait
) -> None:
    old = arrives(simulator.tenant, sender, subject="Old")
    wait(days=3)
    read_all(tools)
    assert letters(tools) == []
    owner = simulator.tenant.directory.by_address(sender)
    assert owner is not None
    mailboxes = simulator.tenant.mailboxes
    mailboxes.changed(owner, mailboxes.of(owner).messages[old])  # somebody reads it
    read_all(tools)
    assert letters(tools) == []


def test_the_link_is_sealed_and_a_changed_secret_costs_one_round(
    tools: Tools, simulator: RunningSimulator, sender: str
) -> None:
    arrives(simulator.tenant, sender)
    read_all(tools)
    with tools.database.transaction() as session:
        for inbox in session.scalars(select(Inbox)):
            assert inbox.delta_link is not None
            assert "delta" not in inbox.delta_link
            inbox.delta_link = "not a seal"
    read_all(tools)
    assert kinds(tools) == ["human"]


def test_an_automatic_reply_marks_its_writer_and_its_words_are_not_kept(
    tools: Tools, simulator: RunningSimulator, sender: str
) -> None:
    with tools.database.transaction() as session:
        for name in ("Grace", "Alan"):
            build_person(session, name)
    arrives(simulator.tenant, sender, subject="Automatische Antwort: x", text="Ich bin bis 5. April 2026 bei Eve.")
    arrives(simulator.tenant, sender, sender="alan@pods.example", subject="Automatic reply: x", text="On leave.")
    read_all(tools)
    assert kinds(tools) == ["automatic", "automatic"]
    assert [excerpt_of(each, tools.settings) for each in letters(tools)] == ["", ""]
    with tools.database.reading() as session:
        told = {each.participant.name: each for each in session.scalars(select(AutomaticAnswer))}
        assert str(told["Grace"].away_until) == "2026-04-05"
        assert told["Alan"].away_until is None
        assert told["Alan"].answered_at == tools.clock.now()


def test_a_lost_link_leads_to_a_round_over_what_is_new_and_writes_nothing_twice(
    tools: Tools, simulator: RunningSimulator, sender: str
) -> None:
    arrives(simulator.tenant, sender, subject="First")
    read_all(tools)
    arrives(simulator.tenant, sender, subject="Second")
    simulator.faults.order(Fault(do="status", path=r"/messages/delta", status=410, code="SyncStateNotFound", times=1))
    read_all(tools)
    assert [each.subject for each in letters(tools)] == ["First", "Second"]


def test_inboxes_are_read_at_the_start_and_then_every_hour(tools: Tools, wait: Wait) -> None:
    read_all(tools)
    due = next(duty for duty in DUTIES if duty.name == "read inboxes")
    assert due.run(tools, tools.clock.now()) == 2
    assert len(asked(tools, Task.INBOX_READ)) == 2
    assert due.run(tools, tools.clock.now()) == 0
    wait(minutes=61)
    assert due.run(tools, tools.clock.now()) == 2


def test_a_mailbox_that_is_ours_no_more_is_not_read(tools: Tools) -> None:
    with tools.database.transaction() as session:
        inbox = Inbox(address="retired@pods.example", read_due_at=tools.clock.now())
        session.add(inbox)
    before = tools.graph.requests()
    read_inbox(tools, inbox.id)
    assert tools.graph.requests() == before
