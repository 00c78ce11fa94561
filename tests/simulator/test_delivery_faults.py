"""Notifications go astray on order: late, doubled, out of order, lost for a day, or all at once."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from integration.graph.simulator.delivery_faults import read_delivery_fault
from integration.graph.simulator.faults import Dropped, Faults
from integration.graph.simulator.http.server import UnreadableFaults, order_from

from .listening import Listening


@pytest.fixture
def listening(simulator, graph, control, receiver) -> Listening:
    return Listening(simulator, graph, control, receiver)


def order(listening: Listening, word: str, **more: object) -> None:
    answer = listening.control.post("/faults", json=[{"notifications": word, **more}])
    assert answer.status_code == 200, answer.text


def ids(items: list[dict]) -> list[str]:
    return [one["resourceData"]["id"] for one in items]


def test_for_a_day_of_the_tenants_clock_everything_is_lost_and_then_missed_is_told(listening, receiver):
    now = listening.tenant.clock.now()
    until = now + timedelta(days=1)
    order(listening, "lose", **{"from": now.isoformat(), "until": until.isoformat(), "missed": True})
    listening.ada_writes()
    listening.wait(hours=23)
    listening.ada_writes(2)
    listening.until_tried()
    assert receiver.posts == []
    assert listening.control.get("/notifications").json()["lost"] == 3
    listening.wait(hours=1)
    assert receiver.wait_for(1)[0]["lifecycleEvent"] == "missed"
    listening.ada_writes()
    assert receiver.wait_for(2)[1]["changeType"] == "created"


def test_a_loss_can_be_silent_and_meet_only_a_share(listening, receiver):
    order(listening, "lose", share=0.5, seed=3)
    listening.ada_writes(20)
    listening.until_tried()
    arrived = len(receiver.items)
    assert 0 < arrived < 20
    assert listening.control.get("/notifications").json()["lost"] == 20 - arrived
    assert listening.state()["next_event_at"] is None


def test_delayed_ones_come_later_and_only_those_that_match(listening, receiver):
    order(listening, "delay", seconds=600, match="nobody")
    order(listening, "delay", seconds=120, match="/Messages/", times=1)
    listening.ada_writes(2)
    assert len(receiver.wait_for(1)) == 1
    listening.wait(seconds=120)
    assert len(receiver.wait_for(2)) == 2


def test_copies_come_within_the_seconds_told(listening, receiver):
    order(listening, "duplicate", copies=2, seconds=60)
    listening.ada_writes()
    listening.until_tried()
    for _ in range(60):
        listening.wait(seconds=1)
        listening.until_tried()
    assert len(receiver.items) == 3
    assert len(set(ids(receiver.items))) == 1


def test_reordered_ones_all_come_in_another_order(listening, receiver):
    order(listening, "reorder", seconds=30)
    listening.ada_writes(8)
    for _ in range(31):
        listening.wait(seconds=1)
        listening.until_tried()
    path = f"/users/{listening.organizer.id}/mailFolders/inbox/messages/delta"
    delta = listening.graph.get(path, headers={"Prefer": 'IdType="ImmutableId"'}).json()["value"]
    assert sorted(ids(receiver.items)) == sorted(one["id"] for one in delta)
    assert ids(receiver.items) != [one["id"] for one in delta]


def test_a_batch_collects_until_the_window_ends(listening, receiver):
    order(listening, "batch", seconds=300)
    for _ in range(5):
        listening.ada_writes()
        listening.wait(seconds=20)
    assert receiver.posts == []
    listening.wait(seconds=300)
    assert len(receiver.wait_for(1)) == 5


def test_orders_are_forgotten_with_the_other_faults_and_wrong_ones_are_refused(listening, receiver):
    order(listening, "lose")
    listening.control.delete("/faults").raise_for_status()
    listening.ada_writes()
    receiver.wait_for(1)
    for wrong in ({"notifications": "explode"}, {"notifications": "lose", "from": "2026-03-02T08:00:00"}):
        refused = listening.control.post("/faults", json=[wrong])
        assert refused.status_code == 400
        assert "notifications" in refused.json()["error"]


def test_the_same_seed_strikes_the_same_ones():
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    faults = [read_delivery_fault({"notifications": "lose", "share": 0.3, "seed": 11}) for _ in range(2)]
    struck = [[one.strikes("/Messages/1", at=noon, is_lifecycle=False) for _ in range(50)] for one in faults]
    assert struck[0] == struck[1]
    assert 5 < sum(struck[0]) < 25


def test_a_receiver_that_answers_slowly_gets_new_ones_ten_minutes_late(listening, receiver):
    switches = {"first_deadline_seconds": 0.05, "retry_deadline_seconds": 5.0, "endpoint_judged_after_answers": 1}
    listening.control.post("/switches", json=switches).raise_for_status()
    receiver.seconds = 0.2
    listening.ada_writes()
    listening.until_tried()
    (state,) = listening.control.get("/endpoints").json().values()
    assert state["state"] == "slow"
    receiver.seconds = 0.0
    time.sleep(0.2)
    seen = len(receiver.posts)
    listening.ada_writes()
    listening.wait(minutes=9)
    listening.until_tried()
    again = len(receiver.posts)
    assert again == seen + 1  # the first one, a second time
    listening.wait(minutes=1)
    receiver.wait_for(again + 1)


def test_one_that_answers_very_slowly_loses_new_ones_and_is_told_so(listening, receiver):
    switches = {"first_deadline_seconds": 0.05, "retry_deadline_seconds": 0.1, "endpoint_judged_after_answers": 2}
    listening.control.post("/switches", json=switches).raise_for_status()
    receiver.seconds = 0.3
    listening.ada_writes()
    listening.until_tried()
    listening.wait(seconds=10)
    listening.until_tried()
    (state,) = listening.control.get("/endpoints").json().values()
    assert state["state"] == "drop"
    receiver.seconds = 0.0
    listening.ada_writes()
    listening.until_tried()
    assert listening.control.get("/notifications").json()["lost"] == 1
    listening.wait(minutes=10)
    listening.until_tried()
    assert [one["lifecycleEvent"] for one in receiver.items if "lifecycleEvent" in one] == ["missed"]


def test_the_state_of_a_receiver_can_be_ordered(listening, receiver):
    host = receiver.url.removeprefix("http://")
    listening.control.post("/endpoints", json={"host": host, "state": "drop", "minutes": 30}).raise_for_status()
    listening.ada_writes()
    listening.until_tried()
    assert receiver.posts == []
    listening.control.post("/endpoints", json={"host": host, "state": "normal"}).raise_for_status()
    listening.ada_writes()
    receiver.wait_for(1)
    assert listening.control.post("/endpoints", json={"host": host, "state": "angry"}).status_code == 400


def test_a_file_orders_both_sorts_of_faults_and_a_wrong_one_is_named(tmp_path, tenant):
    file, faults = tmp_path / "faults.json", Faults()
    file.write_text('[{"notifications": "lose"}, {"match": {"path": "/events"}, "do": "drop"}]', encoding="utf-8")
    order_from(file, tenant, faults)
    assert [one.word for one in tenant.subscriptions.deliveries.orders] == ["lose"]
    with pytest.raises(Dropped):
        faults.meet("GET", "/v1.0/users/one/events", "before")
    for wrong in ('[{"notifications": "loose"}]', '[{"do": "explode"}]', "nonsense", '{"do": "drop"}'):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(UnreadableFaults, match=r"faults\.json is no JSON list of faults"):
            order_from(file, tenant, faults)
