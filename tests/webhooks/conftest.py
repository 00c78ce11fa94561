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
from integration.tools import Tools
from integration.webhooks.models import Subscription
from integration.webhooks.views import blueprint
from tests.attendance.conftest import (  # noqa: F401 (fixtures)
    clock_file,
    queue_url,
    tenant,
)
from tests.conftest import RunningSimulator

ORGANIZER = "pods.one@pods.example"


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
        "DATA_DIR": str(tmp_path / "var"),
        "DATABASE_URL": database_url,
        "REDIS_URL": queue_url,
        "GRAPH_BASE_URL": simulator.graph_url,
        "TENANT_ID": simulator.tenant.id,
        "CLIENT_ID": simulator.tenant.app_id,
        "CLIENT_SECRET": simulator.tenant.app.secret,
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
    made.extensions["tools"] = tools
    made.register_blueprint(blueprint)
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
        "clientState": subscription.client_state,
        "changeType": "updated",
        "resource": "Users/x/Events/y",
        "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
        "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "@odata.etag": 'W/"1"', "id": "event-of-Pod 1"},
    } | changes


def post(client: FlaskClient, *items: object, path: str = "/webhooks/graph") -> TestResponse:
    return client.post(path, data=json.dumps({"value": list(items)}), content_type="application/json")


def waiting(tools: Tools, task: Task) -> list[str]:
    """The subjects of a task that wait in the outbox."""
    with tools.database.reading() as session:
        found = select(Message.subject).where(Message.task == task, Message.state == State.WAITING)
        return list(session.scalars(found))
