"""Grace corrects the address of Ada, whose mails come back, on Ada's page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from integration.admin.models import AuditEntry, CoordinatorLimit
from integration.admin.oidc_identity import Identity, known_in_roster
from integration.admin.permissions import Role
from integration.clock import real_now
from integration.mail.models import HELD, Mail
from integration.people.models import OtherAddress, Person
from integration.scheduling.models import PodMember, ProgramMember, Series
from tests.admin.conftest import Site
from tests.at_once import at_once
from tests.attendance.build import build_person, build_series

OLD, NEW = "ada@pods.example", "ada.lovelace@pods.example"


@pytest.fixture
def coordinator(site: Site):
    return site.browser("grace@pods.example", Role.COORDINATOR)


@pytest.fixture
def ada(site: Site) -> str:
    """The address of Ada's page. She was invited to a pod that still meets, and a mail to her is held."""
    later = real_now() + timedelta(days=2)
    with site.tools.database.transaction() as session:
        person = build_person(session, "Ada")
        person.unreachable_at = real_now()
        series = build_series(session, [person])
        series.invited_at = series.attendees[0].invited_at = real_now()
        series.occurrences[2].starts_at, series.occurrences[2].ends_at = later, later + timedelta(minutes=30)
        session.add(PodMember(pod=series.pod, participant=person.participant, joined_at=real_now()))
        session.add(ProgramMember(program=series.pod.program, participant=person.participant))
        session.add(
            Mail(
                kind="k",
                participant=person.participant,
                to_address=OLD,
                to_name="Ada",
                subject="How was it?",
                html="",
                text="",
                tag="tag",
                created_at=datetime(2026, 3, 2, tzinfo=UTC),
                state=HELD,
            )
        )
        session.flush()
        return f"/admin/people/{person.id}"


def test_from_the_notice_to_the_corrected_address(site: Site, coordinator, ada: str):
    assert f'href="{ada}/address"' in coordinator.get(ada).text

    shown = coordinator.get(f"{ada}/address?mail={NEW.upper()}").text
    twice = [coordinator.post(f"{ada}/address", data={"mail": NEW, "before": OLD}) for _ in range(2)]
    page = coordinator.get(ada).text

    assert "3 mails are sent" in shown
    assert all(f"{who}: {what}" in shown for who, what in ((NEW, "an inv"), (OLD, "a canc"), (NEW, "a mail")))
    assert [each.status_code for each in twice] == [303, 303]
    assert "is ada.lovelace@pods.example now" in page
    assert "Nothing was changed" in page
    assert "came back" not in page
    with site.tools.database.reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "person.correct"))
        assert entry.after is not None
        assert (entry.actor, entry.before, entry.after["mail"]) == ("grace@pods.example", {"mail": OLD}, NEW)
        rows = session.scalars(select(Series)).one().attendees
        assert {(one.address, one.is_wanted) for one in rows} == {(OLD, False), (NEW, True)}
        assert session.scalars(select(OtherAddress.mail)).all() == [OLD]


def test_what_is_wrong_is_said_and_what_was_typed_stays(site: Site, coordinator, ada: str):
    with site.tools.database.transaction() as session:
        build_person(session, "Alan")
    for typed, fault in (("alan@pods.example", "Alan&#39;s address already"), ("ada.pods.example", "is no address")):
        for answer in (
            coordinator.get(f"{ada}/address?mail={typed}"),
            coordinator.post(f"{ada}/address", data={"mail": typed, "before": OLD}),
        ):
            assert answer.status_code == 400
            assert fault in answer.text
            assert f'value="{typed}"' in answer.text
    late = coordinator.post(f"{ada}/address", data={"mail": NEW, "before": "earlier@pods.example"})
    assert late.status_code == 409
    assert "was changed meanwhile" in late.text


def test_who_coordinates_other_programs_only_corrects_nothing_of_ada(site: Site, ada: str):
    with site.tools.database.transaction() as session:
        other = build_series(session, [], name="Pod of others", organizer_id="other").pod.program
        session.add(CoordinatorLimit(mail="eve@pods.example", program_id=other.id))
    eve = site.browser("eve@pods.example", Role.COORDINATOR)
    page = eve.get(ada).text
    assert f'href="{ada}/address"' not in page
    assert "Who coordinates their programs can correct the address" in page
    assert eve.get(f"{ada}/address").status_code == 404
    assert eve.post(f"{ada}/address", data={"mail": NEW, "before": OLD}).status_code == 404
    assert site.browser("mallory@pods.example").get(f"{ada}/address").status_code == 403


def test_of_two_who_correct_at_once_one_does_and_the_other_is_told(site: Site, ada: str):
    def correct(mail: str) -> int:
        browser = site.browser("grace@pods.example", Role.COORDINATOR)
        return browser.post(f"{ada}/address", data={"mail": mail, "before": OLD}).status_code

    answers = at_once(lambda: correct(NEW), lambda: correct("ada@new.example"))

    assert sorted(answers) == [303, 409]
    with site.tools.database.reading() as session:
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "person.correct")).all()) == 1
        assert session.scalars(select(OtherAddress.mail)).all() == [OLD]


def test_ada_who_coordinates_is_limited_to_the_same_programs_under_either_address(site: Site, coordinator, ada: str):
    with site.tools.database.transaction() as session:
        program_id = session.scalars(select(ProgramMember.program_id)).one()
        session.add(CoordinatorLimit(mail=OLD, program_id=program_id))
    hers = site.browser(OLD, Role.COORDINATOR)
    assert hers.get("/admin/people/").status_code == 200

    coordinator.post(f"{ada}/address", data={"mail": NEW, "before": OLD})

    assert hers.get("/admin/people/").location.startswith("/auth/sign-in")
    with site.tools.database.reading() as session:
        limits = session.execute(select(CoordinatorLimit.mail, CoordinatorLimit.program_id)).all()
        assert sorted(map(tuple, limits)) == sorted([(OLD, program_id), (NEW, program_id)])


def test_an_account_that_is_still_called_as_before_is_known_as_ada_and_another_account_is_not(
    site: Site, coordinator, ada: str
):
    coordinator.post(f"{ada}/address", data={"mail": NEW, "before": OLD})
    account = Identity("id-of-ada", OLD, "Ada", frozenset())
    with site.tools.database.transaction() as session:
        assert known_in_roster(session, account).mail == NEW
        session.scalars(select(Person)).one().object_id = "another account"
    with site.tools.database.reading() as session:
        assert known_in_roster(session, account).mail == OLD


def test_the_pages_speak_german(site: Site, ada: str):
    with site.tools.database.transaction() as session:
        build_person(session, "Emmy").language = "de"
    emmy = site.browser("emmy@pods.example", Role.COORDINATOR)
    assert "Adresse von Ada berichtigen" in emmy.get(f"{ada}/address").text
    shown = emmy.get(f"{ada}/address?mail={NEW}").text
    assert "1 Terminserie zieht zur neuen Adresse um" in shown
    assert "eine zurückgehaltene E-Mail" in shown
