"""What people write to our mailboxes stands on Today until a coordinator marks it as done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.admin.models import AuditEntry, CoordinatorLimit
from integration.admin.permissions import Role
from integration.clock import real_now
from integration.inbox.absence import record_answer
from integration.inbox.letters import PURPOSE
from integration.inbox.models import Letter
from integration.inbox.returned import Trouble
from integration.inbox.sorting import Kind
from integration.mail.mails import Content, add_mail
from integration.mail.models import SENT, Inbox
from integration.people.models import Person
from integration.scheduling.models import Pod, PodMember, ProgramMember
from integration.sealing import sealed
from tests.admin.conftest import Site
from tests.attendance.build import build_person, build_series
from tests.browsers import faults, fits, keep, served


def inbox(session: Session) -> Inbox:
    found = session.scalar(select(Inbox))
    if found is None:
        found = Inbox(address="learning@pods.example", read_at=real_now())
        session.add(found)
        session.flush()
    return found


def wrote(site: Site, session: Session, person: Person | None = None, *, pod: Pod | None = None, **facts) -> Letter:
    letter = Letter(
        inbox=inbox(session), message_id=facts.pop("message_id", "message-1"), kind=Kind.HUMAN,
        sender=person.mail if person else "friend@other.example", sender_name="A friend", subject="May I come?",
        received_at=real_now() - timedelta(hours=2), participant=person.participant if person else None, pod=pod,
        program_id=pod.program_id if pod else None,
        excerpt=sealed("I would <b>like</b> to come", purpose=PURPOSE, secret_key=site.tools.settings.secret_key),
    )  # fmt: skip
    for name, value in facts.items():
        setattr(letter, name, value)
    session.add(letter)
    session.flush()
    return letter


@pytest.fixture
def question(site: Site) -> int:
    """Grace, of a pod whose program Eve coordinates, has asked something."""
    with site.tools.database.transaction() as session:
        grace = build_person(session, "Grace")
        pod = build_series(session, [grace], name="Pod of Grace").pod
        session.add(ProgramMember(program=pod.program, participant=grace.participant))
        session.add(CoordinatorLimit(mail="eve@pods.example", program_id=pod.program_id))
        other = build_series(session, [], name="Pod of others", organizer_id="other").pod
        session.add(CoordinatorLimit(mail="alan@pods.example", program_id=other.program_id))
        return wrote(site, session, grace, pod=pod, kept_here="nobody").id


def test_a_question_is_marked_as_done_with_one_click_and_opened_again_with_another(site: Site, question: int):
    eve = site.browser("eve@pods.example", Role.COORDINATOR)
    page = eve.get("/admin/").text
    for words in ("From Grace (grace@pods.example)", "May I come?", "I would &lt;b&gt;like", ">Pod of Grace<"):
        assert words in page, words
    assert "nobody is known who is responsible" in page

    page = eve.post(f"/admin/letters/{question}/done", follow_redirects=True).text
    assert "Nobody wrote who still waits" in page
    assert "by eve@pods.example" in page
    with site.tools.database.reading() as session:
        done = session.get_one(Letter, question)
        assert done.done_at is not None
        assert done.purge_due_at == done.done_at + timedelta(days=30)

    assert "Somebody was faster" in eve.post(f"/admin/letters/{question}/done", follow_redirects=True).text
    assert "The message is open again." in eve.post(f"/admin/letters/{question}/open", follow_redirects=True).text
    with site.tools.database.reading() as session:
        again = session.get_one(Letter, question)
        assert (again.done_at, again.purge_due_at) == (None, None)
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "inbox.answer")).all()) == 2


def test_a_coordinator_of_other_programs_neither_sees_nor_marks_it(site: Site, question: int):
    alan = site.browser("alan@pods.example", Role.COORDINATOR)
    assert "May I come?" not in alan.get("/admin/").text
    assert alan.post(f"/admin/letters/{question}/done").status_code == 404
    with site.tools.database.reading() as session:
        assert session.get_one(Letter, question).done_at is None


def test_what_is_of_no_program_is_for_those_who_see_all_and_a_members_letter_for_their_coordinator(site: Site):
    with site.tools.database.transaction() as session:
        grace = build_person(session, "Grace")
        for name in ("One", "Two"):
            program = build_series(session, [], name=name, organizer_id=name).pod.program
            session.add(ProgramMember(program=program, participant=grace.participant))
            session.add(CoordinatorLimit(mail=f"{name.lower()}@pods.example", program_id=program.id))
        wrote(site, session, grace, subject="From a member of two")
        wrote(site, session, subject="From outside", message_id="message-2")
    for mail in ("one@pods.example", "two@pods.example"):
        page = site.browser(mail, Role.COORDINATOR).get("/admin/").text
        assert "From a member of two" in page
        assert "From outside" not in page
    assert "From outside" in site.browser("ada@pods.example", Role.COORDINATOR).get("/admin/").text


def test_what_could_not_be_delivered_says_what_helps_until_the_address_is_corrected(site: Site):
    with site.tools.database.transaction() as session:
        for number, (name, trouble) in enumerate(
            (("Grace", Trouble.GONE), ("Alan", Trouble.FULL), ("Linus", Trouble.DELAYED), ("Eve", Trouble.REFUSED))
        ):
            person = build_person(session, name)
            person.unreachable_at = real_now() if trouble is Trouble.GONE else None
            build_series(session, [person], name=f"Pod of {name}", organizer_id=name)
            wrote(
                site, session, person, kind=Kind.FAILURE, trouble=trouble, message_id=str(number), done_at=real_now()
            )
    ada = site.browser("ada@pods.example", Role.COORDINATOR)
    page = ada.get("/admin/").text
    for words in ("takes no mail, so nothing", "the mailbox is full", "Exchange goes on trying", "was refused by"):
        assert words in page, words
    with site.tools.database.transaction() as session:
        session.scalars(select(Person).where(Person.name == "Grace")).one().unreachable_at = None
    assert "takes no mail, so nothing" not in ada.get("/admin/").text


def test_what_could_not_be_delivered_to_an_earlier_address_is_no_trouble_any_more(site: Site):
    with site.tools.database.transaction() as session:
        grace = build_person(session, "Grace")
        build_series(session, [grace])
        letter = wrote(site, session, grace, kind=Kind.FAILURE, trouble=Trouble.FULL, done_at=real_now())
        content = Content("How was it?", "<p>How?</p>", "How?")
        letter.mail = mail = add_mail(session, kind="k", key="1", person=grace, content=content, now=real_now())
        assert mail is not None
        mail.state = SENT
    ada = site.browser("ada@pods.example", Role.COORDINATOR)
    assert "the mailbox is full" in ada.get("/admin/").text
    with site.tools.database.transaction() as session:
        session.scalars(select(Person).where(Person.name == "Grace")).one().mail = "grace.hopper@pods.example"
    assert "the mailbox is full" not in ada.get("/admin/").text


def test_who_is_away_says_so_beside_the_name_and_nowhere_in_a_figure(site: Site):
    with site.tools.database.transaction() as session:
        people = {name: build_person(session, name) for name in ("Grace", "Alan", "Linus")}
        pod = build_series(session, list(people.values()), name="Pod of Grace").pod
        for person in people.values():
            session.add(PodMember(pod=pod, participant=person.participant, joined_at=real_now()))
        until, old = real_now().date() + timedelta(days=3), real_now() - timedelta(days=20)
        record_answer(session, people["Grace"].participant_id, at=old, away_until=until)
        record_answer(session, people["Alan"].participant_id, at=real_now(), away_until=None)
        record_answer(session, people["Linus"].participant_id, at=old, away_until=None)
        pages = ("/admin/people/", f"/admin/pods/{pod.id}")
    ada = site.browser("ada@pods.example", Role.COORDINATOR)
    for address in pages:
        page = ada.get(address).text
        assert page.count("away until") == 1, address
        assert page.count("answered automatically on") == 1, address
    assert "Nothing is decided by it." in ada.get(f"/admin/people/{people['Grace'].id}").text


def test_today_with_a_letter_can_be_used_at_any_width_and_by_keyboard(site: Site, question: int, chromium: Browser):
    ada = site.browser("ada@pods.example", Role.COORDINATOR)
    cookie = ada.get_cookie(site.app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    with site.tools.database.transaction() as session:
        alan = build_person(session, "Alan")
        alan.unreachable_at = real_now()
        wrote(site, session, alan, kind=Kind.FAILURE, trouble=Trouble.GONE, message_id="f", done_at=real_now())
        wrote(site, session, None, message_id="d", done_at=real_now(), done_by="eve@pods.example", subject="Earlier")
    with served(site.app) as url:
        for width in (1280, 390):
            for scheme in ("light", "dark"):
                context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
                context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])
                page = context.new_page()
                page.goto(f"{url}/admin/")
                assert faults(page) == []
                assert fits(page)
                keep(page, f"today-letters-{width}-{scheme}")
                context.close()
        context = chromium.new_context()
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])
        page = context.new_page()
        page.goto(f"{url}/admin/")
        page.get_by_role("button", name="Mark the message of Grace as done").focus()
        page.keyboard.press("Enter")
        page.get_by_text("Nobody wrote who still waits").wait_for()
        page.get_by_text("Done in the last seven days").click()
        page.get_by_role("button", name="Open the message of Grace again").click()
        page.get_by_text("I would <b>like</b> to come").wait_for()
        context.close()
