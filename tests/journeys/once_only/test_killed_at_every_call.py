"""Each effect once only, although the worker is killed at every single call that it makes to Graph."""

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from integration.config import Settings
from integration.demo.outside import Outside
from integration.graph.simulator.clock import MovableClock
from integration.graph.simulator.faults import Faults
from integration.graph.simulator.http.app import create_simulator
from integration.graph.simulator.http.server import serve
from integration.graph.simulator.seed import build_tenant
from integration.graph.simulator.tenant.tenant import Tenant
from integration.mail.models import SENT, Mail
from integration.outbox import Message, State
from integration.serve import start_embedded_redis
from integration.tools import Tools
from tests.journeys.once_only.killing import Gate, Moment, Worker, sqlite_locked
from tests.journeys.once_only.story import MONDAYS, OPENS_AT, Story

pytestmark = pytest.mark.soak  # a hundred restarts for each moment, and not seen to end on a busy machine yet
KILLED_AT = {
    "create event",
    "read event",
    "read instances",
    "change event",
    "find meeting",
    "list reports",
    "read report",
    "read calendar changes",
    "create draft",
    "read message",
    "look for message",
    "send draft",
}


class Office:
    """A tenant of four, and the product: its database, its queue, its worker."""

    def __init__(self, folder: Path, database_url: str, moment: Moment) -> None:
        clock = MovableClock(OPENS_AT, file=folder / "clock")
        self.tenant: Tenant = build_tenant(people=4, organizers=1, clock=clock)
        app = create_simulator(self.tenant, faults=Faults())
        self.server = serve(app, "127.0.0.1", 0).start()
        self.redis = start_embedded_redis(folder)
        environ = self._environ(folder, database_url)
        self.tools = Tools.from_settings(Settings.from_environment(environ))
        self.worker = Worker(environ, folder)
        file = Path(database_url.removeprefix("sqlite:///"))
        self.gate = Gate(
            app.wsgi_app,
            worker=self.worker,
            clock=clock,
            moment=moment,
            lock_database=partial(sqlite_locked, file),
        )
        app.wsgi_app = self.gate  # type: ignore[method-assign]
        self.outside = Outside(self.server.url)
        employees = [person.mail for person in self.tenant.directory.people if person.kind == "person"]
        self.leader, *self.members = employees

    def play(self) -> None:
        Story(self.tools, self.tenant, self.gate, self.worker, self.outside).play(self.members, self.leader)

    def close(self) -> None:
        self.worker.close()
        self.outside.close()
        self.tools.close()
        self.server.stop()
        self.redis.stop()

    def received(self, kind: str, pattern: str = "") -> Counter[str]:
        """How many messages of a kind, with such a subject, each person got."""
        found: Counter[str] = Counter()
        for mail in (*self.members, self.leader):
            person = self.tenant.directory.find(mail)
            assert person is not None
            inbox = self.tenant.mailboxes.of(person).in_folder("inbox")
            found[mail] = sum(one.kind == kind and bool(re.search(pattern, one.subject)) for one in inbox)
        return +found

    def subjects(self, pattern: str) -> Counter[tuple[str, str]]:
        """How often each person got each mail with such a subject."""
        letters = self.outside.all_letters()
        return Counter(
            (letter["recipients"][0], letter["subject"])
            for letter in letters
            if letter["kind"] == "mail" and re.search(pattern, letter["subject"])
        )

    def drafts(self) -> list[str]:
        boxes = (self.tenant.mailboxes.of(person) for person in (*self.tenant.senders, *self.tenant.organizers))
        return [one.subject for box in boxes for one in box.in_folder("drafts")]

    def _environ(self, folder: Path, database_url: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DATA_DIR": str(folder / "var"),
            "DATABASE_URL": database_url,
            "REDIS_URL": self.redis.url,
            "GRAPH_BASE_URL": f"{self.server.url}/v1.0",
            "TENANT_ID": self.tenant.id,
            "CLIENT_ID": self.tenant.app_id,
            "CLIENT_SECRET": self.tenant.app.secret,
            "ORGANIZER_MAILBOXES": ",".join(person.mail for person in self.tenant.organizers),
            "SENDER_MAILBOXES": ",".join(person.mail for person in self.tenant.senders),
            "CLOCK_FILE": str(folder / "clock"),
            "CLAIM_LEASE_SECONDS": "1",
            "WEBHOOKS": "off",
            "MAILS_PER_MINUTE": "10000",
            "LOG_LEVEL": "WARNING",
        }


@pytest.fixture(params=list(Moment), ids=[each.name.lower() for each in Moment])
def office(request: pytest.FixtureRequest, tmp_path: Path, sqlite_database_url: str) -> Iterator[Office]:
    made = Office(tmp_path, sqlite_database_url, request.param)
    yield made
    made.close()


def test_everything_happens_once_although_the_worker_is_killed_at_every_call(office: Office) -> None:
    began = time.monotonic()
    office.play()
    seconds, killings = time.monotonic() - began, office.gate.killings
    print(f"{sum(killings.by_kind.values())} kills in {seconds:.0f} s: {dict(killings.by_kind)}")
    print(f"before a commit {killings.before_commit}, before a next call {killings.before_next_call}")
    assert set(killings.by_kind) >= KILLED_AT
    _assert_one_series(office)
    _assert_one_invitation_each(office)
    _assert_each_mail_once(office)
    _assert_nothing_is_left(office)


def _assert_one_series(office: Office) -> None:
    (series,) = office.outside.series()
    assert sorted(one["address"] for one in series["attendees"]) == sorted(office.members)
    assert len(series["instances"]) == 2


def _assert_one_invitation_each(office: Office) -> None:
    assert office.received("meetingRequest") == dict.fromkeys(office.members, 1)
    assert not office.received("meetingUpdate")
    assert not office.received("meetingCancelled")


def _assert_each_mail_once(office: Office) -> None:
    assert set(office.subjects("").values()) == {1}
    questions, reminders = office.subjects(r"^(?!Reminder).*how was it\?$"), office.subjects("^Reminder: ")
    assert Counter(to for to, _ in questions) == dict.fromkeys(office.members, 2)
    assert max(Counter(to for to, _ in reminders).values()) <= 2
    assert len(office.subjects("^You facilitate ")) == 2
    assert Counter(to for to, _ in office.subjects(": the week of ")) == {office.leader: MONDAYS}


def _assert_nothing_is_left(office: Office) -> None:
    assert office.drafts() == []
    with office.tools.database.reading() as session:
        assert not session.scalars(select(Message.task).where(Message.state != State.DONE)).all()
        assert set(session.scalars(select(Mail.state))) == {SENT}
