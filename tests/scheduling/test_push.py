"""A series is created silently, checked, and only then is everybody invited, once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from integration.graph.errors import Forbidden, Unavailable
from integration.graph.simulator.faults import Fault
from integration.people.models import Person
from integration.people.people import by_mail
from integration.scheduling.jobs import cancel_series, push_series
from integration.scheduling.membership import join_pod, leave
from integration.scheduling.models import Plan, Series
from integration.scheduling.plan import apply_plan, preview_undo, undo_plan
from integration.scheduling.troubles import SeriesTrouble
from tests.at_once import at_once
from tests.scheduling.conftest import Office, tools_for

FOUR = ("Ada", "Grace", "Alan", "Linus")
ONE_INVITATION_EACH = Counter({(name, "meetingRequest"): 1 for name in FOUR})


def undo(office: Office, series_id: int) -> None:
    with office.tools.database.transaction() as session:
        plan = session.get_one(Plan, session.get_one(Series, series_id).plan_id)
        undo_plan(session, plan, now=office.tools.clock.now())


def test_everybody_gets_one_invitation_to_one_series_with_a_link(office):
    series_id = office.applied(*FOUR)

    push_series(office.tools, series_id)

    series = office.series(series_id)
    assert office.meeting_mails() == ONE_INVITATION_EACH
    assert len(office.events()) == 1
    assert series.invited_at == series.checked_at == series.created_at == office.tools.clock.now()
    assert series.trouble is None
    assert series.meetings[0].meeting_id is not None
    assert len({one.event_id for one in series.occurrences}) == 4


def test_a_second_push_sends_no_second_mail(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    before = office.events()[0].content

    push_series(office.tools, series_id)

    assert office.meeting_mails() == ONE_INVITATION_EACH
    assert office.events()[0].content == before


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_line_that_breaks_at_a_write_costs_no_mail_and_no_second_series(office, moment, method):
    series_id = office.applied(*FOUR)
    office.simulator.faults.order(Fault(do="drop", when=moment, method=method, path="/v1.0/users.*/events"))

    with pytest.raises(Unavailable):
        push_series(office.tools, series_id)
    push_series(office.tools, series_id)

    assert office.meeting_mails() == ONE_INVITATION_EACH
    assert len(office.events()) == 1
    assert office.series(series_id).trouble is None


@pytest.mark.parametrize("forgotten", ["created_at", "checked_at", "invited_at"])
def test_a_process_that_dies_before_recording_a_step_takes_it_again_without_a_mail(office, forgotten):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    with office.tools.database.transaction() as session:
        series = session.get_one(Series, series_id)
        for column in ("invited_at", "checked_at", "created_at"):
            setattr(series, column, None)
            if column == forgotten:
                break
        if forgotten == "created_at":
            series.event_id = series.body_hash = None

    push_series(office.tools, series_id)

    assert office.meeting_mails() == ONE_INVITATION_EACH
    assert len(office.events()) == 1
    assert office.series(series_id).invited_at is not None


def test_two_workers_at_once_invite_once(office):
    series_id = office.applied(*FOUR)
    at_once(*[partial(push_series, office.tools, series_id)] * 2)

    assert office.meeting_mails() == ONE_INVITATION_EACH
    assert len(office.events()) == 1


def test_a_holiday_is_deleted_before_anybody_is_invited(office):
    series_id = office.applied(*FOUR, holidays=("2026-03-17",))

    push_series(office.tools, series_id)

    (event,) = office.events()
    starts = [view.starts_at.date().isoformat() for view in event.views(until=datetime(2026, 6, 1, tzinfo=UTC))]
    assert starts == ["2026-03-10", "2026-03-24", "2026-03-31", "2026-04-07"]
    assert office.meeting_mails() == ONE_INVITATION_EACH


@pytest.mark.parametrize("zone", ["Europe/Zurich", "America/New_York", "Asia/Kolkata"])
def test_the_wall_clock_stays_over_the_clock_change(office, zone):
    series_id = office.applied("Ada", "Grace", time_zone=zone, weeks=5)

    push_series(office.tools, series_id)

    (event,) = office.events()
    views = event.views(until=datetime(2026, 6, 1, tzinfo=UTC))
    assert {view.starts_at.astimezone(ZoneInfo(zone)).strftime("%H:%M") for view in views} == {"10:30"}
    assert [view.starts_at for view in views] == [one.starts_at for one in office.series(series_id).occurrences]


def test_a_series_that_outlook_put_at_another_time_is_never_invited_to(office):
    series_id = office.applied(*FOUR)
    with office.tools.database.transaction() as session:
        series = session.get_one(Series, series_id)
        for occurrence in series.occurrences[2:]:  # as if our zone table were newer than Outlook's
            occurrence.original_start_at += timedelta(hours=1)

    with pytest.raises(SeriesTrouble, match="differ from ours in Europe/Zurich"):
        push_series(office.tools, series_id)

    assert office.meeting_mails() == Counter()
    assert "Nobody has been invited" in str(office.series(series_id).trouble)


def test_an_organizer_without_access_policy_is_said_and_nobody_is_invited_until_it_is_there(office):
    series_id = office.applied(*FOUR)
    for organizer in office.tenant.organizers:
        organizer.access_policy = False

    with pytest.raises(Forbidden):
        push_series(office.tools, series_id)
    assert "Grant-CsApplicationAccessPolicy" in str(office.series(series_id).trouble)
    assert office.meeting_mails() == Counter()

    for organizer in office.tenant.organizers:
        organizer.access_policy = True
    with pytest.raises(Forbidden):
        push_series(office.tools, series_id)  # the policy takes up to half an hour to work
    office.wait(minutes=31)
    push_series(office.tools, series_id)
    assert office.series(series_id).trouble is None
    assert office.meeting_mails() == ONE_INVITATION_EACH


def test_undoing_before_the_invitation_tells_nobody(office):
    series_id = office.applied(*FOUR)
    office.simulator.faults.order(Fault(do="drop", when="before", method="PATCH", path="/events/"))
    with pytest.raises(Unavailable):
        push_series(office.tools, series_id)
    undo(office, series_id)

    cancel_series(office.tools, series_id)

    assert office.meeting_mails() == Counter()
    assert office.events() == []
    assert office.series(series_id).cancelled_at is not None


def test_undoing_after_a_create_whose_answer_was_lost_leaves_no_orphan(office):
    series_id = office.applied(*FOUR)
    office.simulator.faults.order(Fault(do="drop", when="after", method="POST", path="/events"))
    with pytest.raises(Unavailable):
        push_series(office.tools, series_id)
    assert len(office.events()) == 1
    undo(office, series_id)

    cancel_series(office.tools, series_id)

    assert office.events() == []


def test_undoing_afterwards_sends_one_cancellation_each_as_was_said(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    with office.tools.database.reading() as session:
        plan = session.get_one(Plan, session.get_one(Series, series_id).plan_id)
        said = preview_undo(session, plan, now=office.tools.clock.now())
    undo(office, series_id)

    cancel_series(office.tools, series_id)
    cancel_series(office.tools, series_id)

    assert said.cancellations == dict.fromkeys(office.mails(*FOUR), 1)
    assert office.meeting_mails() - ONE_INVITATION_EACH == Counter({(name, "meetingCancelled"): 1 for name in FOUR})


def test_a_push_after_the_undo_does_nothing(office):
    series_id = office.applied(*FOUR)
    undo(office, series_id)

    push_series(office.tools, series_id)

    assert office.events() == []


def test_alan_leaves_and_only_alan_hears_of_it(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    for _ in range(2):
        with office.tools.database.transaction() as session:
            leave(session, by_mail(session, office.mails("Alan")[0]), at=office.tools.clock.now())

    push_series(office.tools, series_id)
    push_series(office.tools, series_id)

    alan_id = next(one.participant_id for one in office.series(series_id).attendees if not one.is_wanted)
    assert office.meeting_mails() - ONE_INVITATION_EACH == Counter({("Alan", "meetingCancelled"): 1})
    assert office.mails("Alan")[0] not in [one.address for one in office.events()[0].content.attendees]
    assert alan_id not in [one.facilitator_id for one in office.series(series_id).occurrences]


def test_tim_joins_and_only_tim_is_invited_also_to_a_moved_meeting(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    office.reply(series_id, "Grace", "decline", number=2)
    office.settle("Barbara")
    before = office.meeting_mails()
    with office.tools.database.transaction() as session:
        series = session.get_one(Series, series_id)
        for _ in range(2):
            join_pod(session, series.pod, by_mail(session, office.mails("Barbara")[0]), now=office.tools.clock.now())

    push_series(office.tools, series_id)
    push_series(office.tools, series_id)

    new = office.meeting_mails() - before
    assert {name for name, _ in new} == {"Barbara"}
    (event,) = office.events()
    views = event.views(until=datetime(2026, 6, 1, tzinfo=UTC))
    assert all(office.mails("Barbara")[0] in [one.address for one in view.attendees] for view in views)


def test_a_guest_who_was_forwarded_the_series_stays_when_alan_leaves(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    office.forward(series_id, "Katherine.Guest@partner.example")
    with office.tools.database.transaction() as session:
        leave(session, by_mail(session, office.mails("Alan")[0]), at=office.tools.clock.now())

    push_series(office.tools, series_id)

    on_it = {one.address for one in office.events()[0].content.attendees}
    assert "Katherine.Guest@partner.example" in on_it
    assert len(on_it) == 4


def test_people_outside_the_allowlist_are_shown_and_not_invited(office, simulator, sqlite_database, tmp_path):
    allowed = ",".join(office.mails("Ada", "Grace"))
    tools = tools_for(simulator, sqlite_database, tmp_path, MAIL_ALLOWLIST=allowed)
    careful = Office(simulator, tools)
    series_id = careful.applied(*FOUR)
    with tools.database.reading() as session:
        assert sorted(session.scalars(select(Plan)).one().content["held"]) == sorted(office.mails("Alan", "Linus"))

    push_series(tools, series_id)

    assert careful.meeting_mails() == Counter({("Ada", "meetingRequest"): 1, ("Grace", "meetingRequest"): 1})
    assert sorted(one.address for one in careful.series(series_id).attendees if one.held) == sorted(
        office.mails("Alan", "Linus")
    )
    push_series(office.tools, series_id)  # the list was lifted: the others follow, nobody is asked again
    assert office.meeting_mails() == ONE_INVITATION_EACH
    tools.close()


def test_a_new_text_keeps_the_teams_block_and_costs_one_update_each(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    link = office.series(series_id).meetings[0].join_url
    with office.tools.database.transaction() as session:
        series = session.get_one(Series, series_id)
        series.invitation_html = series.invitation_html.replace("alone", "all alone")

    push_series(office.tools, series_id)
    push_series(office.tools, series_id)

    body = office.tools.graph.calendar.get_event(office.series(series_id).organizer, series.event_id or "").body_html
    assert "all alone" in body
    assert "Join Microsoft Teams Meeting" in body
    assert body.count("pods-invitation") == 1
    assert [one.join_url for one in office.series(series_id).meetings] == [link]
    assert sum((office.meeting_mails() - ONE_INVITATION_EACH).values()) == 4


def test_a_series_that_is_over_is_not_touched(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    office.wait(weeks=10)
    with office.tools.database.transaction() as session:
        leave(
            session,
            session.scalars(select(Person).where(Person.mail.in_(office.mails("Alan")))).one(),
            at=office.tools.clock.now(),
        )
    before = office.tools.graph.requests()

    push_series(office.tools, series_id)

    assert office.tools.graph.requests() == before


def test_two_plans_share_the_organizers(office):
    office.settle(*FOUR)
    from integration.scheduling.jobs import draft_plan

    plan_id = draft_plan(office.tools, office.program(*FOUR, pod_size=2))
    with office.tools.database.transaction() as session:
        made = apply_plan(session, session.get_one(Plan, plan_id), now=office.tools.clock.now())
        assert sorted(series.organizer for series in made) == sorted(one.mail for one in office.tenant.organizers)
