"""What Health, /metrics and the check say of change notifications."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from integration.admin.permissions import Role
from integration.app import create_app
from integration.clock import real_now
from integration.config import Settings
from integration.graph.remedies import SUBSCRIPTION_QUOTA
from integration.webhooks import refusals
from integration.webhooks.models import CALL_RECORDS, EVENTS, Subscription
from tests.admin.conftest import Site
from tests.browsers import faults, fits, keep, served


def row(mailbox: str | None, **more: object) -> Subscription:
    told: dict[str, object] = {
        "topic": f"of {mailbox}",
        "kind": EVENTS if mailbox else CALL_RECORDS,
        "mailbox": mailbox,
        "url": "",
        "lifecycle_url": "",
        "client_state": "the seal of a secret",
    }
    return Subscription(**told | more)


@pytest.fixture
def notified(site: Site) -> Site:
    now = real_now()
    alive = {"subscription_id": "graph-id-1", "expires_at": now + timedelta(days=4)}
    with site.tools.database.transaction() as session:
        session.add_all(
            [
                row("one@pods.example", **alive, last_notification_at=now - timedelta(minutes=5)),
                row("two@pods.example", subscription_id="graph-id-2", expires_at=now - timedelta(hours=3)),
                row("three@pods.example", trouble=SUBSCRIPTION_QUOTA, troubled_at=now),
                row(None),
            ]
        )
        refusals.count(session, {"wrong client state": 3, "no validation token": 1}, now=now)
    return site


def test_health_shows_each_subscription_and_what_was_turned_away(notified: Site):
    page = notified.browser("ada@pods.example", Role.COORDINATOR).get("/admin/health").text
    for words in (
        "Calendar of one@pods.example",
        "Expires in 4 days",
        "Last notification 5 minutes ago.",
        "Expired 3 hours ago.",
        "1,000 subscriptions per mailbox",
        "Call records of the tenant",
        "Without the secret of its subscription",
        "Assignment required",
    ):
        assert words in page, words
    for secret in ("graph-id-1", "the seal of a secret"):
        assert secret not in page


def test_metrics_count_them_without_an_address(notified: Site):
    told = notified.app.test_client().get("/metrics").text
    assert 'pods_notifications_refused_total{reason="wrong client state"} 3.0' in told
    for state in ("alive", "lapsed", "refused", "awaited"):
        assert f'pods_subscriptions{{state="{state}"}} 1.0' in told
    assert "@pods.example" not in told


def test_without_webhooks_health_says_off(environ: dict[str, str]):
    app = create_app(Settings.from_environment(environ | {"WEBHOOKS": "off"}))
    site = Site(app, app.extensions["tools"])
    page = site.browser("ada@pods.example", Role.COORDINATOR).get("/admin/health").text
    assert "WEBHOOKS=off: calendars are read every few minutes" in page
    site.tools.close()


@pytest.mark.browser
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_is_accessible_and_fits(chromium: Browser, notified: Site, width: int, scheme: str):
    session = notified.browser("ada@pods.example", Role.ADMINISTRATOR)
    cookie = session.get_cookie(notified.app.config["SESSION_COOKIE_NAME"])
    assert cookie
    with served(notified.app) as address:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
        page = context.new_page()
        page.goto(f"{address}/admin/health")
        assert (faults(page), fits(page)) == ([], True)
        keep(page, f"health-notifications-{width}-{scheme}")
        context.close()
