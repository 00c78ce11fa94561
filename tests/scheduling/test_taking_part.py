"""One person in or out of a program: Outlook tells exactly whom the page named."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest
from sqlalchemy import select

from integration.errors import Conflict
from integration.people.models import Person
from integration.people.people import by_mail, record_departure
from integration.scheduling.jobs import pull_series
from integration.scheduling.jobs_push import push_series
from integration.scheduling.models import Plan, PodMember, Program, ProgramMember, Series
from integration.scheduling.plan import apply_plan, stale_reason
from integration.scheduling.taking_part import add_member, preview_addition, preview_removal, remove_member
from tests.scheduling.conftest import Office
from tests.scheduling.drifting import take_off
from tests.scheduling.test_pull import move
from tests.scheduling.test_push import FOUR, ONE_INVITATION_EACH


def who(office: Office, session, name: str) -> tuple[Program, Person]:
    return session.scalars(select(Program)).one(), by_mail(session, office.mails(name)[0])


def test_alan_is_taken_out_and_back_and_each_time_only_alan_gets_the_mail_that_was_named(office):
    series_id, now = office.applied(*FOUR), office.tools.clock.now()
    push_series(office.tools, series_id)
    done = []
    for _ in range(2):
        with office.tools.database.transaction() as session:
            program, alan = who(office, session, "Alan")
            done.append(remove_member(session, program, alan, now=now))
        push_series(office.tools, series_id)
    out = office.meeting_mails() - ONE_INVITATION_EACH

    assert [(each.changes, each.mails) for each in done] == [(True, 1), (False, 0)]
    assert out == Counter({("Alan", "meetingCancelled"): 1})
    assert office.mails("Alan")[0] not in [one.address for one in office.events()[0].content.attendees]

    before, back = office.meeting_mails(), []
    for _ in range(2):
        with office.tools.database.transaction() as session:
            program, alan = who(office, session, "Alan")
            back.append(add_member(session, program, alan, now=now, may_mail=True))
        push_series(office.tools, series_id)

    assert [(each.changes, each.pods, each.mails) for each in back] == [(True, done[0].pods, 1), (False, (), 0)]
    assert office.meeting_mails() - before == Counter({("Alan", "meetingRequest"): 1})
    with office.tools.database.reading() as session:
        assert len(session.scalars(select(ProgramMember)).all()) == 4
        assert [each.left_at for each in session.scalars(select(PodMember))] == [None] * 4


def test_before_anybody_was_invited_leaving_costs_no_mail(office):
    office.applied(*FOUR)
    with office.tools.database.reading() as session:
        program, alan = who(office, session, "Alan")
        assert preview_removal(session, program, alan, now=office.tools.clock.now()).mails == 0


def test_somebody_new_gets_a_pod_with_the_next_plan_and_no_mail(office):
    office.applied(*FOUR)
    office.settle("Barbara")
    with office.tools.database.transaction() as session:
        program, barbara = who(office, session, "Barbara")
        following = add_member(session, program, barbara, now=office.tools.clock.now(), may_mail=True)
        assert (following.changes, following.pods, following.mails) == (True, (), 0)


def test_somebody_who_left_the_company_is_not_added(office):
    office.program(*FOUR)
    office.settle("Barbara")
    with office.tools.database.transaction() as session:
        program, barbara = who(office, session, "Barbara")
        record_departure(session, barbara, at=office.tools.clock.now())
        with pytest.raises(Conflict, match="has left the company"):
            preview_addition(session, program, barbara, now=office.tools.clock.now(), may_mail=True)


def test_a_plan_with_somebody_who_was_taken_out_meanwhile_is_out_of_date(office):
    plan_id, now = office.planned(*FOUR), office.tools.clock.now()
    with office.tools.database.transaction() as session:
        program, alan = who(office, session, "Alan")
        remove_member(session, program, alan, now=now)
    with office.tools.database.transaction() as session:
        plan = session.get_one(Plan, plan_id)
        assert "takes no part any more" in (stale_reason(session, plan, now=now) or "")
        with pytest.raises(Conflict, match="out of date"):
            apply_plan(session, plan, now=now)
        assert session.scalars(select(Series)).all() == []


def changed_apart(office: Office, series_id: int, what: str) -> None:
    """Meetings that become exceptions: one was moved in Outlook, one was answered on its own."""
    if "moved" in what:
        move(office, series_id, 2, datetime.fromisoformat("2026-03-18T14:00"))
    if "declined by Alan" in what:
        office.reply(series_id, "Alan", "decline", number=3)
    if "accepted by Grace" in what:
        office.reply(series_id, "Grace", "accept", number=4)


@pytest.mark.parametrize(
    ("what", "apart"),
    [
        ("nothing", 0),
        ("moved", 1),
        ("declined by Alan", 1),
        ("accepted by Grace", 1),
        ("moved, declined by Alan, accepted by Grace", 3),
    ],
)
def test_meetings_that_were_moved_or_answered_on_their_own_cost_a_mail_more_and_that_is_said(office, what, apart):
    series_id, now = office.applied(*FOUR), office.tools.clock.now()
    push_series(office.tools, series_id)
    changed_apart(office, series_id, what)
    pull_series(office.tools, series_id)
    before = office.meeting_mails()

    with office.tools.database.transaction() as session:
        program, alan = who(office, session, "Alan")
        gone = remove_member(session, program, alan, now=now)
    push_series(office.tools, series_id)
    out = office.meeting_mails() - before
    pull_series(office.tools, series_id)
    with office.tools.database.transaction() as session:
        program, alan = who(office, session, "Alan")
        back = add_member(session, program, alan, now=now, may_mail=True)
    push_series(office.tools, series_id)

    assert (gone.mails, gone.apart) == (back.mails, back.apart) == (1 + apart, apart)
    assert out == Counter({("Alan", "meetingCancelled"): gone.mails})
    assert office.meeting_mails() - before - out == Counter({("Alan", "meetingRequest"): back.mails})


def test_a_moved_meeting_that_is_over_costs_nothing(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    move(office, series_id, 1, datetime.fromisoformat("2026-03-10T14:00"))
    pull_series(office.tools, series_id)
    office.wait_until(office.occurrence(series_id, 1).ends_at)
    before = office.meeting_mails()

    with office.tools.database.transaction() as session:
        program, alan = who(office, session, "Alan")
        gone = remove_member(session, program, alan, now=office.tools.clock.now())
    push_series(office.tools, series_id)

    assert office.meeting_mails() - before == Counter({("Alan", "meetingCancelled"): gone.mails})
    assert (gone.mails, gone.apart) == (1, 0)


def test_whoever_was_taken_off_in_outlook_already_costs_no_mail_for_that_meeting(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    changed_apart(office, series_id, "moved")
    pull_series(office.tools, series_id)
    take_off(office, series_id, "Alan", number=2)
    pull_series(office.tools, series_id)
    before = office.meeting_mails()

    with office.tools.database.transaction() as session:
        program, alan = who(office, session, "Alan")
        gone = remove_member(session, program, alan, now=office.tools.clock.now())
    push_series(office.tools, series_id)

    assert office.meeting_mails() - before == Counter({("Alan", "meetingCancelled"): gone.mails})
    assert (gone.mails, gone.apart) == (1, 0)
