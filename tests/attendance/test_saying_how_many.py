"""What people who were there say, as figures: how many came where no names are kept, and what counts into a rate."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from integration.attendance.checkins import check_in, confirm
from integration.attendance.models import Attendance, CheckIn
from integration.attendance.provenances import provenance_of
from integration.db import Database
from integration.metrics.figures import program_figures
from integration.outbox import Message
from integration.scheduling.models import Occurrence
from tests.admin.conftest import Site
from tests.admin.conftest import site as site
from tests.attendance.build import at
from tests.attendance.test_corrections_and_check_ins import browser, build, measured, move
from tests.attendance.test_corrections_and_check_ins import clock as clock
from tests.attendance.test_corrections_and_check_ins import environ as environ
from tests.attendance.test_corrections_and_check_ins import occurrence_id as occurrence_id


@pytest.mark.parametrize("occurrence_id", ["counts only"], indirect=True)
def test_without_names_ada_says_how_many_are_there_and_a_report_leaves_it(
    site: Site, clock: Path, occurrence_id: int
) -> None:
    ada, address = browser(site, "Ada"), f"/me/sessions/{occurrence_id}/check-ins"
    assert "in the room and online together" in ada.get(f"/me/sessions/{occurrence_id}").text
    move(clock, -1)
    assert ada.post(address, data={"count": "2"}).status_code == 400
    assert "from the start" in ada.get(f"/me/sessions/{occurrence_id}").text
    move(clock, 10)
    for count in ("4", "", "-1"):
        assert ada.post(address, data={"count": count}).status_code == 400, count
    assert browser(site, "Grace").post(address, data={"count": "2"}).status_code == 404
    assert ada.post(address, data={"count": "2"}).status_code == 303
    assert ada.post(address, data={"count": "3"}).status_code == 400
    measured(site, occurrence_id)
    with site.tools.database.transaction() as session:
        occurrence = session.get_one(Occurrence, occurrence_id)
        assert (occurrence.attended_count, occurrence.unknown_count, occurrence.held) == (2, 0, True)
        assert provenance_of(session, occurrence) == "declared"
        assert session.scalar(select(func.count()).select_from(Attendance)) == 0
        assert session.scalar(select(func.count()).select_from(CheckIn)) == 0
        assert [each.subject for each in session.scalars(select(Message))] == [str(occurrence_id)]


def test_a_confirmed_check_in_counts_into_the_rate_and_one_that_is_not_does_not(database: Database) -> None:
    with database.transaction() as session:
        occurrence = build(session)
        ada, grace, _alan = (each.participant for each in occurrence.invited)
        program = occurrence.series.pod.program
        check_in(session, occurrence, grace, present=True, at=at(5))
        before = program_figures(session, program, at=at(60)).participation
        assert (before.value, before.unknown_occurrences) == (None, 1)
        confirm(session, occurrence, [ada.id, grace.id], by=ada, at=at(10))
        after = program_figures(session, program, at=at(60)).participation
        assert (after.attended, after.invited, after.unknown_occurrences) == (2, 3, 0)
