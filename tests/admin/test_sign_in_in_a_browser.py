"""Signing in with Chromium, which keeps to cookies, redirects and policies as a test client does not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cheroot.wsgi import Server
from flask import Flask
from playwright.sync_api import Page

from integration.app import create_app
from integration.config import Settings
from tests.admin.sign_in import ADA
from tests.browsers import faults, fits, follow, keep

pytestmark = pytest.mark.browser
URI = "api://pods.example/learning-pods"
# What a tab uses of Microsoft's library, with a token that the simulator signed.
LIBRARY = """var microsoftTeams = {{ app: {{ initialize: async () => {{}}, notifySuccess: () => {{}} }},
  authentication: {{ getAuthToken: async () => "{token}" }} }};"""


@dataclass(frozen=True)
class Served:
    """The product on a port of its own, which its PUBLIC_URL names."""

    app: Flask
    url: str


@pytest.fixture(params=["_sqlite_url"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from request.getfixturevalue(request.param)


@pytest.fixture
def served(environ: dict[str, str], simulator) -> Iterator[Served]:
    server = Server(("127.0.0.1", 0), None)
    server.prepare()
    url = f"http://127.0.0.1:{server.bind_addr[1]}"
    ours = {"WEBHOOKS": "off", "PUBLIC_URL": url, "APPLICATION_ID_URI": URI}
    app = create_app(Settings.from_environment(environ | simulator.settings | ours))
    server.wsgi_app = app
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield Served(app, url)
    server.stop()
    thread.join()
    app.extensions["tools"].close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_ada_walks_from_our_page_to_the_issuer_and_back_and_out_of_both(served, chromium, simulator, scheme, width):
    page = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}).new_page()

    page.goto(f"{served.url}/auth/sessions")
    look_at(page, f"sign-in-{scheme}")
    page.get_by_role("link", name="Sign in with Microsoft").click()
    page.get_by_label("Name or address").fill("keller")
    follow(page, page.get_by_role("button", name="Search"))
    look_at(page, f"issuer-{scheme}")
    page.get_by_role("link", name="Ada Keller").click()

    page.wait_for_url(f"{served.url}/auth/sessions")
    look_at(page, f"sessions-{scheme}")
    page.get_by_role("button", name="Sign out here").click()
    page.wait_for_url(f"{served.url}/auth/signed-out")
    look_at(page, f"signed-out-{scheme}")
    page.goto(f"{served.url}/auth/sessions")
    assert "/auth/sign-in" in page.url


def test_signing_out_by_the_button_of_the_bar_ends_the_session_at_the_issuer_too(served, chromium, simulator):
    page = chromium.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"{served.url}/auth/start?next=/auth/sessions")
    page.get_by_role("link", name="Ada Keller").click()

    page.locator("form[action='/auth/sign-out'] button:visible").first.click()

    page.wait_for_url(f"{served.url}/auth/signed-out")
    assert httpx.get(f"{simulator.url}/control/sign-in").json()["signed_out"] == 1


def test_the_refusal_of_a_sign_in_can_be_read_by_everybody(served, chromium, simulator):
    fault = {"error": "access_denied", "error_description": "AADSTS50105: not assigned"}
    httpx.post(f"{simulator.url}/control/sign-in/faults", json=fault)
    page = chromium.new_context(viewport={"width": 390, "height": 800}).new_page()
    page.goto(f"{served.url}/auth/start")
    follow(page, page.get_by_role("link", name="Ada Keller"))

    assert "has not been given access" in page.inner_text("main")
    look_at(page, "refused")


def test_a_tab_hands_over_the_token_of_teams_and_goes_on_to_the_page(served, chromium, simulator):
    token = httpx.post(f"{simulator.url}/control/teams-token", json={"mail": ADA, "audience": URI}).json()["token"]
    folder = Path(served.app.extensions["tools"].settings.data_dir) / "teams"
    folder.mkdir()
    (folder / "MicrosoftTeams.min.js").write_text(LIBRARY.format(token=token))
    page = chromium.new_context(viewport={"width": 1280, "height": 800}).new_page()

    page.goto(f"{served.url}/auth/teams?next=/auth/sessions")

    page.wait_for_url(f"{served.url}/auth/sessions")
    assert "Ada Keller" in page.inner_text("main")


def look_at(page: Page, name: str) -> None:
    """Nothing that axe finds, and nothing beside the edge of the window."""
    assert faults(page) == []
    assert fits(page)
    keep(page, name)
