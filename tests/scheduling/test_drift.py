"""What people change in Outlook is found, explained in words and put right; nobody is mailed who is not affected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from integration.errors import Conflict
from integration.graph.errors import GraphError
from integration.graph.resources import EventChanges
from integration.graph.simulator.faults import Fault
from integration.people.people import by_mail
from integration.scheduling.drift.drifts import decide
from integration.scheduling.drift.kinds import Kind, Repair
from integration.scheduling.drift.models import Drift
from integration.scheduling.drift.words import mails_words, proposed_mails
from integration.scheduling.jobs import pull_series, push_series, repair_series
from integration.scheduling.membership import join_pod
from integration.scheduling.models import PodMember, Series
from tests.scheduling.conftest import Office
from tests.scheduling.drifting import (
    FOUR,
    adopted,
    change,
    decided,
    event,
    held,
    instances,
    invited,
    is_settled,
    mails,
    move,
    per_person,
    present,
    promised,
    put_on,
    seen,
    take_off,
    the_one,
    unlink,
    words_of,
    work,
)

EACH_ONE = dict.fromkeys(FOUR, 1)


def test_as_it_was_made_nothing_differs(office: Office):
    series_id = invited(office)
    office.reply(series_id, "Ada", "accept")
    office.reply(series_id, "Grace", "decline", number=3)

    assert seen(office, series_id) == []


def test_a_meeting_moved_within_its_week_is_taken_over_and_said(office: Office):
    series_id = invited(office)
    move(office, series_id, "2026-03-18T14:00", number=2)

    row = adopted(office, series_id, Kind.OCCURRENCE_MOVED)

    words = words_of(office, row.id)
    assert "from 17 Mar 2026, 10:30 CET to 18 Mar 2026, 14:00 CET" in words
    assert "pods.one@pods.example" in words
    assert office.occurrence(series_id, 2).wanted[0] == datetime(2026, 3, 18, 13, tzinfo=UTC)
    assert is_settled(office, series_id)


def test_what_was_taken_over_can_be_put_back_by_one_update_each(office: Office):
    series_id = invited(office)
    move(office, series_id, "2026-03-18T14:00", number=2)
    row = adopted(office, series_id, Kind.OCCURRENCE_MOVED)

    with mails(office) as told:
        decided(office, row.id, Repair.PUT_BACK)

    assert told == {(name, "meetingUpdate"): 1 for name in FOUR}
    assert per_person(told) == promised(office, row) == EACH_ONE
    back = office.occurrence(series_id, 2)
    assert back.starts_at == back.freeze_due_at == datetime(2026, 3, 17, 9, 30, tzinfo=UTC)
    assert is_settled(office, series_id)


@pytest.mark.parametrize("repair", list(Repair))
def test_a_meeting_moved_out_of_its_week_waits_for_somebody_while_its_dates_follow(office: Office, repair: Repair):
    series_id = invited(office)
    move(office, series_id, "2026-03-22T10:30", number=2)  # a Sunday
    move(office, series_id, "2026-03-23T10:30", number=2)  # the Monday after, before the next meeting's Tuesday
    row = the_one(office, series_id, Kind.OCCURRENCE_MOVED)
    assert office.occurrence(series_id, 2).freeze_due_at == datetime(2026, 3, 23, 9, 30, tzinfo=UTC)

    with mails(office) as told:
        decided(office, row.id, repair)

    assert per_person(told) == ({} if repair is Repair.ADOPT else EACH_ONE)
    day = 23 if repair is Repair.ADOPT else 17
    assert office.occurrence(series_id, 2).starts_at == datetime(2026, 3, day, 9, 30, tzinfo=UTC)
    assert is_settled(office, series_id)


def test_a_series_cut_short_has_meetings_missing(office: Office):
    series_id = invited(office)
    shorten(office, 3)

    row = adopted(office, series_id, Kind.OCCURRENCE_MISSING)

    assert "31 Mar 2026" in words_of(office, row.id)
    assert "ends early" in words_of(office, row.id)
    assert office.occurrence(series_id, 4).cancelled_at is not None


@pytest.mark.parametrize("repair", list(Repair))
def test_a_meeting_too_many_is_counted_or_cancelled(office: Office, repair: Repair):
    series_id = invited(office)
    shorten(office, 5)
    row = the_one(office, series_id, Kind.OCCURRENCE_EXTRA)
    assert "7 Apr 2026, 10:30 CEST" in words_of(office, row.id)

    with mails(office) as told:
        decided(office, row.id, repair)

    if repair is Repair.ADOPT:
        assert told == {}
        assert office.occurrence(series_id, 5).freeze_due_at == datetime(2026, 4, 7, 8, 30, tzinfo=UTC)
    else:
        assert told == {(name, "meetingCancelled"): 1 for name in FOUR}
        assert per_person(told) == promised(office, row)
        assert len(instances(office, series_id)) == 4
    assert is_settled(office, series_id)


@pytest.mark.parametrize("repair", list(Repair))
def test_a_series_moved_by_an_hour_is_kept_or_moved_back_with_mails_as_promised(office: Office, repair: Repair):
    series_id = invited(office)
    office.reply(
        series_id, "Grace", "decline", number=3
    )  # an exception: one more mail to each when the series changes
    move(office, series_id, "2026-03-10T11:30")
    row = the_one(office, series_id, Kind.SERIES_MOVED)
    assert "Tue 10 Mar 2026, 10:30 (Europe/Zurich), 30 minutes, and is Tue 10 Mar 2026, 11:30" in words_of(
        office, row.id
    )
    assert office.occurrence(series_id, 4).freeze_due_at == datetime(2026, 3, 31, 9, 30, tzinfo=UTC)

    with mails(office) as told:
        decided(office, row.id, repair)

    hour = 9 if repair is Repair.ADOPT else 8
    assert office.occurrence(series_id, 4).starts_at == datetime(2026, 3, 31, hour, 30, tzinfo=UTC)
    assert per_person(told) == ({} if repair is Repair.ADOPT else promised(office, row))
    assert promised(office, row) == dict.fromkeys(FOUR, 2)
    assert is_settled(office, series_id)


@pytest.mark.parametrize("repair", list(Repair))
def test_a_deleted_series_is_let_go_or_made_and_invited_to_again(office: Office, repair: Repair):
    series_id = invited(office)
    office.wait_until(datetime(2026, 3, 11, 12, tzinfo=UTC))  # the first meeting is history
    series = office.series(series_id)
    office.tools.graph.calendar.delete_event(series.organizer, series.event_id or "")
    row = the_one(office, series_id, Kind.SERIES_DELETED)
    assert "deleted in the calendar of pods.one@pods.example" in words_of(office, row.id)

    with mails(office) as told:
        decided(office, row.id, repair)

    now = office.series(series_id)
    first, *others = now.occurrences
    assert first.cancelled_at is None
    if repair is Repair.ADOPT:
        assert told == {}
        assert now.cancelled_at is not None
        assert all(one.cancelled_at is not None for one in others)
        return
    assert told == {(name, "meetingRequest"): 1 for name in FOUR}
    assert per_person(told) == promised(office, row)
    starts = [one.starts_at for one in instances(office, series_id)]
    assert starts == [one.starts_at for one in others]
    assert now.trouble is None
    assert is_settled(office, series_id)


@pytest.mark.parametrize("repair", list(Repair))
def test_an_attendee_who_was_taken_off_is_let_go_or_invited_again_alone(office: Office, repair: Repair):
    series_id = invited(office)
    take_off(office, series_id, "Alan")
    row = the_one(office, series_id, Kind.ATTENDEE_MISSING)
    assert office.mails("Alan")[0] in words_of(office, row.id)

    with mails(office) as told:
        push_series(office.tools, series_id)  # for whatever other reason: nobody is invited again unasked
    assert told == {}
    with mails(office) as told:
        decided(office, row.id, repair)

    here = {one.address for one in present(office, series_id)}
    if repair is Repair.PUT_BACK:
        assert told == {("Alan", "meetingRequest"): 1}
        assert per_person(told) == promised(office, row)
        assert here == set(office.mails(*FOUR))
    else:
        assert told == {}
        assert here == set(office.mails("Ada", "Grace", "Linus"))
        with office.tools.database.reading() as session:
            left = session.scalars(select(PodMember).where(PodMember.left_at.is_not(None))).all()
            assert [one.participant.name.split()[0] for one in left] == ["Alan"]
    assert is_settled(office, series_id)


@pytest.mark.parametrize("repair", list(Repair))
def test_an_attendee_taken_off_one_meeting_is_asked_about_for_that_meeting(office: Office, repair: Repair):
    series_id = invited(office)
    take_off(office, series_id, "Alan", number=2)
    row = the_one(office, series_id, Kind.ATTENDEE_MISSING)
    assert row.occurrence_id == office.occurrence(series_id, 2).id

    with mails(office) as told:
        push_series(office.tools, series_id)
        decided(office, row.id, repair)
        push_series(office.tools, series_id)

    assert told == ({} if repair is Repair.ADOPT else {("Alan", "meetingRequest"): 1})
    here = {one.address for one in present(office, series_id, 2)}
    assert (office.mails("Alan")[0] in here) is (repair is Repair.PUT_BACK)
    assert is_settled(office, series_id)


def test_somebody_whom_the_invitation_was_forwarded_to_is_a_guest_and_can_be_taken_off_alone(office: Office):
    series_id = invited(office)
    office.reply(series_id, "Grace", "decline", number=3)
    put_on(office, series_id, office.mails("Barbara")[0])
    put_on(office, series_id, office.mails("Barbara")[0], number=3)
    rows = seen(office, series_id)
    assert {(row.kind, row.decided_by) for row in rows} == {(Kind.ATTENDEE_EXTRA, "policy")}
    guests = [one.address for one in office.series(series_id).attendees if one.participant_id is None]
    assert guests == office.mails("Barbara")

    with mails(office) as told:
        decided(office, rows[0].id, Repair.PUT_BACK)

    assert per_person(told) == promised(office, rows[0]) == {"Barbara": 2}
    assert [one for one in office.series(series_id).attendees if one.participant_id is None] == []
    assert is_settled(office, series_id)


def test_a_guest_who_leaves_is_forgotten(office: Office):
    series_id = invited(office)
    put_on(office, series_id, "guest@partner.example")
    adopted(office, series_id, Kind.ATTENDEE_EXTRA)
    left = tuple(one for one in present(office, series_id) if one.address != "guest@partner.example")
    change(office, series_id, EventChanges(attendees=left))

    assert is_settled(office, series_id)
    assert {one.address for one in office.series(series_id).attendees} == set(office.mails(*FOUR))


def test_an_edited_subject_and_place_are_noted_and_the_subject_can_be_put_back(office: Office):
    series_id = invited(office)
    before = office.series(series_id).subject
    change(office, series_id, EventChanges(subject="Coffee"))
    row = adopted(office, series_id, Kind.SERIES_EDITED)
    assert "Coffee" in words_of(office, row.id)
    assert office.series(series_id).subject == "Coffee"

    with mails(office) as told:
        decided(office, row.id, Repair.PUT_BACK)

    assert per_person(told) == promised(office, row) == EACH_ONE
    assert event(office, series_id).subject == office.series(series_id).subject == before
    assert is_settled(office, series_id)


def test_an_edited_text_is_put_back_around_the_teams_block(office: Office):
    series_id = invited(office)
    link = event(office, series_id).join_url
    body = event(office, series_id).body_html.replace("Who facilitates when", "Bring cake")
    change(office, series_id, EventChanges(body_html=body))
    row = adopted(office, series_id, Kind.SERIES_EDITED)
    assert "The series: changed in Outlook (text)." in words_of(office, row.id)

    decided(office, row.id, Repair.PUT_BACK)

    assert "Bring cake" not in event(office, series_id).body_html
    assert event(office, series_id).join_url == link
    assert is_settled(office, series_id)


def test_a_renamed_meeting_is_noted(office: Office):
    series_id = invited(office)
    change(office, series_id, EventChanges(subject="Retrospective"), number=4)
    row = adopted(office, series_id, Kind.OCCURRENCE_EDITED)
    assert "31 Mar 2026, 10:30 CEST: changed in Outlook (subject). Now: Retrospective." in words_of(office, row.id)

    with mails(office) as told:
        decided(office, row.id, Repair.PUT_BACK)

    assert per_person(told) == promised(office, row) == EACH_ONE
    assert is_settled(office, series_id)


@pytest.mark.parametrize("repair", list(Repair))
def test_a_zone_that_outlook_reckons_otherwise(office: Office, repair: Repair):
    """Somebody chose Lagos for Zurich: the same clock until the end of March, an hour later from then on."""
    series_id = invited(office)
    move(office, series_id, "2026-03-10T10:30", time_zone="Africa/Lagos")
    row = the_one(office, series_id, Kind.ZONE_DIFFERS)
    assert (
        "By the zone Africa/Lagos Outlook has 31 Mar 2026, 11:30 CEST where we have 31 Mar 2026, 10:30"
        in words_of(office, row.id)
    )
    assert office.occurrence(series_id, 4).freeze_due_at == datetime(2026, 3, 31, 9, 30, tzinfo=UTC)

    with mails(office) as told:
        decided(office, row.id, repair)

    assert per_person(told) == ({} if repair is Repair.ADOPT else promised(office, row))
    hour = 9 if repair is Repair.ADOPT else 8
    assert office.occurrence(series_id, 4).starts_at == datetime(2026, 3, 31, hour, 30, tzinfo=UTC)
    assert is_settled(office, series_id)


@pytest.mark.parametrize("repair", list(Repair))
def test_a_lost_teams_link_is_made_again_or_done_without(office: Office, repair: Repair):
    series_id = invited(office)
    unlink(office)
    row = the_one(office, series_id, Kind.LINK_MISSING)
    assert "no Teams meeting" in words_of(office, row.id)

    with mails(office) as told:
        decided(office, row.id, repair)

    assert per_person(told) == ({} if repair is Repair.ADOPT else promised(office, row))
    assert (event(office, series_id).join_url is not None) is (repair is Repair.PUT_BACK)
    assert is_settled(office, series_id)


def test_a_joiner_who_is_still_to_be_invited_is_not_missing(office: Office):
    series_id = invited(office)
    office.settle("Barbara")
    with office.tools.database.transaction() as session:
        pod = session.get_one(Series, series_id).pod
        join_pod(session, pod, by_mail(session, office.mails("Barbara")[0]), now=office.tools.clock.now())

    assert seen(office, series_id) == []
    with mails(office) as told:
        work(office)
    assert told == {("Barbara", "meetingRequest"): 1}
    assert is_settled(office, series_id)


def test_what_has_ended_is_no_difference(office: Office):
    series_id = invited(office)
    office.wait_until(datetime(2026, 3, 11, 12, tzinfo=UTC))
    office.tools.graph.calendar.cancel_event(
        office.series(series_id).organizer, office.occurrence(series_id, 1).event_id or ""
    )

    assert seen(office, series_id) == []


def test_a_mailbox_without_licence_says_nothing_about_its_series(office: Office):
    series_id = invited(office)
    organizer = office.tenant.directory.find(office.series(series_id).organizer)
    assert organizer is not None
    organizer.exchange = False

    assert seen(office, series_id) == []
    assert [one.cancelled_at for one in office.series(series_id).occurrences] == [None] * 4
    assert office.series(series_id).trouble is None

    organizer.exchange = True
    pull_series(office.tools, series_id)
    assert is_settled(office, series_id)


def shorten(office: Office, count: int) -> None:
    """Somebody changes how often the series meets, in Outlook."""
    from dataclasses import replace

    found = held(office)
    with office.tenant.lock:
        assert found.recurrence is not None
        span = replace(found.recurrence.range, number_of_occurrences=count)
        found.recurrence = replace(found.recurrence, range=span)
        office.tenant.calendars.touch(found)


def test_a_decision_is_not_made_twice_in_two_ways(office: Office):
    series_id = invited(office)
    take_off(office, series_id, "Alan")
    row = the_one(office, series_id, Kind.ATTENDEE_MISSING)
    decided(office, row.id, Repair.PUT_BACK)

    with pytest.raises(Conflict, match="settled"), office.tools.database.transaction() as session:
        decide(session, session.get_one(Drift, row.id), Repair.ADOPT, by="x", now=office.tools.clock.now())
    assert office.tools.clock.now() - row.first_seen_at < timedelta(days=1)


def test_letting_go_of_somebody_says_that_they_are_taken_off_what_they_are_still_on(office: Office):
    series_id = invited(office)
    office.reply(series_id, "Grace", "decline", number=3)  # that session now has a list of its own
    take_off(office, series_id, "Alan")
    row = the_one(office, series_id, Kind.ATTENDEE_MISSING)
    alan = office.mails("Alan")[0]
    assert mails_words(row, Repair.ADOPT) == f"Let them go: 1 mail, to {alan}."

    with mails(office) as told:
        decided(office, row.id, Repair.ADOPT)

    assert told == {("Alan", "meetingCancelled"): 1}
    assert proposed_mails(row, Repair.ADOPT) == {alan: 1}
    assert is_settled(office, series_id)


def test_a_session_does_not_go_back_past_its_neighbour_and_that_is_said_before(office: Office):
    series_id = invited(office)
    move(office, series_id, "2026-03-22T10:30", number=2)
    pull_series(office.tools, series_id)
    move(office, series_id, "2026-03-19T10:30", number=1)  # beyond where the second one was to be, the 17th
    rows = {row.occurrence_id: row for row in seen(office, series_id)}
    second = rows[office.occurrence(series_id, 2).id]

    with pytest.raises(Conflict, match="onto or past the day"):
        decided(office, second.id, Repair.PUT_BACK)


def test_what_outlook_refuses_keeps_nothing_else_from_being_put_back(office: Office):
    series_id = invited(office)
    move(office, series_id, "2026-03-18T14:00", number=2)
    put_on(office, series_id, office.mails("Barbara")[0])
    moved, guest = seen(office, series_id)
    for row in (moved, guest):
        with office.tools.database.transaction() as session:
            decide(session, session.get_one(Drift, row.id), Repair.PUT_BACK, by="x", now=office.tools.clock.now())
    office.simulator.faults.order(Fault(do="status", method="PATCH", status=400))

    with pytest.raises(GraphError):
        repair_series(office.tools, series_id)

    with office.tools.database.reading() as session:
        closed = [session.get_one(Drift, row.id).closed_at is not None for row in (moved, guest)]
    assert closed == [False, True]
    work(office)
    assert is_settled(office, series_id)
