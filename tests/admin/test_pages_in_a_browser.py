"""The shell, Today, Health and the error pages in Chromium: axe, 390 px, a keyboard, no script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from sqlalchemy import select

from integration.admin import checkups
from integration.admin.models import AuditEntry, Checkup
from integration.admin.permissions import Role
from integration.admin.sessions import open_session
from integration.clock import real_now
from integration.outbox import Message, State
from integration.scheduling.models import Plan
from tests.admin.conftest import Site
from tests.admin.test_today import mail, move, parked, pod
from tests.browsers import faults, fits, keep

pytestmark = pytest.mark.browser
LONG_NAME = "Wilhelmina-Alexandrina Featherstonehaugh-Cholmondeley of Donaudampfschifffahrtsgesellschaft"
PATHS = (
    "/admin/",
    "/admin/health",
    "/admin/health/mails",
    "/admin/health/mails?state=returned",
    "/admin/health/messages/1/discard",
    "/admin/health/mails/1/release",
    "/admin/audit",
    "/style",
    "/style/confirm",
    "/nowhere",
    "/admin/health/messages/1/retry",  # 405
)


@pytest.fixture(params=["_sqlite_url"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from request.getfixturevalue(request.param)


@pytest.fixture
def busy(site: Site) -> Site:
    """A product in which something is wrong everywhere, with names that do not fit."""
    with site.tools.database.transaction() as session:
        series = pod(session, LONG_NAME)
        series.trouble = "Outlook shows 2 of 3 instances. Look at the organizer's calendar."
        move(series.occurrences[0], timedelta(days=1))
        move(series.occurrences[1], timedelta(days=-1))
        series.occurrences[1].attendance = "unknown"
        held = mail(session, "held")
        held.returned_at, held.to_name = real_now(), LONG_NAME
        now = real_now()
        entry = {"at": now, "action": "plan.apply", "thing": "plan", "reference": "ab12cd34ef"}
        session.add_all([held, parked(series), Plan(program=series.pod.program, made_at=now, content={})])
        session.add_all(
            AuditEntry(actor="ada@pods.example", before={"people": ["a", "b"]}, **entry) for _ in range(60)
        )
        session.add(
            Checkup(asked_at=now, asked_by="ada", ended_at=now, findings=[{"check": "queue", "remedy": "Away"}])
        )
    return site


def visit(chromium: Browser, site: Site, address: str, **options: object) -> BrowserContext:
    """A browser in which Ada, an administrator, is signed in."""
    with site.tools.database.transaction() as session:
        key = open_session(
            session, now=real_now(), mail="ada@pods.example", name=LONG_NAME, roles=[Role.ADMINISTRATOR]
        )
    context = chromium.new_context(**options)  # type: ignore[arg-type]
    context.add_cookies([{"name": site.app.config["SESSION_COOKIE_NAME"], "value": key, "url": address}])
    return context


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 390), ("light", 1280), ("dark", 1280)])
def test_every_page_is_accessible_and_fits(chromium: Browser, busy: Site, address: str, scheme: str, width: int):
    viewport = {"width": width, "height": 800}
    with visit(chromium, busy, address, color_scheme=scheme, viewport=viewport, bypass_csp=True) as context:
        page = context.new_page()
        for path in PATHS:
            page.goto(address + path)
            keep(page, f"{scheme}-{width}{path.replace('/', '-')}")
            assert faults(page) == [], path
            assert fits(page), path


def test_a_fresh_installation_and_the_landing_page_are_accessible(chromium: Browser, site: Site, address: str):
    with visit(chromium, site, address, viewport={"width": 390, "height": 800}, bypass_csp=True) as context:
        page = context.new_page()
        for path in ("/admin/", "/admin/health", "/admin/audit"):
            page.goto(address + path)
            assert (faults(page), fits(page)) == ([], True), path
        context.clear_cookies()
        page.goto(address)
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()
        assert (faults(page), fits(page)) == ([], True)


def test_nothing_on_the_pages_is_refused_by_their_own_policy(chromium: Browser, busy: Site, address: str):
    with visit(chromium, busy, address) as context:
        page = context.new_page()
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text))
        page.on("pageerror", lambda error: refused.append(str(error)))
        for path in PATHS:
            page.goto(address + path)
        assert [each for each in refused if "status of 40" not in each] == []


def test_a_keyboard_is_enough_to_try_a_message_again(chromium: Browser, busy: Site, address: str):
    with visit(chromium, busy, address) as context:
        page = context.new_page()
        page.goto(f"{address}/admin/health")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        for _ in range(40):
            if page.evaluate("document.activeElement.textContent").startswith("Try again"):
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("It is tried again now.")
    assert states(busy) == [State.WAITING]


def test_the_menu_and_every_action_work_without_a_script(chromium: Browser, busy: Site, address: str):
    viewport = {"width": 390, "height": 800}
    with visit(chromium, busy, address, java_script_enabled=False, viewport=viewport) as context:
        page = context.new_page()
        page.goto(f"{address}/admin/")
        page.get_by_text("Menu").click()
        page.get_by_role("link", name="Health").click()
        page.get_by_role("button", name="Check now").click()
        page.get_by_role("link", name="Look again").click()
        page.get_by_role("link", name="Give up").click()
        page.get_by_label("Why it is given up").fill("The pod is over")
        page.get_by_role("button", name="Give it up").click()
        expect(page.get_by_role("status")).to_have_text("The message was given up.")
    assert states(busy) == [State.DONE, State.WAITING]  # the one given up, and the check that was asked for


def test_a_check_shows_its_findings_as_they_come_and_then_asks_no_more(chromium: Browser, site: Site, address: str):
    with visit(chromium, site, address) as context:
        page = context.new_page()
        page.goto(f"{address}/admin/health")
        page.get_by_role("button", name="Check now").click()
        expect(page.get_by_text("no worker has begun yet")).to_be_visible()
        with site.tools.database.transaction() as session:  # as a worker does
            checkup_id = session.scalars(select(Checkup.id)).one()
            checkups.record_beginning(session, checkup_id, at=real_now())
            checkups.record_finding(session, checkup_id, check="reading mail of Ada", remedy="Grant Mail.Read.")
        expect(page.get_by_text("Grant Mail.Read.")).to_be_visible()
        with site.tools.database.transaction() as session:
            checkups.record_end(session, checkup_id, at=real_now())
        expect(page.get_by_text("1 check failed.")).to_be_visible()
        assert page.locator("[hx-get]").count() == 0


def states(site: Site) -> list[str]:
    with site.tools.database.reading() as session:
        return list(session.scalars(select(Message.state).order_by(Message.id)))
