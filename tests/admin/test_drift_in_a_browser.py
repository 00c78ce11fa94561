"""Every kind of difference on a pod's page and before its decision, as people see it: accessible, and it fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from playwright.sync_api import Browser
from sqlalchemy.orm import Session

from integration.scheduling.drift.kinds import Kind, Repair
from integration.scheduling.drift.models import Drift
from integration.scheduling.models import Occurrence, Series
from tests.admin.conftest import Site
from tests.admin.test_every_page_in_a_browser import complaints, visiting
from tests.admin.world import ADMINISTRATOR, NOW, build_world
from tests.browsers import follow, keep

pytestmark = pytest.mark.browser
LONG = "wolfeschlegelsteinhausenbergerdorff.von-und-zu.hohenlohe-langenburg@partners.subsidiary.pods.example"
WALL = {"starts_local": "2026-03-10T10:30:00", "time_zone": "Europe/Zurich", "minutes": 30}
MOVED = {"starts_local": "2026-03-12T14:00:00", "time_zone": "America/Argentina/ComodRivadavia", "minutes": 45}
SPAN = {"starts_at": "2026-03-17T09:30:00+00:00", "ends_at": "2026-03-17T10:00:00+00:00"}
ELSEWHERE = {"starts_at": "2026-03-18T13:00:00+00:00", "ends_at": "2026-03-18T13:30:00+00:00", "event_id": "e"}
Side = Mapping[str, object]
SIDES: Mapping[Kind, tuple[Side, Side]] = {
    Kind.SERIES_MOVED: (WALL, MOVED),
    Kind.SERIES_PROPOSED: (WALL, {**MOVED, "name": "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff Sr."}),
    Kind.ZONE_DIFFERS: (
        SPAN | {"time_zone": "Europe/Zurich"},
        ELSEWHERE | {"time_zone": "Africa/Lagos", "meetings": 3},
    ),
    Kind.SERIES_EDITED: ({}, {"subject": "x" * 120, "place": "Room 7"}),
}
BOTH = [str(each) for each in Repair]


@pytest.fixture
def database_url(_sqlite_url: Iterator[str]) -> str:
    """One database is enough: what is looked at is the page."""
    return next(_sqlite_url)


@pytest.fixture
def pod_id(site: Site) -> int:
    """A pod in whose calendar everything was done that can be done, one half of it decided."""
    with site.tools.database.transaction() as session:
        made = build_world(session)
        series = session.get_one(Series, made["series_id"])
        series.invited_at = series.created_at = series.pulled_at = NOW
        soon = site.tools.clock.now() + timedelta(days=3)
        lost = Occurrence(number=99, original_start_at=soon, starts_at=soon, ends_at=soon + timedelta(minutes=30))
        series.occurrences.append(lost)
        for kind in Kind:
            noted(session, series, kind, lost)
        noted(session, series, Kind.SERIES_MOVED, lost, address="x", repairs=["adopt"])
        noted(session, series, Kind.LINK_MISSING, lost, address="y", decision="put back", decided_by=LONG)
        policy = {"decision": "adopt", "decided_by": "policy", "closed_at": site.tools.clock.now()}
        noted(session, series, Kind.OCCURRENCE_DELETED, lost, address="z", **policy)
        return series.pod_id


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390), ("light", 390), ("dark", 1280)])
def test_every_difference_is_told_with_what_can_be_done_and_whom_that_mails(
    chromium: Browser,
    site: Site,
    address: str,
    pod_id: int,
    scheme: str,
    width: int,
):
    with visiting(chromium, site, address, ADMINISTRATOR, color_scheme=scheme, width=width) as page:
        page.goto(f"{address}/admin/pods/{pod_id}")
        page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
        keep(page, f"drift-{scheme}-{width}")
        assert complaints(page) == []
        assert page.get_by_role("link", name="Yes, move the whole series").count() == 1
        assert page.get_by_role("link", name="Invite to a single session in its place").count() == 3
        assert "Another weekday is another pattern" in page.content()

        follow(page, page.get_by_role("link", name="Yes, move the whole series"))
        keep(page, f"drift-confirmed-{scheme}-{width}")
        assert complaints(page) == []
        assert LONG in page.content()

        page.goto(f"{address}/admin/")
        keep(page, f"drift-today-{scheme}-{width}")
        assert complaints(page) == []
        assert "Another time proposed" in page.content()


def test_where_nothing_differs_that_is_said(chromium: Browser, site: Site, address: str):
    with site.tools.database.transaction() as session:
        made = build_world(session)
        series = session.get_one(Series, made["series_id"])
        series.pulled_at = NOW
        session.delete(session.get_one(Drift, made["drift_id"]))
    with visiting(chromium, site, address, ADMINISTRATOR, width=390) as page:
        page.goto(f"{address}/admin/pods/{made['pod_id']}")
        keep(page, "drift-nothing-light-390")
        assert complaints(page) == []
        assert "Nothing waits." in page.content()


def noted(session: Session, series: Series, kind: Kind, lost: Occurrence, **more: object) -> None:
    wanted, found = SIDES.get(
        kind, (SPAN, ELSEWHERE if kind in (Kind.OCCURRENCE_MOVED, Kind.OCCURRENCE_EXTRA) else {})
    )
    about_one = kind.value.startswith("occurrence")
    row: dict[str, object] = {
        "key": f"{series.id}/{kind}/{more.get('address')}",
        "address": LONG if "attendee" in kind or kind is Kind.SERIES_PROPOSED else None,
        "wanted": _to_come(wanted, lost),
        "found": {"subject": "Coffee"} if kind is Kind.OCCURRENCE_EDITED else found,
        "repairs": ["adopt"] if kind is Kind.LINK_CHANGED else BOTH,
        "mails": {LONG: 2, "grace@pods.example": 1},
        "first_seen_at": NOW,
        "last_seen_at": NOW,
    }
    session.add(Drift(series=series, occurrence=lost if about_one else None, kind=kind, **row | more))


def _to_come(wanted: Side, lost: Occurrence) -> Side:
    if wanted is not SPAN:
        return wanted
    return {"starts_at": lost.starts_at.isoformat(), "ends_at": lost.ends_at.isoformat()}
