"""The web application with nothing around it: Graph, Redis and the sign-in are out of reach."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from integration.app import create_app
from integration.config import Settings
from integration.errors import Conflict
from integration.outbox import Task, add


@pytest.fixture
def app(sqlite_database_url: str, tmp_path: Path) -> Iterator[Flask]:
    environ = {
        "DATA_DIR": str(tmp_path / "var"),
        "DATABASE_URL": sqlite_database_url,
        "GRAPH_BASE_URL": "http://127.0.0.1:9/v1.0",
        "TENANT_ID": "contoso",
        "CLIENT_ID": "pods",
        "ORGANIZER_MAILBOXES": "pods@contoso.example",
        "OIDC_ISSUER": "http://127.0.0.1:9/contoso",
        "PUBLIC_URL": "https://pods.example.com",
    }
    made = create_app(Settings.from_environment(environ))

    @made.get("/full")
    def full() -> str:
        raise Conflict("The pod is full.", remedy="Choose another one.")

    @made.get("/broken")
    def broken() -> str:
        raise KeyError("grace@example.com")

    @made.get("/api/broken")
    def broken_api() -> str:
        raise KeyError("grace@example.com")

    yield made
    made.extensions["tools"].close()


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return app.test_client()


def test_it_lives_although_nothing_else_does_and_says_what_is_missing(browser: FlaskClient) -> None:
    assert browser.get("/healthz").status_code == 200
    answer = browser.get("/readyz")
    assert answer.status_code == 503
    assert set(answer.get_json()["reasons"]) == {"queue", "graph", "sign-in"}


def test_each_page_is_protected(browser: FlaskClient) -> None:
    for path in ("/", "/nowhere", "/full", "/healthz", "/static/pods.css"):
        with browser.get(path) as answer:
            headers = answer.headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Strict-Transport-Security"]


def test_pages_need_nothing_inline_and_nothing_from_elsewhere(browser: FlaskClient) -> None:
    for path in ("/", "/nowhere"):
        page = browser.get(path).text
        assert "<style" not in page
        assert "style=" not in page
        assert "<script" not in page
        assert "//" not in page.replace("http://www.w3.org", "")


def test_an_error_that_a_user_can_mend_says_how(browser: FlaskClient) -> None:
    answer = browser.get("/full")
    assert answer.status_code == 409
    assert "The pod is full." in answer.text
    assert "Choose another one." in answer.text


def test_an_error_of_ours_has_a_reference_and_shows_nothing_else(browser: FlaskClient) -> None:
    answer = browser.get("/broken")
    assert answer.status_code == 500
    assert "reference <code>" in answer.text
    assert "grace" not in answer.text
    problem = browser.get("/api/broken")
    assert problem.content_type == "application/problem+json"
    assert len(problem.get_json()["reference"]) == 10
    assert "grace" not in problem.text


def test_the_outbox_can_be_watched(app: Flask, browser: FlaskClient) -> None:
    with app.extensions["tools"].database.transaction() as session:
        add(session, Task.SERIES_PUSH, 7)
    figures = browser.get("/metrics").text
    assert 'pods_outbox_messages{state="waiting",task="series.push"} 1.0' in figures
    assert "pods_doorbell_reached 0.0" in figures
