"""The resident memory of a real worker process after 20,000 messages of the outbox; wanted: under 200 MB.

Each message is about a person; one in ten is looked up in the directory, which is a request to Graph, answered with
200 or 404; the others have left, which is found out in a transaction. The data lies in memory: nothing waits for a
disk. The figure after the first hundred stands beside it: what grows between the two would be a leak.
"""

from __future__ import annotations

import sys
import time

import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from benchmarks.stage import QUICK, Stage, stage, worker
from integration import outbox
from integration.clock import real_now
from integration.outbox import Message, State, Task
from integration.people.models import Participant, Person

MESSAGES = 2_000 if QUICK else 20_000
KNOWN = 200  # the simulated directory is smaller: most look-ups are answered with 404
LOOKED_UP = 10  # one in so many
WANTED_MB = 200
LONGEST_SECONDS = 600


def main() -> int:
    """Print the table; 1 when the worker is larger than wanted."""
    with stage(people=KNOWN, on_disk=False) as on:
        with on.tools.database.transaction() as session:
            write_people(session, on, count=MESSAGES)
        began = time.monotonic()
        with worker(on) as process:
            early = resident_mb(process.pid, on, done=100)
            late = resident_mb(process.pid, on, done=MESSAGES)
        seconds = time.monotonic() - began
    table = Table(title=f"a worker after {MESSAGES} messages, {MESSAGES / seconds:.0f} a second")
    for heading in ("after messages", "resident MB"):
        table.add_column(heading)
    table.add_row("100", f"{early:.0f}")
    table.add_row(str(MESSAGES), f"{late:.0f} (wanted: under {WANTED_MB})")
    Console().print(table)
    return 0 if late < WANTED_MB else 1


def write_people(session: Session, on: Stage, *, count: int) -> None:
    session.execute(insert(Participant), [{"id": number} for number in range(1, count + 1)])
    now = real_now()
    people = [
        {
            "id": number,
            "participant_id": number,
            "mail": f"person.{number}@pods.example",
            "name": f"Person {number}",
            "left_at": None if number % LOOKED_UP == 0 else now,
        }
        for number in range(1, count + 1)
    ]
    session.execute(insert(Person), people)
    for number in range(1, count + 1):
        outbox.add(session, Task.PERSON_RESOLVE, number)


def resident_mb(process_id: int, on: Stage, *, done: int) -> float:
    """The worker's memory once so many messages are no longer waiting."""
    worked = select(func.count()).where(Message.state.not_in([State.WAITING, State.CLAIMED]))
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        with on.tools.database.reading() as session:
            if (session.scalar(worked) or 0) >= done:
                return psutil.Process(process_id).memory_info().rss / 1_000_000
        time.sleep(0.2)
    raise TimeoutError(f"Fewer than {done} messages in {LONGEST_SECONDS} seconds.")


if __name__ == "__main__":
    sys.exit(main())
