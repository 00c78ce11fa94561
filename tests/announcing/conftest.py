from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import select

from integration.announcing import receivers
from integration.announcing.addresses import Reach
from integration.announcing.models import Announcement
from integration.clock import real_now
from integration.config import Settings
from integration.delivery import claim, deliver
from integration.jobs import HANDLERS
from integration.tools import Tools


@dataclass
class Post:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Stranger:
    """A server of somebody else; ``answers`` are the statuses of the next answers, 204 when there is none."""

    url: str
    posts: list[Post] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    found = Stranger("")

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.posts.append(Post(self.path, headers, self.rfile.read(length)))
            self.send_response(found.answers.pop(0) if found.answers else 204)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}/hooks?for=pods"
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True)
class Office:
    """Our side: receivers, and a worker whose patience is as short as it gets."""

    tools: Tools

    def add_receiver(self, url: str, *events: str) -> str:
        """Returns the secret that the receiver is given."""
        with self.tools.database.transaction() as session:
            _, secret = receivers.add_receiver(
                session,
                url,
                events,
                made_by="ada@pods.example",
                now=real_now(),
                reach=Reach(loopback=True),
                secret_key=self.tools.settings.secret_key,
            )
            return secret

    def work(self) -> int:
        """Do what is due now, once each; returns how many things that were."""
        claims = claim(self.tools.database, 50, lease=timedelta(seconds=30))
        for each in claims:
            deliver(self.tools, each, HANDLERS)
        return len(claims)

    def announcements(self) -> list[Announcement]:
        with self.tools.database.reading() as session:
            return list(session.scalars(select(Announcement).order_by(Announcement.id)))


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[Office]:
    tools = Tools.from_settings(
        Settings.from_environment(
            {
                "DATA_DIR": str(tmp_path),
                "DATABASE_URL": database_url,
                "REDIS_URL": f"unix://{tmp_path}/nobody.sock",
            }
        )
    )
    yield Office(tools)
    tools.close()
