"""Where a pod and Outlook differ: in words on its page, decided after a page that names who will be mailed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from integration.admin.models import AuditEntry
from integration.admin.permissions import Role
from integration.outbox import Message, Task
from integration.scheduling.drift.models import Drift
from integration.scheduling.models import Occurrence, Series
from integration.webhooks.models import EVENTS, MailboxSync, Subscription
from tests.admin.conftest import Site
from tests.admin.world import NOW, build_world


@pytest.fixture
def world(site: Site) -> dict[str, object]:
    with site.tools.database.transaction() as session:
        made = build_world(session)
        series = session.get_one(Series, made["series_id"])
        series.invited_at = series.created_at = NOW
        soon = site.tools.clock.now() + timedelta(days=3)  # it goes on
        to_come = Occurrence(number=99, original_start_at=soon, starts_at=soon, ends_at=soon + timedelta(minutes=30))
        series.occurrences.append(to_come)
        return made


def test_the_confirmation_names_who_is_mailed_and_a_decision_is_written_down_once(site: Site, world):
    browser = site.browser("ada@pods.example", Role.ADMINISTRATOR)
    page = browser.get(f"/admin/pods/{world['pod_id']}").text
    assert "was taken off the series in Outlook" in page
    assert "Invite them again: 1 mail, to linus@pods.example." in page
    path = f"/admin/drift/{world['drift_id']}/put-back"
    confirmation = browser.get(path).text
    assert "Linus (linus@pods.example)" in confirmation
    assert "1 mail is sent" in confirmation

    assert [browser.post(path).status_code for _ in range(2)] == [303, 303]
    other = browser.post(f"/admin/drift/{world['drift_id']}/adopt")

    assert other.status_code == 409
    assert "This was decided already." in other.text
    with site.tools.database.reading() as session:
        row = session.get_one(Drift, world["drift_id"])
        assert (row.decision, row.decided_by) == ("put back", "ada@pods.example")
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "pod.repair")).all()
        assert [entry.after for entry in entries] == [
            {"decision": "put back", "kind": "attendee missing", "mails": 1}
        ]
        tasks = set(session.scalars(select(Message.task)))
        assert {Task.SERIES_PUSH, Task.SERIES_REPAIR} <= tasks


def test_a_comparison_is_asked_for_at_once(site: Site, world):
    browser = site.browser("grace@pods.example", Role.COORDINATOR)
    assert browser.post(f"/admin/pods/{world['pod_id']}/comparison").status_code == 303
    with site.tools.database.reading() as session:
        assert Task.SERIES_PULL in set(session.scalars(select(Message.task)))


def test_today_shows_what_waits_and_a_mailbox_that_is_gone(site: Site, world):
    with site.tools.database.transaction() as session:
        gone = MailboxSync(mailbox="pods.one@pods.example", gone_at=NOW, gone_code="MailboxNotEnabledForRESTAPI")
        session.add(gone)
    browser = site.browser("ada@pods.example", Role.ADMINISTRATOR)

    for path in ("/admin/", f"/admin/pods/{world['pod_id']}"):
        page = browser.get(path).text
        assert "Attendee missing" in page
        assert "pods.one@pods.example" in page
        assert "no Exchange licence" in page
        assert "Restore the account and its licences" in page


def test_a_subscription_that_lapsed_is_said_on_today_and_the_page_of_the_pod(site: Site, world):
    organizer, now = "pods.one@pods.example", site.tools.clock.now()
    url = "https://pods.example/webhooks/graph"
    with site.tools.database.transaction() as session:
        session.add(MailboxSync(mailbox=organizer))
        lapsed = Subscription(
            topic=f"events of {organizer}",
            kind=EVENTS,
            mailbox=organizer,
            url=url,
            lifecycle_url=url,
            client_state="",
        )
        lapsed.subscription_id, lapsed.expires_at = "1", now - timedelta(minutes=1)
        session.add(lapsed)
    browser = site.browser("ada@pods.example", Role.ADMINISTRATOR)

    for path in ("/admin/", f"/admin/pods/{world['pod_id']}"):
        page = browser.get(path).text
        assert "There is no living subscription to its calendar" in page
        assert "The workers make it anew by themselves" in page
