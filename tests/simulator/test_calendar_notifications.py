"""Calendars tell their subscribers of each change; and everything they answer has the shape Graph publishes."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from integration.graph.simulator.tenant.tenant import Tenant
from tests.simulator.calendar_steps import WHOLE_YEAR, Json, Outlook, invite, weekly
from tests.simulator.contract import load_contract, violations
from tests.simulator.receiver import Receiver

PREFERENCES = {"": {}, "immutable": {"Prefer": 'IdType="ImmutableId"'}}
POD = "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name PodId"


@pytest.fixture
def outlook(graph: httpx.Client, tenant: Tenant) -> Outlook:
    return Outlook(graph, tenant)


@pytest.fixture
def ada(tenant: Tenant) -> str:
    return next(one.mail for one in tenant.directory.people if one.kind == "person" and one.exchange)


def listen(outlook: Outlook, receiver: Receiver, preferring: str) -> None:
    sent = {
        "changeType": "created,updated,deleted",
        "notificationUrl": f"{receiver.url}/graph",
        "resource": f"users/{outlook.mailbox}/events",
        "expirationDateTime": (outlook.tenant.clock.now() + timedelta(days=3)).isoformat(),
    }
    answer = outlook.graph.post("/subscriptions", json=sent, headers=PREFERENCES[preferring])
    assert answer.status_code == 201, answer.text


def told(receiver: Receiver, count: int) -> Counter[tuple[str, str]]:
    until = time.monotonic() + 5
    while len(receiver.items) < count and time.monotonic() < until:
        time.sleep(0.01)
    return Counter((one["changeType"], one["resourceData"]["id"]) for one in receiver.items)


@pytest.mark.parametrize("preferring", ["", "immutable"])
def test_one_create_is_told_several_times(outlook: Outlook, receiver: Receiver, preferring: str) -> None:
    listen(outlook, receiver, preferring)
    made = outlook.create(weekly(), **PREFERENCES[preferring])
    key = made["id"] if preferring else outlook.graph.get(f"/users/{outlook.mailbox}/events").json()["value"][0]["id"]
    assert told(receiver, 3) == {("created", key): 1, ("updated", key): 2}


@pytest.mark.parametrize("names_the_occurrence", [True, False])
def test_a_reply_to_one_occurrence_is_told_under_one_id_or_the_other(
    outlook: Outlook, receiver: Receiver, control: httpx.Client, ada: str, names_the_occurrence: bool
) -> None:
    outlook.tenant.switches.occurrence_changes_name_the_occurrence = names_the_occurrence
    made = outlook.create(weekly(attendees=invite(ada)))
    second = outlook.instances(made["id"])[1]
    listen(outlook, receiver, "immutable")
    answer = {"uid": made["iCalUId"], "response": "accept", "occurrence_start": second["originalStart"]}
    control.post(f"/people/{ada}/reply", json=answer).raise_for_status()
    named = second["id"] if names_the_occurrence else made["id"]
    assert told(receiver, 1) == {("updated", named): 1}


def test_a_deletion_is_told(outlook: Outlook, receiver: Receiver) -> None:
    made = outlook.create(weekly())
    listen(outlook, receiver, "immutable")
    outlook.delete(made["id"])
    assert told(receiver, 1) == {("deleted", made["id"]): 1}


def tour(outlook: Outlook, control: httpx.Client, ada: str) -> list[httpx.Response]:
    """Every kind of answer of a calendar, once."""
    seen: list[httpx.Response] = []
    user = f"/users/{outlook.mailbox}"

    def ask(method: str, path: str, **how: object) -> dict:
        answer = outlook.graph.request(method, path, **how)  # type: ignore[arg-type]
        assert answer.status_code < 300, answer.text
        seen.append(answer)
        return answer.json() if answer.content else {}

    extras: Json = {
        "isOnlineMeeting": True,
        "onlineMeetingProvider": "teamsForBusiness",
        "singleValueExtendedProperties": [{"id": POD, "value": "7"}],
        "transactionId": "pod-7",
        "location": {"displayName": "Room One"},
    }
    made = ask("POST", f"{user}/events", json={**weekly(attendees=invite(ada)), **extras})
    one = f"{user}/events/{made['id']}"
    instances = ask("GET", f"{one}/instances", params=WHOLE_YEAR)["value"]
    ask("PATCH", f"{user}/events/{instances[1]['id']}", json={"subject": "In the garden"})
    ask("DELETE", f"{user}/events/{instances[2]['id']}")
    wish = {"response": "tentativelyAccept", "proposed": ["2026-03-05T12:00:00Z", "2026-03-05T13:00:00Z"]}
    control.post(f"/people/{ada}/reply", json={"uid": made["iCalUId"], **wish}).raise_for_status()
    ask("GET", one, params={"$expand": f"singleValueExtendedProperties($filter=id eq '{POD}')"})
    ask("GET", one, params={"$select": "subject,cancelledOccurrences", "$expand": "exceptionOccurrences"})
    ask("GET", f"{user}/events")
    ask("GET", f"{user}/calendarView", params=WHOLE_YEAR)
    ask("GET", f"/users/{ada}/calendarView", params=WHOLE_YEAR)
    ask("GET", f"{user}/calendar")
    ask("GET", f"{user}/calendars")
    delta = ask("GET", f"{user}/calendarView/delta", params=WHOLE_YEAR)
    ask("POST", f"{one}/cancel", json={"comment": "Enough"})
    ask("GET", delta["@odata.deltaLink"])
    return seen


def test_every_answer_has_the_shape_graph_publishes(outlook: Outlook, control: httpx.Client, ada: str) -> None:
    contract = load_contract()
    check: Callable[[httpx.Response], list[str]] = lambda answer: violations(contract, answer)  # noqa: E731
    seen = tour(outlook, control, ada)
    assert {str(one.request.url): check(one) for one in seen if check(one)} == {}
    assert len(seen) == 14
