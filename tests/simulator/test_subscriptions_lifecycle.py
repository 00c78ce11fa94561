"""A subscription is made after a handshake, lives for a week at most, and is gone when it is gone."""

from datetime import datetime, timedelta

import pytest

from .contract import load_contract, violations


@pytest.fixture
def wish(simulator, receiver) -> dict:
    """What a client asks for: all changes to the calendar of organizer One, for three days."""
    return {
        "changeType": "created,updated,deleted",
        "notificationUrl": f"{receiver.url}/graph?from=tenant",
        "lifecycleNotificationUrl": f"{receiver.url}/lifecycle",
        "resource": f"/users/{simulator.tenant.organizers[0].id}/events",
        "expirationDateTime": (simulator.tenant.clock.now() + timedelta(days=3)).isoformat(),
        "clientState": "between us",
    }


def test_both_addresses_prove_that_they_listen(graph, receiver, wish):
    made = graph.post("/subscriptions", json=wish)
    assert made.status_code == 201
    assert len(receiver.tokens) == 2
    assert len(set(receiver.tokens)) == 2
    assert made.json()["notificationUrl"] == wish["notificationUrl"]


@pytest.mark.parametrize(("echo", "content_type"), [("no {}", "text/plain"), ("{}", "text/html"), ("", "text/plain")])
def test_a_wrong_echo_makes_no_subscription(graph, receiver, wish, echo, content_type):
    receiver.echo, receiver.content_type = echo, content_type
    answer = graph.post("/subscriptions", json=wish)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ValidationError")
    assert graph.get("/subscriptions").json()["value"] == []


def test_nobody_listening_makes_no_subscription(graph, wish):
    answer = graph.post("/subscriptions", json={**wish, "notificationUrl": "http://127.0.0.1:9/graph"})
    assert answer.status_code == 400


def test_what_cannot_be_subscribed_to_is_refused_before_anybody_is_asked(graph, simulator, receiver, wish):
    ada = next(one for one in simulator.tenant.directory.people if one.kind == "person")
    now = simulator.tenant.clock.now()
    refusals = {
        400: [
            {"notificationUrl": "http://pods.example/graph"},
            {"resource": "/me/events"},
            {"resource": f"{wish['resource']}?$filter=isCancelled eq true"},
            {"clientState": "x" * 129},
            {"changeType": "moved"},
            {"includeResourceData": True},
            {"expirationDateTime": (now + timedelta(minutes=10_081)).isoformat()},
            {"expirationDateTime": (now - timedelta(minutes=1)).isoformat()},
            {"recource": "x"},
        ],
        403: [{"resource": f"/users/{ada.id}/messages"}, {"resource": "/communications/callRecords"}],
        404: [{"resource": "/users/nobody@pods.example/events"}],
    }
    for status, changes in refusals.items():
        assert [graph.post("/subscriptions", json={**wish, **one}).status_code for one in changes] == [status] * len(
            changes
        )
    assert receiver.tokens == []


def test_a_short_life_is_lengthened_to_forty_five_minutes(graph, simulator, wish):
    now = simulator.tenant.clock.now()
    short = {**wish, "expirationDateTime": (now + timedelta(minutes=5)).isoformat()}
    granted = graph.post("/subscriptions", json=short).json()["expirationDateTime"]
    assert datetime.fromisoformat(granted) == now + timedelta(minutes=45)


def test_a_second_one_of_the_same_kind_is_refused_or_accepted(graph, control, wish):
    first = graph.post("/subscriptions", json=wish).json()
    second = graph.post("/subscriptions", json=wish)
    assert second.status_code == 409
    assert first["id"] in second.json()["error"]["message"]
    control.post("/switches", json={"duplicate_subscription_refused": False}).raise_for_status()
    assert graph.post("/subscriptions", json=wish).json()["id"] != first["id"]
    assert len(graph.get("/subscriptions").json()["value"]) == 2


def test_it_can_be_renewed_until_it_has_expired(graph, control, simulator, wish):
    made = graph.post("/subscriptions", json=wish).json()
    now, path = simulator.tenant.clock.now(), f"/subscriptions/{made['id']}"
    later = (now + timedelta(days=6)).isoformat()
    assert datetime.fromisoformat(
        graph.patch(path, json={"expirationDateTime": later}).json()["expirationDateTime"]
    ) == now + timedelta(days=6)
    assert graph.patch(path, json={"lifecycleNotificationUrl": wish["notificationUrl"]}).status_code == 400
    assert graph.post(f"{path}/reauthorize").status_code == 204
    control.post("/clock", json={"to": (now + timedelta(days=6)).isoformat()}).raise_for_status()
    renewal = {"expirationDateTime": (now + timedelta(days=9)).isoformat()}
    codes = [graph.get(path).status_code, graph.patch(path, json=renewal).status_code, graph.delete(path).status_code]
    assert codes == [404, 404, 404]


def test_a_life_over_the_maximum_can_also_be_shortened_to_it(graph, control, simulator, wish):
    control.post("/switches", json={"too_long_subscription_refused": False}).raise_for_status()
    now = simulator.tenant.clock.now()
    long = {**wish, "expirationDateTime": (now + timedelta(days=30)).isoformat()}
    granted = graph.post("/subscriptions", json=long).json()["expirationDateTime"]
    assert datetime.fromisoformat(granted) == now + timedelta(minutes=10_080)


def test_a_mailbox_has_so_many_subscriptions_and_the_refusal_names_the_limit(graph, control, wish):
    control.post("/switches", json={"subscriptions_per_mailbox": 2}).raise_for_status()
    kinds = ["created", "updated", "deleted"]
    answers = [graph.post("/subscriptions", json={**wish, "changeType": kind}) for kind in kinds]
    assert [one.status_code for one in answers] == [201, 201, 403]
    assert "maximum of 2 subscriptions for this mailbox" in answers[2].json()["error"]["message"]


def test_events_need_a_calendar_role(graph, control, simulator, wish):
    control.patch("/app", json={"roles": ["Mail.ReadWrite"]}).raise_for_status()
    bearer = {"Authorization": f"Bearer {simulator.token()}"}
    assert graph.post("/subscriptions", json=wish, headers=bearer).status_code == 403


def test_subscriptions_have_the_shapes_of_the_published_schema(graph, wish):
    contract = load_contract()
    made = graph.post("/subscriptions", json=wish)
    path = f"/subscriptions/{made.json()['id']}"
    answers = [
        made,
        graph.get("/subscriptions"),
        graph.get(path),
        graph.patch(path, json={"expirationDateTime": wish["expirationDateTime"]}),
        graph.delete(path),
        graph.delete(path),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 204, 404]
    assert [one for answer in answers for one in violations(contract, answer)] == []
