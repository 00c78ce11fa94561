"""The record of exchanges, and what Microsoft's contract says about it."""

import json

import httpx
import pytest

from integration.graph.simulator.http.app import create_simulator
from integration.graph.simulator.http.auth import access_token
from integration.graph.simulator.http.record import Recorder
from integration.graph.simulator.http.server import serve

from .contract import load_contract

ONE = "/users/pods.one@pods.example"
SCHEDULE = {
    "schedules": ["ada.keller@pods.example", "nobody@pods.example"],
    "startTime": {"dateTime": "2026-03-02T08:00:00", "timeZone": "Europe/Zurich"},
    "endTime": {"dateTime": "2026-03-06T18:00:00", "timeZone": "Europe/Zurich"},
}
READS = (
    "/users?$top=3&$select=id,mail,department&$expand=manager($select=id)",
    "/users?$filter=startswith(mail,'ada')&$top=5",
    "/users/delta?$select=mail,accountEnabled",
    "/users/ada.keller@pods.example",
    "/users/grace.okafor@pods.example/manager",
    "/users/ada.keller@pods.example/directReports",
    "/users/ada.keller@pods.example/licenseDetails",
    f"{ONE}/mailboxSettings",
    f"{ONE}/mailboxSettings/workingHours",
    f"{ONE}/mailboxSettings/userPurpose",
    f"{ONE}/outlook/supportedTimeZones()",
)


@pytest.fixture
def recorded(tenant, tmp_path) -> list[dict]:
    """Exchanges of one of everything, read back from the record."""
    file = tmp_path / "record.jsonl"
    recorder = Recorder(file)
    server = serve(create_simulator(tenant, recorder=recorder), "127.0.0.1", 0).start()
    headers = {"Authorization": f"Bearer {access_token(tenant)}"}
    with httpx.Client(base_url=f"{server.url}/v1.0", headers=headers, verify=False) as graph:
        for path in READS:
            graph.get(path)
        graph.post(f"{ONE}/calendar/getSchedule", json=SCHEDULE)
        parts = [{"id": str(n), "method": "GET", "url": path} for n, path in enumerate(READS)]
        graph.post("/$batch", json={"requests": parts})
        graph.get(f"{server.url}/control/clock")
    server.stop()
    recorder.close()
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_holds_the_whole_exchange_but_no_token(recorded):
    assert len(recorded) == len(READS) + 2
    line = recorded[-2]
    assert set(line) == {
        "method", "url", "request_headers", "request_body", "status", "response_headers", "response_body",
    }  # fmt: skip
    assert (line["method"], line["status"], line["request_body"]) == ("POST", 200, SCHEDULE)
    assert {exchange["request_headers"]["authorization"] for exchange in recorded} == {"Bearer ..."}
    assert all("/v1.0/" in exchange["url"] for exchange in recorded)


def test_every_exchange_keeps_microsofts_contract(recorded):
    contract = load_contract()
    found = [
        str(violation)
        for line in recorded
        for violation in contract.check(
            line["method"],
            line["url"],
            line["request_body"],
            line["status"],
            line["response_body"],
            line["request_headers"],
            line["response_headers"],
        )
    ]
    assert found == []
    assert {line["status"] for line in recorded} == {200}
