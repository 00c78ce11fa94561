"""A coordinator goes from an empty page to four people who are invited, and back, with a worker and Microsoft 365."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from integration.admin.permissions import Role
from integration.app import create_app
from integration.config import Settings
from integration.delivery import Shift
from integration.graph.simulator.clock import MovableClock
from integration.graph.simulator.seed import STARTS_AT, build_tenant
from integration.graph.simulator.tenant.tenant import Tenant
from integration.jobs import HANDLERS
from tests.admin.conftest import Site
from tests.conftest import RunningSimulator
from tests.scheduling.conftest import Office, tools_for

FOUR = ("Ada", "Grace", "Alan", "Linus")


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    return build_tenant(people=8, clock=MovableClock(STARTS_AT, file=tmp_path / "clock"))


@pytest.fixture
def app(simulator: RunningSimulator, sqlite_database_url: str, tmp_path: Path) -> Iterator[Flask]:
    environ = {
        **simulator.settings,
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": sqlite_database_url,
        "CLOCK_FILE": str(tmp_path / "clock"),
    }
    made = create_app(Settings.from_environment(environ))
    made.config["WTF_CSRF_ENABLED"] = False
    yield made
    made.extensions["tools"].close()


@pytest.fixture
def office(app: Flask, simulator: RunningSimulator, tmp_path: Path) -> Iterator[Office]:
    """The tenant, and what a worker process is given."""
    tools = tools_for(simulator, app.extensions["tools"].database, tmp_path)
    yield Office(simulator, tools)
    tools.close()


def test_from_a_form_to_an_invitation_and_back(app: Flask, office: Office):
    office.settle(*FOUR)
    ada = Site(app, app.extensions["tools"]).browser("coordinator@pods.example", Role.COORDINATOR)

    program = ada.post("/admin/programs/new", data=form(office)).location
    plan = ada.post(f"{program}/plan").location
    assert "The plan is being drafted" in ada.get(plan).text
    work(office)
    assert "This will create 1 series, invite 4 people" in ada.get(plan).text
    assert office.meeting_mails() == {}, "looking at a plan mails nobody"

    assert "4 mails are sent:" in ada.get(f"{plan}/apply").text
    ada.post(f"{plan}/apply")
    ada.post(f"{plan}/apply")
    assert "hx-trigger" in ada.get(f"{plan}/progress").text
    work(office)

    progress = ada.get(f"{plan}/progress").text
    assert ("1 of 1" in progress, "hx-trigger" in progress) == (True, False)
    assert 'badge-good">invited' in ada.get(program).text
    assert "https://teams" in ada.get("/admin/pods/1").text
    assert sum(office.meeting_mails().values()) == 4
    assert len(office.events()) == 1

    assert "4 mails are sent:" in ada.get(f"{plan}/undo").text
    ada.post(f"{plan}/undo")
    work(office)

    assert office.events() == []
    assert sum(office.meeting_mails().values()) == 8
    assert "Cancelled" in ada.get(f"{plan}/progress").text


def form(office: Office) -> dict[str, str]:
    return {
        "name": "Onboarding",
        "outcome": "New colleagues answer customers alone",
        "metric": "days to first call",
        "baseline": "60 days",
        "format": "learning pod",
        "starts_on": "2026-03-09",
        "weeks": "3",
        "minutes": "30",
        "pod_size": "4",
        "participation_target": "60",
        "sessions_target": "4",
        "onboarding_target": "20",
        "attendance_detail": "minutes",
        "members": "chosen",
        "chosen": "\n".join(office.mails(*FOUR)),
    }


def work(office: Office) -> None:
    """As the worker does when it is rung for."""
    Shift(office.tools, HANDLERS).work(threading.Event())
