"""Calls as others learn of them: records after the end, events while they run."""

import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest

from .certificates import Certificate, make_certificate
from .contract import load_contract, violations
from .receiver import Receiver


class Meeting:
    """A Teams meeting of organizer One; people come and go at the instant the clock shows."""

    def __init__(self, simulator, graph: httpx.Client, control: httpx.Client) -> None:
        self.tenant, self.control = simulator.tenant, control
        organizer = self.tenant.organizers[0]
        made = graph.post(f"/users/{organizer.id}/onlineMeetings", json={"subject": "Pod"})
        assert made.status_code == 201, made.text
        self.join_url = made.json()["joinWebUrl"]
        self.people = [one.mail for one in self.tenant.directory.people if one.kind == "person"]

    def join(self, person: int, **more: object) -> None:
        told = {"join_url": self.join_url, "person": self.people[person], **more}
        self.control.post("/calls/join", json=told).raise_for_status()

    def leave(self, person: int) -> None:
        told = {"join_url": self.join_url, "person": self.people[person]}
        self.control.post("/calls/leave", json=told).raise_for_status()

    def wait(self, **length: float) -> None:
        to = self.tenant.clock.now() + timedelta(**length)
        self.control.post("/clock", json={"to": to.isoformat()}).raise_for_status()

    def held(self, minutes: int = 50) -> None:
        self.join(0)
        self.join(1)
        self.wait(minutes=minutes)
        self.leave(0)
        self.leave(1)

    @property
    def call_id(self) -> str:
        return self.control.get("/calls").json()[0]["id"]


@pytest.fixture
def graph(simulator, control) -> Iterator[httpx.Client]:
    """With the right to read call records, which the app does not have by itself."""
    roles = [*control.get("/app").json()["roles"], "CallRecords.Read.All"]
    control.patch("/app", json={"roles": roles}).raise_for_status()
    headers = {"Authorization": f"Bearer {simulator.token()}"}
    with httpx.Client(base_url=simulator.graph_url, headers=headers, timeout=20, verify=False) as client:
        yield client


@pytest.fixture
def meeting(simulator, graph, control) -> Meeting:
    return Meeting(simulator, graph, control)


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return make_certificate("calls")


def wish(meeting: Meeting, receiver: Receiver, **more: object) -> dict:
    return {
        "changeType": "created,updated",
        "notificationUrl": f"{receiver.url}/graph",
        "lifecycleNotificationUrl": f"{receiver.url}/lifecycle",
        "resource": "/communications/callRecords",
        "expirationDateTime": (meeting.tenant.clock.now() + timedelta(hours=2)).isoformat(),
        "clientState": "between us",
        **more,
    }


def call_events(meeting: Meeting, receiver: Receiver, certificate: Certificate, **more: object) -> dict:
    link = quote(meeting.join_url, safe="")
    resource = f"communications/onlineMeetings(joinWebUrl='{link}')/meetingCallEvents"
    return wish(meeting, receiver, **{"changeType": "updated", "resource": resource, **certificate.sent, **more})


def test_a_record_is_there_a_while_after_the_call_and_for_thirty_days(graph, meeting):
    meeting.held()
    path = f"/communications/callRecords/{meeting.call_id}"
    assert graph.get(path).status_code == 404
    meeting.wait(minutes=15)
    record = graph.get(path).json()
    assert (record["version"], record["type"], record["joinWebUrl"]) == (1, "groupCall", meeting.join_url)
    assert [one["user"]["id"] for one in record["participants"]] == [
        meeting.tenant.directory.find(mail).id for mail in meeting.people[:2]
    ]
    assert [one["id"] for one in graph.get("/communications/callRecords").json()["value"]] == [record["id"]]
    meeting.wait(days=30)
    assert graph.get(path).status_code == 404
    assert graph.get("/communications/callRecords").json()["value"] == []


def test_a_call_that_is_opened_again_is_another_version_of_the_record(graph, meeting, receiver):
    assert graph.post("/subscriptions", json=wish(meeting, receiver)).status_code == 201
    meeting.held()
    meeting.wait(minutes=15)
    assert [one["changeType"] for one in receiver.wait_for(1)] == ["created", "updated"]
    meeting.held(minutes=5)
    meeting.wait(minutes=15)
    (*_, third) = receiver.wait_for(2)
    path = f"/{third['resourceData']['@odata.id']}"
    assert (third["changeType"], graph.get(path).json()["version"]) == ("updated", 2)
    assert len(graph.get(f"{path}/sessions").json()["value"]) == 4
    assert len(graph.get(f"{path}/participants_v2").json()["value"]) == 2
    assert load_contract().check_notification(receiver.posts[0][1]) == []


def test_records_have_the_shapes_of_the_published_schema(graph, meeting):
    meeting.join(0, kind="masked")
    meeting.join(1, device="mobile")
    guest = {"join_url": meeting.join_url, "kind": "anonymous", "name": "Somebody"}
    meeting.control.post("/calls/join", json=guest).raise_for_status()
    meeting.wait(minutes=30)
    meeting.leave(0)
    meeting.control.post("/calls/leave", json=guest).raise_for_status()
    meeting.control.post(
        "/calls/leave", json={"join_url": meeting.join_url, "person": meeting.people[1], "device": "mobile"}
    ).raise_for_status()
    meeting.wait(minutes=15)
    path = f"/communications/callRecords/{meeting.call_id}"
    whole = "sessions($expand=segments),participants_v2,organizer_v2"
    answers = [
        graph.get("/communications/callRecords"),
        graph.get(path),
        graph.get(path, params={"$expand": whole}),
        graph.get(f"{path}/sessions", params={"$expand": "segments"}),
        graph.get(f"{path}/participants_v2"),
    ]
    assert [one.status_code for one in answers] == [200] * len(answers)
    assert len(answers[2].json()["sessions"]) == 3
    assert [one for answer in answers for one in violations(load_contract(), answer)] == []


def test_records_need_their_own_permission(simulator, graph, control, meeting):
    control.patch("/app", json={"roles": ["OnlineMeetings.Read.All"]}).raise_for_status()
    bearer = {"Authorization": f"Bearer {simulator.token()}"}
    assert graph.get("/communications/callRecords", headers=bearer).status_code == 403


def test_teams_subscriptions_have_limits_of_their_own(graph, control, meeting, receiver):
    now = meeting.tenant.clock.now()
    control.post("/switches", json={"call_record_subscriptions": 1}).raise_for_status()
    without = wish(meeting, receiver)
    del without["lifecycleNotificationUrl"]
    long = wish(meeting, receiver, expirationDateTime=(now + timedelta(minutes=4231)).isoformat())
    data = wish(meeting, receiver, includeResourceData=True)
    answers = [graph.post("/subscriptions", json=one) for one in (without, long, data)]
    assert [one.status_code for one in answers] == [400, 400, 400]
    assert "lifecycleNotificationUrl" in answers[0].json()["error"]["message"]
    assert "4230 minutes" in answers[1].json()["error"]["message"]
    first = graph.post("/subscriptions", json=wish(meeting, receiver))
    assert first.status_code == 201
    second = graph.post("/subscriptions", json=wish(meeting, receiver, changeType="created"))
    assert (second.status_code, "maximum of 1" in second.json()["error"]["message"]) == (403, True)
    refused = control.post("/lifecycle", json={"event": "missed", "subscription_id": first.json()["id"]})
    assert refused.status_code == 400


def test_call_events_tell_of_start_roster_and_end(graph, simulator, meeting, receiver, certificate):
    asked = call_events(meeting, receiver, certificate)
    assert graph.post("/subscriptions", json=asked).status_code == 400
    made = graph.post(f"{simulator.url}/beta/subscriptions", json=asked)
    assert made.status_code == 201, made.text
    second = graph.post(f"{simulator.url}/beta/subscriptions", json=asked)
    assert (second.status_code, "this online meeting" in second.json()["error"]["message"]) == (403, True)
    meeting.held()
    while meeting.control.get("/state").json()["undelivered_notifications"]:
        pass
    told = [certificate.open(one["encryptedContent"]) for one in receiver.items]
    kinds = [one["eventType"] for one in told]
    assert sorted(kinds) == sorted(["callStarted", *["rosterUpdated"] * 4, "callEnded"])
    came = next(one for one in told if one["eventType"] == "rosterUpdated")
    (who,) = came["participants@delta"]
    assert who["info"]["identity"]["user"]["id"] == meeting.tenant.directory.find(meeting.people[0]).id
    gone = [one for one in told if "removedState" in json.dumps(one)]
    assert len(gone) == 2


def test_a_subscription_made_during_a_call_hears_nothing_of_it(graph, simulator, meeting, receiver, certificate):
    meeting.join(0)
    asked = call_events(meeting, receiver, certificate)
    assert graph.post(f"{simulator.url}/beta/subscriptions", json=asked).status_code == 201
    meeting.join(1)
    meeting.leave(0)
    meeting.leave(1)
    meeting.wait(minutes=1)
    while meeting.control.get("/state").json()["undelivered_notifications"]:
        pass
    assert receiver.posts == []
    meeting.join(0)
    receiver.wait_for(1)


def test_beta_has_subscriptions_only(graph, simulator):
    assert graph.get(f"{simulator.url}/beta/subscriptions").status_code == 200
    assert graph.get(f"{simulator.url}/beta/users").status_code == 400
