"""`pods doctor`: the pre-flight check. Each permission and policy is proved by a real call that changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from integration.clock import real_now
from integration.errors import PodsError
from integration.graph.errors import NotFound
from integration.readiness import database_reason, queue_reason
from integration.tools import Tools

if TYPE_CHECKING:
    from integration.graph.client import Graph

NEEDED_ROLES = (
    "Calendars.ReadWrite",
    "Mail.ReadWrite",
    "Mail.Send",
    "OnlineMeetings.Read.All",
    "OnlineMeetingArtifact.Read.All",
    "User.ReadBasic.All",
)
NOBODYS_MEETING = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_preflight%40thread.v2/0"


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
        yield _proved(f"setting {name}", lambda name=name: tools.settings.required(name))
    signed_in = _proved("sign-in to Microsoft Graph", lambda: tools.graph.token_roles())
    yield signed_in
    if signed_in.is_well:
        yield from _with_graph(tools)


def _with_graph(tools: Tools) -> Iterator[Finding]:
    graph, granted = tools.graph, tools.graph.token_roles()
    for role in NEEDED_ROLES:
        # Calendars and mail may be granted for the pool's mailboxes only, by Exchange: then no role shows it.
        if role in granted or role.startswith(("Calendars.", "Mail.")):
            continue
        yield Finding(f"permission {role}", f"Grant the application permission {role} and consent to it.")
    yield _proved("directory", lambda: next(iter(graph.directory.users()), None))
    for mailbox in tools.settings.organizer_mailboxes:
        yield from _organizer(graph, mailbox)
    for mailbox in tools.settings.sender_mailboxes:
        yield _proved(f"mail of {mailbox}", lambda mailbox=mailbox: graph.mail.inbox(mailbox, real_now()))


def _organizer(graph: Graph, mailbox: str) -> Iterator[Finding]:
    now = real_now()
    soon = now + timedelta(days=1)
    yield _proved(f"calendar of {mailbox}", lambda: graph.calendar.view(mailbox, now, soon))
    yield _proved(f"free/busy through {mailbox}", lambda: graph.availability.schedules(mailbox, [mailbox], now, soon))
    yield _proved(f"online meetings of {mailbox}", lambda: _ask_for_meeting(graph, mailbox))


def _ask_for_meeting(graph: Graph, mailbox: str) -> None:
    """The access policy is checked before the meeting is looked for: "not found" proves that it is granted."""
    organizer = graph.directory.user(mailbox)
    try:
        graph.meetings.by_join_url(organizer.id, NOBODYS_MEETING)
    except NotFound:
        return


def _proved(check: str, call: Callable[[], object]) -> Finding:
    try:
        call()
    except PodsError as error:
        return Finding(check, str(error))
    return Finding(check)
