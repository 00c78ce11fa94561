"""Which subscriptions are wanted, what becomes of each lifecycle event, and what a refusal tells a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from flask import Flask
from sqlalchemy import select

from integration.config import Settings
from integration.doctor import examine
from integration.graph.errors import Forbidden, GraphError
from integration.graph.simulator.tenant.tenant import Tenant
from integration.jobs import HANDLERS
from integration.outbox import Message, Task
from integration.scheduling.models import Occurrence, SeriesMeeting
from integration.tools import Tools
from integration.webhooks.jobs import ensure_subscription, read_call_record
from integration.webhooks.models import CALL_EVENTS, CALL_RECORDS, EVENTS, Subscription
from integration.webhooks.overview import overview
from integration.webhooks.subscriptions import LIFETIMES, RENEW_AGAIN_AFTER
from tests.attendance.build import at, build_person, build_series
from tests.conftest import RunningSimulator
from tests.webhooks.conftest import ORGANIZER, begin, heeded, waiting
from tests.webhooks.test_rich_notifications import Watched
from tests.webhooks.test_subscriptions import eventually, subscription

TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def made(tools: Tools, app: Flask) -> Tools:
    """With a living subscription to the organizer's calendar."""
    begin(tools)
    ensure_subscription(tools, 1)
    forget_waiting(tools)
    return tools


def other(tools: Tools, **changes: object) -> Tools:
    return replace(tools, settings=replace(tools.settings, **changes))


def forget_waiting(tools: Tools) -> None:
    with tools.database.transaction() as session:
        for message in session.scalars(select(Message)):
            session.delete(message)


def drain(tools: Tools) -> None:
    """Do what was asked about subscriptions, as a worker would."""
    for number in waiting(tools, Task.SUBSCRIPTION_ENSURE):
        HANDLERS[Task.SUBSCRIPTION_ENSURE](tools, int(number))
    forget_waiting(tools)


def rows(tools: Tools) -> list[Subscription]:
    with tools.database.reading() as session:
        return list(session.scalars(select(Subscription).order_by(Subscription.id)))


def heard(tools: Tools, tenant: Tenant, event: str) -> None:
    """The tenant sends a lifecycle event, and we have taken it in."""
    before = subscription(tools).last_notification_at
    tenant.clock.move_to(tenant.clock.now() + timedelta(seconds=11))  # type: ignore[attr-defined]
    with tenant.lock:
        tenant.subscriptions.send_lifecycle(tenant.subscriptions.all()[0], event)
    assert eventually(lambda: subscription(tools).last_notification_at != before)


def test_a_mailbox_that_is_no_organizer_any_more_has_its_subscription_ended(made: Tools, tenant: Tenant) -> None:
    fewer = other(made, organizer_mailboxes=("pods.two@pods.example",))
    begin(fewer)
    assert [row.end_wanted_at is not None for row in rows(made)] == [True, False]
    ensure_subscription(fewer, 1)
    ensure_subscription(fewer, 1)  # twice, as after a crash
    assert tenant.subscriptions.all() == []
    assert [row.mailbox for row in rows(made)] == ["pods.two@pods.example"]


def test_one_that_is_wanted_again_meanwhile_stays(made: Tools, tenant: Tenant) -> None:
    begin(other(made, organizer_mailboxes=("pods.two@pods.example",)))
    begin(made)
    drain(made)
    assert len(tenant.subscriptions.all()) == 1
    assert rows(made)[0].end_wanted_at is None


def test_without_webhooks_they_are_ended_and_that_is_called_off(made: Tools, tenant: Tenant) -> None:
    off = other(made, webhooks=False)
    begin(off)
    drain(off)
    assert (tenant.subscriptions.all(), rows(off)) == ([], [])
    with off.database.reading() as session:
        assert overview(session, off.settings, now=off.clock.now()).is_on is False
    findings = {str(each.check): each.is_well for each in examine(off)}
    assert findings["change notifications: off, calendars are polled"]


def test_a_reauthorization_is_one_renewal_and_never_two_in_ten_minutes(made: Tools, tenant: Tenant) -> None:
    tenant.clock.move_to(tenant.clock.now() + timedelta(hours=1))  # type: ignore[attr-defined]
    heard(made, tenant, "reauthorizationRequired")
    assert waiting(made, Task.SUBSCRIPTION_ENSURE) == ["1"]
    drain(made)
    renewed = subscription(made)
    assert renewed.renewed_at == made.clock.now()
    heard(made, tenant, "reauthorizationRequired")  # it names the new expiry: Graph means it
    assert waiting(made, Task.SUBSCRIPTION_ENSURE) == []
    again = subscription(made)
    assert again.renewed_at
    assert again.renew_due_at == again.renewed_at + RENEW_AGAIN_AFTER


def test_what_was_said_before_the_renewal_asks_for_nothing(made: Tools, tenant: Tenant) -> None:
    tenant.clock.move_to(tenant.clock.now() + timedelta(hours=1))  # type: ignore[attr-defined]
    with tenant.lock:
        tenant.subscriptions.send_lifecycle(tenant.subscriptions.all()[0], "reauthorizationRequired")
        tenant.subscriptions.send_lifecycle(tenant.subscriptions.all()[0], "reauthorizationRequired")
    assert eventually(lambda: waiting(made, Task.SUBSCRIPTION_ENSURE) == ["1"])
    drain(made)
    due_at = subscription(made).renew_due_at
    assert due_at
    assert due_at > made.clock.now() + timedelta(days=3)


def test_a_removed_one_is_made_anew_and_the_calendar_swept(made: Tools, tenant: Tenant) -> None:
    first = subscription(made)
    heard(made, tenant, "subscriptionRemoved")
    assert waiting(made, Task.SUBSCRIPTION_ENSURE) == ["1"]
    ensure_subscription(made, 1)
    (granted,) = tenant.subscriptions.all()
    assert granted.id == subscription(made).subscription_id != first.subscription_id
    assert waiting(made, Task.MAILBOX_SWEEP) == ["1"]


def test_after_a_new_secret_key_it_is_made_anew(made: Tools, tenant: Tenant) -> None:
    first = tenant.subscriptions.all()[0]
    ensure_subscription(other(made, secret_key="another secret than before"), 1)
    (granted,) = tenant.subscriptions.all()
    assert (granted.id != first.id, granted.client_state != first.client_state) == (True, True)


def test_a_limit_is_shown_with_its_remedy_until_it_is_lifted(tools: Tools, app: Flask, tenant: Tenant) -> None:
    begin(tools)
    tenant.switches.set("subscriptions_per_mailbox", 0)
    with pytest.raises(Forbidden, match="limit of Graph is reached"):
        ensure_subscription(tools, 1)
    assert "1,000 subscriptions per mailbox" in str(subscription(tools).trouble)
    findings = {str(each.check): str(each.remedy) for each in examine(tools)}
    assert "End those that are not needed" in findings[f"subscription: events of {ORGANIZER}"]
    tenant.switches.set("subscriptions_per_mailbox", 1000)
    ensure_subscription(tools, 1)
    assert subscription(tools).trouble is None


def test_a_receiver_that_nobody_reaches_says_what_helps(tools: Tools, tenant: Tenant) -> None:
    away = other(tools, public_url="http://127.0.0.1:9")
    begin(away)
    with pytest.raises(GraphError, match="WEBHOOKS=off"):
        ensure_subscription(away, 1)
    assert "from the internet" in str(subscription(away).trouble)


def test_a_lapsed_one_is_shown_as_lapsed(made: Tools, tenant: Tenant) -> None:
    tenant.clock.move_to(tenant.clock.now() + timedelta(days=8))  # type: ignore[attr-defined]
    with made.database.reading() as session:
        (standing,) = overview(session, made.settings, now=made.clock.now()).standings
    assert (standing.state, standing.is_well) == ("lapsed", False)
    ensure_subscription(made, 1)
    with made.database.reading() as session:
        (standing,) = overview(session, made.settings, now=made.clock.now()).standings
    assert standing.state == "alive"


@pytest.fixture
def watched(
    environ: dict[str, str], app: Flask, tools: Tools, tenant: Tenant, simulator: RunningSimulator
) -> Watched:
    roles = [*httpx.get(f"{simulator.url}/control/app", trust_env=False).json()["roles"], "CallRecords.Read.All"]
    httpx.patch(f"{simulator.url}/control/app", json={"roles": roles}, trust_env=False).raise_for_status()
    return Watched(other(tools, call_records=True, call_events=True), tenant, simulator)


def test_a_call_record_has_the_reports_of_its_occurrence_looked_for(watched: Watched, tenant: Tenant) -> None:
    tools = watched.tools
    row = watched.subscribe(CALL_RECORDS)
    assert tenant.subscriptions.all()[0].expires_at == tools.clock.now() + LIFETIMES[row.kind]
    watched.meet()
    tenant.clock.move_to(at(60))  # type: ignore[attr-defined]
    with tenant.lock:
        tenant.advance()
    assert eventually(lambda: bool(heeded(tools, Task.CALL_RECORD_READ)))
    assert watched.due() is None
    for number in waiting(tools, Task.CALL_RECORD_READ):
        read_call_record(tools, int(number))
    assert watched.due() == tools.clock.now()
    with tools.database.reading() as session:
        later = session.scalars(select(Occurrence.collect_due_at).where(Occurrence.id != watched.occurrence_id)).all()
    assert set(later) == {None}


def test_a_record_that_is_not_there_yet_is_read_later_and_given_up_in_the_end(
    watched: Watched, tenant: Tenant
) -> None:
    tools = watched.tools
    watched.subscribe(CALL_RECORDS)
    watched.meet()
    tenant.clock.move_to(at(60))  # type: ignore[attr-defined]
    with tenant.lock:
        tenant.advance()
    assert eventually(lambda: bool(heeded(tools, Task.CALL_RECORD_READ)))
    number = int(waiting(tools, Task.CALL_RECORD_READ)[0])
    forget_waiting(tools)
    tenant.clock.move_to(tenant.clock.now() + timedelta(minutes=30))  # type: ignore[attr-defined]
    tenant.teams.records._kept.clear()
    read_call_record(tools, number)
    assert waiting(tools, Task.CALL_RECORD_READ) == [str(number)]
    forget_waiting(tools)
    tenant.clock.move_to(tenant.clock.now() + timedelta(hours=3))  # type: ignore[attr-defined]
    read_call_record(tools, number)
    assert waiting(tools, Task.CALL_RECORD_READ) == []
    assert watched.due() is None


def test_meetings_are_watched_as_they_come_and_no_longer_than_they_last(watched: Watched, tenant: Tenant) -> None:
    tools = watched.tools
    begin(tools)
    kinds = [row.kind for row in rows(tools)]
    assert sorted(kinds) == sorted([EVENTS, CALL_RECORDS, CALL_EVENTS, CALL_EVENTS])  # one of these is the look-out
    (lookout,) = [row for row in rows(tools) if row.topic == CALL_EVENTS]
    with tools.database.transaction() as session:
        series = build_series(
            session, [build_person(session, "Grace")], name="Pod 2", join_urls=("https://t.example/2",)
        )
        meeting_id = series.meetings[0].id
    ensure_subscription(tools, lookout.id)
    assert f"call events of {meeting_id}" in {row.topic for row in rows(tools)}
    with tools.database.transaction() as session:
        session.get_one(SeriesMeeting, meeting_id).until = tools.clock.now()
    ensure_subscription(tools, lookout.id)
    (over,) = [row for row in rows(tools) if row.meeting_id == meeting_id]
    assert over.end_wanted_at is not None
    assert {row.topic: row.renew_due_at for row in rows(tools)}[CALL_EVENTS] == tools.clock.now() + TEN_MINUTES


def test_the_settings_are_read(environ: dict[str, str]) -> None:
    read: Callable[..., Settings] = lambda **more: Settings.from_environment(environ | more)  # noqa: E731
    assert (read().call_records, read().call_events) == (False, False)
    assert (read(CALL_RECORDS="on").call_records, read(CALL_EVENTS="on").call_events) == (True, True)
