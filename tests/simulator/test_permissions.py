"""The permissions table against Microsoft's own list, and what tokens may do."""

import json
import re
from pathlib import Path

import httpx
import pytest

from integration.graph.simulator.http import app as simulator_app
from integration.graph.simulator.http.permissions import OPERATIONS

PUBLISHED = Path(__file__).parents[3] / "shared" / "graph" / "contract" / "permissions.json"
NOT_PUBLISHED = {
    "GET /organization",
    "GET /servicePrincipals",
    "GET /communications/callRecords",
    "GET /communications/callRecords/{callRecord-id}/participants_v2",
}
READS_WITH_MORE = {
    "MailboxSettings.ReadWrite",
    "Calendars.ReadWrite",
    "Calendars.Read",
    "Mail.ReadWrite",
    "Mail.ReadBasic",
}
"""Roles that contain a published one, where the published row forgets to say so."""


def shape(operation: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", operation)


@pytest.fixture(scope="module")
def published() -> dict[str, dict]:
    if not PUBLISHED.exists():
        pytest.skip("Microsoft's permissions list is not beside this checkout")
    paths = json.loads(PUBLISHED.read_text())["paths"]
    return {
        shape(f"{method} {path}"): told["application"]
        for path, methods in paths.items()
        for method, told in methods.items()
    }


def test_every_row_accepts_the_least_role_microsoft_names_and_none_it_does_not(published):
    wrong = []
    for operation, roles in OPERATIONS.items():
        told = published.get(shape(operation))
        if told is None or not roles:
            continue
        if told["least"] not in roles:
            wrong.append(f"{operation}: the least role {told['least']} is missing")
        beyond = set(roles) - set(told["all"]) - READS_WITH_MORE
        if beyond:
            wrong.append(f"{operation}: {sorted(beyond)} are not accepted by Microsoft")
    assert wrong == []


def test_rows_microsoft_does_not_list_are_few_and_known(published):
    missing = {operation for operation, roles in OPERATIONS.items() if roles and shape(operation) not in published}
    mail_and_calendar = {one for one in missing if re.search(r"/(calendar|calendars|messages)\b", one)}
    assert missing - mail_and_calendar == NOT_PUBLISHED
    assert len(mail_and_calendar) < 10


def test_every_graph_address_says_which_operation_it_is(simulator):
    views = simulator_app._addresses()
    silent = [
        rule.rule
        for rule in views.url_map.iter_rules()
        if rule.rule.startswith("/v1.0/") and not hasattr(views.view_functions[rule.endpoint], "operation")
    ]
    assert silent == []


def ask(simulator, control: httpx.Client, path: str, *, roles: list[str], method: str = "GET") -> httpx.Response:
    control.patch("/app", json={"roles": roles})
    headers = {"Authorization": f"Bearer {simulator.token()}"}
    return httpx.request(method, simulator.graph_url + path, headers=headers, json={} if method == "POST" else None)


def test_without_a_role_for_people_the_directory_is_closed(simulator, control):
    refused = ask(simulator, control, "/users", roles=["Calendars.ReadWrite"])
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "Authorization_RequestDenied"


def test_the_least_role_opens_the_directory_but_not_its_changes(simulator, control):
    assert ask(simulator, control, "/users", roles=["User.ReadBasic.All"]).status_code == 200
    assert ask(simulator, control, "/users/delta", roles=["User.ReadBasic.All"]).status_code == 403


def test_reading_calendars_does_not_allow_writing_them(simulator, control):
    path = "/users/pods.one@pods.example/events"
    assert ask(simulator, control, path, roles=["Calendars.Read"]).status_code == 200
    refused = ask(simulator, control, path, roles=["Calendars.Read"], method="POST")
    assert refused.json()["error"]["code"] == "ErrorAccessDenied"


def test_a_role_taken_away_stays_in_tokens_already_issued(simulator, control, graph):
    control.patch("/app", json={"roles": []})
    assert graph.get("/users").status_code == 200
    assert ask(simulator, control, "/users", roles=[]).status_code == 403


def test_an_employees_mailbox_is_outside_the_scope(graph, tenant):
    ada = next(person for person in tenant.directory.people if person.kind == "person")
    event = {
        "subject": "Not ours to write",
        "start": {"dateTime": "2026-03-04T10:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-03-04T11:00:00", "timeZone": "UTC"},
    }
    refused = graph.post(f"/users/{ada.mail}/events", json=event)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "ErrorAccessDenied")
    assert graph.post("/users/pods.one@pods.example/events", json=event).status_code == 201
