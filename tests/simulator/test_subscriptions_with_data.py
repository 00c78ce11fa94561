"""Notifications with resource data: encrypted for the receiver's certificate, and signed for by their publisher."""

from datetime import datetime, timedelta

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from integration.graph.simulator.tenant.sealing import recipient, seal

from .certificates import Certificate, make_certificate
from .contract import load_contract, violations
from .receiver import Receiver

EVENT = {
    "subject": "Pod",
    "start": {"dateTime": "2026-03-04T10:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-03-04T11:00:00", "timeZone": "UTC"},
}
SELECT = "$select=id,subject,start,isCancelled,createdDateTime"


@pytest.fixture(scope="module")
def spring() -> Certificate:
    return make_certificate("spring")


@pytest.fixture(scope="module")
def autumn() -> Certificate:
    return make_certificate("autumn")


@pytest.fixture
def wish(simulator, receiver, spring) -> dict:
    """Changes to the calendar of organizer One, with data, for a day."""
    return {
        "changeType": "created,updated,deleted",
        "notificationUrl": f"{receiver.url}/graph",
        "resource": f"/users/{simulator.tenant.organizers[0].id}/events?{SELECT}",
        "expirationDateTime": (simulator.tenant.clock.now() + timedelta(days=1)).isoformat(),
        "clientState": "between us",
        **spring.sent,
    }


@pytest.fixture
def events(simulator, control) -> str:
    control.post("/switches", json={"updates_after_create": 0}).raise_for_status()
    return f"/users/{simulator.tenant.organizers[0].id}/events"


def subscribe(graph: httpx.Client, wish: dict) -> dict:
    answer = graph.post("/subscriptions", json=wish)
    assert answer.status_code == 201, answer.text
    return answer.json()


def claims(simulator, receiver: Receiver, *, post: int = -1) -> dict:
    """Of the token of a POST, by the keys the tenant publishes at the common address."""
    (token,) = receiver.posts[post][1]["validationTokens"]
    told = httpx.get(f"{simulator.url}/common/.well-known/openid-configuration").json()
    keys = KeySet.import_key_set(httpx.get(told["jwks_uri"]).json())
    return jwt.decode(token, keys, algorithms=["RS256"]).claims


def test_the_selected_properties_come_encrypted_each_time_by_another_key(graph, receiver, spring, wish, events):
    subscribe(graph, wish)
    made = graph.post(events, json=EVENT).json()
    (item,) = receiver.wait_for(1)
    told = spring.open(item["encryptedContent"])
    assert told == {
        "id": made["id"],
        "subject": "Pod",
        "start": made["start"],
        "isCancelled": False,
        "createdDateTime@odata.type": "#DateTimeOffset",
        "createdDateTime": made["createdDateTime"],
    }
    graph.patch(f"{events}/{made['id']}", json={"subject": "Pod 2"})
    (_, second) = receiver.wait_for(2)
    assert spring.open(second["encryptedContent"])["subject"] == "Pod 2"
    assert second["encryptedContent"]["dataKey"] != item["encryptedContent"]["dataKey"]
    assert load_contract().check_notification(receiver.posts[0][1]) == []


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=200) | st.integers() | st.none(), max_size=5))
@settings(max_examples=30, deadline=None)
def test_whatever_is_sealed_can_be_opened(spring, content):
    to = recipient(spring.sent["encryptionCertificate"], spring.id)
    assert spring.open(seal(content, to)) == content


def test_what_was_deleted_brings_no_data(graph, receiver, wish, events):
    made = graph.post(events, json=EVENT).json()
    subscribe(graph, wish)
    graph.delete(f"{events}/{made['id']}")
    (item,) = receiver.wait_for(1)
    assert (item["changeType"], "encryptedContent" in item) == ("deleted", False)
    assert "validationTokens" not in receiver.posts[0][1]


def test_mail_comes_with_data_too(graph, simulator, receiver, spring, wish):
    organizer = simulator.tenant.organizers[0]
    inbox = f"/users/{organizer.id}/mailFolders('inbox')/messages?$select=Subject,from,receivedDateTime"
    subscribe(graph, {**wish, "resource": inbox})
    ada = next(one for one in simulator.tenant.directory.people if one.kind == "person")
    with simulator.tenant.lock:
        simulator.tenant.mailboxes.deliver(organizer.mail, sender=ada, subject="Hello", body_html="", kind="mail")
    (item,) = receiver.wait_for(1)
    told = spring.open(item["encryptedContent"])
    assert (told["subject"], told["from"]["emailAddress"]["address"]) == ("Hello", ada.mail)


def test_the_publisher_proves_itself(graph, simulator, receiver, wish, events):
    subscribe(graph, wish)
    graph.post(events, json=EVENT)
    receiver.wait_for(1)
    told = claims(simulator, receiver)
    tenant = simulator.tenant
    assert {name: told[name] for name in ("aud", "iss", "appid", "tid", "ver")} == {
        "aud": tenant.app.id,
        "iss": f"https://sts.windows.net/{tenant.id}/",
        "appid": "0bf30f3b-4a52-48df-9a82-234910c4a086",
        "tid": tenant.id,
        "ver": "1.0",
    }
    discovery = httpx.get(f"{simulator.url}/common/.well-known/openid-configuration").json()
    assert discovery["issuer"] == "https://sts.windows.net/{tenantid}/"


def test_the_issuer_can_be_this_server_and_tokens_can_be_withheld(graph, control, simulator, receiver, wish, events):
    subscribe(graph, wish)
    control.post("/switches", json={"validation_token_issuer": "own"}).raise_for_status()
    graph.post(events, json=EVENT)
    receiver.wait_for(1)
    assert claims(simulator, receiver)["iss"] == f"{simulator.url}/{simulator.tenant.id}/"
    control.post("/switches", json={"validation_tokens": "null"}).raise_for_status()
    graph.post(events, json=EVENT)
    receiver.wait_for(2)
    assert receiver.posts[1][1]["validationTokens"] is None


def test_keys_rotate_and_tokens_can_be_wrong(graph, control, simulator, receiver, wish, events):
    subscribe(graph, wish)
    graph.post(events, json=EVENT)
    receiver.wait_for(1)
    control.post("/keys/rotate", json={"drop_old": True}).raise_for_status()
    with pytest.raises(JoseError):
        claims(simulator, receiver)
    graph.post(events, json=EVENT)
    receiver.wait_for(2)
    assert claims(simulator, receiver)["tid"] == simulator.tenant.id
    control.post("/validation-tokens", json={"signature": "forged"}).raise_for_status()
    control.post("/validation-tokens", json={"claims": {"appid": "somebody else"}}).raise_for_status()
    graph.post(events, json=EVENT)
    receiver.wait_for(3)
    with pytest.raises(JoseError):
        claims(simulator, receiver)
    graph.post(events, json=EVENT)
    receiver.wait_for(4)
    assert claims(simulator, receiver)["appid"] == "somebody else"


def test_a_renewal_may_bring_another_certificate(graph, receiver, autumn, wish, events):
    made = subscribe(graph, wish)
    changed = graph.patch(f"/subscriptions/{made['id']}", json=autumn.rotation)
    assert changed.json()["encryptionCertificateId"] == "autumn"
    graph.post(events, json=EVENT)
    (item,) = receiver.wait_for(1)
    assert autumn.open(item["encryptedContent"])["subject"] == "Pod"
    without = {"encryptionCertificateId": "only the id"}
    assert graph.patch(f"/subscriptions/{made['id']}", json=without).status_code == 400


def test_what_data_cannot_be_asked_for_is_refused(graph, simulator, receiver, wish, events):
    now = simulator.tenant.clock.now()
    refused = [
        {"resource": events},
        {"resource": f"{events}?$select=subject,body"},
        {"resource": f"{events}?{SELECT}&$top=5"},
        {"resource": f"{events}?$select=subjekt"},
        {"encryptionCertificate": "no certificate"},
        {"encryptionCertificateId": ""},
        {"encryptionCertificate": make_certificate("small", bits=1024).sent["encryptionCertificate"]},
        {"expirationDateTime": (now + timedelta(minutes=1441)).isoformat()},
    ]
    assert [graph.post("/subscriptions", json={**wish, **one}).status_code for one in refused] == [400] * len(refused)
    assert receiver.tokens == []
    granted = graph.post("/subscriptions", json=wish)
    assert datetime.fromisoformat(granted.json()["expirationDateTime"]) == now + timedelta(days=1)
    assert violations(load_contract(), granted) == []
