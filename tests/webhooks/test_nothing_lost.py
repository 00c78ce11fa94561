"""Nothing that was acknowledged is lost, and nothing is known twice, whoever dies meanwhile.

The sender does as Graph does: each POST is sent again until it is answered with 2xx. A fifth of the notifications
come twice, a tenth in another order.
"""

from __future__ import annotations

import json
import random
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from integration.config import Settings
from integration.outbox import Message, Task
from integration.tools import Tools
from integration.webhooks.jobs import heed_notifications
from integration.webhooks.models import MailboxSync, Notification, RefusedNotification
from tests.databases import make_tables
from tests.webhooks.conftest import ORGANIZER, SECRET, build_subscription
from tests.webhooks.real_web import RealWeb, own_postgres

PER_POST = 10
SENDERS = 4
GIVES_UP_AFTER_SECONDS = 240.0


@dataclass
class Sender:
    """Delivers everything, from several threads, and counts what was acknowledged."""

    url: str
    posts: list[bytes]
    acknowledged: int = 0
    repeated: int = 0
    failures: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, at: dict[int, Callable[[], None]]) -> None:
        """Send it all; when so many posts were acknowledged, do what stands at that number."""
        threads = [threading.Thread(target=self._send, daemon=True) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        ends_at = time.monotonic() + GIVES_UP_AFTER_SECONDS
        for number in sorted(at):
            while self.acknowledged < number and time.monotonic() < ends_at and not self.failures:
                time.sleep(0.002)
            at[number]()
        for thread in threads:
            thread.join(max(1.0, ends_at - time.monotonic()))

    def _send(self) -> None:
        with httpx.Client(base_url=self.url, timeout=10, trust_env=False) as client:
            while True:
                with self._lock:
                    if not self.posts:
                        return
                    body = self.posts.pop(0)
                self._until_acknowledged(client, body)

    def _until_acknowledged(self, client: httpx.Client, body: bytes) -> None:
        ends_at = time.monotonic() + GIVES_UP_AFTER_SECONDS
        while time.monotonic() < ends_at:
            try:
                status = client.post("/webhooks/graph", content=body).status_code
            except httpx.HTTPError:
                status = 0  # killed while it worked: nobody knows whether it was stored
            if status == 202:
                with self._lock:
                    self.acknowledged += 1
                return
            if status in (400, 404, 405, 413):
                self.failures.append(f"answered {status}")
                return
            with self._lock:
                self.repeated += 1
            time.sleep(0.05)
        self.failures.append("gave up")


def posts_of(count: int) -> tuple[list[bytes], set[str]]:
    """The deliveries, and the events that they tell of."""
    chance = random.Random(7)
    ids = [f"event-{number}" for number in range(count)]
    told = [*ids, *chance.sample(ids, count // 5)]
    for _ in range(len(told) // 10):
        a, b = chance.randrange(len(told)), chance.randrange(len(told))
        told[a], told[b] = told[b], told[a]
    items = [
        {
            "subscriptionId": "subscription-1",
            "clientState": SECRET,
            "changeType": "updated",
            "resourceData": {"id": each, "@odata.etag": 'W/"1"'},
        }
        for each in told
    ]
    bodies = [
        json.dumps({"value": items[start : start + PER_POST]}).encode() for start in range(0, len(items), PER_POST)
    ]
    return bodies, set(ids)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("count", "kills", "restarts"),
    [pytest.param(600, 2, 1, id="600"), pytest.param(10_000, 5, 2, id="10,000", marks=pytest.mark.soak)],
)
def test_every_change_is_known_once_whoever_dies(tmp_path: Path, count: int, kills: int, restarts: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the wheel
        with own_postgres() as server, (tmp_path / "web.log").open("wb") as log:
            make_tables(server.url)
            environ = {
                "DATA_DIR": str(tmp_path / "var"),
                "DATABASE_URL": server.url,
                "REDIS_URL": f"unix://{tmp_path}/nobody.sock",
                "GRAPH_BASE_URL": "http://127.0.0.1:9/v1.0",
                "ORGANIZER_MAILBOXES": ORGANIZER,
            }
            tools = Tools.from_settings(Settings.from_environment(environ))
            with tools.database.transaction() as session:
                session.add_all([MailboxSync(mailbox=ORGANIZER), build_subscription(tools)])
            web = RealWeb(environ, log)
            web.start()
            try:
                web.wait_until_it_listens()
                refused_an_endless_body(web)
                took_a_body_in_chunks(web)
                echoed_a_long_token(web)
                bodies, told = posts_of(count)
                sender = Sender(web.url, bodies)
                sender.run(accidents(web, server.restart, posts=len(bodies), kills=kills, restarts=restarts))
            finally:
                web.kill()
            assert (sender.failures, sender.posts, web.lives) == ([], [], kills + 1)
            assert sender.repeated  # somebody did die in the middle of something
            heed_notifications(tools, 1)
            with tools.database.reading() as session:
                known = list(session.scalars(select(Notification.resource_id)))
                refused = session.scalar(select(func.count()).select_from(RefusedNotification))
                sweeps = session.scalars(select(Message).where(Message.task == Task.MAILBOX_SWEEP)).all()
            assert (len(known), set(known), refused, len(sweeps)) == (count, told, 0, 1)
            tools.close()
    told_to_the_log = (tmp_path / "web.log").read_text(encoding="utf-8")
    for secret in (SECRET, ORGANIZER, "event-1"):
        assert secret not in told_to_the_log


def accidents(
    web: RealWeb, restart: Callable[[], None], *, posts: int, kills: int, restarts: int
) -> dict[int, Callable[[], None]]:
    """When so many posts were acknowledged: the receiver is killed, or its database is, in turn."""

    def kill() -> None:
        web.kill()
        web.start()

    kinds = [kill] * kills + [restart] * restarts
    random.Random(3).shuffle(kinds)
    step = posts // (len(kinds) + 1)
    return {step * (number + 1): what for number, what in enumerate(kinds)}


def refused_an_endless_body(web: RealWeb) -> None:
    """One that says its length, and one that does not."""
    big = b"x" * (4 * 1024 * 1024 + 1)
    for content in (big, iter([big[:1_000_000]] * 5)):
        with httpx.Client(trust_env=False, timeout=20) as client:
            try:
                status = client.post(f"{web.url}/webhooks/graph", content=content).status_code
            except httpx.WriteError:
                status = 413  # it hung up before all was sent
        assert status == 413


def took_a_body_in_chunks(web: RealWeb) -> None:
    answer = httpx.post(f"{web.url}/webhooks/graph", content=iter([b'{"value"', b": []}"]), trust_env=False)
    assert answer.status_code == 202


def echoed_a_long_token(web: RealWeb) -> None:
    for token in ("验" * 4096, "x" * 4096):
        answer = httpx.post(f"{web.url}/webhooks/graph", params={"validationToken": token}, trust_env=False)
        assert (answer.status_code, answer.text) == (200, token)
