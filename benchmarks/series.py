"""Creating and inviting 200 series through a worker, with 100 ms of latency on every request to Graph.

Beside it: a plain loop over the SDK's own models that creates and invites, one request after the other (measured for
fewer series and counted per series), and the bound that latency and Graph's four requests at once per mailbox allow.
Wanted: within 1.2 of that bound with one organizer mailbox. With two, one worker process is busier computing than
waiting, so that case is shown with one and with two processes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import httpx
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph.generated.models.attendee import Attendee
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.event import Event
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from rich.console import Console
from rich.table import Table
from sqlalchemy import Select, func, select

from benchmarks.stage import QUICK, Stage, stage, worker
from integration import outbox
from integration.clock import real_now
from integration.graph.credential import credential_for
from integration.outbox import Message, State, Task
from integration.people.models import Participant, Person
from integration.scheduling.jobs import draft_plan
from integration.scheduling.models import Plan, Series
from integration.scheduling.plan import apply_plan
from integration.scheduling.programs import ProgramDraft, add_members, create_program

SERIES = 40 if QUICK else 200
PLAIN_SERIES = 8
LATENCY_SECONDS = 0.1
AT_ONCE_PER_MAILBOX = 4
WANTED = 1.2
LONGEST_SECONDS = 300


@dataclass(frozen=True)
class Case:
    """So many organizer mailboxes, each with its four requests at once, and so many worker processes."""

    mailboxes: int
    workers: int


@dataclass(frozen=True)
class Measured:
    """What one case took; seconds throughout."""

    case: Case
    requests: int
    seconds: float
    estimate: float  # what the plan said before
    plain: float  # per series, of the plain loop

    @property
    def bound(self) -> float:
        """What latency and the requests at once allow."""
        return self.requests * LATENCY_SECONDS / (AT_ONCE_PER_MAILBOX * self.case.mailboxes)


TARGET = Case(mailboxes=1, workers=1)
OTHERS = (Case(mailboxes=2, workers=1), Case(mailboxes=2, workers=2))


def main() -> int:
    """Print the table; 1 when the bound is missed by more than wanted."""
    target = measure(TARGET)
    show([target, *(measure(case) for case in OTHERS)])
    return 0 if target.seconds <= WANTED * target.bound else 1


def measure(case: Case) -> Measured:
    """Plan, then apply with real workers until everybody is invited."""
    with stage(people=SERIES * 4, organizers=case.mailboxes) as on, ExitStack() as closing:
        wanted = plan_series(on)
        estimate = estimated_seconds(on, wanted)
        httpx.post(f"{on.tenant_url}/control/faults", json=[slow()]).raise_for_status()
        plain = asyncio.run(plain_loop(on))
        for _ in range(case.workers):
            closing.enter_context(worker(on))
        warm_up(on)
        before = requests(on)
        began = time.monotonic()
        apply(on, wanted)
        wait_until_none(on, select(func.count()).where(Series.plan_id == wanted, Series.invited_at.is_(None)))
        seconds, sent = time.monotonic() - began, requests(on) - before
    return Measured(case=case, requests=sent, seconds=seconds, estimate=estimate, plain=plain)


def slow() -> dict[str, object]:
    return {"match": {}, "do": "delay", "seconds": LATENCY_SECONDS, "times": None}


def plan_series(on: Stage) -> int:
    """A program for everybody in the tenant, planned but not applied; returns the plan's id."""
    people = httpx.get(f"{on.tenant_url}/control/people").raise_for_status().json()
    now, tools = real_now(), on.tools
    with tools.database.transaction() as session:
        for known in people:
            if known["kind"] == "person":
                person = Person(mail=known["mail"], name=known["name"], time_zone=known["time_zone"])
                person.participant = Participant()
                session.add(person)
        session.flush()
        starts_on = real_now().date() + timedelta(days=14)
        draft = ProgramDraft(name="All", outcome="o", metric="m", baseline="b", starts_on=starts_on)
        program = create_program(session, draft, now=now)
        add_members(session, program, session.scalars(select(Person)))
        program_id = program.id
    return draft_plan(tools, program_id)


def estimated_seconds(on: Stage, plan_id: int) -> float:
    """What the plan tells a coordinator before it is applied (it assumes the latency of the real Graph)."""
    with on.tools.database.reading() as session:
        return float(session.get_one(Plan, plan_id).content["seconds"])


def warm_up(on: Stage) -> None:
    """Let the worker do something first: one that runs for months has long imported everything."""
    with on.tools.database.transaction() as session:
        outbox.add(session, Task.PERSON_RESOLVE, session.scalars(select(Person.id).order_by(Person.id)).first() or 0)
    wait_until_none(on, select(func.count()).where(Message.state.in_([State.WAITING, State.CLAIMED])))


def apply(on: Stage, plan_id: int) -> None:
    with on.tools.database.transaction() as session:
        apply_plan(session, session.get_one(Plan, plan_id), now=real_now())


def wait_until_none(on: Stage, left: Select[int]) -> None:
    """Wait until the count that ``left`` asks for is nought. Raises TimeoutError."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        with on.tools.database.reading() as session:
            if not session.scalar(left):
                return
        time.sleep(0.05)
    raise TimeoutError(f"The worker has not come to an end in {LONGEST_SECONDS} seconds.")


def requests(on: Stage) -> int:
    return httpx.get(f"{on.tenant_url}/control/state").raise_for_status().json()["graph_requests"]


async def plain_loop(on: Stage) -> float:
    """Seconds per series of a loop over the SDK: create, read the instances, invite."""
    settings = on.tools.settings
    auth = AzureIdentityAuthenticationProvider(
        credential_for(settings),
        scopes=["https://graph.microsoft.com/.default"],
        allowed_hosts=["127.0.0.1"],
    )
    adapter = GraphRequestAdapter(auth, client=httpx.AsyncClient(base_url=settings.graph_base_url, timeout=30))
    adapter.base_url = settings.graph_base_url
    events = GraphServiceClient(request_adapter=adapter).users.by_user_id(settings.organizer_mailboxes[0]).events
    await events.get()  # the first request in a process pays for the imports
    began = time.perf_counter()
    for number in range(PLAIN_SERIES):
        made = await events.post(draft(number))
        assert made is not None
        assert made.id is not None
        await events.by_event_id(made.id).get()
        address = EmailAddress(address=f"nobody.{number}@pods.example")
        await events.by_event_id(made.id).patch(Event(attendees=[Attendee(email_address=address)]))
    return (time.perf_counter() - began) / PLAIN_SERIES


def draft(number: int) -> Event:
    day = real_now().date() + timedelta(days=21)
    return Event(
        subject=f"Series {number}",
        start=DateTimeTimeZone(date_time=f"{day}T09:00:00", time_zone="UTC"),
        end=DateTimeTimeZone(date_time=f"{day}T09:30:00", time_zone="UTC"),
        transaction_id=f"plain-{number}",
    )


def show(measured: list[Measured]) -> None:
    table = Table(
        title=f"{SERIES} series, {LATENCY_SECONDS * 1000:.0f} ms latency, four requests at once per mailbox"
    )
    headings = ("mailboxes", "workers", "requests", "bound, s", "took, s", "of the bound", "plain loop", "plan said")
    for heading in headings:
        table.add_column(heading, justify="right")
    for each in measured:
        wanted = f" (wanted: {WANTED})" if each.case == TARGET else ""
        table.add_row(
            str(each.case.mailboxes),
            str(each.case.workers),
            str(each.requests),
            f"{each.bound:.1f}",
            f"{each.seconds:.1f}",
            f"{each.seconds / each.bound:.2f}{wanted}",
            f"{each.plain * SERIES / each.bound:.1f}",
            f"{each.estimate / each.bound:.1f}",
        )
    Console(width=118).print(table)


if __name__ == "__main__":
    sys.exit(main())
