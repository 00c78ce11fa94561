"""Differences and proposed times are kept as long as they are of use, and name nobody who was erased."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.db import Database
from integration.scheduling.drift.drifts import record_differences
from integration.scheduling.drift.keeping import ERASED, KEEP_FOR, erase_drift, forget_old
from integration.scheduling.drift.kinds import Kind, Policy, Repair
from integration.scheduling.drift.models import Drift
from integration.scheduling.drift.values import Difference
from integration.scheduling.models import Series
from integration.scheduling.proposals.models import TimeProposal
from tests.attendance.build import at, build_person, build_series

DAY = timedelta(days=1)
EVERYTHING = dict.fromkeys(Kind, Policy.ASK)


@pytest.fixture
def series_id(database: Database) -> int:
    """A pod of Grace and Alan that meets on three Wednesdays from 4 March."""
    with database.transaction() as session:
        people = [build_person(session, "Grace"), build_person(session, "Alan")]
        return build_series(session, people, frozen=False).id


def noted(session: Session, series_id: int, kind: Kind, *, closed_at: datetime | None, **more: object) -> Drift:
    row = Drift(
        series_id=series_id,
        key=f"{series_id}/{kind}/{more.get('address')}",
        kind=kind,
        first_seen_at=at(0),
        last_seen_at=at(0),
        closed_at=closed_at,
        **more,
    )
    session.add(row)
    return row


def proposed(session: Session, series_id: int, address: str) -> None:
    occurrence = session.get_one(Series, series_id).occurrences[0]
    times = {"starts_at": at(60), "ends_at": at(90), "seen_at": at(0)}
    session.add(TimeProposal(occurrence=occurrence, address=address, name="Grace Hopper", nonce="n", **times))


def kinds(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.scalars(select(Drift.kind)))


def forgotten(database: Database, now: datetime) -> None:
    """The office tidies up, twice."""
    for _ in range(2):
        with database.transaction() as session:
            forget_old(session, now=now)


def test_what_was_settled_goes_after_thirty_days_but_what_was_adopted_stays_while_the_pod_meets(
    database: Database, series_id: int
):
    with database.transaction() as session:
        settled = at(0) - KEEP_FOR - DAY
        noted(session, series_id, Kind.SERIES_MOVED, closed_at=settled, decision=Repair.PUT_BACK)
        noted(session, series_id, Kind.OCCURRENCE_EXTRA, closed_at=settled)  # gone by itself
        noted(session, series_id, Kind.SERIES_EDITED, closed_at=settled, decision=Repair.ADOPT)
        noted(session, series_id, Kind.LINK_MISSING, closed_at=at(0) - KEEP_FOR + DAY)
        noted(session, series_id, Kind.SERIES_DELETED, closed_at=None)

    forgotten(database, at(0))
    assert kinds(database) == ["link missing", "series deleted", "series edited"]

    forgotten(database, at(0, occurrence=3) + KEEP_FOR + 2 * DAY)  # the last session is long over
    assert kinds(database) == ["series deleted"]
    forgotten(database, at(0, occurrence=3) + 2 * KEEP_FOR + 5 * DAY)
    assert kinds(database) == []


def test_what_is_open_when_the_last_session_is_over_waits_no_more(database: Database, series_id: int):
    with database.transaction() as session:
        noted(session, series_id, Kind.SERIES_MOVED, closed_at=None)
    forgotten(database, at(0, occurrence=3))
    with database.reading() as session:
        assert session.scalars(select(Drift.closed_at)).one() is None
    forgotten(database, at(31, occurrence=3))
    with database.reading() as session:
        assert session.scalars(select(Drift.closed_at)).one() == at(31, occurrence=3)


def test_a_proposed_time_goes_thirty_days_after_the_session(database: Database, series_id: int):
    with database.transaction() as session:
        proposed(session, series_id, "grace@pods.example")
    forgotten(database, at(0) + KEEP_FOR)
    assert len(proposals(database)) == 1
    forgotten(database, at(31) + KEEP_FOR)
    assert proposals(database) == []


def test_whoever_is_erased_is_named_nowhere_and_others_stay(database: Database, series_id: int):
    with database.transaction() as session:
        proposed(session, series_id, "grace@pods.example")
        proposed(session, series_id, "alan@pods.example")
        noted(session, series_id, Kind.ATTENDEE_MISSING, closed_at=None, address="grace@pods.example")
        noted(session, series_id, Kind.ATTENDEE_EXTRA, closed_at=None, address="alan@pods.example")
        noted(
            session,
            series_id,
            Kind.SERIES_MOVED,
            closed_at=at(0),
            decision=Repair.PUT_BACK,
            decided_by="grace@pods.example",
            mails={"grace@pods.example": 2, "alan@pods.example": 2},
        )
        grace = session.get_one(Series, series_id).attendees[0].participant_id
        assert grace is not None

    for _ in range(2):
        with database.transaction() as session:
            erase_drift(session, grace)

    assert proposals(database) == ["alan@pods.example"]
    assert kinds(database) == ["attendee extra", "series moved"]
    with database.reading() as session:
        moved = session.scalars(select(Drift).where(Drift.kind == Kind.SERIES_MOVED)).one()
        assert (moved.decided_by, moved.mails) == (ERASED, {"alan@pods.example": 2})


def test_the_same_difference_is_open_once_and_adopted_once(database: Database, series_id: int):
    """What two workers see at the same time is one row: the index of open differences says so on both databases."""
    difference = Difference(Kind.SERIES_EDITED, found={"subject": "Coffee"})
    for policy in (Policy.ASK, Policy.ADOPT, Policy.ADOPT):
        with database.transaction() as session:
            series = session.get_one(Series, series_id, with_for_update=True)
            wanted = {**EVERYTHING, Kind.SERIES_EDITED: policy}
            record_differences(session, series, [difference], policies=wanted, now=at(0))
    with database.reading() as session:
        row = session.scalars(select(Drift)).one()
        assert (row.decision, row.closed_at, row.series.subject) == (Repair.ADOPT, at(0), "Coffee")


def proposals(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(TimeProposal.address)))
