"""Differences to be shown: what waits, what was settled lately; mailboxes and subscriptions in trouble, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload

from integration.language import gettext as _
from integration.scheduling.drift.models import Drift
from integration.scheduling.models import Occurrence, Pod, Program, Series
from integration.webhooks.models import EVENTS, MailboxSync, Subscription

SETTLED_SHOWN = timedelta(days=14)
MOST_SETTLED = 20
NO_LICENCE = ("mailboxnotenabledforrestapi", "mailboxnotsupportedforrestapi")


@dataclass(frozen=True)
class MailboxTrouble:
    """An organizer mailbox that is not there, or that tells us nothing."""

    mailbox: str
    words: str
    remedy: str


def waiting(*, now: datetime) -> Select[Drift]:
    """Differences that nobody has decided, of series that go on, with series, pod and program joined."""
    goes_on = Series.cancelled_at.is_(None), Series.occurrences.any(Occurrence.ends_at > now)
    return _joined().where(Drift.closed_at.is_(None), Drift.decision.is_(None), *goes_on)


def of_pod(session: Session, pod_id: int, *, now: datetime) -> tuple[Sequence[Drift], Sequence[Drift]]:
    """What is open for a pod, decided or not, and what was settled in the last fortnight, the latest first."""
    shown = or_(Drift.closed_at.is_(None), Drift.closed_at > now - SETTLED_SHOWN)
    wanted = _joined().where(Series.pod_id == pod_id, shown).order_by(Drift.closed_at.desc(), Drift.id.desc())
    found = session.scalars(wanted).unique().all()
    still_open = sorted((each for each in found if each.closed_at is None), key=lambda each: each.id)
    return still_open, [each for each in found if each.closed_at is not None][:MOST_SETTLED]


def mailbox_troubles(
    session: Session, *, now: datetime, webhooks: bool, mailboxes: Sequence[str] | None = None
) -> list[MailboxTrouble]:
    """Organizer mailboxes (None: all) that are gone, and subscriptions that have lapsed; neither mails anybody."""
    not_granted = Subscription.subscription_id.is_(None) & Subscription.troubled_at.is_not(None)
    is_lapsed = (
        (Subscription.kind == EVENTS)
        & Subscription.end_wanted_at.is_(None)
        & or_(Subscription.expires_at <= now, not_granted)
    )
    rows = session.execute(
        select(MailboxSync, Subscription)
        .outerjoin(Subscription, (Subscription.mailbox == MailboxSync.mailbox) & is_lapsed)
        .where(or_(MailboxSync.gone_at.is_not(None), Subscription.id.is_not(None)))
        .order_by(MailboxSync.mailbox)
    )
    found: list[MailboxTrouble] = []
    for sync, lapsed in rows:
        if sync.gone_at is not None:
            found.append(_gone(sync))
        elif webhooks and lapsed is not None:
            found.append(_lapsed(sync))
    return [each for each in found if mailboxes is None or each.mailbox in mailboxes]


def _gone(sync: MailboxSync) -> MailboxTrouble:
    without_licence = (sync.gone_code or "").lower() in NO_LICENCE
    words = _("The mailbox has no Exchange licence, or is no cloud mailbox.") if without_licence else ""
    remedy = _(
        "Restore the account and its licences: within the hour everything is read again. If it is lost for good, undo"
        " the plans whose series it organizes and plan them anew with another organizer."
    )
    return MailboxTrouble(sync.mailbox, words or _("The account is not in the tenant any more."), remedy)


def _lapsed(sync: MailboxSync) -> MailboxTrouble:
    return MailboxTrouble(
        sync.mailbox,
        _("There is no living subscription to its calendar: changes are noticed by the sweeps only."),
        _("The workers make it anew by themselves; if it stays, look at Health."),
    )


def _joined() -> Select[Drift]:
    series = joinedload(Drift.series).joinedload(Series.pod).joinedload(Pod.program)
    joined = select(Drift).join(Drift.series).join(Series.pod).join(Program, Program.id == Pod.program_id)
    return joined.options(series, joinedload(Drift.occurrence))
