"""What people say about who came, over what reports said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.attendance.definitions import Outcome, PersonOutcome
from integration.attendance.models import Attendance, AttendanceCorrection, MetDeclaration
from integration.attendance.outcomes import (
    attendance_of,
    correct_attendance,
    declare_met,
    record_outcome,
    record_unknown,
)
from integration.db import Database
from integration.errors import Conflict
from integration.scheduling.models import Occurrence
from tests.attendance.build import at, build_person, build_series


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as session:
        yield session


@pytest.fixture
def occurrence(session: Session) -> Occurrence:
    people = [build_person(session, name) for name in ("Ada", "Grace", "Alan")]
    return build_series(session, people).occurrences[0]


def only_ada_came(occurrence: Occurrence) -> Outcome:
    ada, grace, alan = (each.participant_id for each in occurrence.invited)
    return Outcome(
        held=False,
        together=timedelta(),
        people=(
            PersonOutcome(ada, attended=True, present=timedelta(minutes=30)),
            PersonOutcome(grace, attended=False, present=timedelta()),
            PersonOutcome(alan, attended=False, present=timedelta()),
        ),
        guests=0,
        unmatched=(),
    )


def attended(session: Session, occurrence: Occurrence) -> list[bool | None]:
    rows = session.scalars(
        select(Attendance).where(Attendance.occurrence_id == occurrence.id).order_by(Attendance.participant_id)
    )
    return [row.attended for row in rows]


def test_a_no_is_nobody_of_three_declared(session: Session, occurrence: Occurrence) -> None:
    record_unknown(session, occurrence, reason="No sign of a meeting.", at=at(24 * 60))
    declare_met(session, occurrence, met=False, by=occurrence.invited[0].participant, at=at(25 * 60))
    assert (occurrence.attendance, occurrence.held, occurrence.held_provenance) == ("declared", False, "declared")
    assert (occurrence.attended_count, occurrence.unknown_count) == (0, 0)
    assert attended(session, occurrence) == [False, False, False]


def test_a_yes_is_held_and_who_came_stays_unknown(session: Session, occurrence: Occurrence) -> None:
    record_unknown(session, occurrence, reason="No sign of a meeting.", at=at(24 * 60))
    declare_met(session, occurrence, met=True, by=occurrence.invited[0].participant, at=at(25 * 60))
    assert (occurrence.attendance, occurrence.held, occurrence.held_provenance) == ("unknown", True, "declared")
    assert attended(session, occurrence) == [None, None, None]


def test_the_latest_answer_counts_and_both_are_kept(session: Session, occurrence: Occurrence) -> None:
    for met in (False, True):
        declare_met(session, occurrence, met=met, by=occurrence.invited[0].participant, at=at(25 * 60))
    assert occurrence.held is True
    assert attended(session, occurrence) == [None, None, None]
    assert session.scalars(select(MetDeclaration.met).order_by(MetDeclaration.id)).all() == [False, True]


def test_nobody_declares_what_was_measured(session: Session, occurrence: Occurrence) -> None:
    record_outcome(session, occurrence, only_ada_came(occurrence), at=at(36))
    with pytest.raises(Conflict, match="measured"):
        declare_met(session, occurrence, met=False, by=occurrence.invited[0].participant, at=at(40))


def test_a_correction_keeps_what_stood_there_and_outlives_the_next_look(
    session: Session, occurrence: Occurrence
) -> None:
    ada, grace, _ = (each.participant for each in occurrence.invited)
    record_outcome(session, occurrence, only_ada_came(occurrence), at=at(36))
    wrong = attendance_of(session, occurrence, grace)
    correct_attendance(session, wrong, attended=True, by=ada, why="She sat beside me.", at=at(60))
    record_outcome(session, occurrence, only_ada_came(occurrence), at=at(120))
    assert attended(session, occurrence) == [True, True, False]
    assert (wrong.provenance, wrong.reason, occurrence.attended_count) == ("corrected", "She sat beside me.", 2)
    (kept,) = session.scalars(select(AttendanceCorrection))
    assert (kept.earlier_attended, kept.earlier_provenance, kept.corrected_by_id) == (False, "measured", ada.id)


def test_correcting_everybody_makes_an_unknown_occurrence_known(session: Session, occurrence: Occurrence) -> None:
    record_unknown(session, occurrence, reason="Reports do not arrive.", at=at(24 * 60))
    ada = occurrence.invited[0].participant
    for each in occurrence.invited:
        assert occurrence.attendance == "unknown"
        row = attendance_of(session, occurrence, each.participant)
        correct_attendance(session, row, attended=True, by=ada, why="I was there.", at=at(25 * 60))
    assert (occurrence.attendance, occurrence.attended_count) == ("declared", 3)


def test_counts_only_has_nobody_to_correct(session: Session) -> None:
    counted = build_series(session, [build_person(session, "Ada")], detail="counts only").occurrences[0]
    record_unknown(session, counted, reason="Reports do not arrive.", at=at(24 * 60))
    assert (counted.attended_count, counted.unknown_count) == (0, 1)
    with pytest.raises(Conflict, match="counts only"):
        attendance_of(session, counted, counted.invited[0].participant)
