"""What Health says of our inboxes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from integration.admin.permissions import Role
from integration.app import create_app
from integration.clock import real_now
from integration.config import Settings
from integration.inbox.models import Letter
from integration.inbox.sorting import Kind
from integration.language import lazy
from integration.mail.models import Inbox
from integration.outbox import Message, State, Task
from tests.admin.conftest import Site
from tests.admin.world import LONG_NAME
from tests.attendance.build import build_person
from tests.browsers import faults, fits, keep, served

LONG = f"{LONG_NAME.lower().replace(' ', '.')}@pods.example"
OURS = f"one@pods.example,two@pods.example,three@pods.example,{LONG}"


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"ORGANIZER_MAILBOXES": OURS, "SWEEP_MINUTES": "10"}


@pytest.fixture
def read(site: Site) -> Site:
    """One is read and two people wait there, two is late, three is refused, and a former one has an open message."""
    now = real_now()
    with site.tools.database.transaction() as session:
        one = Inbox(address="one@pods.example", read_at=now - timedelta(minutes=5))
        two = Inbox(address="two@pods.example", read_at=now - timedelta(hours=2))
        three, former = (Inbox(address=f"{name}@pods.example", read_at=now) for name in ("three", "former"))
        session.add_all([one, two, three, former])
        session.flush()
        kinds = [Kind.HUMAN, Kind.HUMAN, Kind.REPLY, Kind.FAILURE]
        session.add_all(_letter(one, kind, number) for number, kind in enumerate(kinds))
        session.add_all([_letter(one, Kind.HUMAN, 9, done=True), _letter(former, Kind.HUMAN, 10)])
        session.add(_refused(three))
        build_person(session, "Grace").time_zone = "Asia/Kolkata"
    return site


def test_each_mailbox_is_shown_with_what_came_what_waits_and_what_is_wrong(read: Site):
    page = read.browser("grace@pods.example", Role.COORDINATOR).get("/admin/health").text
    section = page.partition('id="inboxes"')[2].partition("</section>")[0]
    former, _, ours = section.partition("one@pods.example")
    one, _, rest = ours.partition("three@pods.example")
    three, _, two = rest.partition("two@pods.example")

    assert "Not ours any more" in former
    assert "1 message of a person waits" in former
    assert "2 messages of people wait for an answer" in one
    assert "written by people: 3, meeting replies: 1, delivery failures: 1" in one
    assert "Asia/Kolkata" in one
    assert "outside the scope" in three
    assert "see whether a worker and tick run" in two
    assert "Not read yet" in section
    assert "sealed words" not in page


def test_without_a_mailbox_the_settings_are_named(environ: dict[str, str]):
    app = create_app(Settings.from_environment(environ | {"ORGANIZER_MAILBOXES": ""}))
    site = Site(app, app.extensions["tools"])
    page = site.browser("ada@pods.example", Role.COORDINATOR).get("/admin/health").text
    assert "No mailbox is set: ORGANIZER_MAILBOXES and SENDER_MAILBOXES name them." in page
    site.tools.close()


def test_a_german_reads_it_in_german(read: Site):
    with read.tools.database.transaction() as session:
        build_person(session, "Emmy").language = "de"
    page = read.browser("emmy@pods.example", Role.COORDINATOR).get("/admin/health").text
    assert "Unsere Posteingänge" in page
    assert "2 Nachrichten von Menschen warten auf Antwort" in page


@pytest.mark.browser
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_it_is_accessible_and_fits(chromium: Browser, read: Site, scheme: str, width: int):
    browser = read.browser("grace@pods.example", Role.COORDINATOR)
    name = read.app.config["SESSION_COOKIE_NAME"]
    cookie = browser.get_cookie(name)
    assert cookie is not None
    with served(read.app) as url:
        context = chromium.new_context(
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": width, "height": 800},
            bypass_csp=True,
        )
        context.add_cookies([{"name": name, "value": cookie.value, "url": url}])
        page = context.new_page()
        page.goto(f"{url}/admin/health")
        keep(page, f"inboxes-{scheme}-{width}")
        found = (faults(page), fits(page))
        context.close()
    assert found == ([], True)


def _letter(inbox: Inbox, kind: Kind, number: int, *, done: bool = False) -> Letter:
    return Letter(
        inbox=inbox,
        message_id=str(number),
        kind=kind,
        sender="linus@pods.example",
        sender_name="Linus",
        subject="Can I come?",
        excerpt="sealed words",
        received_at=real_now(),
        done_at=real_now() if done or kind is not Kind.HUMAN else None,
    )


def _refused(inbox: Inbox) -> Message:
    now = real_now()
    return Message(
        task=Task.INBOX_READ,
        kind="inbox",
        subject=str(inbox.id),
        state=State.PARKED,
        first_asked_at=now,
        asked_at=now,
        due_at=now,
        attempts=5,
        refusals=5,
        last_error=lazy("The mailbox is outside the scope."),
    )
