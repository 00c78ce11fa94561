"""Grace corrects the address of somebody with a long name, in Chromium without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from integration.clock import real_now
from integration.people.models import Person
from integration.scheduling.models import Series
from tests.admin.conftest import Site
from tests.admin.test_every_page_in_a_browser import LOOKS, complaints, visiting
from tests.admin.world import ADMINISTRATOR, LONG_NAME, build_world
from tests.browsers import follow, keep, served

pytestmark = pytest.mark.browser
LONG_MAIL = f"{LONG_NAME.lower().replace(' ', '.')}@learning-and-development.pods.example"


@pytest.fixture(params=["_sqlite_url"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from request.getfixturevalue(request.param)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_from_the_wrong_address_to_the_right_one(chromium, site: Site, scheme: str, width: int):
    with site.tools.database.transaction() as session:
        build_world(session)
        barbara = session.scalars(select(Person).where(Person.name == LONG_NAME)).one()
        barbara.unreachable_at = real_now()
        series = session.scalars(select(Series).order_by(Series.id)).first()
        assert series is not None
        series.invited_at = series.wanted_at
        series.occurrences[-1].ends_at = real_now().replace(year=real_now().year + 1)
        for each in series.attendees:
            each.invited_at = series.wanted_at
        path = f"/admin/people/{barbara.id}"

    with (
        served(site.app) as address,
        visiting(chromium, site, address, ADMINISTRATOR, color_scheme=scheme, width=width) as page,
    ):
        page.goto(address + path)
        seen(page, f"person-{scheme}-{width}")
        follow(page, page.get_by_role("link", name="Correct the address"))
        page.get_by_label("Right address").fill("grace@pods.example")
        follow(page, page.get_by_role("button", name="Go on"))
        assert page.get_by_label("Right address").input_value() == "grace@pods.example"
        assert "Grace's address already" in page.get_by_role("alert").inner_text()
        seen(page, f"fault-{scheme}-{width}")
        page.get_by_label("Right address").fill(LONG_MAIL)
        follow(page, page.get_by_role("button", name="Go on"))
        assert page.get_by_text("2 mails are sent").count() == 1
        seen(page, f"confirm-{scheme}-{width}")
        follow(page, page.get_by_role("button", name="Correct the address"))
        assert page.get_by_text(f"is {LONG_MAIL} now").count() == 1
        seen(page, f"corrected-{scheme}-{width}")


def seen(page: Page, name: str) -> None:
    keep(page, f"address-{name}")
    assert complaints(page) == []
