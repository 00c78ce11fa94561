"""`pods doctor`: the pre-flight check. Each permission and policy is proved by a real call that changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from integration.clock import real_now
from integration.errors import PodsError
from integration.graph.client import Graph, connect
from integration.graph.errors import NotFound, Rejected
from integration.readiness import database_reason, queue_reason
from integration.tools import Tools

NOBODYS_MEETING = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_preflight%40thread.v2/0"
NOTHING = "AAMkAGPREFLIGHT-NOTHING-HAS-THIS-ID"  # permissions are looked at before an item is looked for


@dataclass(frozen=True)
class Finding:
    """What one check proved; ``remedy`` is empty when all is well."""

    check: str
    remedy: str = ""

    @property
    def is_well(self) -> bool:
        return not self.remedy


def examine(tools: Tools) -> Iterator[Finding]:
    """Check everything, one finding after the other; nothing is changed anywhere."""
    yield Finding("database", database_reason(tools))
    yield Finding("queue", queue_reason(tools))
    for name in ("TENANT_ID", "CLIENT_ID", "ORGANIZER_MAILBOXES", "SENDER_MAILBOXES"):
        yield _proved(f"setting {name}", partial(tools.settings.required, name))
    try:
        # A door of its own: the workers' one counts its requests in Redis, which may be what is missing.
        graph = connect(tools.settings)
    except PodsError as error:
        yield Finding("sign-in to Microsoft Graph", str(error))
        return
    with closing(graph):
        signed_in = _proved("sign-in to Microsoft Graph", graph.token_roles)
        yield signed_in
        if signed_in.is_well:
            yield from _with_graph(tools, graph)


def _with_graph(tools: Tools, graph: Graph) -> Iterator[Finding]:
    yield _proved("directory", lambda: next(iter(graph.directory.users()), None))
    for mailbox in tools.settings.organizer_mailboxes:
        yield from _organizer(graph, mailbox)
    for mailbox in tools.settings.sender_mailboxes:
        yield _proved(f"reading mail of {mailbox}", partial(graph.mail.inbox, mailbox, real_now()))
        yield _allowed(f"writing mail of {mailbox}", partial(graph.mail.delete_message, mailbox, NOTHING))
        yield _allowed(f"sending mail of {mailbox}", partial(graph.mail.send_draft, mailbox, NOTHING))


def _organizer(graph: Graph, mailbox: str) -> Iterator[Finding]:
    now = real_now()
    soon = now + timedelta(days=1)
    yield _proved(f"reading calendar of {mailbox}", partial(graph.calendar.view, mailbox, now, soon))
    yield _allowed(f"writing calendar of {mailbox}", partial(graph.calendar.delete_event, mailbox, NOTHING))
    yield _proved(
        f"free/busy through {mailbox}", partial(graph.availability.schedules, mailbox, [mailbox], now, soon)
    )
    yield _allowed(f"online meetings of {mailbox}", lambda: _ask_for_meeting(graph, mailbox))
    yield _allowed(f"attendance reports of {mailbox}", lambda: _ask_for_reports(graph, mailbox))


def _ask_for_meeting(graph: Graph, mailbox: str) -> None:
    graph.meetings.by_join_url(graph.directory.user(mailbox).id, NOBODYS_MEETING)


def _ask_for_reports(graph: Graph, mailbox: str) -> None:
    graph.meetings.reports(graph.directory.user(mailbox).id, NOTHING)


def _allowed(check: str, call: Callable[[], object]) -> Finding:
    """Proved by an answer about something that does not exist: whoever may not is told so instead."""
    try:
        call()
    except (NotFound, Rejected):
        return Finding(check)
    except PodsError as error:
        return Finding(check, str(error))
    return Finding(check)


def _proved(check: str, call: Callable[[], object]) -> Finding:
    try:
        call()
    except PodsError as error:
        return Finding(check, str(error))
    return Finding(check)
