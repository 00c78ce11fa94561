"""Thirty days after it was done a message goes, and nothing else does."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from integration.graph.errors import GraphError
from integration.graph.simulator.faults import Fault
from integration.inbox.jobs import DUTIES, purge_letter
from integration.inbox.keeping import erase_letters, mark_done, open_again
from integration.inbox.letters import excerpt_of
from integration.inbox.models import AutomaticAnswer, Letter
from integration.mail.mails import ERASED
from integration.mail.models import Mail
from integration.outbox import Task
from integration.tools import Tools
from tests.attendance.build import build_person
from tests.conftest import RunningSimulator
from tests.inbox.cast import arrives, build_pod, reply
from tests.inbox.conftest import asked, letters, passed_on, read_all
from tests.mail.conftest import Wait


def purge(tools: Tools) -> None:
    for duty in DUTIES[1:]:
        duty.run(tools, tools.clock.now())
    for letter_id in asked(tools, Task.LETTER_PURGE):
        purge_letter(tools, letter_id)


def folder(simulator: RunningSimulator, address: str, name: str) -> list[str]:
    owner = simulator.tenant.directory.by_address(address)
    assert owner is not None
    return sorted(each.subject for each in simulator.tenant.mailboxes.of(owner).in_folder(name))


def test_what_was_done_goes_and_what_nobody_marked_stays(
    tools: Tools, simulator: RunningSimulator, organizer: str, wait: Wait
) -> None:
    with tools.database.transaction() as session:
        build_pod(session, [build_person(session, "Grace")], organizer=organizer)
    tenant = simulator.tenant
    arrives(tenant, organizer, subject="Accepted: Pod of Grace", kind="meetingResponse", meeting=reply())
    arrives(tenant, organizer, subject="Accepted: Her own lunch", kind="meetingResponse", meeting=reply())
    arrives(tenant, organizer, subject="Automatic reply: x")
    arrives(tenant, organizer, subject="Answered")
    arrives(tenant, organizer, subject="Opened again")
    arrives(tenant, organizer, subject="Not answered")
    read_all(tools)
    with tools.database.transaction() as session:
        for letter in session.scalars(select(Letter).where(Letter.subject.in_(["Answered", "Opened again"]))):
            assert mark_done(letter, by="ada@pods.example", now=tools.clock.now())
            assert letter.subject == "Answered" or open_again(letter)
    wait(days=29)
    arrives(tenant, organizer, subject="Of yesterday")
    read_all(tools)
    purge(tools)
    assert len(letters(tools)) == 7
    wait(days=2)
    purge(tools)
    purge(tools)
    assert [each.subject for each in letters(tools)] == ["Opened again", "Not answered", "Of yesterday"]
    kept = ["Accepted: Her own lunch", "Not answered", "Of yesterday", "Opened again"]
    assert folder(simulator, organizer, "inbox") == kept
    gone = ["Accepted: Pod of Grace", "Answered", "Automatic reply: x"]
    assert folder(simulator, organizer, "deleteditems") == gone


def test_a_worker_that_dies_while_it_purges_leaves_nothing_half_done(
    tools: Tools, simulator: RunningSimulator, sender: str, wait: Wait
) -> None:
    arrives(simulator.tenant, sender, subject="Automatic reply: x")
    read_all(tools)
    wait(days=31)
    read_all(tools)
    DUTIES[1].run(tools, tools.clock.now())
    (letter_id,) = asked(tools, Task.LETTER_PURGE)
    simulator.faults.order(Fault(do="drop", method="DELETE", when="after"))
    with pytest.raises(GraphError):
        purge_letter(tools, letter_id)
    assert len(letters(tools)) == 1
    purge_letter(tools, letter_id)
    purge_letter(tools, letter_id)
    assert letters(tools) == []
    assert folder(simulator, sender, "inbox") == []


def test_the_words_go_after_thirty_days_also_those_we_passed_on(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str, wait: Wait
) -> None:
    arrives(simulator.tenant, sender, text="Between you and me")
    read_all(tools)
    passed_on(tools, simulator, wait)
    wait(days=31)
    purge(tools)
    (letter,) = letters(tools)
    assert (letter.done_at, excerpt_of(letter, tools.settings)) == (None, "")
    with tools.database.reading() as session:
        mail = session.get_one(Mail, letter.forward_id)
        assert (mail.state, mail.html, mail.text, mail.subject, mail.reply_to) == ("sent", *[ERASED] * 3, None)


def test_what_is_purged_is_not_read_again(
    tools: Tools, simulator: RunningSimulator, organizer: str, wait: Wait
) -> None:
    theirs = arrives(simulator.tenant, organizer, subject="Accepted: Lunch", kind="meetingResponse", meeting=reply())
    read_all(tools)
    wait(days=31)
    read_all(tools)
    purge(tools)
    assert letters(tools) == []
    owner = simulator.tenant.directory.by_address(organizer)
    assert owner is not None
    mailboxes = simulator.tenant.mailboxes
    mailboxes.changed(owner, mailboxes.of(owner).messages[theirs])
    read_all(tools)
    assert letters(tools) == []


def test_an_erased_person_leaves_no_words_behind(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str
) -> None:
    arrives(simulator.tenant, sender, text="Between you and me")
    arrives(simulator.tenant, sender, subject="Automatic reply: x")
    arrives(simulator.tenant, sender, subject="Read: x", message_class="REPORT.IPM.Note.IPNRN")
    read_all(tools)
    with tools.database.transaction() as session:
        participant_id = letters(tools)[0].participant_id
        assert participant_id is not None
        mark_done(session.get_one(Letter, letters(tools)[0].id), by="grace@pods.example", now=tools.clock.now())
        session.flush()
        erase_letters(session, participant_id)
    kept = letters(tools)
    assert len(kept) == 3
    assert {(each.sender, each.subject, each.excerpt) for each in kept} == {(ERASED, ERASED, None)}
    assert kept[0].done_by == ERASED
    with tools.database.reading() as session:
        assert session.scalars(select(AutomaticAnswer)).all() == []
        mail = session.scalars(select(Mail)).one()
        assert (mail.state, mail.subject, mail.html) == ("cancelled", ERASED, ERASED)
