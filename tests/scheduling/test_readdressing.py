"""The roster had Alan's address wrong: it is Barbara's account where Alan is reached. Outlook and mails follow."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import select

from integration.errors import Conflict, InputRefused
from integration.graph.errors import GraphError
from integration.graph.simulator.faults import Fault
from integration.mail.mails import Content, add_mail
from integration.mail.models import HELD, WAITING, Mail
from integration.outbox import Message, Task
from integration.people.models import OtherAddress, Person
from integration.people.people import by_mail, identify
from integration.people.roster import import_roster
from integration.scheduling.jobs import pull_series
from integration.scheduling.jobs_push import push_series
from integration.scheduling.models import Series
from integration.scheduling.readdressing import Correction, correct_address, preview_correction
from tests.scheduling.conftest import Office
from tests.scheduling.drifting import move, seen
from tests.scheduling.test_push import FOUR


def correct(office: Office, old: str, new: str) -> Correction | None:
    """Whoever has the address of the one is corrected to have that of the other; both by given name."""
    before, after = office.mails(old, new)
    with office.tools.database.transaction() as session:
        person = session.scalars(select(Person).where(Person.name.startswith("Alan"))).one()
        return correct_address(
            session, person.id, after, before=before, settings=office.tools.settings, now=office.tools.clock.now()
        )


def on_it(office: Office) -> set[str]:
    return {one.address for one in office.events()[0].content.attendees}


def test_only_alan_is_mailed_at_both_addresses_as_was_said_and_not_again(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    before = office.meeting_mails()

    done = [correct(office, "Alan", "Barbara") for _ in range(2)]
    for _ in range(2):
        push_series(office.tools, series_id)
    pull_series(office.tools, series_id)

    assert done[0] is not None
    assert (done[0].series, done[0].invitations, done[0].cancellations) == (1, 1, 1)
    assert done[1] is None
    assert office.meeting_mails() - before == Counter(
        {("Alan", "meetingCancelled"): 1, ("Barbara", "meetingRequest"): 1}
    )
    assert on_it(office) == set(office.mails("Ada", "Grace", "Barbara", "Linus"))
    assert list(seen(office, series_id)) == []


def test_a_session_that_was_moved_costs_one_mail_more_at_either_address_and_that_is_said(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    move(office, series_id, "2026-03-18T14:00", number=2)
    pull_series(office.tools, series_id)
    before = office.meeting_mails()

    done = correct(office, "Alan", "Barbara")
    push_series(office.tools, series_id)

    assert done is not None
    assert (done.invitations, done.cancellations) == (2, 2)
    new = office.meeting_mails() - before
    assert new == Counter({("Alan", "meetingCancelled"): 2, ("Barbara", "meetingRequest"): 2})


def test_a_worker_that_dies_between_outlook_and_its_note_mails_nobody_twice(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    before = office.meeting_mails()
    correct(office, "Alan", "Barbara")
    office.simulator.faults.order(Fault(do="drop", when="after", method="PATCH"))

    with pytest.raises(GraphError):
        push_series(office.tools, series_id)
    for _ in range(2):
        push_series(office.tools, series_id)

    assert office.meeting_mails() - before == Counter(
        {("Alan", "meetingCancelled"): 1, ("Barbara", "meetingRequest"): 1}
    )


def test_corrected_back_before_a_worker_came_nobody_is_mailed_and_later_both_are(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    before = office.meeting_mails()

    correct(office, "Alan", "Barbara")
    at_once = correct(office, "Barbara", "Alan")
    push_series(office.tools, series_id)
    unmailed = office.meeting_mails() - before
    correct(office, "Alan", "Barbara")
    push_series(office.tools, series_id)
    back = correct(office, "Barbara", "Alan")
    push_series(office.tools, series_id)

    assert at_once is not None
    assert back is not None
    assert (at_once.invitations, at_once.cancellations, unmailed) == (0, 0, Counter())
    assert (back.invitations, back.cancellations) == (1, 1)
    assert on_it(office) == set(office.mails(*FOUR))
    with office.tools.database.reading() as session:
        alan = by_mail(session, office.mails("Alan")[0])
        assert session.scalars(select(OtherAddress.mail)).all() == office.mails("Barbara")
        rows = [one for one in session.get_one(Series, series_id).people if one.participant_id == alan.participant_id]
        assert [(one.address, one.is_wanted) for one in rows] == [(alan.mail, True)]


def test_an_answer_to_one_session_counts_at_the_new_address_and_is_there_at_every_look(office):
    series_id = office.applied(*FOUR)
    push_series(office.tools, series_id)
    correct(office, "Alan", "Barbara")
    push_series(office.tools, series_id)
    office.reply(series_id, "Barbara", "decline", number=2)

    for _ in range(2):
        pull_series(office.tools, series_id)
        with office.tools.database.reading() as session:
            replies = session.get_one(Series, series_id).occurrences[1].replies
            alan = by_mail(session, office.mails("Barbara")[0])
            assert [(one.participant_id, one.response) for one in replies] == [(alan.participant_id, "declined")]


def test_what_waits_and_what_was_held_goes_to_the_new_address_and_the_person_is_looked_up(office):
    office.settle("Alan")
    now, content = office.tools.clock.now(), Content("How was it?", "<p>How?</p>", "How?")
    with office.tools.database.transaction() as session:
        alan = by_mail(session, office.mails("Alan")[0])
        alan.unreachable_at, alan.object_id = now, "another account"
        kept = [add_mail(session, kind="k", key=str(n), person=alan, content=content, now=now) for n in range(3)]
        kept[1].state, kept[1].due_at = HELD, None
        kept[2].state, kept[2].due_at = "sent", None
        person_id, participant_id = alan.id, alan.participant_id

    done = correct(office, "Alan", "Barbara")

    old, new = office.mails("Alan", "Barbara")
    assert done is not None
    assert (done.waiting, done.held, done.series) == (1, 1, 0)
    with office.tools.database.reading() as session:
        mails = session.scalars(select(Mail).order_by(Mail.id)).all()
        assert [(one.to_address, one.state) for one in mails] == [(new, WAITING), (new, WAITING), (old, "sent")]
        assert mails[1].due_at is not None
        alan = session.get_one(Person, person_id)
        assert (alan.unreachable_at, alan.object_id) == (None, None)
        found = [identify(session, address=each) for each in (old, new)]
        assert [each and each.id for each in found] == [participant_id] * 2
        asked = session.scalars(select(Message.subject).where(Message.task == Task.PERSON_RESOLVE)).all()
        assert asked == [str(person_id)]


def test_a_roster_that_still_has_the_old_address_is_asked_about_and_makes_nobody(office):
    office.settle("Alan")
    correct(office, "Alan", "Barbara")
    old, new = office.mails("Alan", "Barbara")
    with office.tools.database.transaction() as session:
        done = import_roster(session, ["name,mail\n", f"Alan,{old}\n"], now=office.tools.clock.now())
        people = session.scalars(select(Person.mail)).all()
    assert (done.added, done.changed, people) == (0, 0, [new])
    assert "their address here is " + new in done.refused[0].reason


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", "No address was given"),
        ("alan at home", "is no address"),
        ("<b>@x.example", "is no address"),
        ("alan@x.example\u200b", "is no address"),
        ("a" * 400 + "@x.example", "is no address"),
        ("{grace}", "is Grace"),
        ("{organizer}", "a mailbox of Learning Pods"),
        ("{alan}", "their address already"),
    ],
)
def test_what_cannot_be_alans_address_is_refused_with_the_reason(office, typed: str, fault: str):
    office.settle("Alan", "Grace")
    alan, grace = office.mails("Alan", "Grace")
    typed = typed.format(grace=grace.upper(), alan=alan, organizer=office.tools.settings.organizer_mailboxes[0])
    reach = {"settings": office.tools.settings, "now": office.tools.clock.now()}
    with office.tools.database.reading() as session, pytest.raises(InputRefused, match=fault):
        preview_correction(session, by_mail(session, alan), typed, **reach)


def test_whoever_decided_on_another_address_is_told_that_it_has_changed(office):
    office.settle("Alan")
    correct(office, "Alan", "Barbara")
    with pytest.raises(Conflict, match="was changed meanwhile"):
        correct(office, "Alan", "Grace")
