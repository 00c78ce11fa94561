"""Whole exchanges as Microsoft prints them, through our client and our webhook's decoder.

The events, pages, reports and notifications that need nothing else are read beside the code that reads them
(tests/graph/test_graph_samples.py, tests/webhooks/test_intake.py, tests/simulator/test_calendar_requests.py).
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
import recurring_ical_events
from icalendar import Calendar, Event, vRecur

from integration.errors import InputRefused
from integration.graph.client import Graph
from integration.graph.errors import Rejected
from integration.graph.resources import Response
from integration.webhooks.intake import decode
from tests.conftest import RunningSimulator
from tests.graph.scripted import Reply, ScriptedGraph, sample

ALEX = "alexw@contoso.onmicrosoft.com"
NOON = timedelta(hours=12)


def test_adeles_proposal_of_another_day_is_a_tentative_reply_in_alexs_inbox(
    scripted: ScriptedGraph, graph: Graph
) -> None:
    printed = sample("proposal-3-eventmessageresponse.response.json").replace(b'$skip=4""', b'$skip=4"')  # a misprint
    page = json.loads(printed)
    del page["@odata.nextLink"]
    scripted.on("GET", ".*/messages", Reply(200, page))
    (reply,) = graph.mail.inbox(ALEX, datetime(2019, 8, 1, tzinfo=UTC))
    assert (reply.kind, reply.response) == ("eventMessageResponse", Response.TENTATIVE)
    assert reply.sender == "adelev@contoso.onmicrosoft.com"
    assert reply.recipients == (ALEX,)
    assert reply.received_at == datetime(2019, 8, 1, 7, 6, 28, tzinfo=UTC)
    assert not reply.is_draft


@pytest.mark.parametrize(
    ("name", "code"),
    [("error-generic", "invalidRange"), ("error-sendmail-invalid-mime", "ErrorMimeContentInvalidBase64String")],
)
def test_a_documented_refusal_is_told_by_its_code(
    scripted: ScriptedGraph, graph: Graph, name: str, code: str
) -> None:
    scripted.on("GET", "/users/.*", Reply(400, sample(f"{name}.json")))
    with pytest.raises(Rejected, match=code) as caught:
        graph.calendar.get_event(ALEX, "e-1")
    assert caught.value.code == code


def test_a_token_in_the_place_of_a_code_is_not_repeated(scripted: ScriptedGraph, graph: Graph) -> None:
    token = "eyJ0eXAiOiJKV1Qi1LCJub25jZSI6Ik2hQ3dXb3"
    scripted.on("GET", "/users/.*", Reply(400, {"error": {"code": token, "message": "no"}}))
    with pytest.raises(Rejected) as caught:
        graph.calendar.get_event(ALEX, "e-1")
    assert token not in f"{caught.value} {caught.value.code}"


def test_the_documented_lunch_on_mondays_has_a_mondays_noon_each_week_also_after_the_change_of_clocks(
    simulator: RunningSimulator,
) -> None:
    wanted = json.loads(sample("event-create-recurring.request.json"))
    organizer = next(one.mail for one in simulator.tenant.directory.people if one.kind == "organizer")
    headers = {"Authorization": f"Bearer {simulator.token()}", "Prefer": 'outlook.timezone="Pacific Standard Time"'}
    with httpx.Client(base_url=f"{simulator.graph_url}/users/{organizer}", headers=headers) as outlook:
        made = outlook.post("/events", json=wanted)
        assert made.status_code == 201, made.text
        span = {"startDateTime": "2017-09-01T00:00:00Z", "endDateTime": "2018-01-31T00:00:00Z", "$top": "100"}
        found = outlook.get(f"/events/{made.json()['id']}/instances", params=span).json()["value"]
    starts = [datetime.fromisoformat(one["start"]["dateTime"][:19]) for one in found]
    assert made.json()["recurrence"]["pattern"]["daysOfWeek"] == ["monday"]
    assert starts == mondays_by_rfc_5545()
    assert {at - at.replace(hour=0) for at in starts} == {NOON}


def mondays_by_rfc_5545() -> list[datetime]:
    """The same rule, expanded by a library that knows nothing of Graph."""
    lunch, calendar = Event(), Calendar()
    lunch.add("dtstart", datetime(2017, 9, 4, 12))  # noqa: DTZ001 - wall clock
    lunch.add("rrule", vRecur.from_ical("FREQ=WEEKLY;BYDAY=MO;UNTIL=20171231T235959"))
    calendar.add_component(lunch)
    found = recurring_ical_events.of(calendar).between(date(2017, 9, 1), date(2018, 1, 31))
    return sorted(event.decoded("DTSTART") for event in found)


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("notification-lifecycle-a", "subscriptionRemoved"),
        ("notification-lifecycle-b", "missed"),
        ("notification-lifecycle-c", "reauthorizationRequired"),
    ],
)
def test_each_documented_lifecycle_notification_says_what_happened(name: str, event: str) -> None:
    delivery = decode(sample(f"{name}.json"))
    (item,) = delivery.items
    assert (item.is_lifecycle, item.lifecycle_event, delivery.unreadable) == (True, event, 0)


@pytest.mark.parametrize("name", ["notification-basic", "notification-outlook-basic"])
def test_a_documented_change_names_the_item_and_is_the_same_when_it_is_sent_again(name: str) -> None:
    body = sample(f"{name}.json")
    (printed,) = json.loads(body)["value"]
    (first,), (again,) = decode(body).items, decode(body).items
    assert (first.resource_id, first.etag) == (printed["resourceData"]["id"], printed["resourceData"]["@odata.etag"])
    assert first.client_state == printed["clientState"]
    assert first.dedupe_key() == again.dedupe_key()


@pytest.mark.parametrize("name", ["notification-outlook-rich", "notification-rich-two-tenants"])
def test_what_is_printed_with_a_comma_missing_or_dots_is_refused_and_not_guessed(name: str) -> None:
    with pytest.raises(InputRefused, match="no collection"):
        decode(sample(f"{name}.json"))


def test_a_rich_notification_is_taken_as_a_hint_and_what_it_carries_stays_closed() -> None:
    mended = sample("notification-outlook-rich.json").replace(
        b']\n    "validationTokens"', b'],\n    "validationTokens"'
    )
    (item,) = decode(mended).items
    assert item.resource_id == "AAMkAGUwNjQ4ZjIxLTQ3Y2Y8AAA="
    printed = json.loads(mended)["value"][0]["encryptedContent"]
    assert item.encrypted_content is not None
    assert item.encrypted_content.data == printed["data"]
    assert item.encrypted_content.encryption_certificate_id == printed["encryptionCertificateId"]
