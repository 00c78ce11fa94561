"""A mailbox that is no organizer any more: read as long as its pods meet, then left alone, with what it has been."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select

from integration.graph.simulator.tenant.tenant import Tenant
from integration.jobs import DUTIES
from integration.outbox import Message, Task
from integration.scheduling.models import Series
from integration.tools import Tools
from integration.webhooks.jobs import sweep_mailbox
from integration.webhooks.models import MailboxSync
from tests.attendance.build import build_person, build_series
from tests.webhooks.conftest import ORGANIZER, begin, waiting

NEXT = "pods.two@pods.example"


def without(tools: Tools) -> Tools:
    """The same product after the administrator took the mailbox off the list."""
    return replace(tools, settings=replace(tools.settings, organizer_mailboxes=(NEXT,)))


def wait_until(tenant: Tenant, moment: datetime) -> None:
    tenant.clock.move_to(moment)  # type: ignore[attr-defined]


def run_duties(tools: Tools) -> None:
    for duty in DUTIES:
        if duty.name in ("sweep calendars", "compare calendars"):
            duty.run(tools, tools.clock.now())


def sync(tools: Tools) -> MailboxSync:
    with tools.database.reading() as session:
        return session.scalars(select(MailboxSync).where(MailboxSync.mailbox == ORGANIZER)).one()


def forget_wishes(tools: Tools) -> None:
    with tools.database.transaction() as session:
        for message in session.scalars(select(Message)):
            session.delete(message)


def test_a_former_organizer_without_series_is_swept_no_more(tools: Tools, app: Flask, tenant: Tenant) -> None:
    begin(tools)
    sweep_mailbox(tools, 1)
    swept_at = sync(tools).swept_at
    begin(without(tools))

    wait_until(tenant, tools.clock.now() + timedelta(days=3))
    forget_wishes(tools)
    run_duties(without(tools))

    kept = sync(tools)
    assert (kept.sweep_due_at, kept.compare_due_at, kept.delta_link) == (None, None, None)
    assert kept.swept_at == swept_at
    assert waiting(tools, Task.MAILBOX_SWEEP) == ["2"]  # the organizer there is now


def test_one_whose_pod_still_meets_is_read_until_the_last_session_and_its_history_stays(
    tools: Tools, app: Flask, tenant: Tenant
) -> None:
    with tools.database.transaction() as session:
        series = build_series(session, [build_person(session, "Grace")])
        series_id, last = series.id, series.occurrences[-1].ends_at
    begin(tools)
    begin(without(tools))
    forget_wishes(tools)
    run_duties(without(tools))
    assert "1" in waiting(tools, Task.MAILBOX_SWEEP)

    wait_until(tenant, last + timedelta(days=1))
    forget_wishes(tools)
    for _ in range(2):
        run_duties(without(tools))

    assert "1" not in waiting(tools, Task.MAILBOX_SWEEP)
    assert sync(tools).sweep_due_at is None
    with tools.database.reading() as session:
        assert len(session.get_one(Series, series_id).occurrences) == 3


def test_one_that_was_gone_is_no_trouble_any_more_and_is_read_whole_when_it_is_an_organizer_again(
    tools: Tools, app: Flask, tenant: Tenant
) -> None:
    begin(tools)
    tenant.organizers[0].exchange = False
    sweep_mailbox(tools, 1)
    assert sync(tools).gone_at is not None

    begin(without(tools))
    assert (sync(tools).gone_at, sync(tools).gone_code) == (None, None)

    tenant.organizers[0].exchange = True
    begin(tools)
    assert sync(tools).sweep_due_at == tools.clock.now()
    sweep_mailbox(tools, 1)
    assert sync(tools).delta_link is not None
