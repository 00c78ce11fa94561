"""`pods doctor`: the pre-flight check. Each permission and policy is proved by a real call that changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from integration.admin import checkups
from integration.clock import real_now
from integration.errors import PodsError
from integration.graph.client import Graph, connect
from integration.graph.errors import NotFound, Rejected
from integration.language import Wording, lazy
from integration.readiness import database_reason, queue_reason
from integration.setting_values import is_loopback
from integration.tools import Tools
from integration.webhooks.overview import overview

NOBODYS_MEETING = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_preflight%40thread.v2/0"
NEEDS_HTTPS = lazy(
    "Graph posts to https addresses only: set PUBLIC_URL to one that the internet reaches, or WEBHOOKS=off to poll."
)
NOTHING = "AAMkAGPREFLIGHT-NOTHING-HAS-THIS-ID"  # permissions are looked at before an item is looked for


@dataclass(frozen=True)
class Finding:
    """What one check proved; ``remedy`` is empty when all is well."""

    check: Wording
    remedy: Wording = ""

    @property
    def is_well(self) -> bool:
        return not self.remedy


def examine(tools: Tools) -> Iterator[Finding]:
    """Check everything, one finding after the other; nothing is changed anywhere."""
    yield Finding(lazy("database"), database_reason(tools))
    yield Finding(lazy("queue"), queue_reason(tools))
    yield from _notifications(tools)
    for name in ("TENANT_ID", "CLIENT_ID", "ORGANIZER_MAILBOXES", "SENDER_MAILBOXES"):
        yield _proved(lazy("setting %(name)s", name=name), partial(tools.settings.required, name))
    try:
        # A door of its own: the workers' one counts its requests in Redis, which may be what is missing.
        graph = connect(tools.settings)
    except PodsError as error:
        yield Finding(lazy("sign-in to Microsoft Graph"), error.wording)
        return
    with closing(graph):
        signed_in = _proved(lazy("sign-in to Microsoft Graph"), graph.token_roles)
        yield signed_in
        if signed_in.is_well:
            yield from _with_graph(tools, graph)


def _notifications(tools: Tools) -> Iterator[Finding]:
    """That they are on or off as the settings want it, and what became of each subscription."""
    settings = tools.settings
    if not settings.webhooks:
        yield Finding(lazy("change notifications: off, calendars are polled"))
        return
    is_reachable = settings.public_url.startswith("https://") or is_loopback(settings.graph_base_url)
    yield Finding(lazy("change notifications: on"), "" if is_reachable else NEEDS_HTTPS)
    try:
        with tools.database.reading() as session:
            standings = overview(session, settings, now=tools.clock.now()).standings
    except SQLAlchemyError:
        return  # said above
    for each in standings:
        lapsed = lazy("It has lapsed: see on Health whether a worker runs.")
        check = lazy("subscription: %(topic)s", topic=each.row.topic)
        yield Finding(check, "" if each.is_well else each.row.trouble or lapsed)


def run_checkup(tools: Tools, checkup_id: int) -> None:
    """Check everything for a page, which shows each finding as soon as it is there."""
    with tools.database.transaction() as session:
        if not checkups.record_beginning(session, checkup_id, at=real_now()):
            return
    for finding in examine(tools):
        with tools.database.transaction() as session:
            checkups.record_finding(session, checkup_id, check=finding.check, remedy=finding.remedy)
    with tools.database.transaction() as session:
        checkups.record_end(session, checkup_id, at=real_now())


def _with_graph(tools: Tools, graph: Graph) -> Iterator[Finding]:
    yield _proved(lazy("directory"), lambda: next(iter(graph.directory.users()), None))
    for mailbox in tools.settings.organizer_mailboxes:
        yield from _organizer(graph, mailbox)
    for mailbox in dict.fromkeys((*tools.settings.organizer_mailboxes, *tools.settings.sender_mailboxes)):
        yield from _inbox(graph, mailbox)
    for mailbox in tools.settings.sender_mailboxes:
        yield _allowed(
            lazy("sending mail of %(mailbox)s", mailbox=mailbox), partial(graph.mail.send_draft, mailbox, NOTHING)
        )


def _inbox(graph: Graph, mailbox: str) -> Iterator[Finding]:
    """Organizers get replies and questions, senders answers and failures; both are read, and tidied up later."""
    yield _proved(
        lazy("reading mail of %(mailbox)s", mailbox=mailbox), partial(graph.mail.inbox, mailbox, real_now())
    )
    yield _allowed(
        lazy("writing mail of %(mailbox)s", mailbox=mailbox), partial(graph.mail.delete_message, mailbox, NOTHING)
    )


def _organizer(graph: Graph, mailbox: str) -> Iterator[Finding]:
    now = real_now()
    soon = now + timedelta(days=1)
    yield _proved(
        lazy("reading calendar of %(mailbox)s", mailbox=mailbox), partial(graph.calendar.view, mailbox, now, soon)
    )
    yield _allowed(
        lazy("writing calendar of %(mailbox)s", mailbox=mailbox),
        partial(graph.calendar.delete_event, mailbox, NOTHING),
    )
    yield _proved(
        lazy("free/busy through %(mailbox)s", mailbox=mailbox),
        partial(graph.availability.schedules, mailbox, [mailbox], now, soon),
    )
    yield _allowed(lazy("online meetings of %(mailbox)s", mailbox=mailbox), lambda: _ask_for_meeting(graph, mailbox))
    yield _allowed(
        lazy("attendance reports of %(mailbox)s", mailbox=mailbox), lambda: _ask_for_reports(graph, mailbox)
    )


def _ask_for_meeting(graph: Graph, mailbox: str) -> None:
    graph.meetings.by_join_url(graph.directory.user(mailbox).id, NOBODYS_MEETING)


def _ask_for_reports(graph: Graph, mailbox: str) -> None:
    graph.meetings.reports(graph.directory.user(mailbox).id, NOTHING)


def _allowed(check: Wording, call: Callable[[], object]) -> Finding:
    """Proved by an answer about something that does not exist: whoever may not is told so instead."""
    try:
        call()
    except (NotFound, Rejected):
        return Finding(check)
    except PodsError as error:
        return Finding(check, error.wording)
    return Finding(check)


def _proved(check: Wording, call: Callable[[], object]) -> Finding:
    try:
        call()
    except PodsError as error:
        return Finding(check, error.wording)
    return Finding(check)
