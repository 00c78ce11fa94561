"""Changes reach the receiver soon, in groups; what it does not take is tried again for four hours."""

from datetime import timedelta

import pytest

from .contract import load_contract
from .listening import Listening


@pytest.fixture
def listening(simulator, graph, control, receiver) -> Listening:
    return Listening(simulator, graph, control, receiver)


def test_a_notification_names_the_item_and_carries_the_client_state(listening, receiver):
    listening.ada_writes()
    (item,) = receiver.wait_for(1)
    message_id = listening.control.get(f"/people/{listening.organizer.mail}/inbox").json()[0]["id"]
    resource = f"Users/{listening.organizer.id}/Messages/{message_id}"
    etag = item["resourceData"].pop("@odata.etag")
    assert etag.startswith('W/"')
    assert item == {
        "subscriptionId": listening.subscription["id"],
        "subscriptionExpirationDateTime": listening.subscription["expirationDateTime"],
        "changeType": "created",
        "resource": resource,
        "resourceData": {"@odata.type": "#Microsoft.Graph.Message", "@odata.id": resource, "id": message_id},
        "clientState": "between us",
        "tenantId": listening.tenant.id,
    }
    assert load_contract().check_notification(receiver.posts[0][1]) == []


def test_several_changes_come_in_one_post_and_others_do_not_come(listening, receiver):
    listening.ada_writes(3)
    listening.graph.post(f"/users/{listening.organizer.id}/messages", json={"subject": "a draft, not the inbox"})
    assert len(receiver.wait_for(1)) == 3
    inbox = f"/users/{listening.organizer.id}/mailFolders/inbox/messages"
    first = listening.graph.get(inbox).json()["value"][0]["id"]
    listening.graph.delete(f"/users/{listening.organizer.id}/messages/{first}")
    listening.until_tried()
    assert len(receiver.posts) == 1


def test_a_refused_notification_is_tried_again_later_and_later(listening, receiver):
    receiver.statuses = [500, 500]
    listening.ada_writes()
    receiver.wait_for(1)
    listening.until_tried()
    assert listening.state()["undelivered_notifications"] == 0
    assert listening.state()["next_event_at"] is not None
    listening.wait(seconds=9)
    listening.until_tried()
    assert len(receiver.posts) == 1
    listening.wait(seconds=1)
    receiver.wait_for(2)
    listening.until_tried()
    listening.wait(seconds=30)
    receiver.wait_for(3)
    listening.until_tried()
    assert listening.state()["next_event_at"] is None


def test_after_four_hours_a_notification_is_discarded(listening, receiver):
    receiver.statuses = [503] * 50
    listening.ada_writes()
    listening.until_tried()
    while at := listening.state()["next_event_at"]:
        listening.control.post("/clock", json={"to": at}).raise_for_status()
        while listening.state()["undelivered_notifications"]:
            pass
    assert [path for path, _ in receiver.posts].count("/graph") == 10
    lifecycle = [body["value"][0]["lifecycleEvent"] for path, body in receiver.posts if path == "/lifecycle"]
    assert lifecycle == ["missed"] * 10
    assert listening.control.get("/notifications").json()["discarded"] == 2


def test_notifications_can_be_delayed_doubled_turned_round_and_lost(listening, receiver):
    def order(**faults: object) -> None:
        listening.control.post("/notifications", json=faults).raise_for_status()

    order(drop=1)
    listening.ada_writes()
    listening.until_tried()
    assert receiver.posts == []
    order(delay_seconds=120, duplicates=1)
    listening.ada_writes()
    listening.until_tried()
    assert receiver.posts == []
    listening.wait(seconds=120)
    first, second = receiver.wait_for(1)
    assert first == second
    order(reorder=True)
    listening.ada_writes(2)
    told = [one["resourceData"]["id"] for one in receiver.wait_for(2)[2:]]
    path = f"/users/{listening.organizer.id}/mailFolders/inbox/messages/delta"
    delta = listening.graph.get(path, headers={"Prefer": 'IdType="ImmutableId"'}).json()["value"]
    assert told == [one["id"] for one in reversed(delta[-2:])]


def test_a_revoked_permission_removes_the_subscription_and_says_so(listening, receiver):
    listening.control.patch("/app", json={"roles": ["Calendars.Read"]}).raise_for_status()
    (item,) = receiver.wait_for(1)
    assert item["lifecycleEvent"] == "subscriptionRemoved"
    assert listening.control.get("/subscriptions").json() == []


def test_a_lost_mailbox_removes_the_subscription_too(listening, receiver):
    listening.control.patch(f"/people/{listening.organizer.mail}", json={"exchange": False}).raise_for_status()
    assert [one["lifecycleEvent"] for one in receiver.wait_for(1)] == ["subscriptionRemoved"]


def test_a_revocation_can_also_ask_for_a_new_authorization_and_keep_silent_until_then(listening, receiver):
    listening.control.post("/switches", json={"revocation_removes_subscriptions": False}).raise_for_status()
    roles = listening.control.get("/app").json()["roles"]
    listening.control.patch("/app", json={"roles": ["Calendars.Read"]}).raise_for_status()
    receiver.wait_for(1)
    listening.ada_writes()
    listening.until_tried()
    listening.control.patch("/app", json={"roles": roles}).raise_for_status()
    path = f"/subscriptions/{listening.subscription['id']}/reauthorize"
    assert listening.graph.post(path).status_code == 204
    listening.ada_writes()
    items = receiver.wait_for(2)
    assert [one.get("lifecycleEvent") for one in items] == ["reauthorizationRequired", None]


@pytest.mark.parametrize("renewed", [True, False])
def test_a_token_that_ran_out_holds_changes_back_until_it_is_renewed(listening, receiver, renewed):
    listening.control.post("/switches", json={"subscription_token_minutes": 60}).raise_for_status()
    path = f"/subscriptions/{listening.subscription['id']}"
    listening.graph.post(f"{path}/reauthorize").raise_for_status()
    listening.wait(minutes=60)
    assert receiver.wait_for(1)[0]["lifecycleEvent"] == "reauthorizationRequired"
    listening.ada_writes()
    listening.until_tried()
    assert len(receiver.posts) == 1
    if renewed:
        expiry = (listening.tenant.clock.now() + timedelta(days=2)).isoformat()
        listening.graph.patch(path, json={"expirationDateTime": expiry}).raise_for_status()
    else:
        listening.graph.post(f"{path}/reauthorize").raise_for_status()
    assert receiver.wait_for(2)[1]["changeType"] == "created"


@pytest.mark.parametrize("event", ["reauthorizationRequired", "missed", "subscriptionRemoved"])
def test_lifecycle_events_go_to_their_own_address(listening, receiver, event):
    listening.control.post("/lifecycle", json={"event": event}).raise_for_status()
    (item,) = receiver.wait_for(1)
    assert receiver.posts[0][0] == "/lifecycle"
    assert (item["lifecycleEvent"], item["clientState"]) == (event, "between us")
    assert "resource" not in item
    gone = listening.graph.get(f"/subscriptions/{listening.subscription['id']}").status_code == 404
    assert gone is (event == "subscriptionRemoved")


def test_expiry_can_be_announced(listening, receiver):
    listening.control.post("/switches", json={"reauthorization_minutes_before_expiry": 60}).raise_for_status()
    listening.wait(days=2, hours=23)
    (item,) = receiver.wait_for(1)
    assert item["lifecycleEvent"] == "reauthorizationRequired"
    listening.wait(minutes=59)
    listening.until_tried()
    assert len(receiver.posts) == 1
