"""A tiny Graph over real HTTP that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "graph" / "samples"
TOKEN = "a-secret-token"
JSON = "application/json"


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    graph_base_url: str
    tenant_id: str | None = "contoso"
    client_id: str | None = "pods"
    client_secret: str | None = "secret"
    client_certificate_path: str | None = None
    graph_timeout_seconds: float = 5


class ScriptedGraph:
    """Answers by method and path; several answers are given in turn, the last one for good."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.tokens_given = 0
        self._script: list[tuple[str, re.Pattern[str], list[Reply]]] = []
        self._lock = threading.Lock()
        self.before_reply: Callable[[Asked], None] = lambda asked: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _door(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1.0"

    @property
    def settings(self) -> Settings:
        return Settings(self.base_url)

    def on(self, method: str, path: str, *replies: Reply) -> None:
        """``path`` is a regular expression for what follows /v1.0."""
        self._script.insert(0, (method, re.compile(f"^{path}$"), list(replies)))

    def requests(self, method: str, path: str) -> list[Asked]:
        wanted = re.compile(f"^{path}$")
        return [asked for asked in self.asked if asked.method == method and wanted.match(asked.path)]

    def answer(self, asked: Asked) -> Reply:
        if asked.path.endswith("/oauth2/v2.0/token"):
            with self._lock:
                self.tokens_given += 1
            return Reply(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN})
        with self._lock:
            self.asked.append(asked)
        self.before_reply(asked)
        with self._lock:
            return self._next(asked)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _next(self, asked: Asked) -> Reply:
        for method, path, replies in self._script:
            if method == asked.method and path.match(asked.path):
                return replies.pop(0) if len(replies) > 1 else replies[0]
        return Reply(418, {"error": {"code": "NotInTheScript", "message": asked.path}})


def sample(name: str) -> bytes:
    """A documented payload; the test is skipped where the collection of samples is missing."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("the documented samples are not on this machine")
    return path.read_bytes()


def _door(graph: ScriptedGraph) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            path = unquote(url.path).removeprefix("/v1.0")
            asked = Asked(self.command, path, parse_qs(url.query), headers, self.rfile.read(length))
            reply = graph.answer(asked)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            content = b"" if reply.body is None else body
            self.send_response(reply.status)
            for name, value in {"Content-Type": JSON, "request-id": "r-1", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Door
