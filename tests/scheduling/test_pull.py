"""What Outlook has is what counts: replies, moved and cancelled meetings, guests, who was invited."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from integration.graph.resources import EventChanges
from integration.mail.models import Mail
from integration.outbox import Message
from integration.people.people import by_mail
from integration.scheduling.jobs import DUTIES, freeze_occurrence, pull_series, push_series, send_guide
from integration.scheduling.membership import leave
from integration.scheduling.models import Series
from integration.scheduling.reading import read_occurrence
from tests.scheduling.conftest import Office

FOUR = ("Ada", "Grace", "Alan", "Linus")


def invited(office: Office) -> int:
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    return series_id


def names_of(office: Office, occurrence_id: int) -> dict[str, str]:
    """Invited people's given names and their replies."""
    with office.tools.database.reading() as session:
        from integration.scheduling.models import Occurrence

        occurrence = session.get_one(Occurrence, occurrence_id)
        return {one.participant.name.split()[0]: one.response for one in occurrence.invited}


def move(office: Office, series_id: int, number: int, to: datetime) -> None:
    """As the coordinator does in Outlook, in the organizer's calendar."""
    series, occurrence = office.series(series_id), office.occurrence(series_id, number)
    changes = EventChanges(starts_local=to, length=timedelta(minutes=30), time_zone=series.time_zone)
    office.tools.graph.calendar.update_event(series.organizer, occurrence.event_id or "", changes)


def test_replies_to_the_series_and_to_one_meeting_are_kept_apart(office):
    series_id = invited(office)
    office.reply(series_id, "Ada", "accept")
    office.reply(series_id, "Grace", "tentativelyAccept")
    office.reply(series_id, "Ada", "decline", number=3)

    for _ in range(2):
        pull_series(office.tools, series_id)

    series = office.series(series_id)
    replies = {one.address: one.response for one in series.attendees}
    assert [replies[mail] for mail in office.mails("Ada", "Grace")] == ["accepted", "tentativelyAccepted"]
    with office.tools.database.reading() as session:
        third = session.get_one(Series, series_id).occurrences[2]
        assert [(one.participant.name.split()[0], one.response) for one in third.replies] == [("Ada", "declined")]


def test_a_moved_meeting_takes_its_due_dates_along(office):
    series_id = invited(office)
    move(office, series_id, 2, datetime.fromisoformat("2026-03-18T14:00"))

    pull_series(office.tools, series_id)

    moved = office.occurrence(series_id, 2)
    assert moved.starts_at == datetime(2026, 3, 18, 13, tzinfo=UTC)
    assert moved.original_start_at == datetime(2026, 3, 17, 9, 30, tzinfo=UTC)
    assert moved.freeze_due_at == moved.starts_at
    assert moved.guide_due_at == datetime(2026, 3, 17, 8, tzinfo=UTC)
    assert moved.collect_due_at == moved.ends_at + timedelta(minutes=5)


def test_a_meeting_cancelled_in_outlook_is_cancelled_here(office):
    series_id = invited(office)
    office.tools.graph.calendar.cancel_event(
        office.series(series_id).organizer, office.occurrence(series_id, 2).event_id or ""
    )

    pull_series(office.tools, series_id)

    assert [one.cancelled_at is not None for one in office.series(series_id).occurrences] == [
        False,
        True,
        False,
        False,
    ]
    assert office.occurrence(series_id, 2).freeze_due_at is None


def test_what_has_ended_is_history(office):
    series_id = invited(office)
    before = office.occurrence(series_id, 1).starts_at
    office.wait_until(datetime(2026, 3, 11, 12, tzinfo=UTC))
    office.tools.graph.calendar.cancel_event(
        office.series(series_id).organizer, office.occurrence(series_id, 1).event_id or ""
    )

    pull_series(office.tools, series_id)

    first = office.occurrence(series_id, 1)
    assert (first.starts_at, first.cancelled_at) == (before, None)


def test_a_series_that_somebody_deleted_in_outlook_is_said(office):
    series_id = invited(office)
    series = office.series(series_id)
    office.tools.graph.calendar.delete_event(series.organizer, series.event_id or "")

    pull_series(office.tools, series_id)

    assert "deleted or cancelled" in str(office.series(series_id).trouble)


def test_a_guest_is_seen_and_not_counted_as_invited(office):
    series_id = invited(office)
    office.forward(series_id, "guest@partner.example")
    pull_series(office.tools, series_id)
    first = office.occurrence(series_id, 1)
    office.wait_until(first.starts_at)

    freeze_occurrence(office.tools, first.id)

    guests = [one.address for one in office.series(series_id).attendees if one.participant_id is None]
    assert guests == ["guest@partner.example"]
    assert set(names_of(office, first.id)) == set(FOUR)


def test_who_is_invited_is_frozen_at_the_start_declined_or_away(office):
    series_id = invited(office)
    office.reply(series_id, "Alan", "decline", number=1)
    first = office.occurrence(series_id, 1)
    office.wait_until(first.starts_at)
    grace = office.tenant.directory.find(office.mails("Grace")[0])
    assert grace is not None
    grace.out_of_office = out_of_office(first.starts_at)

    for _ in range(2):
        freeze_occurrence(office.tools, first.id)

    frozen = read_occurrence(office.tools.database, first.id)
    assert frozen is not None
    assert frozen.frozen_at == first.starts_at
    assert names_of(office, first.id)["Alan"] == "declined"
    with office.tools.database.reading() as session:
        rows = {one.address: one.participant_id for one in session.get_one(Series, series_id).attendees}
    assert {one.participant_id for one in frozen.invited if one.away} == {rows[grace.mail]}


def out_of_office(at: datetime):
    from integration.graph.simulator.tenant.directory import OutOfOffice

    return OutOfOffice(at - timedelta(days=1), at + timedelta(days=1), "Away")


def test_a_late_freeze_says_when_it_really_was(office):
    series_id = invited(office)
    first = office.occurrence(series_id, 1)
    office.wait_until(first.starts_at + timedelta(hours=2))

    freeze_occurrence(office.tools, first.id)

    frozen = read_occurrence(office.tools.database, first.id)
    assert frozen is not None
    assert frozen.frozen_at == first.starts_at + timedelta(hours=2)


def test_a_meeting_moved_at_the_last_minute_is_not_frozen_yet(office):
    series_id = invited(office)
    move(office, series_id, 1, datetime.fromisoformat("2026-03-11T14:00"))
    first = office.occurrence(series_id, 1)
    office.wait_until(first.starts_at)

    freeze_occurrence(office.tools, first.id)

    later = office.occurrence(series_id, 1)
    assert later.frozen_at is None
    assert later.freeze_due_at == later.starts_at == datetime(2026, 3, 11, 13, tzinfo=UTC)


def test_somebody_who_left_is_not_invited_even_when_outlook_has_not_been_told(office):
    series_id = invited(office)
    with office.tools.database.transaction() as session:
        leave(session, by_mail(session, office.mails("Alan")[0]), at=office.tools.clock.now())
    first = office.occurrence(series_id, 1)
    office.wait_until(first.starts_at)

    freeze_occurrence(office.tools, first.id)

    assert "Alan" not in names_of(office, first.id)


def test_duties_ask_once_for_what_is_due(office):
    series_id = invited(office)
    office.wait_until(office.occurrence(series_id, 1).starts_at)

    done = [duty.run(office.tools, office.tools.clock.now()) for duty in DUTIES for _ in range(2)]

    assert done == [1, 0, 1, 0]
    with office.tools.database.reading() as session:
        assert {"guide.send", "occurrence.freeze"} <= set(session.scalars(select(Message.task)))
        assert session.scalar(DUTIES[1].due) == office.occurrence(series_id, 2).starts_at


def guide(office: Office) -> Mail:
    with office.tools.database.reading() as session:
        return session.scalars(select(Mail)).one()


def test_the_facilitator_gets_one_guide_with_agenda_replies_and_link(office):
    series_id = invited(office)
    first = office.occurrence(series_id, 1)
    office.reply(series_id, "Linus", "accept")
    office.wait_until(datetime(2026, 3, 9, 8, tzinfo=UTC))

    for _ in range(2):
        send_guide(office.tools, first.id)

    mail = guide(office)
    assert mail.participant_id == first.facilitator_id
    assert office.series(series_id).meetings[0].join_url.replace("&", "&amp;") in mail.html
    assert "Linus" in mail.text
    assert "comes" in mail.text
    assert "no answer yet" in mail.text
    assert "Tuesday 10 March, 10:30" in mail.text


def test_the_guide_names_a_colleague_who_has_the_facilitators_name(office):
    series_id = invited(office)
    first = office.occurrence(series_id, 1)
    with office.tools.database.transaction() as session:
        people = [one.participant.person for one in session.get_one(Series, series_id).attendees if one.participant]
        for person in people:
            person.name = "Kim Lee"

    send_guide(office.tools, first.id)

    assert guide(office).text.count("Kim Lee") == len(people)  # in the greeting, and each of the others as a guest


def test_where_a_program_says_no_outcome_the_guide_does_not_announce_one(office):
    series_id = invited(office)
    with office.tools.database.transaction() as session:
        session.get_one(Series, series_id).pod.program.outcome = ""

    send_guide(office.tools, office.occurrence(series_id, 1).id)

    assert "It is about this" not in guide(office).text


def test_a_facilitator_who_declined_passes_the_turn_on(office):
    series_id = invited(office)
    first = office.occurrence(series_id, 1)
    with office.tools.database.reading() as session:
        declining = session.get_one(Series, series_id).occurrences[0].facilitator
        name = declining.name.split()[0] if declining else ""
    office.reply(series_id, name, "decline", number=1)

    send_guide(office.tools, first.id)

    mail = guide(office)
    assert mail.participant_id == office.occurrence(series_id, 1).facilitator_id != first.facilitator_id
    assert office.meeting_mails().total() == 4  # no exception, no update: only the guide tells
