"""What a request must be like, and what it gets back: ids, keys, preferences, filters, refusals."""

import json
from pathlib import Path

import httpx
import pytest

from integration.graph.simulator.tenant.tenant import Tenant
from tests.simulator.calendar_steps import Outlook, invite, single, weekly

SAMPLES = Path(__file__).parents[3] / "shared/graph/samples"
POD = "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name PodId"


@pytest.fixture
def outlook(graph: httpx.Client, tenant: Tenant) -> Outlook:
    return Outlook(graph, tenant)


@pytest.mark.parametrize("name", ["recurring", "online-teams", "transactionid", "singlevalueextendedproperty"])
def test_microsofts_own_examples_are_taken(outlook: Outlook, name: str) -> None:
    sample = SAMPLES / f"event-create-{name}.request.json"
    if not sample.exists():
        pytest.skip("Microsoft's sample bodies are not beside this checkout")
    body = json.loads(sample.read_text(encoding="utf-8"))
    made = outlook.create(body, Prefer='outlook.timezone="Pacific Standard Time"')
    assert made["subject"] == body["subject"]
    assert made["start"] == {"dateTime": f"{body['start']['dateTime']}.0000000", "timeZone": "Pacific Standard Time"}
    assert made["attendees"][0]["status"] == {"response": "none", "time": "0001-01-01T00:00:00Z"}
    assert made["isOnlineMeeting"] is (name == "online-teams")
    assert "singleValueExtendedProperties" not in made


def test_the_same_create_again_is_the_same_event(outlook: Outlook, graph: httpx.Client) -> None:
    body = weekly(transactionId="pod-7.1")
    first, again = outlook.create(body), outlook.create(body)
    assert (first["id"], first["transactionId"]) == (again["id"], "pod-7.1")
    error = outlook.refused({**body, "subject": "Another pod"})
    assert error["code"] == "ErrorDuplicateTransactionId"
    found = graph.get(f"/users/{outlook.mailbox}/events/{error['@event.existingEventId']}")
    assert found.json()["subject"] == "Peer pod"
    other = graph.post("/users/pods.two@pods.example/events", json={**body, "subject": "Another pod"})
    assert other.status_code == 201


@pytest.mark.parametrize(("freed", "status"), [(True, 201), (False, 400)])
def test_a_deleted_events_key_is_free_or_not(outlook: Outlook, graph: httpx.Client, freed: bool, status: int) -> None:
    outlook.tenant.switches.transaction_ids_are_freed_by_delete = freed
    body = weekly(transactionId="pod-7.1")
    outlook.delete(outlook.create(body)["id"])
    assert graph.post(f"/users/{outlook.mailbox}/events", json=body).status_code == status


def test_an_event_has_two_ids_and_both_mind_their_case(outlook: Outlook, graph: httpx.Client) -> None:
    made = outlook.create(weekly())
    address = f"/users/{outlook.mailbox}/events"
    plain = graph.get(f"{address}/{made['id']}").json()
    assert plain["id"] != made["id"]
    assert graph.get(f"{address}/{plain['id']}").json()["iCalUId"] == made["iCalUId"]
    for wrong in (made["id"].swapcase(), plain["id"].swapcase(), made["id"][:-1], "nothing"):
        answer = graph.get(f"{address}/{wrong}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ErrorItemNotFound")
    outlook.tenant.switches.both_id_forms_are_found = False
    assert graph.get(f"{address}/{made['id']}").status_code == 404


def test_an_event_is_found_by_its_extended_property(outlook: Outlook, graph: httpx.Client) -> None:
    made = outlook.create(weekly(singleValueExtendedProperties=[{"id": POD, "value": "Pod-7"}]))
    outlook.create(weekly())
    assert "singleValueExtendedProperties" not in made

    def found(name: str, value: str) -> list[str]:
        query = f"singleValueExtendedProperties/any(ep: ep/id eq '{name}' and ep/value eq '{value}')"
        address = f"/users/{outlook.mailbox}/events"
        answer = graph.get(address, params={"$filter": query}, headers={"Prefer": 'IdType="ImmutableId"'})
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["value"]]

    assert found(POD, "pod-7") == [made["id"]]
    assert found(POD.replace("PodId", "podid"), "Pod-7") == []
    assert found(POD, "Pod-8") == []
    expanded = outlook.get(made["id"], **{"$expand": f"singleValueExtendedProperties($filter=id eq '{POD}')"})
    assert expanded["singleValueExtendedProperties"] == [{"id": POD, "value": "Pod-7"}]
    without = outlook.get(made["id"], **{"$expand": f"singleValueExtendedProperties($filter=id eq '{POD}2')"})
    assert "singleValueExtendedProperties" not in without


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"colour": "red"}, "RequestBodyRead"),
        ({"start": {"dateTime": "2026-03-04T10:00:00", "timeZone": "Zurich time"}}, "TimeZoneNotSupportedException"),
        ({"end": {"dateTime": "2026-03-04T09:00:00", "timeZone": "W. Europe Standard Time"}}, None),
        ({"isAllDay": True}, None),
        ({"attendees": invite(*(f"guest{n}@elsewhere.example" for n in range(501)))}, None),
        ({"attendees": [{"emailAddress": {"name": "Nobody"}}]}, "ErrorInvalidRecipients"),
        ({"showAs": "asleep"}, "RequestBodyRead"),
    ],
)
def test_bodies_that_outlook_refuses(outlook: Outlook, change: dict, code: str | None) -> None:
    error = outlook.refused(weekly(**change))
    assert error["message"]
    assert error["code"] == (code or error["code"])
    assert outlook.view_of(outlook.mailbox) == []


@pytest.mark.parametrize(
    ("pattern", "span"),
    [
        ({"type": "weekly", "interval": 1}, {}),
        ({"type": "weekly", "interval": 0, "daysOfWeek": ["wednesday"]}, {}),
        ({"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"], "dayOfMonth": 4}, {}),
        ({"type": "fortnightly", "interval": 1, "daysOfWeek": ["wednesday"]}, {}),
        ({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 4, "daysOfWeek": ["wednesday"]}, {}),
        ({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 4}, {}),
        ({}, {"startDate": "2026-03-05"}),
        ({}, {"numberOfOccurrences": 0}),
        ({}, {"endDate": "2026-05-05"}),
        ({}, {"type": "endDate"}),
        ({}, {"type": "noEnd"}),
        ({}, {"recurrenceTimeZone": "Zurich time"}),
    ],
)
def test_recurrences_that_outlook_refuses(outlook: Outlook, pattern: dict, span: dict) -> None:
    body = weekly()
    body["recurrence"] = {
        "pattern": pattern or body["recurrence"]["pattern"],
        "range": {**body["recurrence"]["range"], **span},
    }
    assert outlook.refused(body)["message"]


def test_what_graph_wrote_can_be_sent_back(outlook: Outlook) -> None:
    made = outlook.create(weekly())
    again = outlook.patch(made["id"], {"recurrence": made["recurrence"]})
    assert again["recurrence"] == made["recurrence"]


def test_a_stale_etag_changes_nothing(outlook: Outlook, graph: httpx.Client) -> None:
    made = outlook.create(weekly())
    address = f"/users/{outlook.mailbox}/events/{made['id']}"
    fresh = graph.patch(address, json={"subject": "One"}, headers={"If-Match": made["@odata.etag"]})
    assert (fresh.status_code, fresh.json()["changeKey"] != made["changeKey"]) == (200, True)
    stale = graph.patch(address, json={"subject": "Two"}, headers={"If-Match": made["@odata.etag"]})
    assert (stale.status_code, outlook.get(made["id"])["subject"]) == (412, "One")


def test_one_link_for_a_whole_series_and_another_when_its_block_is_lost(
    outlook: Outlook, control: httpx.Client
) -> None:
    online = {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"}
    made = outlook.create(weekly(**online))
    link = made["onlineMeeting"]["joinUrl"]
    assert link in made["body"]["content"]
    assert {one["onlineMeeting"]["joinUrl"] for one in outlook.instances(made["id"])} == {link}
    kept = outlook.patch(made["id"], {"body": {"contentType": "html", "content": made["body"]["content"] + "More"}})
    assert kept["onlineMeeting"]["joinUrl"] == link
    off = outlook.patch(made["id"], {"isOnlineMeeting": False})
    assert (off["isOnlineMeeting"], off["onlineMeeting"]["joinUrl"]) == (True, link)
    lost = outlook.patch(made["id"], {"body": {"contentType": "html", "content": "<p>New text</p>"}})
    other = lost["onlineMeeting"]["joinUrl"]
    assert other != link
    assert other in lost["body"]["content"]
    assert control.get("/events").json()[0]["join_urls"] == [link, other]
    outlook.tenant.switches.overwritten_body_mints_a_new_meeting = False
    bare = outlook.patch(made["id"], {"body": {"contentType": "html", "content": "<p>Newest text</p>"}})
    assert bare["onlineMeeting"]["joinUrl"] == other
    assert other not in bare["body"]["content"]


def test_an_organizer_without_teams_gets_an_event_without_a_link(outlook: Outlook, control: httpx.Client) -> None:
    control.patch(f"/people/{outlook.mailbox}", json={"teams": False})
    made = outlook.create(weekly(isOnlineMeeting=True, onlineMeetingProvider="teamsForBusiness"))
    assert (made["isOnlineMeeting"], made["onlineMeeting"]) == (False, None)
    calendar = outlook.graph.get(f"/users/{outlook.mailbox}/calendar").json()
    assert calendar["allowedOnlineMeetingProviders"] == []


def test_bodies_come_as_text_when_preferred(outlook: Outlook, graph: httpx.Client) -> None:
    made = outlook.create(weekly())
    address = f"/users/{outlook.mailbox}/events/{made['id']}"
    answer = graph.get(address, headers={"Prefer": 'outlook.body-content-type="text"'})
    assert answer.json()["body"] == {"contentType": "text", "content": "Bring a question."}
    assert made["body"]["contentType"] == "html"
    assert made["bodyPreview"] == "Bring a question."


def test_calendars_beside_the_first_have_events_of_their_own(outlook: Outlook, graph: httpx.Client) -> None:
    user = f"/users/{outlook.mailbox}"
    pods = graph.post(f"{user}/calendars", json={"name": "Pods"}).json()
    assert [one["name"] for one in graph.get(f"{user}/calendars").json()["value"]] == ["Calendar", "Pods"]
    made = graph.post(f"{user}/calendars/{pods['id']}/events", json=single()).json()
    assert [one["id"] for one in graph.get(f"{user}/calendars/{pods['id']}/events").json()["value"]] == [made["id"]]
    main = graph.get(f"{user}/calendar").json()
    assert graph.get(f"{user}/calendars/{main['id']}/events").json()["value"] == []
    assert graph.get(f"{user}/calendars/nowhere/events").status_code == 404
    assert graph.post(f"{user}/calendar/events", json=single()).status_code == 201


def test_only_selected_properties_come_and_unknown_ones_are_refused(outlook: Outlook, graph: httpx.Client) -> None:
    made = outlook.create(weekly())
    shown = outlook.get(made["id"], **{"$select": "subject,start"})
    assert set(shown) == {"@odata.context", "@odata.etag", "id", "subject", "start"}
    answer = graph.get(f"/users/{outlook.mailbox}/events/{made['id']}", params={"$select": "colour"})
    assert answer.status_code == 400


def test_nothing_is_written_outside_the_pool(outlook: Outlook, graph: httpx.Client, tenant: Tenant) -> None:
    ada = next(person for person in tenant.directory.people if person.kind == "person" and person.exchange)
    refused = graph.post(f"/users/{ada.mail}/events", json=single())
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "ErrorAccessDenied")
    assert outlook.view_of(ada.mail) == []
