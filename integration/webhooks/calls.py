"""From a call to the occurrence it was, by the meeting's join URL; what is read of a call is a hint and not kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from integration.graph.resources import CallRecord
from integration.scheduling.models import Occurrence, SeriesMeeting
from integration.webhooks.encryption import NotOpened
from integration.webhooks.models import EncryptionKey, Subscription

BEFORE_START = timedelta(minutes=15)  # as the window of an occurrence (docs: definitions)
AFTER_END = timedelta(minutes=60)


class _CallEvent(msgspec.Struct, rename="camel"):
    """A callEvent; its type has two names in Graph's own pages."""

    event_type: str | None = None
    call_event_type: str | None = None
    event_date_time: str | None = None


@dataclass(frozen=True)
class Hint:
    """What a call event tells us: whether the call has ended, and when."""

    has_ended: bool
    at: datetime | None = None


def hint_in(opened: bytes) -> Hint:
    """Raises NotOpened for what is no call event."""
    try:
        event = msgspec.json.decode(opened, type=_CallEvent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotOpened("unreadable content") from error
    kind = (event.call_event_type or event.event_type or "").casefold()
    return Hint(kind == "callended", instant_in(event.event_date_time))


def instant_in(text: str | None) -> datetime | None:
    """An aware instant as Graph prints it, with up to seven digits of a second; None for anything else."""
    try:
        return msgspec.convert(text, datetime) if text and text[-1:] in "Zz0123456789" else None
    except msgspec.ValidationError:
        return None


def key_named(certificate_id: str) -> Select[EncryptionKey]:
    return select(EncryptionKey).where(EncryptionKey.certificate_id == certificate_id)


def ask_for_attendance(session: Session, record: CallRecord, *, now: datetime) -> int:
    """Have the reports of the occurrences that this call belongs to looked for now; returns how many."""
    if record.join_url is None:
        return 0
    meetings = session.execute(select(SeriesMeeting.series_id, SeriesMeeting.join_url)).all()
    wanted = _same_link(record.join_url)
    series_ids = {series_id for series_id, join_url in meetings if _same_link(join_url) == wanted}
    begins, ends = record.starts_at or now, record.ends_at or record.starts_at or now
    return _ask(session, series_ids, begins=begins, ends=ends, now=now)


def ask_for_attendance_of(session: Session, subscription_row_id: int, *, ended_at: datetime, now: datetime) -> int:
    """The same for the meeting that a subscription watches."""
    watched = (
        select(SeriesMeeting.series_id)
        .join(Subscription, Subscription.meeting_id == SeriesMeeting.id)
        .where(Subscription.id == subscription_row_id)
    )
    return _ask(session, set(session.scalars(watched)), begins=ended_at, ends=ended_at, now=now)


def _ask(session: Session, series_ids: set[int], *, begins: datetime, ends: datetime, now: datetime) -> int:
    touched = select(Occurrence).where(
        Occurrence.series_id.in_(series_ids),
        Occurrence.cancelled_at.is_(None),
        Occurrence.starts_at <= ends + BEFORE_START,
        Occurrence.ends_at >= begins - AFTER_END,
    )
    found = session.scalars(touched.with_for_update()).all()
    for occurrence in found:
        due_at = max(now, occurrence.ends_at)  # a call can end and begin anew before the planned end
        if occurrence.collect_due_at is None or occurrence.collect_due_at > due_at:
            occurrence.collect_due_at = due_at
    return len(found)


def _same_link(join_url: str) -> str:
    """The same for two spellings of a link: more or less of it percent-encoded, in whatever case."""
    return unquote(unquote(join_url)).casefold().rstrip("/")
