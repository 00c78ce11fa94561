"""Tokens that are limited to programs, and tokens made in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from sqlalchemy import select

from integration.admin.models import AuditEntry
from integration.admin.permissions import Permission, Role
from integration.api.models import ApiToken
from integration.api.tokens import SCOPES
from integration.errors import InputRefused
from integration.scheduling.models import Series
from tests.attendance.build import build_series

COORDINATORS = [scope for scope in SCOPES if scope is not Permission.MESSAGE_DISCARD]


@pytest.fixture
def two(api) -> tuple[Series, Series]:
    """A pod in each of two programs."""
    with api.site.tools.database.transaction() as session:
        pair = (
            build_series(session, [], name="Pod of Grace"),
            build_series(session, [], name="Pod of Eve", organizer_id="eve"),
        )
        for each in pair:
            assert each.pod.program.id
    return pair


def test_a_limited_token_sees_and_changes_its_programs_only(api, two):
    own, other = (each.pod.program_id for each in two)
    script = api.script(scopes=COORDINATORS, program_ids=[own])

    assert [each["id"] for each in script.get("/programs").get_json()["items"]] == [own]
    assert [script.get(f"/programs/{each}").status_code for each in (own, other)] == [200, 404]
    assert [script.get(f"/pods/{each.pod_id}").status_code for each in two] == [200, 404]
    assert script.post(f"/programs/{other}/plans").status_code == 404
    assert script.get("/people").status_code == 200  # as for a coordinator


def test_a_token_limited_to_a_program_that_is_gone_sees_none(api, two):
    script = api.script(scopes=COORDINATORS, program_ids=[4711])

    assert script.get("/programs").get_json()["items"] == []
    assert script.get(f"/programs/{two[0].pod.program_id}").status_code == 404


def test_a_token_without_limit_still_covers_every_program(api, two):
    assert len(api.script().get("/programs").get_json()["items"]) == 2


def test_what_no_coordinator_may_do_no_limited_token_may_either(api, two):
    with pytest.raises(InputRefused, match=r"message\.discard"):
        api.script(program_ids=[two[0].pod.program_id])


def test_an_administrator_limits_a_token_on_the_page(api, two):
    ada = api.site.browser("ada@pods.example", Role.ADMINISTRATOR)
    program = two[0].pod.program
    form = {"name": "intranet", "scopes": ["program.see"], "programs": [str(program.id)]}

    assert program.name in ada.get("/admin/access/").text
    assert ada.post("/admin/access/tokens", data=form).status_code == 201
    assert ada.post("/admin/access/tokens", data={**form, "name": "b", "programs": ["4711"]}).status_code == 400
    with api.site.tools.database.reading() as session:
        [token] = session.scalars(select(ApiToken)).all()
        [entry] = session.scalars(select(AuditEntry)).all()
    assert token.program_ids == [program.id]
    assert (entry.actor, entry.action, entry.after["programs"]) == ("ada@pods.example", "access.change", [program.id])


@pytest.fixture
def pods(environ, api):
    """`pods token ...` in a process of its own, as somebody types it."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "integration.cli", "token", *words]
        return subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, timeout=60)

    return run


def test_a_token_is_made_listed_and_revoked_in_a_terminal(api, two, pods):
    program = two[0].pod.program
    made = pods("create", "nightly", "--may", "programs.see", "--program", program.name, "--expires-on", "2099-01-01")
    secret = made.stdout.strip()

    assert (made.returncode, secret.startswith("pods_"), "\n" in secret) == (0, True, False)
    script = api.script("other")
    script.token = secret
    assert [each["id"] for each in script.get("/programs").get_json()["items"]] == [program.id]
    listed = pods("list").stdout
    assert "nightly" in listed
    assert secret not in listed
    assert "opens nothing any more" in pods("revoke", "nightly").stdout
    assert "already" in pods("revoke", "nightly").stdout
    assert script.get("/programs").status_code == 401
    with api.site.tools.database.reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [each.after for each in entries] == [
        {"name": "nightly", "scopes": ["programs.see"], "programs": [program.id]},
        {"name": "nightly", "revoked": True},
    ]
    assert entries[0].actor.startswith("terminal:")


def test_a_terminal_names_what_is_wrong(pods):
    for words, wrong in (
        (("create", "x", "--may", "everything"), "everything is nothing that a token may do."),
        (("create", "x", "--may", "programs.see", "--program", "None such"), "There is no program 'None such'."),
        (("revoke", "nobody"), "There is no token 'nobody'."),
    ):
        answer = pods(*words)
        assert (answer.returncode, wrong in answer.stderr, answer.stdout) == (1, True, ""), answer.stderr
