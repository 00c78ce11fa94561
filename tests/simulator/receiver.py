"""A webhook receiver on this machine, for the tests of what the tenant delivers."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Receiver:
    """Echoes validation tokens and keeps what it is sent. `statuses` are answered first, one per POST; then 202.

    An answer takes `seconds`.
    """

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict]] = []
        self.statuses: list[int] = []
        self.tokens: list[str] = []
        self.seconds = 0.0
        self.echo = "{}"
        self.content_type = "text/plain"
        receiver = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Tests print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, asked: BaseHTTPRequestHandler) -> None:
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        parts = urlsplit(asked.path)
        token = parse_qs(parts.query).get("validationToken")
        if token:
            self.tokens.append(token[0])
            self._respond(asked, 200, self.echo.format(token[0]).encode(), self.content_type)
            return
        status = self.statuses.pop(0) if self.statuses else 202
        self.posts.append((parts.path, json.loads(body)))
        time.sleep(self.seconds)
        self._respond(asked, status, b"", "text/plain")

    def _respond(self, asked: BaseHTTPRequestHandler, status: int, body: bytes, content_type: str) -> None:
        asked.send_response(status)
        asked.send_header("Content-Type", content_type)
        asked.send_header("Content-Length", str(len(body)))
        asked.end_headers()
        asked.wfile.write(body)

    @property
    def items(self) -> list[dict]:
        return [item for _, body in self.posts for item in body["value"]]

    def wait_for(self, posts: int, *, seconds: float = 5.0) -> list[dict]:
        """The items, as soon as so many POSTs have come."""
        until = time.monotonic() + seconds
        while len(self.posts) < posts and time.monotonic() < until:
            time.sleep(0.01)
        assert len(self.posts) == posts, f"{len(self.posts)} POSTs came, not {posts}"
        return self.items

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
