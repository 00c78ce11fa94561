"""Plan, apply, undo: shown first, done as one batch, undone as one batch."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from integration.errors import Conflict, SettingRefused
from integration.outbox import Message
from integration.people.people import by_mail
from integration.scheduling.jobs import draft_plan
from integration.scheduling.membership import leave
from integration.scheduling.models import Occurrence, Plan, Pod, PodMember, Series
from integration.scheduling.plan import apply_plan, undo_plan
from integration.scheduling.planned import summary
from integration.wording import said
from tests.scheduling.conftest import Office, tools_for

FOUR = ("Ada", "Grace", "Alan", "Linus")


def apply(office: Office, plan_id: int) -> list[int]:
    with office.tools.database.transaction() as session:
        made = apply_plan(session, session.get_one(Plan, plan_id), now=office.tools.clock.now())
        return [series.id for series in made]


def shown(office: Office, plan_id: int) -> dict:
    with office.tools.database.reading() as session:
        return session.get_one(Plan, plan_id).content


def count(office: Office, row: type) -> int:
    with office.tools.database.reading() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def test_a_plan_says_what_would_be_created_and_creates_nothing(office):
    plan_id = office.planned(*FOUR)

    plan = shown(office, plan_id)
    assert summary(plan) == "This will create 1 series, invite 4 people, change 0. 0 people have no common slot."
    assert plan["mails"] == dict.fromkeys(sorted(office.mails(*FOUR)), 1)
    assert plan["pods"][0]["dates"] == [
        "2026-03-10T10:30",
        "2026-03-17T10:30",
        "2026-03-24T10:30",
        "2026-03-31T10:30",
    ]
    assert sorted(plan["pods"][0]["facilitators"]) == sorted(office.mails(*FOUR))
    assert (count(office, Pod), count(office, Series), office.events()) == (0, 0, [])


def test_applying_makes_rows_and_asks_for_one_push(office):
    plan_id = office.planned(*FOUR)

    (series_id,) = apply(office, plan_id)

    series = office.series(series_id)
    assert [one.starts_at.hour for one in series.occurrences] == [9, 9, 9, 8]  # summer time begins on 29 March
    assert [one.guide_due_at.day for one in series.occurrences if one.guide_due_at] == [9, 16, 23, 30]
    assert len(series.attendees) == 4
    with office.tools.database.reading() as session:
        assert session.scalars(select(Message.task).where(Message.subject == str(series_id))).all() == ["series.push"]


def test_applying_twice_makes_the_same_series(office):
    plan_id = office.planned(*FOUR)

    assert apply(office, plan_id) == apply(office, plan_id)
    assert (count(office, Pod), count(office, Occurrence)) == (1, 4)


def test_a_second_plan_finds_nobody_left_to_invite(office):
    office.settle(*FOUR)
    program_id = office.program(*FOUR)
    apply(office, draft_plan(office.tools, program_id))

    plan = shown(office, draft_plan(office.tools, program_id))

    assert (plan["pods"], plan["mails"], plan["series"]) == ([], {}, 0)


def test_an_older_plan_that_names_people_of_a_pod_is_refused(office):
    office.settle(*FOUR)
    program_id = office.program(*FOUR)
    old, new = draft_plan(office.tools, program_id), draft_plan(office.tools, program_id)
    apply(office, new)

    with pytest.raises(Conflict, match="out of date"):
        apply(office, old)
    assert count(office, Pod) == 1


def test_a_plan_with_somebody_who_left_meanwhile_is_refused(office):
    plan_id = office.planned(*FOUR)
    with office.tools.database.transaction() as session:
        leave(session, by_mail(session, office.mails("Alan")[0]), at=office.tools.clock.now())

    with pytest.raises(Conflict, match="no longer here"):
        apply(office, plan_id)


def test_undoing_frees_everybody_for_another_plan(office):
    office.settle(*FOUR)
    program_id = office.program(*FOUR)
    plan_id = draft_plan(office.tools, program_id)
    (series_id,) = apply(office, plan_id)

    with office.tools.database.transaction() as session:
        undone = undo_plan(session, session.get_one(Plan, plan_id), now=office.tools.clock.now())
        again = undo_plan(session, session.get_one(Plan, plan_id), now=office.tools.clock.now())

    assert (undone.series, undone.cancellations, undone.meetings_past) == (1, {}, 0)  # nobody was invited yet
    assert again.series == 0
    series = office.series(series_id)
    assert series.cancel_wanted_at is not None
    assert all(one.freeze_due_at is None and one.cancelled_at for one in series.occurrences)
    assert len(apply(office, draft_plan(office.tools, program_id))) == 1
    with office.tools.database.reading() as session:
        assert session.scalar(select(func.count()).where(PodMember.left_at.is_(None))) == 4


def test_a_plan_that_was_not_applied_cannot_be_undone(office):
    plan_id = office.planned(*FOUR)

    with office.tools.database.transaction() as session, pytest.raises(Conflict, match="nothing to undo"):
        undo_plan(session, session.get_one(Plan, plan_id), now=office.tools.clock.now())


def test_people_who_share_no_hour_are_named_with_five_compromises(office):
    office.settle("Ada", "Grace")
    office.settle("Alan", time_zone="America/Los_Angeles")
    plan = shown(office, draft_plan(office.tools, office.program("Ada", "Grace", "Alan")))

    assert [one["mail"] for one in plan["people_without_slot"]] == office.mails("Alan")
    assert len(plan["pods"][0]["compromises"]) == 5
    assert "1 person has no common slot" in summary(plan)


def test_without_an_organizer_mailbox_no_plan_is_made(office, tmp_path):
    office.settle(*FOUR)
    program_id = office.program(*FOUR)
    nobody_organizes = tools_for(office.simulator, office.tools.database, tmp_path, ORGANIZER_MAILBOXES="")

    with pytest.raises(SettingRefused, match="Set ORGANIZER_MAILBOXES"):
        draft_plan(nobody_organizes, program_id)

    nobody_organizes.close()
    assert count(office, Plan) == 0


def test_linus_alone_is_not_forgotten(office):
    plan = shown(office, office.planned("Linus"))

    assert plan["people_without_pod"] == office.mails("Linus")
    assert plan["series"] == 0


def test_a_calendar_that_cannot_be_read_is_said_and_the_person_stays_in(office):
    office.settle(*FOUR)
    account = office.tenant.directory.find(office.mails("Grace")[0])
    assert account is not None
    account.exchange = False

    plan = shown(office, draft_plan(office.tools, office.program(*FOUR)))

    assert len(plan["pods"][0]["members"]) == 4
    assert "no readable calendar" in str(said(plan["pods"][0]["problems"][0]))
    assert "9 to 17 in Europe/Zurich" in str(said(plan["pods"][0]["problems"][0]))
