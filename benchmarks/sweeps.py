"""What the sweeps of 50 organizer mailboxes with 2,000 series ask of Graph, beside what Graph allows.

A quiet hour, an hour in which one series in twenty is changed, a round after every delta link was lost, and the
nightly comparison of everything. Requests are counted by the tenant. Graph allows 10,000 requests in ten minutes and
four at once per mailbox (https://learn.microsoft.com/graph/throttling-limits). No time is judged.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import request
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from benchmarks.stage import QUICK
from integration import log
from integration.config import Settings
from integration.delivery import claim, deliver
from integration.graph.resources import EventChanges, EventDraft, WeeklyRule
from integration.graph.simulator.clock import MovableClock
from integration.graph.simulator.http.app import create_simulator
from integration.graph.simulator.http.server import serve, settings_of
from integration.graph.simulator.seed import STARTS_AT, build_tenant
from integration.jobs import DUTIES, HANDLERS, begin
from integration.migrate import upgrade
from integration.outbox import Message, State
from integration.scheduling.dues import collect_due
from integration.scheduling.models import Occurrence, Pod, Program, Series
from integration.serve import start_embedded_redis
from integration.tools import Tools
from integration.webhooks.models import MailboxSync

MAILBOXES = 5 if QUICK else 50
SERIES = 100 if QUICK else 2_000
WEEKS = 6
WEEK = timedelta(weeks=1)
ALLOWED = 10_000  # requests per mailbox in ten minutes


@dataclass(frozen=True)
class Measured:
    """One round of all mailboxes; ``most`` is the busiest mailbox's share."""

    what: str
    requests: int
    most: int


def main() -> int:
    """Print the table; there is nothing to miss."""
    log.configure(level="ERROR", as_json=False)
    with TemporaryDirectory(prefix="pods-bench-") as folder:
        show(measure(Path(folder)))
    return 0


def measure(folder: Path) -> list[Measured]:
    """Build the tenant and the rows of the same series, then let an hour, a change, a loss and a night pass."""
    clock = MovableClock(STARTS_AT, file=folder / "clock")
    tenant = build_tenant(people=1, organizers=MAILBOXES, clock=clock)
    app, asked = create_simulator(tenant), Counter[str]()
    app.before_request(partial(note, asked))
    server, queue = serve(app, "127.0.0.1", 0).start(), start_embedded_redis(folder)
    environ = settings_of(tenant, server.url) | {
        "DATA_DIR": str(folder),
        "CLOCK_FILE": str(folder / "clock"),
        "WEBHOOKS": "off",
        "SWEEP_MINUTES": "60",
        "LOG_LEVEL": "ERROR",
    }
    tools = Tools.from_settings(Settings.from_environment(environ))
    try:
        upgrade(tools.settings.database_url)
        fill(tools)
        begin(tools)
        rounds = Rounds(tools, asked)
        found = [rounds.run("the first round, everything read")]
        found.append(rounds.run("an hour in which nothing happened"))
        change(tools)
        found.append(rounds.run("an hour in which one series in twenty was changed"))
        tenant.calendars.delta_generation += 1
        found.append(rounds.run("an hour after every delta link was lost"))
        found.append(rounds.run("the nightly comparison", column="compare"))
        return found
    finally:
        tools.close()
        queue.stop()
        server.stop()


class Rounds:
    """Lets every mailbox have its turn at once, and counts what the tenant was asked."""

    def __init__(self, tools: Tools, asked: Counter[str]) -> None:
        self.tools, self.asked = tools, asked

    def run(self, what: str, *, column: str = "sweep") -> Measured:
        with self.tools.database.transaction() as session:
            for sync in session.scalars(select(MailboxSync)):
                setattr(sync, f"{column}_due_at", self.tools.clock.now())
        self.asked.clear()
        duty = next(each for each in DUTIES if each.name == f"{column} calendars")
        duty.run(self.tools, self.tools.clock.now())
        while claims := claim(self.tools.database, 64, timedelta(seconds=60)):
            for each in claims:
                deliver(self.tools, each, HANDLERS)
        with self.tools.database.reading() as session:
            left = session.scalar(select(func.count()).where(Message.state != State.DONE))
        assert not left, f"{left} messages are left"
        return Measured(what, self.asked.total(), max(self.asked.values(), default=0))


def note(asked: Counter[str]) -> None:
    """Count a request for a mailbox."""
    if request.path.startswith("/v1.0/users/"):
        asked[request.path.split("/")[3].lower()] += 1


def fill(tools: Tools) -> None:
    """Series in the organizers' calendars, made as the product makes them, and the rows that know them."""
    mailboxes = tools.settings.organizer_mailboxes
    monday = STARTS_AT + WEEK
    for number in range(SERIES):
        mailbox = mailboxes[number % len(mailboxes)]
        starts = monday + timedelta(days=number // len(mailboxes) % 5, hours=number // len(mailboxes) // 5 % 8)
        event = tools.graph.calendar.create_event(mailbox, draft(number, starts))
        instances = tools.graph.calendar.instances(mailbox, event.id, STARTS_AT, STARTS_AT + 10 * WEEK)
        with tools.database.transaction() as session:
            program = session.scalar(select(Program)) or everything()
            series = Series(
                pod=Pod(program=program, name=f"Pod {number}", time_zone="UTC"),
                organizer=mailbox,
                subject=event.subject,
                starts_local=starts.replace(tzinfo=None),
                time_zone="UTC",
                minutes=30,
                count=WEEKS,
                wanted_at=STARTS_AT,
                event_id=event.id,
                invited_at=STARTS_AT,
            )
            series.occurrences = [
                Occurrence(
                    number=place,
                    original_start_at=one.starts_at,
                    starts_at=one.starts_at,
                    ends_at=one.ends_at,
                    event_id=one.id,
                    collect_due_at=collect_due(one.ends_at),
                )
                for place, one in enumerate(instances, start=1)
            ]
            session.add(series)


def everything() -> Program:
    return Program(
        name="All", outcome="o", metric="m", baseline="b", starts_on=STARTS_AT.date(), created_at=STARTS_AT
    )


def draft(number: int, starts: datetime) -> EventDraft:
    return EventDraft(
        subject=f"Series {number}",
        body_html="<p>Pod</p>",
        starts_local=starts.replace(tzinfo=None),
        length=timedelta(minutes=30),
        time_zone="UTC",
        transaction_id=f"bench-{number}",
        tag=f"bench-{number}",
        weekly=WeeklyRule(starts.date(), count=WEEKS),
        online=False,
    )


def change(tools: Tools) -> None:
    """Somebody renames one meeting of every twentieth series."""
    with tools.database.reading() as session:
        found = session.execute(
            select(Series.organizer, Occurrence.event_id).join(Occurrence.series).where(Occurrence.number == 2)
        ).all()
    for mailbox, event_id in found[::20]:
        tools.graph.calendar.update_event(mailbox, event_id or "", EventChanges(subject="Retrospective"))


def show(measured: list[Measured]) -> None:
    table = Table(title=f"{MAILBOXES} mailboxes, {SERIES} series, {WEEKS} meetings each")
    for heading in ("round", "requests", "per series", "of the busiest mailbox", "of its 10,000 in ten minutes"):
        table.add_column(heading, justify="left" if heading == "round" else "right")
    for each in measured:
        share = f"{each.most / ALLOWED:.2%}"
        table.add_row(each.what, str(each.requests), f"{each.requests / SERIES:.2f}", str(each.most), share)
    console = Console(width=118)
    console.print(table)
    console.print("Turns of the mailboxes are spread over the hour and the night; four requests at once per mailbox.")


if __name__ == "__main__":
    sys.exit(main())
