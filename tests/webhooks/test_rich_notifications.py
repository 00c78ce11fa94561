"""Notifications with data: sealed by the documented scheme, proved by a token, opened by a worker, then deleted."""

from __future__ import annotations

import base64
import hmac
import os
from datetime import timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from integration.clock import real_now
from integration.graph.simulator.tenant.calls import JoinRequest
from integration.graph.simulator.tenant.tenant import Tenant
from integration.outbox import Task
from integration.scheduling.models import Occurrence
from integration.sealing import sealed
from integration.tools import Tools
from integration.webhooks import encryption
from integration.webhooks.encryption import Envelope, NotOpened, current_key, forget_old_keys, opened, private_key_of
from integration.webhooks.jobs import ensure_subscription, open_content
from integration.webhooks.models import CALL_EVENTS, EncryptedContent, EncryptionKey, Notification, Subscription
from integration.webhooks.models import RefusedNotification as Refused
from integration.webhooks.validation_tokens import NotTrusted, Validator
from tests.attendance.build import at, build_person, build_series
from tests.conftest import RunningSimulator
from tests.webhooks.conftest import begin, heeded
from tests.webhooks.test_subscriptions import eventually

OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)


def envelope(text: bytes, public: rsa.RSAPublicKey, *, symmetric: bytes = b"") -> Envelope:
    """As Microsoft says: AES-256-CBC with the key's first half as vector, HMAC over it, RSA around the key."""
    symmetric = symmetric or os.urandom(32)
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(symmetric), modes.CBC(symmetric[:16])).encryptor()
    data = encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()
    parts = (data, public.encrypt(symmetric, OAEP), hmac.digest(symmetric, data, "sha256"))
    return Envelope(*(base64.b64encode(part).decode() for part in parts))


@pytest.fixture(scope="module")
def private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@settings(max_examples=40, deadline=None)
@given(text=st.binary(max_size=400))
def test_what_graph_seals_is_opened(private: rsa.RSAPrivateKey, text: bytes) -> None:
    assert opened(envelope(text, private.public_key()), private) == text


@settings(max_examples=60, deadline=None)
@given(
    part=st.sampled_from(["data", "data_key", "data_signature"]), text=st.text(max_size=60) | st.binary(max_size=60)
)
def test_no_part_can_be_another(private: rsa.RSAPrivateKey, part: str, text: str | bytes) -> None:
    other = text if isinstance(text, str) else base64.b64encode(text).decode()
    parts = vars(envelope(b"{}", private.public_key())) | {part: other}
    with pytest.raises(NotOpened):
        opened(Envelope(**parts), private)


def test_a_changed_bit_is_found_before_anything_is_decrypted(private: rsa.RSAPrivateKey) -> None:
    whole = envelope(b'{"eventType": "callEnded"}', private.public_key())
    data = bytearray(base64.b64decode(whole.data))
    data[0] ^= 1
    with pytest.raises(NotOpened) as refused:
        opened(Envelope(base64.b64encode(data).decode(), whole.data_key, whole.data_signature), private)
    assert refused.value.reason == "broken signature"


def test_a_short_key_is_refused(private: rsa.RSAPrivateKey) -> None:
    with pytest.raises(NotOpened):
        opened(envelope(b"{}", private.public_key(), symmetric=os.urandom(16)), private)


def test_keys_are_sealed_and_rotated_with_overlap(tools: Tools) -> None:
    now = tools.clock.now()
    with tools.database.transaction() as session:
        first = current_key(session, tools.settings, now=now)
        assert current_key(session, tools.settings, now=now).id == first.id
        assert "PRIVATE" not in first.private_key
        read = x509.load_der_x509_certificate(base64.b64decode(first.certificate))
        assert read.not_valid_before_utc < real_now() < read.not_valid_after_utc
        later = now + encryption.IN_USE_FOR + timedelta(days=1)
        second = current_key(session, tools.settings, now=later)
        assert second.certificate_id != first.certificate_id
        old = private_key_of(first, tools.settings)
        public = read.public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        assert old
        assert opened(envelope(b"on its way", public), old) == b"on its way"
        row = Subscription(
            topic="x",
            kind=CALL_EVENTS,
            url="",
            lifecycle_url="",
            client_state="",
            certificate_id=first.certificate_id,
        )
        session.add(row)
        session.flush()
        forget_old_keys(session, now=later + timedelta(days=9))
        assert session.scalar(select(func.count()).select_from(EncryptionKey)) == 2  # one subscription still names it
        row.certificate_id = second.certificate_id
        session.flush()
        forget_old_keys(session, now=later + timedelta(days=9))
        assert list(session.scalars(select(EncryptionKey.id))) == [second.id]


class Watched:
    """A meeting of organizer One that we watch, and the people who meet in it."""

    def __init__(self, tools: Tools, tenant: Tenant, simulator: RunningSimulator) -> None:
        self.tools, self.tenant, self.simulator = tools, tenant, simulator
        self.organizer = tenant.organizers[0]
        self.meeting = tenant.teams.mint_meeting(
            self.organizer, subject="Pod 1", starts_at=at(0), ends_at=at(30), recurring=True
        )
        with tools.database.transaction() as session:
            series = build_series(
                session,
                [build_person(session, "Ada")],
                organizer=self.organizer.mail,
                organizer_id=self.organizer.id,
                join_urls=(self.meeting.join_url,),
            )
            self.occurrence_id = series.occurrences[0].id
            for occurrence in series.occurrences:
                occurrence.collect_due_at = None

    def subscribe(self, kind: str) -> Subscription:
        begin(self.tools)
        with self.tools.database.reading() as session:
            rows = session.scalars(select(Subscription).where(Subscription.kind == kind)).all()
        (row,) = [each for each in rows if kind != CALL_EVENTS or each.meeting_id is not None]
        ensure_subscription(self.tools, row.id)
        return row

    def meet(self) -> None:
        """Two people meet for the planned half hour."""
        people = [one for one in self.tenant.directory.people if one.kind == "person"][:2]
        for minute, step in ((0, self.tenant.teams.join), (31, self.tenant.teams.leave)):
            self.tenant.clock.move_to(at(minute))  # type: ignore[attr-defined]
            with self.tenant.lock:
                for one in people:
                    step(self.meeting, JoinRequest(at=at(minute), kind="member", person=one))
                self.tenant.teams.advance(self.tenant.clock.now())

    def step(self, what: str, *, person: int) -> None:
        """Somebody joins or leaves, now."""
        one = [each for each in self.tenant.directory.people if each.kind == "person"][person]
        step = self.tenant.teams.join if what == "join" else self.tenant.teams.leave
        with self.tenant.lock:
            step(self.meeting, JoinRequest(at=self.tenant.clock.now(), kind="member", person=one))

    def control(self, path: str, told: dict[str, object]) -> None:
        httpx.post(f"{self.simulator.url}/control/{path}", json=told, trust_env=False).raise_for_status()

    def due(self) -> object:
        with self.tools.database.reading() as session:
            return session.get_one(Occurrence, self.occurrence_id).collect_due_at

    def refused(self) -> dict[str, int]:
        with self.tools.database.reading() as session:
            return {row.reason: row.count for row in session.scalars(select(Refused))}

    def contents(self) -> list[EncryptedContent]:
        with self.tools.database.reading() as session:
            return list(session.scalars(select(EncryptedContent)))


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"CALL_EVENTS": "on", "CALL_RECORDS": "on"}


@pytest.fixture
def watched(tools: Tools, app: Flask, tenant: Tenant, simulator: RunningSimulator) -> Watched:
    return Watched(tools, tenant, simulator)


def test_the_end_of_a_call_has_the_reports_looked_for(watched: Watched, tools: Tools) -> None:
    watched.subscribe(CALL_EVENTS)
    watched.meet()
    assert eventually(lambda: len(heeded(tools, Task.NOTIFICATION_OPEN)) == 6)  # begun, four came or went, ended
    assert watched.due() is None
    for content in watched.contents():
        assert "callEnded" not in base64.b64decode(content.data).decode("latin-1")
        open_content(tools, content.notification_id)
        open_content(tools, content.notification_id)  # a second time there is nothing left
    assert watched.due() == tools.clock.now()
    assert (watched.contents(), watched.refused()) == ([], {})


WRONG = {
    "another publisher": {"claims": {"appid": "00000000-0000-0000-0000-000000000000"}},
    "no publisher": {"claims": {"appid": None}},
    "for another application": {"claims": {"aud": "another"}},
    "of another tenant": {"claims": {"tid": "9a9a9a9a-0000-0000-0000-000000000000"}},
    "by another issuer": {"claims": {"iss": "https://sts.example/"}},
    "expired": {"claims": {"exp": 1_000_000_000}},
    "without an end": {"claims": {"exp": None}},
    "not valid yet": {"claims": {"nbf": 4_000_000_000}},
    "unsigned": {"signature": "none"},
    "signed by a shared secret": {"signature": "HS256"},
    "signed by an unknown key": {"signature": "unknown"},
    "signed by a false key": {"signature": "forged"},
}


def test_what_no_true_token_proves_is_counted_and_thrown_away(watched: Watched, tools: Tools) -> None:
    watched.subscribe(CALL_EVENTS)
    watched.step("join", person=0)
    assert eventually(lambda: len(watched.contents()) == 2)  # begun, and who is in it
    for content in watched.contents():
        open_content(tools, content.notification_id)
    assert watched.refused() == {}
    for number, wrong in enumerate(WRONG.values()):
        watched.control("validation-tokens", {"times": 1, **wrong})
        watched.step("join" if number % 2 == 0 else "leave", person=1)
        assert eventually(lambda: len(watched.contents()) == 1)
        open_content(tools, watched.contents()[0].notification_id)
        assert watched.refused() == {"untrusted token": number + 1}, wrong
    watched.control("keys/rotate", {"drop_old": True})
    watched.step("join", person=1)
    assert eventually(lambda: len(watched.contents()) == 1)
    open_content(tools, watched.contents()[0].notification_id)  # another key signs now, and is fetched
    assert watched.refused() == {"untrusted token": len(WRONG)}
    assert (watched.contents(), watched.due()) == ([], None)


def test_the_issuer_is_the_one_that_the_authority_of_our_cloud_names(watched: Watched, tools: Tools) -> None:
    public = f"https://sts.windows.net/{tools.settings.tenant_id}/"
    watched.control("switches", {"validation_token_issuer": "own"})  # as a national cloud, which has one of its own
    watched.subscribe(CALL_EVENTS)
    watched.step("join", person=0)
    assert eventually(lambda: len(watched.contents()) == 2)
    validator = Validator(tools.settings)
    for content in watched.contents():
        validator.check(content.tokens, tenant_id=content.tenant_id)
        open_content(tools, content.notification_id)
    watched.control("validation-tokens", {"times": 1, "claims": {"iss": public}})
    watched.step("join", person=1)
    assert eventually(lambda: len(watched.contents()) == 1)
    (content,) = watched.contents()
    with pytest.raises(NotTrusted, match="iss"):
        validator.check(content.tokens, tenant_id=content.tenant_id)


def test_content_that_was_not_sealed_for_us_is_counted(watched: Watched, tools: Tools) -> None:
    row = watched.subscribe(CALL_EVENTS)
    with tools.database.transaction() as session:
        notification = Notification(
            dedupe_key="x",
            subscription_id=row.id,
            kind="change",
            change_type="updated",
            received_at=tools.clock.now(),
        )
        session.add(notification)
        session.flush()
        session.add(
            EncryptedContent(
                notification_id=notification.id,
                data="AAAA",
                data_key="AAAA",
                data_signature="AAAA",
                certificate_id="nobody's",
                tenant_id=tools.settings.tenant_id,
                tokens=[],
            )
        )
        number = notification.id
    open_content(tools, number)
    assert watched.refused() == {"no validation token": 1}
    assert watched.contents() == []


def test_our_private_key_is_not_in_a_copy_of_the_database(tools: Tools) -> None:
    with tools.database.transaction() as session:
        key = current_key(session, tools.settings, now=tools.clock.now())
        key.private_key = sealed("x", purpose=encryption.PURPOSE, secret_key="another key than before")
        assert private_key_of(key, tools.settings) is None
        assert current_key(session, tools.settings, now=tools.clock.now()).certificate_id != key.certificate_id
