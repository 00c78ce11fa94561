"""What may happen to a difference: seen, adopted by policy, decided by somebody, gone again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from integration import outbox
from integration.errors import Conflict
from integration.language import gettext as _
from integration.language import lazy
from integration.outbox import Task
from integration.scheduling.drift.adopting import adopt, take_back
from integration.scheduling.drift.kinds import NO_WAY, TAKEN_BACK, Kind, Policies, Policy, Repair
from integration.scheduling.drift.models import Drift
from integration.scheduling.drift.recreating import want_anew, want_in_its_place
from integration.scheduling.drift.values import Difference
from integration.scheduling.models import Occurrence, Series
from integration.scheduling.neighbours import crosses_a_neighbour
from integration.scheduling.recurrence import instant

BY_POLICY = "policy"
MOVING = ((Kind.SERIES_PROPOSED, Repair.ADOPT), (Kind.SERIES_MOVED, Repair.PUT_BACK))
LOST = (Kind.OCCURRENCE_DELETED, Kind.OCCURRENCE_MISSING)


def record_differences(
    session: Session, series: Series, differences: Sequence[Difference], *, policies: Policies, now: datetime
) -> list[Drift]:
    """Note what a comparison found; returns what is new. What the policy adopts is adopted at once, and said.

    A difference that is no longer there is closed. One that was adopted is not a difference again, unless Outlook has
    something else by now.
    """
    still_open = {row.key: row for row in open_drift(session, series.id)}
    new: list[Drift] = []
    for difference in differences:
        key = _key(series, difference)
        row = still_open.pop(key, None)
        if row is None and _was_decided(session, key, difference):
            continue
        if row is None:
            row = _drift(series, key, difference, now=now)
            session.add(row)
            new.append(row)
        row.found, row.last_seen_at = dict(difference.found), now
        row.mails, row.repairs = dict(difference.mails), [str(each) for each in difference.repairs]
        if policies[difference.kind] is Policy.ADOPT and not difference.asks and row.decision is None:
            session.flush()
            _settle(session, row, by=BY_POLICY, now=now)
    came_back = {one.occurrence_id for one in differences if one.kind is Kind.OCCURRENCE_EXTRA} - {None}
    for row in still_open.values():
        if row.occurrence_id in came_back or not _is_followed(row, now=now):
            row.closed_at = now
    session.flush()
    return new


def decide(session: Session, row: Drift, repair: Repair, *, by: str, now: datetime) -> None:
    """Somebody decides: what Outlook has is right, or ours is put back by the workers. The same twice is harmless.

    Raises Conflict where it was decided otherwise, is gone, or cannot be done (any more).
    """
    if row.decision == repair:
        return
    reason = why_not(row, repair, now=now)
    if reason is not None:
        raise Conflict(reason, remedy=lazy("Compare with Outlook again and look at what is there now."))
    if row.kind == Kind.SERIES_PROPOSED:
        _answer(session, row, repair, by=by, now=now)
        return
    if repair is Repair.ADOPT:
        _settle(session, row, by=by, now=now)
        return
    if row.decision is not None:
        take_back(row)
    row.decision, row.decided_at, row.decided_by, row.closed_at = Repair.PUT_BACK, now, by, None
    session.flush()
    _put_back(session, row, now=now)


def why_not(row: Drift, repair: Repair, *, now: datetime) -> str | None:
    """In words, why this cannot be done about a difference; None when it can."""
    if repair not in row.repairs:
        return str(NO_WAY.get(Kind(row.kind), "")) or _("Outlook has no way back for this.")
    if row.closed_at is not None and not (repair is Repair.PUT_BACK and may_be_taken_back(row)):
        return _("This difference is settled.")
    if row.decision is not None and row.closed_at is None:
        return _("This was decided already.")
    if repair is Repair.PUT_BACK and row.kind in LOST and datetime.fromisoformat(row.wanted["starts_at"]) <= now:
        return _("The time at which it was to be has passed.")
    if repair is Repair.PUT_BACK and row.kind == Kind.OCCURRENCE_MOVED and row.occurrence is not None:
        return _why_not_moved_back(row, row.occurrence, now=now)
    if (row.kind, repair) in MOVING and _puts_a_session_into_the_past(row, now=now):
        return _("A session to come would be over at once. Decide after it.")
    return None


def may_be_taken_back(row: Drift) -> bool:
    """Whether something that the policy adopted can still be put back by somebody."""
    return row.kind in TAKEN_BACK and row.decided_by == BY_POLICY and Repair.PUT_BACK in row.repairs


def open_drift(session: Session, series_id: int) -> list[Drift]:
    """What is not settled, the oldest first."""
    wanted = select(Drift).where(Drift.series_id == series_id, Drift.closed_at.is_(None))
    return list(session.scalars(wanted.order_by(Drift.id)))


def proposed_for_all(session: Session, series_id: int) -> frozenset[tuple[str, str]]:
    """Times that were ever proposed for the whole series, answered or not: (address; instant in ISO)."""
    wanted = select(Drift.address, Drift.found).where(
        Drift.series_id == series_id, Drift.kind == Kind.SERIES_PROPOSED
    )
    return frozenset((row[0] or "", row[1]["proposed_at"]) for row in session.execute(wanted))


def left_out(session: Session, series_id: int) -> frozenset[tuple[int | None, str]]:
    """Who is missing in Outlook and is not invited again unasked: (occurrence; None: the series; address)."""
    undecided = Drift.closed_at.is_(None) & Drift.decision.is_(None)
    wanted = select(Drift.occurrence_id, Drift.address).where(
        Drift.series_id == series_id,
        Drift.kind == Kind.ATTENDEE_MISSING,
        or_(undecided, Drift.decision == Repair.ADOPT),
    )
    return frozenset((row[0], row[1] or "") for row in session.execute(wanted))


def _why_not_moved_back(row: Drift, occurrence: Occurrence, *, now: datetime) -> str | None:
    starts_at, ends_at = (datetime.fromisoformat(row.wanted[side]) for side in ("starts_at", "ends_at"))
    if starts_at <= now:
        return _("The time at which it was to be has passed.")
    if occurrence.ends_at <= now:
        return _("The session is over.")
    if crosses_a_neighbour(occurrence, starts_at=starts_at, ends_at=ends_at):
        return _("Outlook moves no session onto or past the day of the one before or after it.")
    return None


def _puts_a_session_into_the_past(row: Drift, *, now: datetime) -> bool:
    """Whether one that is still to come would no longer be, once the series has moved to the other wall."""
    there, here = (instant(datetime.fromisoformat(each["starts_local"]), each["time_zone"]) for each in _walls(row))
    return any(one.starts_at + (there - here) <= now < one.starts_at for one in row.series.occurrences)


def _walls(row: Drift) -> tuple[dict[str, Any], dict[str, Any]]:
    """Where the series would go, and where it is in Outlook."""
    return (row.found, row.wanted) if row.kind == Kind.SERIES_PROPOSED else (row.wanted, row.found)


def _settle(session: Session, row: Drift, *, by: str, now: datetime) -> None:
    adopt(session, row, now=now)
    row.decision, row.decided_at, row.decided_by, row.closed_at = Repair.ADOPT, now, by, now


def _answer(session: Session, row: Drift, repair: Repair, *, by: str, now: datetime) -> None:
    """A yes is on its way until a worker has moved the series; a no leaves it as it is, and tells nobody."""
    row.decision, row.decided_at, row.decided_by = repair, now, by
    if repair is Repair.PUT_BACK:
        row.closed_at = now
        return
    session.flush()
    outbox.add(session, Task.SERIES_REPAIR, row.series_id)


def _put_back(session: Session, row: Drift, *, now: datetime) -> None:
    if row.kind in LOST and row.occurrence is not None:
        want_in_its_place(session, row.occurrence, now=now)
        row.closed_at = now
        return
    if row.kind == Kind.SERIES_DELETED:
        want_anew(session, row.series, now=now)
        row.closed_at = now
        return
    if row.kind == Kind.ATTENDEE_MISSING:
        outbox.add(session, Task.SERIES_PUSH, row.series_id)
    outbox.add(session, Task.SERIES_REPAIR, row.series_id)  # which has the series read again at its end


def _drift(series: Series, key: str, difference: Difference, *, now: datetime) -> Drift:
    return Drift(
        series=series,
        occurrence_id=difference.occurrence_id,
        key=key,
        kind=difference.kind,
        address=difference.address,
        wanted=dict(difference.wanted),
        first_seen_at=now,
    )


def _key(series: Series, difference: Difference) -> str:
    about = difference.occurrence_id or difference.found.get("event_id") or "series"
    return f"{series.id}/{difference.kind}/{about}/{difference.address or ''}"


def _is_followed(row: Drift, *, now: datetime) -> bool:
    """Whether our rows follow Outlook in this at once, so that a comparison shows it only once.

    Where the policy asks, it waits for somebody nevertheless, as long as it is about something to come.
    """
    if row.kind == Kind.SERIES_PROPOSED:
        return row.decision is not None  # the worker closes it, whatever its author says meanwhile
    if row.kind == Kind.LINK_CHANGED:
        return True
    return row.kind in LOST and row.occurrence is not None and row.occurrence.ends_at > now


def _was_decided(session: Session, key: str, difference: Difference) -> bool:
    """Whether just this was adopted before, or such a proposal answered: nothing is asked twice."""
    last = session.scalar(select(Drift).where(Drift.key == key).order_by(Drift.id.desc()).limit(1))
    if last is None or last.found != dict(difference.found):
        return False
    is_answered = difference.kind is Kind.SERIES_PROPOSED and last.decision is not None
    return is_answered or last.decision == Repair.ADOPT
