from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from integration import outbox
from integration.admin.models import AuditEntry, Checkup, CoordinatorLimit
from integration.admin.permissions import Role
from integration.clock import Clock, real_now
from integration.config import Settings
from integration.db import Database
from integration.doorbell import Doorbell
from integration.jobs import drain
from integration.mail.models import HELD, UNCLEAR, Mail
from integration.outbox import Message, State, Task
from integration.scheduling.models import Program, ProgramMember
from integration.tools import Tools
from integration.wording import said
from tests.admin.conftest import Site
from tests.admin.test_today import mail, parked, pod
from tests.conftest import RunningSimulator

PARTS = {"": "Graph refused.", "/mails?state=held": "barbara@pods", "/mails?state=unclear": "alan@pods"}


@pytest.fixture
def message_id(site: Site) -> int:
    """A parked message about the pod of Grace."""
    with site.tools.database.transaction() as session:
        message = parked(pod(session, "Pod of Grace"))
        session.add(message)
        session.flush()
        return message.id


def test_health_says_what_is_down_and_what_that_means(site: Site):
    page = site.browser("ada@pods.example", Role.COORDINATOR).get("/admin/health").text

    assert "Redis cannot be reached" in page
    assert "Nothing is lost" in page
    assert "Nothing is sent or read without one" in page  # no worker was ever seen
    assert "Nothing was checked yet" in page


def test_a_parked_message_names_its_pod_its_error_and_its_attempts(site: Site, message_id: int):
    page = site.browser("ada@pods.example", Role.COORDINATOR).get("/admin/health").text

    for words in ("Write a series to Outlook", "Pod of Grace, Program of Pod of Grace", "Graph refused."):
        assert words in page, words


def test_trying_again_twice_tries_once_and_is_kept_in_the_audit_trail(site: Site, message_id: int):
    grace = site.browser("grace@pods.example", Role.COORDINATOR)
    first = grace.post(f"/admin/health/messages/{message_id}/retry", follow_redirects=True).text
    second = grace.post(f"/admin/health/messages/{message_id}/retry", follow_redirects=True)

    assert "It is tried again now." in first
    assert (second.status_code, "Nothing was changed." in second.text) == (200, True)
    with site.tools.database.reading() as session:
        (message,) = session.scalars(select(Message)).all()
        (entry,) = session.scalars(select(AuditEntry)).all()
    assert (message.state, message.attempts) == (State.WAITING, 0)
    assert (entry.actor, entry.action, entry.before["error"]) == (  # type: ignore[index]
        "grace@pods.example",
        "message.retry",
        "Graph refused.",
    )


def test_only_an_administrator_gives_a_message_up_and_says_why(site: Site, message_id: int):
    address = f"/admin/health/messages/{message_id}/discard"
    assert site.browser("grace@pods.example", Role.COORDINATOR).post(address).status_code == 403

    ada = site.browser("ada@pods.example", Role.ADMINISTRATOR)
    assert "Graph refused." in ada.get(address).text
    assert ada.post(address, data={"reason": " "}).status_code == 400
    assert ada.post(address, data={"reason": "The pod is over"}).status_code == 303
    assert ada.post(address, data={"reason": "The pod is over"}).status_code == 303

    with site.tools.database.reading() as session:
        message = session.get_one(Message, message_id)
        entries = session.scalars(select(AuditEntry)).all()
    assert (message.state, str(message.last_error)) == (State.DONE, "given up: The pod is over")
    assert [entry.after for entry in entries] == [{"reason": "The pod is over"}]


def test_a_held_mail_is_released_after_its_reader_was_named(site: Site):
    with site.tools.database.transaction() as session:
        held = mail(session, "held")
        session.add(held)
        session.flush()
        address = f"/admin/health/mails/{held.id}/release"
    grace = site.browser("grace@pods.example", Role.COORDINATOR)

    assert address in grace.get("/admin/health/mails").text
    assert "Barbara (barbara@pods.example)" in grace.get(address).text
    assert "on its way" in grace.post(address, follow_redirects=True).text
    assert "Nothing was changed." in grace.post(address, follow_redirects=True).text
    with site.tools.database.reading() as session:
        assert session.scalars(select(Mail.state)).all() == ["waiting"]
        assert len(session.scalars(select(AuditEntry)).all()) == 1


def test_a_check_that_no_worker_begins_says_so_and_is_asked_for_once(site: Site):
    grace = site.browser("grace@pods.example", Role.COORDINATOR)
    for _ in range(2):
        assert grace.post("/admin/health/checkup").status_code == 303

    fragment = grace.get("/admin/health/checkup").text
    assert "no worker has begun yet" in fragment
    assert 'hx-trigger="every 2s"' in fragment
    with site.tools.database.reading() as session:
        assert len(session.scalars(select(Checkup)).all()) == 1
        assert outbox.open_count(session) == 1


def test_a_worker_makes_the_check_and_the_page_names_what_is_missing(
    site: Site, simulator: RunningSimulator, tmp_path: Path
):
    grace = site.browser("grace@pods.example", Role.COORDINATOR)
    grace.post("/admin/health/checkup")
    app = simulator.tenant.app
    app.roles = tuple(role for role in app.roles if role != "Calendars.ReadWrite")
    settings = Settings.from_environment({**simulator.settings, "DATA_DIR": str(tmp_path / "worker")})
    url = site.tools.settings.database_url
    worker = Tools(settings, Database(url), Clock(), Doorbell.from_settings(settings))

    assert drain(worker) == 1
    worker.close()

    fragment = grace.get("/admin/health/checkup").text
    assert "hx-get" not in fragment  # it is over: nobody asks again
    assert "To be mended" in fragment
    assert "Calendars.ReadWrite" in fragment
    page = grace.get("/admin/health").text
    assert "last seen" in page  # by what it did, since Redis is away
    with site.tools.database.reading() as session:
        (checkup,) = session.scalars(select(Checkup)).all()
    assert [str(said(each["check"])) for each in checkup.findings][:2] == ["database", "queue"]


def test_the_audit_page_filters_by_actor_and_action(site: Site):
    with site.tools.database.transaction() as session:
        for number, actor in enumerate(("grace@pods.example", "alan@pods.example")):
            session.add(
                AuditEntry(
                    at=real_now(), actor=actor, action=f"{('plan', 'pod')[number]}.see", thing="plan", thing_id=7,
                    before={"state": "<b>ready</b>"}, after=None, reference="abc",
                )
            )  # fmt: skip
    ada = site.browser("ada@pods.example", Role.ADMINISTRATOR)

    assert "&lt;b&gt;ready" in ada.get("/admin/audit").text
    assert "alan@" not in ada.get("/admin/audit?actor=GRACE").text
    assert "grace@" not in ada.get("/admin/audit?action=pod.see").text
    assert "Nothing that fits" in ada.get("/admin/audit?actor=%25").text
    assert site.browser("grace@pods.example", Role.COORDINATOR).get("/admin/audit").status_code == 403


def test_messages_of_every_task_have_words(site: Site):
    from integration.admin.subjects import TASKS

    assert set(Task) <= set(TASKS)


def test_an_unclear_mail_is_settled_by_a_person_once_and_is_kept_in_the_audit_trail(site: Site):
    with site.tools.database.transaction() as session:
        lost = mail(session, "unclear")
        session.add(lost)
        session.flush()
        address = f"/admin/health/mails/{lost.id}/settlement"
    grace = site.browser("grace@pods.example", Role.COORDINATOR)

    assert address in grace.get("/admin/health/mails?state=unclear").text
    assert "gets it twice" in grace.get(address).text
    assert grace.post(address).status_code == 400
    assert "It is written down." in grace.post(address, data={"settlement": "again"}, follow_redirects=True).text
    second = grace.post(address, data={"settlement": "given-up"}, follow_redirects=True).text
    assert "Nothing was changed." in second
    assert "Nothing is left to decide" in grace.get(address).text
    with site.tools.database.reading() as session:
        assert session.scalars(select(Mail.state)).all() == ["waiting"]
        (entry,) = session.scalars(select(AuditEntry)).all()
    assert (entry.action, entry.before) == ("mail.settle", {"state": "unclear"})
    assert entry.after == {"settlement": "again", "state": "waiting"}


def test_a_coordinator_of_other_programs_neither_sees_nor_settles_what_went_wrong_in_these(
    site: Site, message_id: int
):
    with site.tools.database.transaction() as session:
        held = mail(session, HELD)
        unclear = mail(session, UNCLEAR, name="Alan")
        session.add_all([held, unclear])
        program = session.scalars(select(Program)).one()
        session.add_all(ProgramMember(program=program, participant=each.participant) for each in (held, unclear))
        other = pod(session, "Pod of others").pod.program
        session.add(CoordinatorLimit(mail="eve@pods.example", program_id=other.id))
        session.add(CoordinatorLimit(mail="ada@pods.example", program_id=program.id))
        session.flush()
        ids = held.id, unclear.id
    seen = {}
    for who in ("eve", "ada", "grace"):
        browser = site.browser(f"{who}@pods.example", Role.COORDINATOR)
        seen[who] = [words in browser.get(f"/admin/health{part}").text for part, words in PARTS.items()]
        asked = [
            browser.get(f"/admin/health/mails/{ids[0]}/release").status_code,
            browser.get(f"/admin/health/mails/{ids[1]}/settlement").status_code,
        ]
        assert asked == ([404, 404] if who == "eve" else [200, 200]), who
    assert seen == {"eve": [False] * 3, "ada": [True] * 3, "grace": [True] * 3}
    eve = site.browser("eve@pods.example", Role.COORDINATOR)
    assert eve.post(f"/admin/health/mails/{ids[0]}/release").status_code == 404
    assert eve.post(f"/admin/health/mails/{ids[1]}/settlement", data={"settlement": "again"}).status_code == 404
    assert eve.post(f"/admin/health/messages/{message_id}/retry").status_code == 404
    with site.tools.database.reading() as session:
        assert session.scalars(select(AuditEntry)).all() == []
        assert [session.get_one(Mail, each).state for each in ids] == [HELD, UNCLEAR]
        assert session.get_one(Message, message_id).state == State.PARKED
