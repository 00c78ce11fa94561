"""The same pod as for attendance, and the product's two addresses served over HTTP where the tenant reaches them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cheroot.wsgi import Server
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from integration.config import Settings
from integration.outbox import Message, State, Task
from integration.sealing import sealed
from integration.tools import Tools
from integration.webhooks import registry, subscriptions
from integration.webhooks.desk import Desk
from integration.webhooks.jobs import heed_notifications
from integration.webhooks.models import EVENTS, Subscription
from integration.webhooks.receiver import Receiver
from tests.attendance.conftest import (  # noqa: F401 (fixtures)
    clock_file,
    queue_url,
    tenant,
)
from tests.conftest import RunningSimulator

ORGANIZER = "pods.one@pods.example"
SECRET = "a secret of this subscription"


@pytest.fixture
def endpoint() -> Iterator[Server]:
    """A server on a free port, whose application is put in later: its address is a setting of the tools."""
    server = Server(("127.0.0.1", 0), None, numthreads=2)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    server.stop()
    thread.join()


@pytest.fixture
def environ(
    simulator: RunningSimulator,
    endpoint: Server,
    tmp_path: Path,
    clock_file: Path,  # noqa: F811
    database_url: str,
    queue_url: str,  # noqa: F811
) -> dict[str, str]:
    return {
        **simulator.settings,
        "DATA_DIR": str(tmp_path / "var"),
        "DATABASE_URL": database_url,
        "REDIS_URL": queue_url,
        "ORGANIZER_MAILBOXES": ORGANIZER,
        "PUBLIC_URL": f"http://127.0.0.1:{endpoint.bind_addr[1]}",
        "CLOCK_FILE": str(clock_file),
    }


@pytest.fixture
def tools(environ: dict[str, str]) -> Iterator[Tools]:
    made = Tools.from_settings(Settings.from_environment(environ))
    yield made
    made.close()


@pytest.fixture
def app(tools: Tools, endpoint: Server) -> Flask:
    made = Flask("pods")
    made.wsgi_app = Receiver(made.wsgi_app, Desk(tools), count=lambda *_: None, secure=False)
    endpoint.wsgi_app = made
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def item(subscription: Subscription, **changes: object) -> dict[str, object]:
    """A change notification as Graph writes it."""
    return {
        "subscriptionId": subscription.subscription_id,
        "subscriptionExpirationDateTime": "2026-03-11T08:00:00Z",
        "clientState": SECRET,
        "changeType": "updated",
        "resource": "Users/x/Events/y",
        "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
        "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "@odata.etag": 'W/"1"', "id": "event-of-Pod 1"},
    } | changes


def begin(tools: Tools) -> None:
    """What a worker does when it starts."""
    with tools.database.transaction() as session:
        registry.begin(session, tools.settings, tools.clock.now())
        subscriptions.begin(session, tools.settings, tools.clock.now())


def build_subscription(tools: Tools, **changes: object) -> Subscription:
    """A living subscription to the organizer's calendar, whose secret is SECRET."""
    row: dict[str, object] = {
        "topic": f"events of {ORGANIZER}",
        "kind": EVENTS,
        "mailbox": ORGANIZER,
        "url": f"{tools.settings.public_url}/webhooks/graph",
        "lifecycle_url": f"{tools.settings.public_url}/webhooks/graph/lifecycle",
        "client_state": sealed(SECRET, purpose=subscriptions.PURPOSE, secret_key=tools.settings.secret_key),
        "subscription_id": "subscription-1",
        "asked_at": tools.clock.now(),
    }
    return Subscription(**row | changes)


def post(client: FlaskClient, *items: object, path: str = "/webhooks/graph") -> TestResponse:
    return client.post(path, data=json.dumps({"value": list(items)}), content_type="application/json")


def waiting(tools: Tools, task: Task) -> list[str]:
    """The subjects of a task that wait in the outbox."""
    with tools.database.reading() as session:
        found = select(Message.subject).where(Message.task == task, Message.state == State.WAITING)
        return list(session.scalars(found))


def heeded(tools: Tools, task: Task) -> list[str]:
    """The subjects of a task that wait once a worker has heeded what was notified."""
    for subject in waiting(tools, Task.NOTIFICATIONS_HEED):
        heed_notifications(tools, int(subject))
    return waiting(tools, task)
