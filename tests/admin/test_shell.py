from __future__ import annotations

from contextlib import closing

import pytest
from flask import abort

from integration.admin.door import public
from integration.admin.permissions import Role
from integration.app import create_app
from integration.config import Settings
from tests.admin.conftest import Site


@pytest.fixture
def broken(site: Site) -> Site:
    """The same site with a page that ends in whatever status its address says."""

    @site.app.get("/ends/<int:status>")
    @public
    def end(status: int) -> str:
        if status == 500:
            raise KeyError("grace@pods.example")
        abort(status)

    return site


def test_whoever_signed_in_begins_at_the_first_page_of_their_strongest_role(site: Site):
    assert site.browser("ada@pods.example", Role.ADMINISTRATOR).get("/").location == "/admin/"
    assert site.browser("ada@pods.example", Role.COORDINATOR, Role.LEADER).get("/").location == "/admin/"
    leaders = address_of(site, "summary.index") or address_of(site, "portal.my_pods")
    assert site.browser("alan@pods.example", Role.LEADER).get("/").location == leaders
    assert address_of(site, "portal.my_pods") == site.browser("linus@pods.example").get("/").location


def test_nobody_is_told_what_this_is_and_where_to_sign_in(site: Site):
    page = site.browser().get("/").text

    assert 'href="/auth/sign-in"' in page
    assert "<script" not in page  # what is not signed in needs none


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 429, 500, 503])
def test_each_error_has_a_reference_and_a_next_step_and_tells_nothing_else(broken: Site, status: int):
    answer = broken.browser("ada@pods.example", Role.COORDINATOR).get(f"/ends/{status}")

    assert answer.status_code == status
    assert answer.text.count("<code>") == 1
    assert 'class="button" href="/"' in answer.text
    assert ("Try again" in answer.text) is (status in (429, 500, 503))
    assert "grace@" not in answer.text


def test_the_bar_shows_the_pages_of_the_visitors_role_and_where_they_are(site: Site):
    coordinator = site.browser("grace@pods.example", Role.COORDINATOR).get("/admin/").text
    administrator = site.browser("ada@pods.example", Role.ADMINISTRATOR).get("/admin/health").text

    assert '<a href="/admin/" aria-current="page">Today</a>' in coordinator
    assert "/admin/audit" not in coordinator
    assert '<a href="/admin/health" aria-current="page">Health</a>' in administrator
    assert "/admin/audit" in administrator


def test_pages_hold_no_script_and_no_style_of_their_own(site: Site):
    browser = site.browser("ada@pods.example", Role.ADMINISTRATOR)
    for path in ("/admin/", "/admin/health", "/admin/health/mails", "/admin/audit", "/style", "/style/confirm"):
        page = browser.get(path).text
        for forbidden in (" style=", " onclick=", "<style", "javascript:", "<script>"):
            assert forbidden not in page, (path, forbidden)


def test_the_style_page_is_there_only_where_the_product_runs_at_home(environ: dict[str, str], site: Site):
    settings = Settings.from_environment({**environ, "PUBLIC_URL": "http://pods.example.com"})
    with closing(create_app(settings).extensions["tools"]) as tools:
        site.app.extensions["tools"], home = tools, site.app.extensions["tools"]
        assert site.browser("ada@pods.example").get("/style").status_code == 404
        site.app.extensions["tools"] = home
    assert site.browser("ada@pods.example").get("/style").status_code == 200


def test_a_name_that_is_a_script_is_shown_and_not_run(site: Site):
    mallory = site.browser("mallory@pods.example", Role.COORDINATOR, name="<script>alert(1)</script>")
    page = mallory.get("/admin/").text

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def address_of(site: Site, endpoint: str) -> str | None:
    return next((each.rule for each in site.app.url_map.iter_rules() if each.endpoint == endpoint), None)


def test_without_the_database_pages_say_so_and_nobody_is_signed_out(environ: dict[str, str]):
    settings = Settings.from_environment({**environ, "DATABASE_URL": "postgresql+psycopg://ada@127.0.0.1:9/gone"})
    app = create_app(settings)
    browser = app.test_client()
    browser.set_cookie(app.config["SESSION_COOKIE_NAME"], "whoever")

    assert browser.get("/healthz").status_code == 200
    answer = browser.get("/admin/")
    assert (answer.status_code, "Try again" in answer.text) == (503, True)
    assert browser.get_cookie(app.config["SESSION_COOKIE_NAME"]) is not None
    app.extensions["tools"].close()
