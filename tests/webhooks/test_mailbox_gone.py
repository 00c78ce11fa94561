"""An organizer's mailbox that loses its licence: noted in Graph's word, nothing concluded, read whole when back."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from integration.graph.simulator.tenant.tenant import Tenant
from integration.outbox import Task
from integration.tools import Tools
from integration.webhooks.jobs import sweep_mailbox
from integration.webhooks.models import MailboxSync
from integration.webhooks.registry import begin
from tests.webhooks.conftest import waiting


def test_a_mailbox_without_a_licence_is_noted_and_read_whole_once_it_is_back(
    tools: Tools, app: Flask, tenant: Tenant
) -> None:
    with tools.database.transaction() as session:
        begin(session, tools.settings, tools.clock.now())
    sweep_mailbox(tools, 1)
    tenant.organizers[0].exchange = False

    sweep_mailbox(tools, 1)
    sweep_mailbox(tools, 1)

    kept = sync(tools)
    assert (kept.gone_at, kept.gone_code) == (tools.clock.now(), "MailboxNotEnabledForRESTAPI")
    assert waiting(tools, Task.SERIES_PULL) == []

    tenant.organizers[0].exchange = True
    sweep_mailbox(tools, 1)
    assert sync(tools).gone_at is None


def sync(tools: Tools) -> MailboxSync:
    with tools.database.reading() as session:
        return session.scalars(select(MailboxSync)).one()
