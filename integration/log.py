"""Structured logs: an event's name and ids; never a token, an address or the text of a mail.

Domain words go into the event's name (``series pushed``), everything else into fields. Fields whose name could carry
a secret or personal text are replaced before anything is written, whoever passed them.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

SECRET_FIELD = re.compile(r"token|secret|password|authorization|client_state|cookie|body|content|address|mail$", re.I)
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
BEARER = re.compile(r"(Bearer\s+)\S+|eyJ[\w-]+\.[\w-]+\.[\w-]*", re.I)
HIDDEN = "[hidden]"


def configure(*, level: str = "INFO", as_json: bool = False) -> None:
    """Write every log line of this process to standard error, readable on a terminal or as JSON lines."""
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, hide_addresses, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    # Libraries log through the standard module: let their warnings through, and nothing that quotes requests.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for chatty in ("httpx", "httpcore", "azure", "rq", "msal", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.ERROR)


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the value of every field whose name says that it may hold a secret or personal text."""
    for name in event:
        if name != "event" and SECRET_FIELD.search(name):
            event[name] = HIDDEN
    return event


def hide_addresses(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace mail addresses and bearer tokens inside texts: errors of libraries like to quote them."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = BEARER.sub(HIDDEN, ADDRESS.sub(HIDDEN, value))
    return event


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    return structlog.get_logger(name)
