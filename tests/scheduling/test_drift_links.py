"""The Teams link of a series that was changed in Outlook, and the lapse of what tells us of changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from integration.errors import Conflict
from integration.graph.resources import EventChanges
from integration.scheduling.drift.drifts import why_not
from integration.scheduling.drift.kinds import Kind, Repair
from integration.scheduling.drift.lists import mailbox_troubles
from integration.scheduling.drift.models import Drift
from integration.webhooks.models import EVENTS, MailboxSync, Subscription
from tests.scheduling.conftest import Office
from tests.scheduling.drifting import change, decided, event, held, invited, is_settled, mails, seen, with_policy


def relinked(office: Office, series_id: int) -> tuple[str, Drift]:
    """Somebody writes over the Teams block, and Outlook makes a new meeting; the old link, and the difference."""
    before = event(office, series_id).join_url or ""
    change(office, series_id, EventChanges(body_html="<p>rewritten</p>"))
    (row,) = [each for each in seen(office, series_id) if each.kind == Kind.LINK_CHANGED]
    return before, row


def test_another_link_is_taken_over_and_both_are_read(office: Office):
    series_id = invited(office)

    with mails(office) as told:
        change(office, series_id, EventChanges(body_html="<p>rewritten</p>"))
    rows = seen(office, series_id)

    assert set(told) == {(name, "meetingUpdate") for name in ("Ada", "Grace", "Alan", "Linus")}  # Outlook's own
    assert {row.kind for row in rows} == {Kind.LINK_CHANGED, Kind.SERIES_EDITED}
    meetings = office.series(series_id).meetings
    assert [meeting.until is None for meeting in meetings] == [False, True]
    assert is_settled(office, series_id)


def test_a_former_link_is_not_to_be_had_again_and_that_is_said(office: Office):
    series_id = invited(office)
    before, row = relinked(office, series_id)

    reason = why_not(row, Repair.PUT_BACK, now=office.tools.clock.now())
    with mails(office) as told, pytest.raises(Conflict, match="former link"):
        decided(office, row.id, Repair.PUT_BACK)

    assert "The old one still opens" in (reason or "")
    assert told == {}
    assert event(office, series_id).join_url != before


def test_where_the_policy_asks_another_link_waits_and_keeping_it_mails_nobody(office: Office):
    asking = with_policy(office, "link-changed=ask")
    series_id = invited(office)
    _before, row = relinked(asking, series_id)
    assert (row.decision, row.closed_at) == (None, None)

    with mails(office) as told:
        decided(asking, row.id, Repair.ADOPT)

    assert told == {}
    assert is_settled(asking, series_id)


def test_another_link_goes_on_waiting_when_a_session_too_many_turns_up(office: Office):
    asking = with_policy(office, "link-changed=ask")
    series_id = invited(office)
    _before, row = relinked(asking, series_id)

    lengthen(office)
    rows = {each.kind: each for each in seen(asking, series_id)}

    assert rows[Kind.OCCURRENCE_EXTRA].closed_at is None
    assert (rows[Kind.LINK_CHANGED].id, rows[Kind.LINK_CHANGED].closed_at) == (row.id, None)


def test_a_subscription_that_lapsed_is_shown_until_it_lives_again(office: Office):
    series_id = invited(office)
    organizer, now = office.series(series_id).organizer, office.tools.clock.now()
    with office.tools.database.transaction() as session:
        topic = {"topic": f"events of {organizer}", "kind": EVENTS, "mailbox": organizer}
        addresses = {"url": "https://pods.example", "lifecycle_url": "https://pods.example", "client_state": ""}
        session.add(Subscription(**topic, **addresses, subscription_id="1", expires_at=now + timedelta(hours=1)))
        session.add(MailboxSync(mailbox=organizer))
    assert troubles(office) == []

    office.wait(hours=2)
    assert troubles(office) == [(organizer, "There is no living subscription to its calendar")]
    assert troubles(office, webhooks=False) == []  # nobody wants one then

    with office.tools.database.transaction() as session:
        row = session.get_one(Subscription, 1)
        row.expires_at = office.tools.clock.now() + timedelta(days=7)
    assert troubles(office) == []


def test_a_subscription_that_graph_never_granted_is_shown_too(office: Office):
    series_id = invited(office)
    organizer, now = office.series(series_id).organizer, office.tools.clock.now()
    with office.tools.database.transaction() as session:
        topic = {"topic": f"events of {organizer}", "kind": EVENTS, "mailbox": organizer}
        addresses = {"url": "https://pods.example", "lifecycle_url": "https://pods.example", "client_state": ""}
        session.add(Subscription(**topic, **addresses, trouble="Graph refused it.", troubled_at=now))
        session.add(MailboxSync(mailbox=organizer))

    assert [mailbox for mailbox, _ in troubles(office)] == [organizer]


def lengthen(office: Office) -> None:
    """Somebody lets the series meet once more, in Outlook."""
    found = held(office)
    with office.tenant.lock:
        assert found.recurrence is not None
        span = replace(found.recurrence.range, number_of_occurrences=5)
        found.recurrence = replace(found.recurrence, range=span)
        office.tenant.calendars.touch(found)


def troubles(office: Office, *, webhooks: bool = True) -> list[tuple[str, str]]:
    with office.tools.database.reading() as session:
        found = mailbox_troubles(session, now=office.tools.clock.now(), webhooks=webhooks)
        return [(each.mailbox, each.words.partition(":")[0]) for each in found]
