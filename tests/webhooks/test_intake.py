"""What Graph, and whoever else, posts to us."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select

from integration import outbox
from integration.clock import Clock, real_now
from integration.outbox import RINGS, Message, Task
from integration.tools import Tools
from integration.webhooks.desk import Desk, NotStored
from integration.webhooks.heeding import AT_ONCE, heed
from integration.webhooks.intake import LONGEST_BODY, decode
from integration.webhooks.jobs import heed_notifications
from integration.webhooks.models import MailboxSync, Notification, Subscription
from tests.attendance.build import build_person, build_series
from tests.webhooks.conftest import ORGANIZER, SECRET, build_subscription, heeded, item, post, waiting

SAMPLES = Path(__file__).parents[3] / "shared" / "graph" / "samples"


@pytest.fixture
def subscription(tools: Tools) -> Subscription:
    """A living subscription to the calendar in which Ada's pod stands."""
    with tools.database.transaction() as session:
        build_series(session, [build_person(session, "Ada")], organizer=ORGANIZER)
        session.add(MailboxSync(mailbox=ORGANIZER))
        row = build_subscription(tools)
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
    assert heeded(tools, Task.SERIES_PULL) == ["1"]
    assert heeded(tools, Task.MAILBOX_SWEEP) == []
    with tools.database.reading() as session:
        assert session.get_one(Subscription, subscription.id).last_notification_at == tools.clock.now()


def test_five_notifications_for_one_series_cost_one_pull(
    client: FlaskClient, tools: Tools, subscription: Subscription
) -> None:
    changes = [item(subscription, resourceData={"id": f"occurrence-{n}", "@odata.etag": f"{n}"}) for n in (1, 2, 3)]
    post(client, *changes)
    post(client, item(subscription), item(subscription, changeType="created"))
    assert stored(tools) == 5
    assert heeded(tools, Task.SERIES_PULL) == ["1"]


def test_an_event_nobody_knows_has_the_calendar_swept(
    client: FlaskClient, tools: Tools, subscription: Subscription
) -> None:
    post(client, item(subscription, resourceData={"id": "somebody else's event", "@odata.etag": "1"}))
    assert heeded(tools, Task.SERIES_PULL) == []
    assert heeded(tools, Task.MAILBOX_SWEEP) == ["1"]


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
    assert heeded(tools, Task.SERIES_PULL) == ["1"]


@pytest.mark.parametrize(
    "changes",
    [{"clientState": "guessed"}, {"clientState": None}, {"clientState": "gu\u00e9"}, {"subscriptionId": "unknown"}],
)
def test_mallory_is_answered_like_anybody_and_changes_nothing(
    client: FlaskClient, tools: Tools, subscription: Subscription, changes: dict[str, object]
) -> None:
    assert post(client, item(subscription, **changes)).status_code == 202
    assert stored(tools) == 0
    assert heeded(tools, Task.SERIES_PULL) == []


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
    assert heeded(tools, task) == ["1"]
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
    ours = {"subscriptionId": subscription.subscription_id, "clientState": SECRET}
    assert post(client, printed | ours).status_code == 202
    assert stored(tools) == 1


def test_whatever_breaks_before_the_commit_nobody_is_told_that_it_is_safe(
    tools: Tools, subscription: Subscription, tmp_path: Path
) -> None:
    """Several posts at once, and a clock that cannot be read."""
    desk = Desk(replace(tools, clock=Clock(tmp_path / "no clock")))
    delivery = decode(json.dumps({"value": [item(subscription)]}).encode())

    def take(_number: int) -> str:
        try:
            desk.take(delivery)
        except (NotStored, FileNotFoundError):
            return "not safe"
        return "safe"

    with ThreadPoolExecutor(6) as posts:
        assert set(posts.map(take, range(24))) == {"not safe"}
    assert stored(tools) == 0
    Desk(tools).take(delivery)  # sent again
    assert stored(tools) == 1


def test_a_worker_that_dies_before_it_heeds_leaves_everything_to_the_next(
    client: FlaskClient, tools: Tools, subscription: Subscription
) -> None:
    post(client, item(subscription))
    assert waiting(tools, Task.NOTIFICATIONS_HEED) == [str(subscription.id)]
    with suppress(RuntimeError), tools.database.transaction() as session:
        assert heed(session, subscription.id, now=tools.clock.now()) == 1
        raise RuntimeError("the worker dies before the commit")
    assert waiting(tools, Task.SERIES_PULL) == []
    assert heeded(tools, Task.SERIES_PULL) == ["1"]


def test_a_worker_that_heeds_twice_asks_once(client: FlaskClient, tools: Tools, subscription: Subscription) -> None:
    post(client, item(subscription))
    heed_notifications(tools, subscription.id)
    with tools.database.transaction() as session:
        session.execute(delete(Message))  # the pull was made
    heed_notifications(tools, subscription.id)
    assert waiting(tools, Task.SERIES_PULL) == []


def test_more_than_one_transaction_takes_are_all_heeded(
    client: FlaskClient, tools: Tools, subscription: Subscription
) -> None:
    names = [f"occurrence-{n}" for n in range(AT_ONCE + 1)]
    post(client, *(item(subscription, resourceData={"id": name, "@odata.etag": name}) for name in names))
    heed_notifications(tools, subscription.id)
    with tools.database.reading() as session:
        unheeded = select(func.count()).select_from(Notification).where(Notification.heeded_at.is_(None))
        assert session.scalar(unheeded) == 0


def test_of_a_subscription_that_is_gone_nothing_is_heeded(tools: Tools, subscription: Subscription) -> None:
    heed_notifications(tools, subscription.id + 1)
    assert waiting(tools, Task.SERIES_PULL) == []


def test_what_may_wait_for_more_of_its_kind_rings_for_no_worker(tools: Tools, subscription: Subscription) -> None:
    with tools.database.transaction() as session:
        outbox.add(session, Task.NOTIFICATIONS_HEED, 1, due_at=real_now() + timedelta(seconds=5))
        assert RINGS not in session.info
        outbox.add(session, Task.NOTIFICATIONS_HEED, 1)
        assert RINGS in session.info
