"""What Graph, and whoever else, posts to us."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from integration.outbox import Task
from integration.tools import Tools
from integration.webhooks.intake import LONGEST_BODY
from integration.webhooks.models import MailboxSync, Notification, Subscription
from tests.attendance.build import build_person, build_series
from tests.webhooks.conftest import ORGANIZER, item, post, waiting

SAMPLES = Path(__file__).parents[3] / "shared" / "graph" / "samples"


@pytest.fixture
def subscription(tools: Tools) -> Subscription:
    """A living subscription to the calendar in which Ada's pod stands."""
    with tools.database.transaction() as session:
        build_series(session, [build_person(session, "Ada")], organizer=ORGANIZER)
        session.add(MailboxSync(mailbox=ORGANIZER))
        row = Subscription(
            mailbox=ORGANIZER,
            url="http://x/webhooks/graph",
            lifecycle_url="http://x/webhooks/graph/lifecycle",
            client_state="a secret of this subscription",
            subscription_id="subscription-1",
            asked_at=tools.clock.now(),
        )
        session.add(row)
    return row


def stored(tools: Tools) -> int:
    with tools.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Notification)) or 0


@pytest.mark.parametrize("path", ["/webhooks/graph", "/webhooks/graph/lifecycle"])
def test_the_handshake_echoes_the_decoded_token_as_plain_text(client: FlaskClient, path: str) -> None:
    answer = client.post(f"{path}?validationToken=Validation%3A+Testing%20%3Cb%3E%2B1")
    assert answer.status_code == 200
    assert answer.text == "Validation: Testing <b>+1"
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_change_of_adas_series_asks_for_one_pull(
    client: FlaskClient, tools: Tools, subscription: Subscription
) -> None:
    answer = post(client, item(subscription))
    assert (answer.status_code, answer.data) == (202, b"")
    assert waiting(tools, Task.SERIES_PULL) == ["1"]
    assert waiting(tools, Task.MAILBOX_SWEEP) == []
    with tools.database.reading() as session:
        assert session.get_one(Subscription, subscription.id).last_notification_at == tools.clock.now()


def test_five_notifications_for_one_series_cost_one_pull(
    client: FlaskClient, tools: Tools, subscription: Subscription
) -> None:
    changes = [item(subscription, resourceData={"id": f"occurrence-{n}", "@odata.etag": f"{n}"}) for n in (1, 2, 3)]
    post(client, *changes)
    post(client, item(subscription), item(subscription, changeType="created"))
    assert stored(tools) == 5
    assert waiting(tools, Task.SERIES_PULL) == ["1"]


def test_an_event_nobody_knows_has_the_calendar_swept(
    client: FlaskClient, tools: Tools, subscription: Subscription
) -> None:
    post(client, item(subscription, resourceData={"id": "somebody else's event", "@odata.etag": "1"}))
    assert waiting(tools, Task.SERIES_PULL) == []
    assert waiting(tools, Task.MAILBOX_SWEEP) == ["1"]


def test_a_second_delivery_is_known_by_its_etag(
    client: FlaskClient, tools: Tools, subscription: Subscription
) -> None:
    assert post(client, item(subscription)).status_code == 202
    assert post(client, item(subscription)).status_code == 202
    assert stored(tools) == 1


def test_two_deletions_without_an_etag_are_two(client: FlaskClient, tools: Tools, subscription: Subscription) -> None:
    gone = item(subscription, changeType="deleted", resourceData={"id": "event-of-Pod 1"})
    post(client, gone, gone)
    assert stored(tools) == 2
    assert waiting(tools, Task.SERIES_PULL) == ["1"]


@pytest.mark.parametrize(
    "changes",
    [{"clientState": "guessed"}, {"clientState": None}, {"clientState": "gu\u00e9"}, {"subscriptionId": "unknown"}],
)
def test_mallory_is_answered_like_anybody_and_changes_nothing(
    client: FlaskClient, tools: Tools, subscription: Subscription, changes: dict[str, object]
) -> None:
    assert post(client, item(subscription, **changes)).status_code == 202
    assert stored(tools) == 0
    assert waiting(tools, Task.SERIES_PULL) == []


def test_one_bad_item_does_not_spoil_the_others(
    client: FlaskClient, tools: Tools, subscription: Subscription
) -> None:
    assert post(client, 7, {"changeType": "updated"}, item(subscription)).status_code == 202
    assert stored(tools) == 1


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b'{"value": 7}', b"{}", b"\xff\xfe", b'{"value": [}'])
def test_what_is_no_notification_is_refused(client: FlaskClient, subscription: Subscription, body: bytes) -> None:
    assert client.post("/webhooks/graph", data=body).status_code == 400


def test_a_body_without_end_is_refused_before_it_is_read(client: FlaskClient, subscription: Subscription) -> None:
    assert client.post("/webhooks/graph", data=b"x" * (LONGEST_BODY + 1)).status_code == 413


@pytest.mark.parametrize(
    ("event", "task"),
    [
        ("missed", Task.MAILBOX_SWEEP),
        ("subscriptionRemoved", Task.SUBSCRIPTION_ENSURE),
        ("reauthorizationRequired", Task.SUBSCRIPTION_ENSURE),
        ("somethingNew", Task.MAILBOX_SWEEP),
    ],
)
def test_each_lifecycle_event_has_its_remedy(
    client: FlaskClient, tools: Tools, subscription: Subscription, event: str, task: Task
) -> None:
    lifecycle = item(subscription, lifecycleEvent=event, changeType=None, resourceData=None)
    assert post(client, lifecycle, path="/webhooks/graph/lifecycle").status_code == 202
    assert waiting(tools, task) == ["1"]
    with tools.database.reading() as session:
        kept = session.get_one(Subscription, subscription.id)
    assert (kept.subscription_id is None) == (event == "subscriptionRemoved")


@pytest.mark.parametrize("name", ["notification-basic", "notification-outlook-basic", "notification-lifecycle-c"])
def test_documented_notifications_are_understood(
    client: FlaskClient, tools: Tools, subscription: Subscription, name: str
) -> None:
    sample = SAMPLES / f"{name}.json"
    if not sample.exists():
        pytest.skip(f"the documented sample is not here: {sample.name}")
    (printed,) = json.loads(sample.read_text())["value"]
    ours = {"subscriptionId": subscription.subscription_id, "clientState": subscription.client_state}
    assert post(client, printed | ours).status_code == 202
    assert stored(tools) == 1
