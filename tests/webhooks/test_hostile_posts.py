"""Forged, broken and hostile posts to the whole application: none gets in, none breaks it, none is told anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from integration.app import create_app
from integration.config import Settings
from integration.db import Database
from integration.outbox import Message, Task
from integration.tools import Tools
from integration.webhooks.intake import LONGEST_BODY
from integration.webhooks.models import (
    EncryptedContent,
    MailboxSync,
    Notification,
    RefusedNotification,
    Subscription,
)
from tests.attendance.build import build_person, build_series
from tests.webhooks.conftest import ORGANIZER, SECRET, build_subscription, heeded

ADDRESS = "/webhooks/graph"
ACCEPTED, REFUSED = {202}, {400}


@dataclass
class Desk:
    """The application, with one living subscription to the calendar in which Ada's pod stands."""

    app: Flask
    tools: Tools
    subscription: Subscription
    before: tuple[object, ...] = field(default=())

    def post(self, body: bytes, *, path: str = ADDRESS, client: FlaskClient | None = None, **more: Any):
        return (client or self.app.test_client()).open(path, method=more.pop("method", "POST"), data=body, **more)

    def facts(self) -> tuple[object, ...]:
        """Everything that a post could have changed, but for the counts of what was refused."""
        with self.tools.database.reading() as session:
            row = session.get_one(Subscription, self.subscription.id)
            return (
                session.scalar(select(func.count()).select_from(Notification)),
                session.scalar(select(func.count()).select_from(EncryptedContent)),
                session.scalar(select(func.count()).select_from(Message)),
                row.subscription_id,
                row.last_notification_at,
                row.renew_due_at,
            )

    def refused(self) -> dict[str, int]:
        with self.tools.database.reading() as session:
            return {row.reason: row.count for row in session.scalars(select(RefusedNotification))}

    def pulls(self) -> list[str]:
        return heeded(self.tools, Task.SERIES_PULL)


def desk_over(database_url: str, tmp_path: Path) -> Desk:
    environ = {
        "DATA_DIR": str(tmp_path / "var"),
        "DATABASE_URL": database_url,
        "REDIS_URL": f"unix://{tmp_path}/nobody.sock",
        "GRAPH_BASE_URL": "http://127.0.0.1:9/v1.0",
        "ORGANIZER_MAILBOXES": ORGANIZER,
    }
    app = create_app(Settings.from_environment(environ))
    tools: Tools = app.extensions["tools"]
    with tools.database.transaction() as session:
        build_series(session, [build_person(session, "Ada")], organizer=ORGANIZER)
        session.add(MailboxSync(mailbox=ORGANIZER))
        row = build_subscription(tools)
        session.add(row)
    made = Desk(app, tools, row)
    made.before = made.facts()
    return made


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    made = desk_over(database_url, tmp_path)
    yield made
    made.tools.close()


def genuine(**changes: object) -> dict[str, Any]:
    return {
        "subscriptionId": "subscription-1",
        "subscriptionExpirationDateTime": "2026-03-11T08:00:00.0000000Z",
        "clientState": SECRET,
        "changeType": "updated",
        "resource": "Users/x/Events/y",
        "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
        "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "@odata.etag": 'W/"1"', "id": "event-of-Pod 1"},
    } | changes


def collection(*items: object, **more: object) -> bytes:
    return json.dumps({"value": list(items), **more}).encode()


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in genuine().items() if key != name}


DEEP = 20_000
CONTENT = {"data": "AAAA", "dataKey": "AAAA", "dataSignature": "AAAA", "encryptionCertificateId": "x"}

# What is no collection of notifications at all.
NO_COLLECTION = {
    "nothing": b"",
    "a space": b" ",
    "no JSON": b"no JSON",
    "half of one": collection(genuine())[:-9],
    "two of them": collection(genuine()) * 2,
    "a number": b"7",
    "null": b"null",
    "true": b"true",
    "a text": b'"value"',
    "a list": json.dumps([genuine()]).encode(),
    "an empty object": b"{}",
    "no value": b'{"values": []}',
    "a value that is a number": b'{"value": 7}',
    "a value that is null": b'{"value": null}',
    "a value that is an object": json.dumps({"value": genuine()}).encode(),
    "a NUL byte": b"\x00",
    "NUL bytes in it": collection(genuine()).replace(b" ", b"\x00"),
    "NUL bytes after it": collection(genuine()) + b"\x00\x00",
    "UTF-16": json.dumps({"value": [genuine()]}).encode("utf-16"),
    "a mark before it": b"\xef\xbb\xbf" + collection(genuine()),
    "20,000 lists": b"[" * DEEP + b"]" * DEEP,
    "20,000 lists that do not end": b"[" * DEEP,
    "20,000 objects": b'{"value":' * DEEP + b"[]" + b"}" * DEEP,
    "20,000 lists as an item": b'{"value":[' + b"[" * DEEP + b"]" * DEEP + b"]}",
    "20,000 objects in an item": b'{"value":[{"subscriptionId":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}]}",
    "XML": b"<?xml version='1.0'?><value><a/></value>",
    "a form": b"value=%5B%5D&clientState=x",
    "a trailing comma": b'{"value": [{},]}',
    "a number without end": b'{"value": ' + b"9" * 100_000,
    "NaN": b'{"value": NaN}',
    "a comment": b'{"value": [] /* none */}',
    "a pickle": b"\x80\x04\x95\x0f\x00\x00\x00",
    "half a character": b'{"value": [{"subscriptionId": "\\ud800", "clientState": "\\udfff"}]}',
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}
# Collections whose items prove nothing.
NO_PROOF: dict[str, bytes] = {
    "no items": collection(),
    "no UTF-8": b'{"value": ["\xff\xfe"]}',
    "an item that is a number": collection(7),
    "an item that is null": collection(None),
    "an item that is a list": collection([genuine()]),
    "an empty item": collection({}),
    "no subscription": collection(without("subscriptionId")),
    "a subscription that is a number": collection(genuine(subscriptionId=1)),
    "a subscription that is null": collection(genuine(subscriptionId=None)),
    "a subscription nobody has": collection(genuine(subscriptionId="subscription-2")),
    "a subscription in capitals": collection(genuine(subscriptionId="SUBSCRIPTION-1")),
    "a subscription with a space": collection(genuine(subscriptionId=" subscription-1")),
    "a subscription with a NUL": collection(genuine(subscriptionId="subscription-1\x00")),
    "a subscription with a quote": collection(genuine(subscriptionId="subscription-1' OR '1'='1")),
    "a subscription of a megabyte": collection(genuine(subscriptionId="s" * 1_000_000)),
    "no secret": collection(without("clientState")),
    "a secret that is null": collection(genuine(clientState=None)),
    "an empty secret": collection(genuine(clientState="")),
    "a guessed secret": collection(genuine(clientState="guessed")),
    "the beginning of the secret": collection(genuine(clientState=SECRET[:-1])),
    "the secret and more": collection(genuine(clientState=SECRET + "x")),
    "the secret and a NUL": collection(genuine(clientState=SECRET + "\x00")),
    "the secret in capitals": collection(genuine(clientState=SECRET.upper())),
    "a secret in Greek": collection(genuine(clientState="μυστικό")),
    "a secret that is a number": collection(genuine(clientState=0)),
    "a secret that is true": collection(genuine(clientState=True)),
    "a secret that is a list": collection(genuine(clientState=[SECRET])),
    "a secret that is an object": collection(genuine(clientState={"$ne": ""})),
    "a secret without end": collection(genuine(clientState="x" * 200_000)),
    "a change that is a number": collection(genuine(changeType=1)),
    "a NUL in the change": collection(genuine(changeType="upd\x00ated")),
    "a NUL in the event": collection(genuine(resourceData={"id": "event\x00"})),
    "a NUL in the etag": collection(genuine(resourceData={"id": "e", "@odata.etag": "\x00"})),
    "an event without end": collection(genuine(resourceData={"id": "e" * 2000})),
    "an event that is a number": collection(genuine(resourceData={"id": 5})),
    "data that is a text": collection(genuine(resourceData="event-of-Pod 1")),
    "a lifecycle that is a number": collection(genuine(lifecycleEvent=3)),
    "a NUL in the lifecycle": collection(genuine(lifecycleEvent="missed\x00")),
    "a forged removal": collection(genuine(lifecycleEvent="subscriptionRemoved", clientState="guessed")),
    "a forged reauthorization": collection(genuine(lifecycleEvent="reauthorizationRequired", clientState="")),
    "a forged loss": collection(genuine(lifecycleEvent="missed", clientState=None)),
    "encrypted content that is a text": collection(genuine(encryptedContent="AAAA")),
    "encrypted content without a key": collection(genuine(encryptedContent={"data": "AAAA"})),
    "encrypted content in Greek": collection(genuine(encryptedContent=CONTENT | {"data": "μ"})),
    "encrypted content with a NUL": collection(genuine(encryptedContent=CONTENT | {"dataKey": "\x00"})),
    "encrypted content, no secret": collection(genuine(encryptedContent=CONTENT, clientState=""), validationTokens=7),
    "a thousand forged ones": collection(*[genuine(clientState=str(n)) for n in range(1000)]),
    "a key twice, the last one wins": b'{"value": [{"subscriptionId": "subscription-1", "clientState": "'
    + SECRET.encode()
    + b'", "clientState": "guessed"}]}',
}


def test_no_forged_or_broken_post_gets_in(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    assert len(NO_COLLECTION) + len(NO_PROOF) >= 60
    for expected, cases in ((REFUSED, NO_COLLECTION), (ACCEPTED, NO_PROOF)):
        for name, body in cases.items():
            answer = desk.post(body, content_type="application/json")
            assert answer.status_code in expected, name
            assert SECRET not in answer.text, name
            assert desk.facts() == desk.before, name
    counts = desk.refused()
    assert counts["unreadable post"] == len(NO_COLLECTION)
    assert counts["wrong client state"] > 1000
    assert counts["unknown subscription"] >= 3
    assert counts["unreadable item"] >= 15
    told = "".join(capfd.readouterr())
    assert SECRET not in told
    assert ORGANIZER not in told
    assert "guessed" not in told


def test_a_genuine_item_beside_all_the_forged_ones_leads_to_exactly_one_pull(desk: Desk) -> None:
    readable = [body for name, body in NO_PROOF.items() if name != "no UTF-8"]
    forged = [item for body in readable for item in json.loads(body)["value"]]
    body = json.dumps({"value": [*forged[:40], genuine(), *forged[40:]]}).encode()
    assert desk.post(body).status_code == 202
    assert desk.pulls() == ["1"]
    assert desk.facts()[0] == 1
    assert desk.post(body).status_code == 202  # all of it once more
    assert desk.facts()[0] == 1


@pytest.mark.parametrize("path", [ADDRESS, f"{ADDRESS}/lifecycle"])
def test_other_methods_and_endless_bodies_are_refused(desk: Desk, path: str) -> None:
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        answer = desk.post(b"", path=f"{path}?validationToken=x", method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST"), method
    endless = desk.post(b"x" * (LONGEST_BODY + 1), path=path)
    assert (endless.status_code, desk.facts()) == (413, desk.before)


@pytest.mark.parametrize(
    "token",
    [
        "a",
        "+ %&=?#",
        "<script>alert(1)</script>",
        "\r\nSet-Cookie: a=b",
        "验" * 4096,
        "д" * 4096,
        "🙂" * 4096,
        "x" * 8192,
    ],
)
def test_a_token_of_any_script_comes_back_as_plain_text(desk: Desk, token: str) -> None:
    answer = desk.app.test_client().post(ADDRESS, query_string={"validationToken": token})
    assert (answer.status_code, answer.text) == (200, token)
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    assert desk.facts() == desk.before


FLOATS = st.floats(allow_nan=False, allow_infinity=False)  # JSON has neither: a post with them is refused as a whole
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
NAMES = st.sampled_from([*genuine(), "lifecycleEvent", "encryptedContent", "id"])
# Anything in any place, but never the right secret: that one cannot be guessed.
ITEMS = st.dictionaries(NAMES, JSON | st.just("subscription-1"), max_size=9).filter(
    lambda item: item.get("clientState") != SECRET
)
POSTS = st.one_of(
    st.binary(max_size=300),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.lists(ITEMS | JSON, max_size=5).map(lambda items: collection(*items)),
    st.tuples(st.lists(ITEMS, max_size=2), JSON).map(lambda two: collection(*two[0], validationTokens=two[1])),
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("fuzzed")
    (folder / "pods.sqlite3").write_bytes(_sqlite_template.read_bytes())
    made = desk_over(f"sqlite:///{folder}/pods.sqlite3", folder)
    yield made
    made.tools.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=POSTS)
def test_nothing_that_can_be_written_gets_in(fuzzed: Desk, body: bytes) -> None:
    assert fuzzed.post(body).status_code in (202, 400)
    assert fuzzed.facts() == fuzzed.before


# Genuine items in which anything but the proof is anything: stored or dropped, and never an error.
ODD = st.dictionaries(
    st.sampled_from(["changeType", "resourceData", "id", "lifecycleEvent", "tenantId", "encryptedContent"]),
    JSON | st.dictionaries(st.sampled_from(["id", "@odata.etag"]), st.text(), max_size=2),
    max_size=4,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=ODD)
def test_what_graph_may_write_one_day_never_breaks_us(fuzzed: Desk, changes: dict[str, object]) -> None:
    answer = fuzzed.post(collection(genuine(resourceData={"id": "e"}), genuine(**changes)))
    assert answer.status_code == 202
    with fuzzed.tools.database.transaction() as session:  # as it was before
        for row in session.scalars(select(Notification)).all():
            session.delete(row)
        for message in session.scalars(select(Message)).all():
            session.delete(message)
        kept = session.get_one(Subscription, fuzzed.subscription.id)
        kept.subscription_id, kept.last_notification_at, kept.renew_due_at = "subscription-1", None, None
    fuzzed.app.extensions["desk"]._speakers.forget()  # a removal may have been among them


def test_counts_of_two_processes_add_up(database: Database) -> None:
    from integration.clock import real_now
    from integration.webhooks import refusals

    for _ in range(2):
        with database.transaction() as session:
            refusals.count(session, {"unreadable post": 2, "unreadable item": 0}, now=real_now())
    with database.reading() as session:
        (row,) = refusals.all_counts(session)
    assert (row.reason, row.count) == ("unreadable post", 4)
