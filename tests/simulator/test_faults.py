"""What goes wrong on order: throttling, lost answers, held requests, and the limits of a mailbox."""

import threading
import time

import httpx
import pytest

ONE = "/users/pods.one@pods.example"
EVENT = {
    "subject": "Pod",
    "start": {"dateTime": "2026-03-04T10:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-03-04T11:00:00", "timeZone": "UTC"},
}


def order(control, do: str, *, path: str = "/events", match: dict | None = None, **more: object) -> None:
    fault = {"match": {"path": path, **(match or {})}, "do": do, **more}
    control.post("/faults", json=[fault]).raise_for_status()


def held(control) -> dict:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        waiting = control.get("/held").json()
        if waiting:
            return waiting[0]
        time.sleep(0.005)
    raise AssertionError("nothing was held")


def in_background(call) -> tuple[threading.Thread, list]:
    outcome: list = []

    def run() -> None:
        try:
            outcome.append(call())
        except httpx.TransportError as lost:
            outcome.append(lost)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def test_the_second_request_is_throttled_once(graph, control):
    order(control, "throttle", seconds=30, match={"nth": 2})
    answers = [graph.get(f"{ONE}/events") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 429, 200]
    assert answers[1].headers["Retry-After"] == "30"


def test_a_status_before_acting_leaves_no_event_and_after_acting_leaves_one(graph, control):
    order(control, "status", status=503, match={"method": "POST"})
    assert graph.post(f"{ONE}/events", json=EVENT).status_code == 503
    assert graph.get(f"{ONE}/events").json()["value"] == []
    control.delete("/faults")
    order(control, "status", status=504, when="after", match={"method": "POST"})
    assert graph.post(f"{ONE}/events", json=EVENT).json()["error"]["code"] == "GatewayTimeout"
    assert len(graph.get(f"{ONE}/events").json()["value"]) == 1


def test_a_dropped_answer_is_a_lost_connection_but_the_event_is_there(graph, control):
    order(control, "drop", when="after", match={"method": "POST"})
    with pytest.raises(httpx.TransportError):
        graph.post(f"{ONE}/events", json=EVENT)
    assert len(graph.get(f"{ONE}/events").json()["value"]) == 1


def test_a_held_request_waits_and_then_goes_on(graph, control):
    order(control, "hold", match={"method": "POST"})
    thread, outcome = in_background(lambda: graph.post(f"{ONE}/events", json=EVENT))
    waiting = held(control)
    assert (waiting["method"], waiting["when"]) == ("POST", "before")
    assert control.get("/state").json()["in_flight"] == 1
    control.post(f"/held/{waiting['id']}/release")
    thread.join(5)
    assert outcome[0].status_code == 201
    assert control.get("/held").json() == []


def test_a_held_answer_can_be_dropped_after_the_tenant_acted(graph, control, simulator):
    order(control, "hold", when="after", match={"method": "POST"})
    thread, outcome = in_background(lambda: graph.post(f"{ONE}/events", json=EVENT))
    control.post(f"/held/{held(control)['id']}/drop")
    thread.join(5)
    assert isinstance(outcome[0], httpx.TransportError)
    assert len(graph.get(f"{ONE}/events").json()["value"]) == 1


def test_a_request_that_comes_while_the_server_stops_is_dropped_and_holds_up_nobody(graph, control, simulator):
    order(control, "hold", times=None)
    first, outcome = in_background(lambda: graph.post(f"{ONE}/events", json=EVENT))
    held(control)
    simulator.faults.end()
    first.join(5)
    second, late = in_background(lambda: graph.get(f"{ONE}/events"))
    second.join(5)
    assert [isinstance(each, httpx.TransportError) for each in outcome + late] == [True, True]
    assert control.get("/held").json() == []


def test_a_fifth_request_at_once_for_one_mailbox_is_too_many(graph, control):
    order(control, "hold", times=4)
    running = [in_background(lambda: graph.get(f"{ONE}/events"))[0] for _ in range(4)]
    deadline = time.monotonic() + 5
    while len(control.get("/held").json()) < 4 and time.monotonic() < deadline:
        time.sleep(0.005)
    fifth = graph.get(f"{ONE}/messages")
    other = graph.get("/users/pods.two@pods.example/events")
    control.delete("/faults")
    for thread in running:
        thread.join(5)
    assert (fifth.status_code, other.status_code) == (429, 200)
    assert fifth.json()["error"]["message"] == "Application is over its MailboxConcurrency limit."
    assert graph.get(f"{ONE}/messages").status_code == 200


def test_a_mailbox_takes_so_many_requests_in_ten_minutes(graph, control):
    control.post("/switches", json={"requests_per_mailbox_per_10_minutes": 3})
    assert [graph.get(f"{ONE}/events").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_sign_in_can_fail_too(simulator, control):
    order(control, "status", path="oauth2", status=500)
    form = {"grant_type": "client_credentials"}
    assert httpx.post(f"{simulator.url}/{simulator.tenant.id}/oauth2/v2.0/token", data=form).status_code == 500


def test_a_fault_nobody_knows_is_refused(control):
    refused = control.post("/faults", json=[{"do": "explode"}])
    assert refused.status_code == 400
    assert "status, drop, hold, delay, throttle" in refused.json()["error"]
