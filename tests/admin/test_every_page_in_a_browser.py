"""Every page in Chromium, as each who may see it: axe finds nothing, it fits, a keyboard is enough, German too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import update

from integration.admin.door import rule_of
from integration.admin.permissions import Permission
from integration.people.models import Person
from tests.admin.conftest import Site
from tests.admin.test_every_route import MADE_UP, NO_COOKIE_NEEDED, verdict
from tests.admin.world import (
    ADMINISTRATOR,
    COORDINATOR,
    EMPLOYEE,
    LEADER,
    Visits,
    address_of,
    build_belongings,
    build_world,
    routes,
)
from tests.browsers import faults, fits, keep

pytestmark = pytest.mark.browser
NOT_PAGES = (".js", "/teams", "/metrics", "/healthz", "/readyz", ".csv", ".json", ".ics", "/start", "/callback")
LOOKS = [
    ("light", 1280),
    ("dark", 390),
    pytest.param("light", 390, marks=pytest.mark.soak),
    pytest.param("dark", 1280, marks=pytest.mark.soak),
]
SOMEBODY = (ADMINISTRATOR, COORDINATOR, LEADER, EMPLOYEE)


@pytest.fixture(params=["_sqlite_url"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from request.getfixturevalue(request.param)


@pytest.fixture
def parts(site: Site) -> dict[str, object]:
    with site.tools.database.transaction() as session:
        return build_world(session) | build_belongings(session, ADMINISTRATOR) | MADE_UP


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
@pytest.mark.parametrize("who", SOMEBODY, ids=lambda each: each.name)
def test_each_page_is_accessible_and_fits(chromium, site: Site, address: str, parts, who: Visits, scheme, width):
    found = {}
    with visiting(chromium, site, address, who, color_scheme=scheme, width=width) as page:
        for path in pages(site, parts, who):
            page.goto(address + path)
            keep(page, f"{who.name}-{scheme}-{width}-{path.strip('/').replace('/', '-') or 'home'}")
            found[path] = complaints(page)
    assert {path: words for path, words in found.items() if words} == {}


def test_each_page_speaks_german_to_a_german(chromium, site: Site, address: str, parts):
    with site.tools.database.transaction() as session:
        session.execute(update(Person).values(language="de-CH"))
    with visiting(chromium, site, address, ADMINISTRATOR) as page:
        for path in pages(site, parts, ADMINISTRATOR):
            page.goto(address + path)
            assert page.locator("html").get_attribute("lang") == "de", path
            assert page.get_by_role("button", name="Abmelden").count() >= 1, path
            keep(page, f"german-{path.strip('/').replace('/', '-') or 'home'}")


def test_each_page_works_without_javascript(chromium, site: Site, address: str, parts):
    seen = set()
    with visiting(chromium, site, address, ADMINISTRATOR, javascript=False) as page:
        for path in pages(site, parts, ADMINISTRATOR):
            answer = page.goto(address + path)
            assert answer is not None
            assert answer.status in (200, 409), path  # 409: the page says why this cannot be done now
            seen.add(page.locator("h1").first.inner_text())
    assert len(seen) > 5


def test_every_link_and_button_is_reached_by_the_keyboard_alone(chromium, site: Site, address: str, parts):
    with visiting(chromium, site, address, ADMINISTRATOR) as page:
        for path in pages(site, parts, ADMINISTRATOR):
            page.goto(address + path)
            wanted = page.evaluate(COUNT_OF_WHAT_CAN_BE_USED)
            reached = set()
            for _ in range(wanted + 5):
                page.keyboard.press("Tab")
                reached.add(page.evaluate(NAME_OF_WHAT_HAS_THE_FOCUS))
            assert len(reached - {-1}) == wanted, path


@contextmanager
def visiting(
    chromium: Browser,
    site: Site,
    address: str,
    who: Visits,
    *,
    color_scheme: str = "light",
    width: int = 1280,
    javascript: bool = True,
) -> Iterator[Page]:
    context: BrowserContext = chromium.new_context(
        color_scheme=color_scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 800},
        java_script_enabled=javascript,
        bypass_csp=True,  # for axe, which is injected; that nothing breaks under the policy is seen elsewhere
    )
    name = site.app.config["SESSION_COOKIE_NAME"]
    cookie = site.browser(who.mail, *who.roles, name=who.name.title()).get_cookie(name)
    assert cookie is not None
    context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
    yield context.new_page()
    context.close()


def pages(site: Site, parts: dict[str, object], who: Visits) -> list[str]:
    """The addresses of every page that somebody may see."""
    found, browser = [], site.browser(who.mail, *who.roles)
    for route in routes(site.app):
        rule = rule_of(site.app, route.endpoint)
        assert rule is not None
        if route.endpoint.partition(".")[0] in NO_COOKIE_NEEDED or any(each in route.rule for each in NOT_PAGES):
            continue
        if rule.permission is None or verdict(who, Permission(rule.permission), about=rule.about) == "let in":
            path = address_of(site.app, route, parts)
            if browser.get(path, follow_redirects=True).data.lstrip().startswith(b"<!doctype"):  # else a part of one
                found.append(path)
    return found


def complaints(page: Page) -> list[str]:
    return faults(page) + ([] if fits(page) else ["wider than the window"])


COUNT_OF_WHAT_CAN_BE_USED = """() => {
  const radios = new Set();
  const found = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter(each => !each.disabled && each.type !== "hidden" && each.checkVisibility())
    .filter(each => each.type !== "radio" || !radios.has(each.name) && radios.add(each.name));
  found.forEach((each, number) => each.dataset.number = number);
  return found.length;
}"""
NAME_OF_WHAT_HAS_THE_FOCUS = """() => Number(document.activeElement.dataset.number ?? -1)"""
