"""The coordinators' lists over 10,000 people and 2,000 pods: queries per page, and server time beside an empty page.

The empty page is the same shell (bar, rule, session, visitor) without rows: what a list costs more is the list.
Wanted: under 25 queries per page.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

from flask.testing import FlaskClient
from rich.console import Console
from rich.table import Table
from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from integration.admin.permissions import Role
from integration.admin.sessions import open_session
from integration.app import create_app
from integration.clock import real_now
from integration.config import Settings
from integration.migrate import upgrade
from integration.people.models import Participant, Person
from integration.scheduling.models import Occurrence, Pod, PodMember, Program, ProgramMember, Series
from integration.tools import Tools

QUICK = bool(os.environ.get("BENCH_QUICK"))
PEOPLE, PODS = (1_000, 200) if QUICK else (10_000, 2_000)
TIMES = 5 if QUICK else 15
MOST_QUERIES = 25
EMPTY = "/auth/sessions"
PAGES = (
    "/admin/",
    "/admin/people/",
    "/admin/people/?q=person&sort=-mail&page=7",
    "/admin/programs",
    "/admin/programs/1",
    "/admin/pods",
    "/admin/pods?page=9",
    "/admin/pods/1",
    "/admin/health",
    "/admin/audit",
)


def main() -> int:
    """Print the table; 1 when a page asks the database more than wanted."""
    with TemporaryDirectory(prefix="pods-bench-") as folder:
        settings = Settings.from_environment({"DATA_DIR": folder, "GRAPH_BASE_URL": "http://127.0.0.1:9/v1.0"})
        upgrade(settings.database_url)
        app = create_app(settings)
        tools: Tools = app.extensions["tools"]
        browser = _signed_in(app.test_client(), tools, app.config["SESSION_COOKIE_NAME"])
        empty = _milliseconds(browser, EMPTY)
        with tools.database.transaction() as session:
            _fill(session)
        rows = [(path, _queries(browser, tools, path), _milliseconds(browser, path)) for path in PAGES]
        tools.close()
    _show(rows, empty)
    return 1 if any(queries >= MOST_QUERIES for _, queries, _ in rows) else 0


def _signed_in(browser: FlaskClient, tools: Tools, cookie: str) -> FlaskClient:
    with tools.database.transaction() as session:
        key = open_session(session, now=real_now(), mail="ada@pods.example", roles=[Role.ADMINISTRATOR])
    browser.set_cookie(cookie, key)
    return browser


def _fill(session: Session) -> None:
    """One program; pods of five, each with a series of six weeks around now."""
    session.execute(insert(Participant), [{"id": number} for number in range(1, PEOPLE + 1)])
    session.execute(insert(Person), [_person(number) for number in range(1, PEOPLE + 1)])
    program = Program(
        name="All", outcome="o", metric="m", baseline="b", starts_on=real_now().date(), created_at=real_now()
    )
    session.add(program)
    session.flush()
    everybody = range(1, PEOPLE + 1)
    session.execute(insert(ProgramMember), [{"program_id": program.id, "participant_id": each} for each in everybody])
    session.execute(insert(Pod), [_pod(number, program.id) for number in range(1, PODS + 1)])
    members = [{"pod_id": 1 + (each - 1) // 5, "participant_id": each, "joined_at": real_now()} for each in everybody]
    session.execute(insert(PodMember), members)
    session.execute(insert(Series), [_series(number) for number in range(1, PODS + 1)])
    session.execute(insert(Occurrence), [_occurrence(pod, week) for pod in range(1, PODS + 1) for week in range(6)])


def _person(number: int) -> dict[str, object]:
    name = f"Person Number {number:05}"
    address = f"person.{number:05}@pods.example"
    return {"participant_id": number, "mail": address, "name": name, "department": f"Department {number % 40}"}


def _pod(number: int, program_id: int) -> dict[str, object]:
    return {"id": number, "program_id": program_id, "name": f"Pod {number:04}", "time_zone": "Europe/Zurich"}


def _series(number: int) -> dict[str, object]:
    return {
        "id": number,
        "pod_id": number,
        "organizer": "learning@pods.example",
        "generation": 1,
        "subject": f"Pod {number:04}",
        "starts_local": datetime(2026, 3, 4, 10),  # noqa: DTZ001 (a wall clock)
        "time_zone": "Europe/Zurich",
        "minutes": 30,
        "count": 6,
        "wanted_at": real_now(),
        "invited_at": real_now(),
        "event_id": f"event-{number}",
    }


def _occurrence(pod: int, week: int) -> dict[str, object]:
    starts_at = real_now().astimezone(UTC) + timedelta(days=7 * (week - 3), minutes=pod % 600)
    return {
        "series_id": pod,
        "number": week + 1,
        "original_start_at": starts_at,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=30),
    }


def _queries(browser: FlaskClient, tools: Tools, path: str) -> int:
    """How many statements one request sends, BEGIN and the like not counted."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(tools.database.engine, "before_cursor_execute", note)
    answer = browser.get(path)
    event.remove(tools.database.engine, "before_cursor_execute", note)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answers {answer.status_code}")
    return sum(not statement.startswith("BEGIN") for statement in sent)


def _milliseconds(browser: FlaskClient, path: str) -> float:
    """The median of several requests, the first not counted."""
    browser.get(path)
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        browser.get(path)
        taken.append(time.perf_counter() - began)
    return 1000 * statistics.median(taken)


def _show(rows: list[tuple[str, int, float]], empty: float) -> None:
    table = Table(title=f"{PEOPLE:,} people, {PODS:,} pods; the empty page of the shell takes {empty:.1f} ms")
    for heading in ("page", f"queries (under {MOST_QUERIES})", "ms", "times the empty page"):
        table.add_column(heading, justify="right")
    for path, queries, milliseconds in rows:
        table.add_row(path, str(queries), f"{milliseconds:.1f}", f"{milliseconds / empty:.1f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    sys.exit(main())
