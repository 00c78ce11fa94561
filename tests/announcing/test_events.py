"""What happens in programs is announced in the transaction in which it happens, once."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from integration.announcing.models import Announcement
from integration.attendance.checkins import confirm
from integration.attendance.definitions import Outcome
from integration.attendance.identities import Presence, participant_key
from integration.attendance.intervals import Interval
from integration.attendance.outcomes import announcing_held, record_outcome
from integration.attendance.reckoning import reckon
from integration.clock import real_now
from integration.people.models import Person
from integration.scheduling.models import Plan, Series
from integration.scheduling.plan import apply_plan, make_plan, undo_plan
from integration.scheduling.programs import ProgramDraft, add_members, create_program
from tests.attendance.build import at, build_person, build_series

NOW = real_now()


def announced(office) -> list[tuple[str, dict]]:
    with office.tools.database.reading() as session:
        rows = session.scalars(select(Announcement).order_by(Announcement.id)).all()
        return [(row.event, row.content) for row in rows]


def test_a_program_its_plan_and_the_undoing_of_it_are_announced_once_each(office, stranger):
    office.add_receiver(stranger.url)
    with office.tools.database.transaction() as session:
        for name in ("Ada", "Grace"):
            build_person(session, name)
        program = create_program(session, ProgramDraft("P", "o", "m", "b", NOW.date()), now=NOW)
        add_members(session, program, session.scalars(select(Person)))
        plan_id = make_plan(session, program, {}, now=NOW, organizers=["pods@pods.example"]).id
        program_id = program.id
    for step in (apply_plan, apply_plan, undo_plan, undo_plan):
        with office.tools.database.transaction() as session:
            step(session, session.get_one(Plan, plan_id), now=NOW)

    of_plan = {"plan_id": plan_id, "series": 1, "program_id": program_id}
    assert announced(office) == [
        ("program.created", {"program_id": program_id}),
        ("plan.applied", of_plan),
        ("plan.undone", of_plan),
    ]


def test_that_a_pod_met_is_announced_when_it_is_known_and_again_only_when_it_changes(office, stranger):
    office.add_receiver(stranger.url)
    with office.tools.database.transaction() as session:
        series = build_series(session, [build_person(session, "Ada"), build_person(session, "Grace")])
        series_id = series.id
    for held in (True, True, False):
        with office.tools.database.transaction() as session:
            occurrence = session.get_one(Series, series_id).occurrences[0]
            outcome = Outcome(people=(), unmatched=(), guests=0, held=held, together=timedelta())
            with announcing_held(session, occurrence):
                record_outcome(session, occurrence, outcome, at=NOW)

    (met, first), (not_met, second) = announced(office)
    assert (met, not_met) == ("occurrence.held", "occurrence.not_held")
    assert first == second
    assert first["series_id"] == series_id
    assert first["starts_at"] == "2026-03-04T09:00:00+00:00"


def test_a_report_that_saw_less_than_the_room_announces_nothing_however_often_it_is_read(office, stranger):
    office.add_receiver(stranger.url)
    with office.tools.database.transaction() as session:
        series = build_series(session, [build_person(session, "Ada"), build_person(session, "Grace")])
        series_id = series.id
    with office.tools.database.transaction() as session:
        occurrence = session.get_one(Series, series_id).occurrences[0]
        confirm(session, occurrence, [each.participant_id for each in occurrence.invited], by="eve", at=at(40))
    for _look in range(2):
        with office.tools.database.transaction() as session:
            occurrence = session.get_one(Series, series_id).occurrences[0]
            ada = occurrence.invited[0].participant_id
            alone = Presence(participant_key(ada), "participant", ada, intervals=(Interval(at(0), at(30)),))
            reckon(session, occurrence, [alone], at=at(45))
            assert occurrence.held is True

    assert [event for event, _content in announced(office)] == ["occurrence.held"]
