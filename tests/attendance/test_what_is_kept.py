"""How much is kept, seen in the tables themselves: two pilots that differ only in what must not be kept are alike.

In the one Grace comes, in the other Alan; they stay for other minutes, and other telephones call. Whatever a table
holds of that would make the two differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import MetaData, select

from integration.attendance.jobs import collect_attendance
from integration.config import Settings
from integration.db import Database
from integration.feedback.jobs import ask_feedback
from integration.graph.simulator.clock import MovableClock
from integration.graph.simulator.faults import Faults
from integration.graph.simulator.http.app import create_simulator
from integration.graph.simulator.http.server import serve, settings_of
from integration.graph.simulator.seed import build_tenant
from integration.tools import Tools
from tests.attendance.build import at
from tests.attendance.conftest import PodInTeams, set_up_pod
from tests.databases import make_tables

DRAWN = {"report_id", "meeting_id", "join_url", "nonce", "tag", "html", "text"}  # what chance draws
Tables = dict[str, list[str]]
Stays = Callable[[PodInTeams, int], None]


def dump(database: Database) -> Tables:
    """Every row of every table, without ids that are drawn and without the clock of the machine."""
    tables = MetaData()
    tables.reflect(database.engine)
    with database.reading() as session:
        return {
            table.name: sorted(
                str({name: value for name, value in row.items() if name not in DRAWN})
                for row in session.execute(select(table)).mappings()
            )
            for table in tables.sorted_tables
            if table.name != "outbox_message"
        }


def values(database: Database) -> list[str]:
    """Every value of every table, as text."""
    tables = MetaData()
    tables.reflect(database.engine)
    with database.reading() as session:
        rows = [row for table in tables.sorted_tables for row in session.execute(select(table))]
    return [str(value) for row in rows for value in row]


def grace_comes(pod: PodInTeams, week: int) -> None:
    pod.stays("Ada", 0, 30, occurrence=week)
    pod.stays("Grace", 1, 29, occurrence=week)
    pod.stays("+41 44 555 12 34", 2, 28, kind="phone", occurrence=week)
    pod.stays("Barbara", 3, 27, occurrence=week)


def alan_comes(pod: PodInTeams, week: int) -> None:
    pod.stays("Ada", 2, 27, occurrence=week)
    pod.stays("Alan", 5, 28, occurrence=week)
    pod.stays("+49 30 123 45 67", 6, 29, kind="phone", occurrence=week)
    pod.stays("Barbara", 7, 26, occurrence=week)


def from_the_start(pod: PodInTeams, week: int) -> None:
    for name in ("Ada", "Grace"):
        pod.stays(name, 0, 30, occurrence=week)
    pod.stays("+41 44 555 12 34", 0, 30, kind="phone", occurrence=week)


def late_and_short(pod: PodInTeams, week: int) -> None:
    for name in ("Ada", "Grace"):
        pod.stays(name, 9, 27, occurrence=week)
    pod.stays("+41 44 555 12 34", 11, 26, kind="phone", occurrence=week)


@contextmanager
def a_pilot(folder: Path, queue_url: str, detail: str) -> Iterator[PodInTeams]:
    """A pod with a tenant and a database of its own; every such pilot begins alike."""
    folder.mkdir()
    tenant = build_tenant(clock=MovableClock(at(-60), file=folder / "clock"))
    server = serve(create_simulator(tenant, faults=Faults()), "127.0.0.1", 0).start()
    url = f"sqlite:///{folder}/pods.sqlite3"
    make_tables(url)
    tools = Tools.from_settings(
        Settings.from_environment(
            {
                **settings_of(tenant, server.url),
                "DATA_DIR": str(folder / "var"),
                "DATABASE_URL": url,
                "REDIS_URL": queue_url,
                "CLOCK_FILE": str(folder / "clock"),
            }
        )
    )
    yield set_up_pod(tools, tenant, detail=detail)
    tools.close()
    server.stop()


def play(pod: PodInTeams, stays: Stays) -> Tables:
    """Two weeks; returns the tables afterwards."""
    for week in (1, 2):
        stays(pod, week)
        pod.look_until_done(occurrence=week)
        ask_feedback(pod.tools, pod.occurrence_ids[week - 1])
        collect_attendance(pod.tools, pod.occurrence_ids[week - 1])
    return dump(pod.tools.database)


@pytest.fixture
def pilots(tmp_path: Path, queue_url: str, detail: str) -> Iterator[tuple[PodInTeams, PodInTeams]]:
    with a_pilot(tmp_path / "one", queue_url, detail) as one, a_pilot(tmp_path / "two", queue_url, detail) as two:
        yield one, two


@pytest.mark.parametrize("detail", ["counts only"])
def test_with_counts_only_no_table_tells_who_came_or_for_how_long(pilots: tuple[PodInTeams, PodInTeams]) -> None:
    one, two = play(pilots[0], grace_comes), play(pilots[1], alan_comes)
    assert one["attendance"] == []
    assert one["occurrence"] == two["occurrence"]
    assert one == two
    for pod in pilots:
        told = values(pod.tools.database)
        assert not [value for value in told if "555 12 34" in value or "123 45 67" in value or "Barbara" in value]


@pytest.mark.parametrize("detail", ["present"])
def test_with_present_no_table_tells_for_how_long(pilots: tuple[PodInTeams, PodInTeams]) -> None:
    one, two = play(pilots[0], from_the_start), play(pilots[1], late_and_short)
    assert len(one["attendance"]) == 6
    assert one == two


@pytest.mark.parametrize("detail", ["minutes"])
def test_the_comparison_does_see_minutes_and_people(pilots: tuple[PodInTeams, PodInTeams]) -> None:
    one, two = play(pilots[0], grace_comes), play(pilots[1], alan_comes)
    assert {name for name in one if one[name] != two[name]} >= {"attendance", "attendance_report", "occurrence"}
