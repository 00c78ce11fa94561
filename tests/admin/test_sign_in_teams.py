"""Signing in inside Teams, with the token that Teams gets for whoever uses the tab."""

from __future__ import annotations

import httpx
import pytest

from integration.app import create_app
from integration.config import Settings
from tests.admin.sign_in import ADA

URI = "api://pods.example/learning-pods"
ORIGIN = "https://pods.example"


@pytest.fixture
def app(environ, simulator):
    ours = {"WEBHOOKS": "off", "APPLICATION_ID_URI": URI, "PUBLIC_URL": ORIGIN}
    app = create_app(Settings.from_environment(environ | simulator.settings | ours))
    yield app
    app.extensions["tools"].close()


@pytest.fixture
def ask(simulator):
    def ask(**wanted: object) -> str:
        sent = {"mail": ADA, "audience": URI} | wanted
        return httpx.post(f"{simulator.url}/control/teams-token", json=sent).json()["token"]

    return ask


def bring(app, token: object, origin: str = ORIGIN):
    browser = app.test_client()
    return browser, browser.post("/auth/teams", json={"token": token}, headers={"Origin": origin}, base_url=ORIGIN)


def test_adas_tab_opens_a_session_whose_cookie_works_in_a_frame_and_whose_pages_may_be_framed(app, ask):
    browser, answer = bring(app, ask())

    assert answer.status_code == 200
    cookie = answer.headers["Set-Cookie"]
    for part in ("SameSite=None", "Secure", "Partitioned", "HttpOnly", "__Host-pods="):
        assert part in cookie
    page = browser.get("/auth/sessions", base_url=ORIGIN)
    assert page.status_code == 200
    assert "frame-ancestors https://*.cloud.microsoft https://teams.microsoft.com" in _policy(page)


def test_pages_of_everybody_else_may_not_be_framed(app):
    assert "frame-ancestors 'none'" in _policy(app.test_client().get("/auth/sign-in", base_url=ORIGIN))
    assert "frame-ancestors https://" in _policy(app.test_client().get("/auth/teams", base_url=ORIGIN))


@pytest.mark.parametrize(
    "wanted",
    [
        {"audience": "api://another"},
        {"claims": {"tid": "11111111-1111-1111-1111-111111111111"}},
        {"claims": {"exp": 1_000_000_000}},
        {"claims": {"scp": None}},
        {"claims": {"iss": "https://sts.windows.net/another/"}},
    ],
    ids=str,
)
def test_a_token_for_another_purpose_opens_nothing(app, ask, wanted):
    _, answer = bring(app, ask(**wanted))
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (400, False)


def test_only_our_own_page_may_bring_a_token(app, ask):
    assert bring(app, ask(), "https://evil.example")[1].status_code == 403
    assert bring(app, "made up")[1].status_code == 400
    assert bring(app, 7)[1].status_code == 400


def test_microsofts_library_is_served_from_our_own_folder_once_it_is_there(app):
    browser, folder = app.test_client(), app.extensions["tools"].settings.data_dir / "teams"
    assert "is not complete yet" in browser.get("/auth/teams").text
    folder.mkdir()
    (folder / "MicrosoftTeams.min.js").write_text("var microsoftTeams = {};")
    assert "/static/teams.js" in browser.get("/auth/teams").text
    library = browser.get("/auth/teams/MicrosoftTeams.min.js")
    assert library.mimetype == "text/javascript"
    library.close()


def test_it_is_off_without_the_setting(site):
    assert site.browser().get("/auth/teams").status_code == 404
    assert site.browser().post("/auth/teams", json={}).status_code == 404


def _policy(page) -> str:
    return page.headers["Content-Security-Policy"]
