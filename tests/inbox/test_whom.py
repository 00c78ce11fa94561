"""Whom what a person wrote is passed on to, what is not passed on, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from integration import log
from integration.admin.office import record_sign_in
from integration.admin.permissions import Role
from integration.graph.errors import GraphError
from integration.graph.simulator.faults import Fault
from integration.inbox.letters import excerpt_of
from integration.mail.models import Mail
from integration.outbox import Task
from integration.tools import Tools
from tests.attendance.build import build_person
from tests.conftest import RunningSimulator
from tests.inbox.cast import arrives, build_coordinator, build_pod
from tests.inbox.conftest import asked, letters, passed_on, read_all
from tests.mail.conftest import Wait
from tests.mail.test_sending import run_duties


@pytest.fixture
def database_url(sqlite_database_url: str) -> str:
    """Which database it is makes no difference here."""
    return sqlite_database_url


def test_a_question_reaches_the_coordinator_whose_answer_goes_to_the_writer(
    tools: Tools, simulator: RunningSimulator, sender: str, organizer: str, ada: str, wait: Wait
) -> None:
    arrives(simulator.tenant, organizer, subject="Re: Pod of Grace", text="Can we meet on Tuesday?")
    read_all(tools)
    (letter,) = letters(tools)
    assert (letter.kind, letter.sender_name, letter.done_at) == ("human", "Grace", None)
    assert excerpt_of(letter, tools.settings) == "Can we meet on Tuesday?"
    with tools.database.reading() as session:
        kept = session.get_one(Mail, letter.forward_id)
        assert letter.pod_id is not None
        assert "Tuesday" not in f"{kept.html}{kept.text}{letter.excerpt}"  # sealed at rest
    (left,) = passed_on(tools, simulator, wait)
    assert (left.recipients, left.sender, left.subject) == ((ada,), sender, "Grace wrote: Re: Pod of Grace")
    assert "Can we meet on Tuesday?" in left.body_html
    assert "Pod of Grace" in left.body_html
    owner = simulator.tenant.directory.by_address(sender)
    assert owner is not None
    (kept_by_exchange,) = simulator.tenant.mailboxes.of(owner).in_folder("sentitems")
    assert [each.address for each in kept_by_exchange.reply_to] == ["grace@pods.example"]
    assert kept_by_exchange.properties["Integer 0x3fdf"] == "48"


def test_an_answer_to_a_mail_of_ours_says_which(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str, wait: Wait
) -> None:
    arrives(simulator.tenant, sender, subject="Something else")
    read_all(tools)
    passed_on(tools, simulator, wait)
    with tools.database.reading() as session:
        mail = session.scalars(select(Mail)).one()
    header = {"In-Reply-To": mail.internet_message_id or ""}
    arrives(simulator.tenant, sender, sender=ada, subject="RE: Something else", headers=header)
    read_all(tools)
    assert letters(tools)[-1].mail_id == mail.id


@pytest.mark.parametrize("by", ["conversation", "header"])
def test_an_answer_to_what_we_passed_on_is_not_passed_on(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str, wait: Wait, by: str
) -> None:
    with tools.database.transaction() as session:
        build_coordinator(session, "Eve", seen_at=tools.clock.now() + timedelta(hours=1))
    arrives(simulator.tenant, sender, subject="Question")
    read_all(tools)
    passed_on(tools, simulator, wait)
    with tools.database.reading() as session:
        forward = session.scalars(select(Mail)).one()
    marks: dict[str, object] = (
        {"conversation": forward.conversation_id}
        if by == "conversation"
        else {"headers": {"References": f"<a@b> {forward.internet_message_id}"}}
    )
    arrives(simulator.tenant, sender, sender=ada, subject="RE: Grace wrote: Question", **marks)  # type: ignore[arg-type]
    read_all(tools)
    assert letters(tools)[-1].kept_here == "loop"
    assert [each.recipients for each in passed_on(tools, simulator, wait) if each.kind == "mail"] == [
        ("eve@pods.example",)
    ]


@pytest.mark.parametrize("headers", [{"Auto-Submitted": "auto-generated"}, {"Precedence": "bulk"}])
def test_what_a_program_wrote_is_shown_and_not_passed_on(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str, wait: Wait, headers: dict[str, str]
) -> None:
    arrives(simulator.tenant, sender, subject="Your mailbox is almost full", headers=headers)
    read_all(tools)
    assert [(each.kind, each.kept_here) for each in letters(tools)] == [("human", "automatic")]
    assert passed_on(tools, simulator, wait) == []


def test_our_own_mails_are_not_passed_on(
    tools: Tools, simulator: RunningSimulator, sender: str, organizer: str, ada: str, wait: Wait
) -> None:
    arrives(simulator.tenant, sender, sender=organizer)
    read_all(tools)
    assert [each.kind for each in letters(tools)] == ["notice"]
    assert passed_on(tools, simulator, wait) == []


def test_a_question_is_for_the_coordinator_of_the_program_then_for_all_then_for_administrators(
    tools: Tools, simulator: RunningSimulator, sender: str, organizer: str, wait: Wait
) -> None:
    at = tools.clock.now()

    def next_reader() -> str | None:
        arrives(simulator.tenant, sender)
        read_all(tools)
        with tools.database.reading() as session:
            mail = session.get(Mail, letters(tools)[-1].forward_id or 0)
            return mail.to_name if mail else None

    with tools.database.transaction() as session:
        grace = build_person(session, "Grace")
        series = build_pod(session, [grace], organizer=organizer)
        others = build_pod(session, [], organizer=organizer, name="Pod of others")
        build_coordinator(session, "Eve", limited_to=others.pod.program, seen_at=at)
    assert next_reader() is None
    assert letters(tools)[-1].kept_here == "nobody"
    with tools.database.transaction() as session:
        record_sign_in(session, build_person(session, "Mallory").mail, [Role.ADMINISTRATOR], now=at)
    assert next_reader() == "Mallory"
    with tools.database.transaction() as session:
        build_coordinator(session, "Ada", seen_at=at)
    assert next_reader() == "Ada"
    with tools.database.transaction() as session:
        barbara = build_coordinator(session, "Barbara", limited_to=series.pod.program, seen_at=at)
    assert next_reader() == "Barbara"
    with tools.database.transaction() as session:
        session.merge(barbara).unreachable_at = at
    assert next_reader() == "Ada"


def test_nobody_gets_what_they_wrote_themselves(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str
) -> None:
    arrives(simulator.tenant, sender, sender=ada)
    read_all(tools)
    assert [each.kept_here for each in letters(tools)] == ["nobody"]


def test_outside_the_allowlist_nothing_is_passed_on(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str
) -> None:
    arrives(simulator.tenant, sender)
    read_all(tools)
    object.__setattr__(tools.settings, "mail_allowlist", frozenset({"@other.example"}))
    run_duties(tools)
    assert asked(tools, Task.MAIL_SEND) == []
    with tools.database.reading() as session:
        assert session.scalars(select(Mail)).one().state == "held"


def test_no_address_and_no_word_of_a_message_stands_in_the_log(
    tools: Tools, simulator: RunningSimulator, sender: str, ada: str, capfd: pytest.CaptureFixture[str]
) -> None:
    log.configure()
    arrives(simulator.tenant, sender, subject="A secret subject", text="A secret word")
    simulator.faults.order(Fault(do="status", path="/messages/AA", status=400, times=1))
    with pytest.raises(GraphError) as refused:
        read_all(tools)
    read_all(tools)
    said = "".join(capfd.readouterr()) + str(refused.value)
    assert "inbox read" in said
    for words in ("secret", "grace@pods.example", sender):
        assert words not in said
