"""Subscriptions and sweeps, against a tenant that really delivers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from integration.config import Settings
from integration.graph.resources import EventDraft, WeeklyRule
from integration.graph.simulator.tenant.tenant import Tenant
from integration.outbox import Task
from integration.tools import Tools
from integration.webhooks.jobs import DUTIES, ensure_subscription, sweep_mailbox
from integration.webhooks.models import MailboxSync, Notification, Subscription
from integration.webhooks.registry import known_link, record_link
from integration.webhooks.subscriptions import client_state_of
from tests.attendance.build import build_person, build_series
from tests.webhooks.conftest import ORGANIZER, begin, heeded, waiting


@pytest.fixture
def begun(tools: Tools, app: Flask) -> Tools:
    begin(tools)
    return tools


def subscription(tools: Tools) -> Subscription:
    with tools.database.reading() as session:
        return session.scalars(select(Subscription)).one()


def sync(tools: Tools) -> MailboxSync:
    with tools.database.reading() as session:
        return session.scalars(select(MailboxSync)).one()


def create_series(tools: Tools) -> str:
    """A weekly event in the organizer's calendar and the row that knows it; returns the event's id."""
    with tools.database.transaction() as session:
        series = build_series(session, [build_person(session, "Ada")], organizer=ORGANIZER)
        draft = EventDraft(
            subject="Pod 1",
            body_html="<p>Pod</p>",
            starts_local=series.starts_local,
            length=timedelta(minutes=30),
            time_zone="Europe/Zurich",
            transaction_id="pods-series-1-1",
            tag="series-1",
            weekly=WeeklyRule(series.starts_local.date(), count=3),
        )
    event_id = tools.graph.calendar.create_event(ORGANIZER, draft).id
    with tools.database.transaction() as session:
        session.merge(series).event_id = event_id
    return event_id


def eventually(fact: Callable[[], bool]) -> bool:
    """Whether it becomes true within some seconds: the tenant delivers in its own thread."""
    until = time.monotonic() + 8
    while time.monotonic() < until:
        if fact():
            return True
        time.sleep(0.05)
    return fact()


def test_beginning_twice_makes_one_row_for_each_mailbox(begun: Tools) -> None:
    begin(begun)
    assert subscription(begun).mailbox == sync(begun).mailbox == ORGANIZER


def test_without_webhooks_there_is_nothing_but_polling(app: Flask, environ: dict[str, str]) -> None:
    tools = Tools.from_settings(Settings.from_environment(environ | {"WEBHOOKS": "off"}))
    begin(tools)
    with tools.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Subscription)) == 0
    DUTIES[1].run(tools, tools.clock.now())
    first = sync(tools).sweep_due_at  # its own place in each ten minutes, so that mailboxes take turns
    assert first is not None
    assert timedelta(0) < first - tools.clock.now() <= timedelta(minutes=10)
    DUTIES[1].run(tools, first)
    assert sync(tools).sweep_due_at == first + timedelta(minutes=10)
    tools.close()


def test_a_subscription_is_made_once_and_the_calendar_swept_after_it(begun: Tools, tenant: Tenant) -> None:
    ensure_subscription(begun, 1)
    (granted,) = tenant.subscriptions.all()
    kept = subscription(begun)
    assert kept.subscription_id == granted.id
    assert client_state_of(kept, begun.settings) == granted.client_state
    assert kept.resource == f"/users/{tenant.organizers[0].id}/events"
    assert kept.renew_due_at
    assert kept.renew_due_at - begun.clock.now() == pytest.approx(timedelta(days=3.5), abs=timedelta(minutes=10))
    assert waiting(begun, Task.MAILBOX_SWEEP) == ["1"]


def test_running_twice_renews_the_same_one(begun: Tools, tenant: Tenant) -> None:
    ensure_subscription(begun, 1)
    first = subscription(begun)
    tenant.clock.move_to(tenant.clock.now() + timedelta(days=4))
    ensure_subscription(begun, 1)
    (granted,) = tenant.subscriptions.all()
    assert first.subscription_id == granted.id
    assert first.expires_at
    assert granted.expires_at == first.expires_at + timedelta(days=4)


def test_a_lapsed_subscription_is_made_anew_with_another_secret(begun: Tools, tenant: Tenant) -> None:
    ensure_subscription(begun, 1)
    first = subscription(begun)
    tenant.subscriptions.remove(tenant.subscriptions.all()[0])
    ensure_subscription(begun, 1)
    (granted,) = tenant.subscriptions.all()
    assert granted.id != first.subscription_id
    assert granted.client_state == client_state_of(subscription(begun), begun.settings)
    assert granted.client_state != client_state_of(first, begun.settings)


@pytest.mark.parametrize("refused", [True, False])
def test_what_was_made_before_a_crash_is_taken_over(begun: Tools, tenant: Tenant, refused: bool) -> None:
    tenant.switches.set("duplicate_subscription_refused", refused)
    ensure_subscription(begun, 1)
    with begun.database.transaction() as session:
        session.get_one(Subscription, 1).subscription_id = None  # the answer was never written down
    ensure_subscription(begun, 1)
    (granted,) = tenant.subscriptions.all()
    assert subscription(begun).subscription_id == granted.id
    assert client_state_of(subscription(begun), begun.settings) == granted.client_state


def test_one_with_a_secret_we_do_not_know_is_replaced(begun: Tools, tenant: Tenant) -> None:
    ensure_subscription(begun, 1)
    with begun.database.transaction() as session:
        session.delete(session.get_one(Subscription, 1))  # a database that was lost
    begin(begun)
    ensure_subscription(begun, subscription(begun).id)
    (granted,) = tenant.subscriptions.all()
    assert granted.client_state == client_state_of(subscription(begun), begun.settings)


def test_a_change_in_outlook_reaches_us_and_asks_for_a_pull(begun: Tools, tenant: Tenant) -> None:
    ensure_subscription(begun, 1)
    event_id = create_series(begun)
    event = begun.graph.calendar.get_event(ORGANIZER, event_id)
    with tenant.lock:
        tenant.subscriptions.changed(
            tenant.organizers[0], collection="events", item_id=event_id, change="updated", etag="another"
        )
    assert event.type == "seriesMaster"
    assert eventually(lambda: heeded(begun, Task.SERIES_PULL) == ["1"])
    with begun.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Notification))
    assert tenant.subscriptions.discarded == 0


@pytest.mark.parametrize("event", ["missed", "subscriptionRemoved"])
def test_lifecycle_events_reach_us(begun: Tools, tenant: Tenant, event: str) -> None:
    ensure_subscription(begun, 1)
    sweep_mailbox(begun, 1)
    with tenant.lock:
        tenant.subscriptions.send_lifecycle(tenant.subscriptions.all()[0], event)
    wanted = Task.MAILBOX_SWEEP if event == "missed" else Task.SUBSCRIPTION_ENSURE
    assert eventually(lambda: waiting(begun, wanted) == ["1"])


def test_a_sweep_has_every_living_series_pulled_first_and_then_only_what_changed(begun: Tools) -> None:
    event_id = create_series(begun)
    sweep_mailbox(begun, 1)
    assert waiting(begun, Task.SERIES_PULL) == ["1"]
    _forget_waiting(begun)
    sweep_mailbox(begun, 1)
    assert waiting(begun, Task.SERIES_PULL) == []
    begun.graph.calendar.cancel_event(ORGANIZER, event_id)
    sweep_mailbox(begun, 1)
    assert waiting(begun, Task.SERIES_PULL) == ["1"]


def test_a_lost_link_means_a_full_round(begun: Tools) -> None:
    create_series(begun)
    sweep_mailbox(begun, 1)
    _forget_waiting(begun)
    with begun.database.transaction() as session:
        row = session.get_one(MailboxSync, 1)
        link = known_link(row, begun.settings)
        assert link
        lost = link.partition("?")[0] + "?$deltatoken=unknown"
        record_link(row, begun.settings, link=lost, now=begun.clock.now())
    sweep_mailbox(begun, 1)
    assert waiting(begun, Task.SERIES_PULL) == ["1"]


def test_a_copy_of_the_database_does_not_tell_the_delta_link(begun: Tools) -> None:
    sweep_mailbox(begun, 1)
    stored = sync(begun).delta_link
    assert stored
    assert "delta" not in stored
    assert "http" not in stored
    assert (known_link(sync(begun), begun.settings) or "").startswith(begun.settings.graph_base_url)


def test_after_a_new_secret_key_the_calendar_is_read_anew(begun: Tools) -> None:
    create_series(begun)
    sweep_mailbox(begun, 1)
    _forget_waiting(begun)
    other = replace(begun, settings=replace(begun.settings, secret_key="another secret than before"))
    assert known_link(sync(begun), other.settings) is None
    sweep_mailbox(other, 1)
    assert waiting(begun, Task.SERIES_PULL) == ["1"]
    assert known_link(sync(begun), other.settings)


def test_two_schedulers_ask_once_and_an_hour_later_again(begun: Tools, tenant: Tenant) -> None:
    assert [DUTIES[1].run(begun, begun.clock.now()) for _ in range(2)] == [1, 0]
    tenant.clock.move_to(tenant.clock.now() + timedelta(hours=1))
    assert DUTIES[1].run(begun, begun.clock.now()) == 1


def _forget_waiting(tools: Tools) -> None:
    with tools.database.transaction() as session:
        from integration.outbox import Message

        for message in session.scalars(select(Message)):
            session.delete(message)
