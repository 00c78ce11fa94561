"""Moving the tenant from outside: its clock, its switches, its people."""

from datetime import UTC, datetime

import pytest

from integration.graph.simulator.clock import ClockMovedBackwards, MovableClock
from integration.graph.simulator.http.server import run_simulator, settings_of


def test_the_clock_moves_on_but_never_back(control, tenant):
    assert control.get("/clock").json() == {"now": "2026-03-02T07:00:00+00:00"}
    assert (
        control.post("/clock", json={"to": "2026-03-09T08:00:00+01:00"}).json()["now"] == "2026-03-09T07:00:00+00:00"
    )
    assert tenant.clock.now() == datetime(2026, 3, 9, 7, tzinfo=UTC)
    refused = control.post("/clock", json={"to": "2026-03-08T07:00:00+00:00"})
    assert refused.status_code == 400
    assert "cannot go back" in refused.json()["error"]
    assert control.post("/clock", json={"to": "2026-03-10T07:00:00"}).status_code == 400


def test_a_movable_clock_can_be_read_from_its_file(tmp_path):
    file = tmp_path / "clock"
    clock = MovableClock(datetime(2026, 3, 2, tzinfo=UTC), file=file)
    clock.move_to(datetime(2026, 3, 3, tzinfo=UTC))
    assert datetime.fromisoformat(file.read_text().strip()) == clock.now()
    with pytest.raises(ClockMovedBackwards):
        clock.move_to(datetime(2026, 3, 2, tzinfo=UTC))
    assert [one.name for one in tmp_path.iterdir()] == ["clock"]


def test_a_clock_without_a_start_runs_and_cannot_be_moved():
    clock = MovableClock()
    assert not clock.movable
    with pytest.raises(TypeError, match="real time"):
        clock.move_to(datetime(2100, 1, 1, tzinfo=UTC))


def test_switches_take_what_they_are_and_refuse_the_rest(control, tenant):
    assert control.post("/switches", json={"token_seconds": 60}).json()["token_seconds"] == 60
    assert tenant.switches.token_seconds == 60
    assert control.post("/switches", json={"token_seconds": "long"}).status_code == 400
    assert "there is no switch 'shoes'" in control.post("/switches", json={"shoes": 1}).json()["error"]


def test_people_can_be_changed_hired_and_let_go(control, graph):
    ada = "ada.keller@pods.example"
    assert (
        control.patch(f"/people/{ada}", json={"enabled": False, "time_zone": "Asia/Tokyo"}).json()["enabled"] is False
    )
    assert graph.get(f"/users/{ada}?$select=accountEnabled").json()["accountEnabled"] is False
    assert graph.get(f"/users/{ada}/mailboxSettings/timeZone").json()["value"] == "Tokyo Standard Time"
    control.post("/people", json={"mail": "mallory@pods.example", "name": "Mallory Young", "department": "Sales"})
    assert graph.get("/users/mallory@pods.example").json()["surname"] == "Young"
    control.delete("/people/mallory@pods.example")
    assert graph.get("/users/mallory@pods.example").status_code == 404
    assert control.patch(f"/people/{ada}", json={"shoe_size": 43}).status_code == 400
    assert control.patch("/people/nobody@pods.example", json={}).status_code == 404


def test_the_state_counts_graph_requests_and_says_when_nothing_is_due(control, graph):
    before = control.get("/state").json()
    graph.get("/users")
    after = control.get("/state").json()
    assert after["graph_requests"] == before["graph_requests"] + 1
    assert (after["in_flight"], after["undelivered_notifications"], after["next_event_at"]) == (0, 0, None)


def test_the_settings_a_client_needs_lead_to_this_tenant(simulator):
    settings = settings_of(simulator.tenant, simulator.url)
    assert settings["GRAPH_BASE_URL"] == simulator.graph_url
    assert settings["TENANT_ID"] == simulator.tenant.id
    assert settings["ORGANIZER_MAILBOXES"] == "pods.one@pods.example,pods.two@pods.example"


def test_a_faults_file_that_says_nothing_known_is_refused_before_serving(tmp_path):
    file = tmp_path / "faults.json"
    file.write_text('[{"do": "explode"}]')
    with pytest.raises(ValueError, match="do is one of"):
        run_simulator(0, faults_file=file)
