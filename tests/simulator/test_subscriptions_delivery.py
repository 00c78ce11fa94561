"""Changes reach the receiver soon, in groups; what it does not take is tried again for four hours."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from .contract import load_contract
from .receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


class Listening:
    """A client that listens to the mail of organizer One; Ada writes to it."""

    def __init__(self, simulator, graph: httpx.Client, control: httpx.Client, receiver: Receiver) -> None:
        self.tenant, self.graph, self.control, self.receiver = simulator.tenant, graph, control, receiver
        self.organizer = self.tenant.organizers[0]
        self.ada = next(one for one in self.tenant.directory.people if one.kind == "person")
        answer = graph.post(
            "/subscriptions",
            json={
                "changeType": "created,updated",
                "notificationUrl": f"{receiver.url}/graph",
                "lifecycleNotificationUrl": f"{receiver.url}/lifecycle",
                "resource": f"users/{self.organizer.id}/mailFolders('inbox')/messages",
                "expirationDateTime": (self.tenant.clock.now() + timedelta(days=3)).isoformat(),
                "clientState": "between us",
            },
            headers={"Prefer": 'IdType="ImmutableId"'},
        )
        assert answer.status_code == 201, answer.text
        self.subscription = answer.json()

    def ada_writes(self, mails: int = 1) -> None:
        with self.tenant.lock:
            for _ in range(mails):
                self.tenant.mailboxes.deliver(
                    self.organizer.mail, sender=self.ada, subject="Hello", body_html="", kind="mail"
                )

    def state(self) -> dict:
        return self.control.get("/state").json()

    def wait(self, **length: float) -> None:
        to = self.tenant.clock.now() + timedelta(**length)
        self.control.post("/clock", json={"to": to.isoformat()}).raise_for_status()

    def until_tried(self, discarded: int = 0) -> None:
        """Every attempt that is due now has been made."""
        while self.state()["undelivered_notifications"]:
            pass
        assert self.control.get("/notifications").json()["discarded"] == discarded


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
    assert listening.control.get("/notifications").json()["discarded"] == 1
    assert len(receiver.posts) == 10


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
