"""Uploading an export, checking in and confirming in Chromium: no fault for axe, pages fit, a keyboard is enough."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from integration.admin.permissions import Role
from integration.attendance.models import CheckIn
from integration.people.models import Person
from integration.scheduling.models import Occurrence, Pod
from tests.admin.conftest import Site, environ_out_of_reach
from tests.admin.conftest import site as site
from tests.attendance.build import at
from tests.attendance.export_words import TONGUES, Attendee, as_file, people, sections
from tests.attendance.test_corrections_and_check_ins import build, path_of
from tests.attendance.test_exports_pages import attended, call
from tests.browsers import faults, fits, follow, keep

pytestmark = pytest.mark.browser
LONG_NAME = "Wilhelmina-Alexandrina Featherstonehaugh-Cholmondeley Donaudampfschifffahrtsgesellschaftskapitänin"
LONG_FILE = f"{'Besprechung_der_' * 8}Anwesenheitsbericht 3-4-26.csv"


@pytest.fixture(params=["_sqlite_url"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from request.getfixturevalue(request.param)


@pytest.fixture
def environ(tmp_path: Path, database_url: str) -> dict[str, str]:
    return environ_out_of_reach(tmp_path, database_url, now=at(10))  # ten minutes into the first session


@pytest.fixture
def occurrence_id(site: Site) -> int:
    with site.tools.database.transaction() as session:
        occurrence = build(session)
        occurrence.series.pod.name = f"Pod of {LONG_NAME}"
        for person in session.scalars(select(Person).where(Person.name.in_(["Ada", "Grace"]))):
            person.name = f"{person.name} {LONG_NAME}"
        return occurrence.id


@pytest.fixture(params=[("light", 390), ("dark", 390), ("light", 1280), ("dark", 1280)], ids=lambda each: f"{each}")
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    scheme, width = request.param
    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True)
    page = context.new_page()
    page.look = f"{scheme}-{width}"  # type: ignore[attr-defined]
    yield page
    context.close()


def signed_in(page: Page, site: Site, address: str, name: str, *roles: Role) -> None:
    cookie = site.app.config["SESSION_COOKIE_NAME"]
    held = site.browser(f"{name.lower()}@pods.example", *roles, name=name).get_cookie(cookie)
    assert held is not None
    page.context.add_cookies([{"name": cookie, "value": held.value, "url": address}])


def is_sound(page: Page, name: str) -> None:
    keep(page, f"{name}-{page.look}")  # type: ignore[attr-defined]
    assert (faults(page), fits(page)) == ([], True), name


def test_an_upload_from_its_form_to_what_it_says(
    page: Page, site: Site, address: str, occurrence_id: int, tmp_path: Path
) -> None:
    with site.tools.database.transaction() as session:
        program_id = session.scalars(select(Pod.program_id)).one()
        site_clock = Path(site.tools.settings.clock_file or "")
        assert session.get_one(Occurrence, occurrence_id)
    site_clock.write_text(at(200).isoformat(), encoding="ascii")
    caller = Attendee(f"+41 44 555 12 34 {LONG_NAME}", "", call(Alan=(0, 30))[0].stays)
    here = [*call(Ada=(0, 30), Grace=(0, 4)), caller]
    (tmp_path / LONG_FILE).write_bytes(as_file(people(TONGUES["English of Britain"], here)))
    (tmp_path / "finnish.csv").write_text(
        f"Nimi\tLiittyi\tPoistui\n{LONG_NAME}\t4.3.2026 10:00\t4.3.2026 10:30\n", encoding="utf-8"
    )
    (tmp_path / "german.csv").write_bytes(as_file(sections(TONGUES["German"], here)))
    signed_in(page, site, address, "Eve", Role.COORDINATOR)
    form = f"{address}/admin/programs/{program_id}/attendance/import"

    def upload(name: str) -> None:
        page.goto(form)
        page.get_by_label("Attendance export").set_input_files(tmp_path / name)
        page.get_by_role("button", name="Look at it").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", level=1).filter(has_not_text="Import attendance").wait_for()

    page.goto(form)
    page.get_by_label("Attendance export").set_input_files(tmp_path / LONG_FILE)
    is_sound(page, "upload-form")
    upload("finnish.csv")
    is_sound(page, "upload-columns")
    upload(LONG_FILE)
    for summary in page.locator("main details summary").all():
        summary.click()
    is_sound(page, "upload-two-ways")
    upload("german.csv")
    is_sound(page, "upload-preview")
    page.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Import").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/pods/*")
    is_sound(page, "upload-result")
    assert len(attended(site)) == 3
    page.goto(f"{address}/admin/occurrences/{occurrence_id}/attendance")
    is_sound(page, "who-came")


def test_checking_in_and_confirming_it(page: Page, site: Site, address: str, occurrence_id: int) -> None:
    page.goto(f"{address}{check_in_path_of(site, occurrence_id)}/code")
    is_sound(page, "code")
    page.goto(f"{address}{check_in_path_of(site, occurrence_id)}")
    is_sound(page, "check-in-stranger")
    signed_in(page, site, address, "Ada")
    page.goto(f"{address}/me/")
    follow(page, page.locator('a[href^="/me/pods/"]').first)
    is_sound(page, "pod-of-facilitator")
    follow(page, page.get_by_role("link", name="I am in the room"))
    is_sound(page, "check-in")
    page.get_by_role("button", name="I am here").focus()
    page.keyboard.press("Enter")
    page.get_by_text("You said that you are here.").wait_for()
    is_sound(page, "check-in-said")
    page.goto(f"{address}/me/sessions/{occurrence_id}")
    is_sound(page, "confirm")
    page.get_by_role("checkbox", name="Alan").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Confirm").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Confirmed: the session now says who came.").wait_for()
    is_sound(page, "confirmed")
    with site.tools.database.reading() as session:
        confirmed = session.scalars(select(CheckIn).where(CheckIn.present, CheckIn.confirmed_at.is_not(None))).all()
    assert len(confirmed) == 2


def check_in_path_of(site: Site, occurrence_id: int) -> str:
    return "/check-in/" + path_of(site, occurrence_id).rpartition("/check-in/")[2]
