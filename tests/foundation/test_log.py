"""Logs name events and ids; never a token, an address or the text of a mail."""

import io
import json

import pytest
import structlog

from integration import log

TOKEN = "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    log.configure(level="INFO", as_json=True)
    return stream


def test_secrets_and_addresses_are_hidden_whoever_logs_them(written: io.StringIO) -> None:
    logger = structlog.get_logger()
    logger.info("series pushed", series_id=7, access_token=TOKEN, mail="grace@example.com", body_html="<p>Hello</p>")
    logger.info("refused", reason=f"Bearer {TOKEN} for grace@example.com", subject="7")
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert (first["event"], first["series_id"]) == ("series pushed", 7)
    assert second["subject"] == "7"
    for secret in (TOKEN, "grace", "Hello"):
        assert secret not in written.getvalue()


def test_a_traceback_that_quotes_an_address_is_cleaned(written: io.StringIO) -> None:
    try:
        raise ValueError("no mailbox for grace@example.com")
    except ValueError:
        structlog.get_logger().exception("task broke")
    assert "ValueError" in written.getvalue()
    assert "grace@" not in written.getvalue()
