"""What was exchanged about subscriptions, call records, reports and mail passes Microsoft's contract, both sides."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from integration.graph.simulator.http.app import create_simulator
from integration.graph.simulator.http.auth import access_token
from integration.graph.simulator.http.record import Recorder
from integration.graph.simulator.http.server import serve

from .certificates import make_certificate
from .contract import load_contract
from .receiver import Receiver


class Recorded:
    """Graph and control of a tenant whose exchanges are written down."""

    def __init__(self, tenant, url: str) -> None:
        tenant.app.roles = (*tenant.app.roles, "CallRecords.Read.All")
        self.tenant, self.organizer = tenant, tenant.organizers[0]
        headers = {"Authorization": f"Bearer {access_token(tenant)}"}
        self.graph = httpx.Client(base_url=f"{url}/v1.0", headers=headers)
        self.control = httpx.Client(base_url=f"{url}/control")

    def order(self, path: str, **sent: object) -> None:
        self.control.post(path, json=sent).raise_for_status()

    def wait(self, **length: float) -> None:
        self.order("/clock", to=(self.tenant.clock.now() + timedelta(**length)).isoformat())

    def subscribe(self, receiver: Receiver, **more: object) -> dict:
        sent = {
            "changeType": "created,updated",
            "notificationUrl": f"{receiver.url}/graph",
            "lifecycleNotificationUrl": f"{receiver.url}/lifecycle",
            "expirationDateTime": (self.tenant.clock.now() + timedelta(hours=20)).isoformat(),
            **more,
        }
        answer = self.graph.post("/subscriptions", json=sent)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
def record(tmp_path) -> Path:
    return tmp_path / "record.jsonl"


@pytest.fixture
def recorded(tenant, record) -> Iterator[Recorded]:
    recorder = Recorder(record)
    server = serve(create_simulator(tenant, recorder=recorder), "127.0.0.1", 0).start()
    told = Recorded(tenant, server.url)
    yield told
    told.graph.close()
    told.control.close()
    server.stop()
    recorder.close()


def violations(record: Path) -> tuple[list[str], int]:
    contract, found = load_contract(), []
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    for one in lines:
        told = contract.check(
            one["method"],
            one["url"],
            one["request_body"],
            one["status"],
            one["response_body"],
            request_headers=one["request_headers"],
            response_headers=one["response_headers"],
        )
        found += [f"{one['method']} {one['url']}: {each}" for each in told if each.level == "error"]
    return found, len(lines)


def test_subscriptions_with_data_are_as_published(recorded, receiver, record):
    certificate, another = make_certificate("one"), make_certificate("two")
    events = f"/users/{recorded.organizer.id}/events?$select=subject,start"
    made = recorded.subscribe(receiver, resource=events, **certificate.sent)
    path = f"/subscriptions/{made['id']}"
    later = {"expirationDateTime": (recorded.tenant.clock.now() + timedelta(hours=22)).isoformat()}
    assert recorded.graph.patch(path, json={**later, **another.rotation}).status_code == 200
    assert recorded.graph.post(f"{path}/reauthorize").status_code == 204
    assert recorded.graph.get(path).status_code == 200
    assert recorded.graph.delete(path).status_code == 204
    assert recorded.graph.patch(path, json=later).status_code == 404
    assert violations(record) == ([], 6)


def test_call_records_and_reports_are_as_published(recorded, receiver, record):
    made = recorded.graph.post(f"/users/{recorded.organizer.id}/onlineMeetings", json={"subject": "Pod"}).json()
    recorded.subscribe(receiver, resource="/communications/callRecords")
    people = [one.mail for one in recorded.tenant.directory.people if one.kind == "person"][:2]
    who = [{"person": people[0]}, {"person": people[1], "shows_address": False}]
    who += [{"kind": kind, "name": f"{kind}@other.example"} for kind in ("federated", "guest", "anonymous", "phone")]
    for one in who:
        recorded.order("/calls/join", join_url=made["joinWebUrl"], **one)
    recorded.wait(minutes=30)
    recorded.control.post("/reports", json={"join_url": made["joinWebUrl"], "while_running": "partial"})
    reports = f"/users/{recorded.organizer.id}/onlineMeetings/{made['id']}/attendanceReports"
    (partial,) = recorded.graph.get(reports).json()["value"]
    recorded.graph.get(f"{reports}/{partial['id']}", params={"$expand": "attendanceRecords"}).raise_for_status()
    for one in reversed(who):
        recorded.order(
            "/calls/leave", join_url=made["joinWebUrl"], **{key: one[key] for key in one if "shows" not in key}
        )
    recorded.wait(minutes=15)
    call = f"/communications/callRecords/{recorded.control.get('/calls').json()[0]['id']}"
    for path in (call, f"{call}/sessions", f"{call}/participants_v2", "/communications/callRecords"):
        recorded.graph.get(path).raise_for_status()
    recorded.graph.get(call, params={"$expand": "sessions($expand=segments)"}).raise_for_status()
    recorded.graph.get(f"{reports}/{partial['id']}/attendanceRecords").raise_for_status()
    found, exchanged = violations(record)
    assert (found, exchanged) == ([], 10)


def test_what_lands_in_an_inbox_is_as_published(recorded, record):
    ada = next(one for one in recorded.tenant.directory.people if one.kind == "person")
    recorded.order(f"/people/{ada.mail}/send", to=recorded.organizer.mail, subject="Hello")
    recorded.order("/bounces", address=ada.mail, kind="5.2.2", times=1)
    message = {"subject": "Question", "toRecipients": [{"emailAddress": {"address": ada.mail}}]}
    for _ in range(2):
        recorded.graph.post(f"/users/{recorded.organizer.id}/sendMail", json={"message": message}).raise_for_status()
        recorded.wait(seconds=5)
    recorded.order(f"/people/{ada.mail}/auto-reply", subject="Question", body_html="<p>Beep</p>")
    inbox = f"/users/{recorded.organizer.id}/mailFolders/inbox/messages"
    delta = recorded.graph.get(f"{inbox}/delta", params={"$select": "subject,from"}).json()
    assert len(delta["value"]) == 3
    recorded.graph.get(inbox, params={"$expand": "singleValueExtendedProperties($filter=id eq 'String 0x001A')"})
    recorded.control.post("/delta/expire").raise_for_status()
    assert recorded.graph.get(delta["@odata.deltaLink"]).status_code == 410
    assert violations(record) == ([], 5)
