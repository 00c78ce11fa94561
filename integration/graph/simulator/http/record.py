"""A record of the exchanges with Graph: one JSON line each, readable by the contract checker."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path


class Recorder:
    """Appends `{method, url, request_headers, request_body, status, response_headers, response_body}` lines."""

    def __init__(self, file: Path) -> None:
        self._stream = file.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def record(
        self,
        *,
        method: str,
        url: str,
        request_headers: Mapping[str, str],
        request_body: bytes,
        status: int,
        response_headers: Mapping[str, str],
        response_body: bytes,
    ) -> None:
        shown = {
            name: "Bearer ..." if name.lower() == "authorization" else value
            for name, value in request_headers.items()
        }
        line = {
            "method": method,
            "url": url,
            "request_headers": shown,
            "request_body": _readable(request_body),
            "status": status,
            "response_headers": dict(response_headers),
            "response_body": _readable(response_body),
        }
        with self._lock:
            self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._stream.flush()

    def close(self) -> None:
        with self._lock:
            self._stream.close()


def _readable(raw: bytes) -> object:
    if not raw:
        return None
    text = raw.decode("utf-8", errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
