"""A pilot as small as can be: one pod of three people, two sessions, one leader; and what came of it outside."""

from __future__ import annotations

import heapq
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from integration.config import Settings
from integration.demo.outside import Outside
from integration.feedback.answers import record_answer
from integration.feedback.models import FeedbackRequest
from integration.graph.simulator.clock import MovableClock
from integration.graph.simulator.faults import Faults
from integration.graph.simulator.http.app import create_simulator
from integration.graph.simulator.http.server import serve, settings_of
from integration.graph.simulator.seed import STARTS_AT, build_tenant
from integration.graph.simulator.tenant.tenant import Tenant
from integration.jobs import DUTIES, begin, is_quiet, tick
from integration.outbox import Message, State
from integration.people.models import Person
from integration.people.people import by_mail
from integration.people.roster import import_roster
from integration.scheduling.jobs import draft_plan
from integration.scheduling.models import Plan
from integration.scheduling.plan import apply_plan
from integration.scheduling.programs import ProgramDraft, add_leader, add_members, create_program
from integration.serve import start_embedded_redis
from integration.tools import Tools
from tests.journeys.killing import Executioner, Moment, Verdict, Worker

LEADER, *POD = ("Ada", "Grace", "Alan", "Linus")
FIRST_WEEK = date(2026, 3, 9)
SESSIONS = 2
ENDS_AT = datetime(2026, 3, 24, 12, tzinfo=UTC)  # the day after the second Monday's summary
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LONGEST_CHAPTER_SECONDS = 300.0
TICK_SECONDS, LOOK_SECONDS = 0.08, 0.004
SUBJECTS = {  # the first that fits, in the language of the reader
    "reminder": ("Reminder: ", "Erinnerung: "),
    "question": ("how was it?", "Wie war es?"),
    "guide": ("You facilitate ", "Sie moderieren "),
    "summary": (": the week of ", ": die Woche vom "),
}
SWEEPS = {"sweep calendars", "compare calendars", "read inboxes"}  # often: done when we come by, never waited for


@dataclass
class Pilot:
    """The play: people act at their instants, the product does what falls due, the executioner does his work."""

    tenant: Tenant
    tools: Tools
    outside: Outside
    executioner: Executioner
    _agenda: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)
    _ticked_at: float = 0.0

    def play(self) -> None:
        """From the roster to the day after the last summary."""
        self._open()
        self.executioner.hold_everything()
        self.executioner.worker.start()
        self._until("the invitation", STARTS_AT)
        found = self.outside.series()
        assert len(found) == 1, f"{len(found)} series stand in the calendar after {self.executioner.kills}"
        series = found[0]
        for name in POD:
            reply = partial(self.outside.reply, self.mail(name), uid=series["uid"], response="accept")
            self._at(STARTS_AT + timedelta(hours=1), reply)
        self._until("the replies", STARTS_AT + timedelta(hours=2))
        for number, instance in enumerate(series["instances"], start=1):
            starts_at, ends_at = (datetime.fromisoformat(instance[side]) for side in ("starts_at", "ends_at"))
            for name in POD:
                who = {"join_url": series["join_url"], "person": self.mail(name)}
                self._at(starts_at, partial(self.outside.join, **who))
                self._at(ends_at, partial(self.outside.leave, **who))
            self._at(ends_at + timedelta(hours=20), self._answer_but_one)
            self._until(f"guide {number}", starts_at - MINUTE)
            self._until(f"start {number}", ends_at)
            self._until(f"questions {number}", ends_at + DAY)
        self._until("the end", ENDS_AT)

    def mail(self, name: str) -> str:
        return next(person.mail for person in self.tenant.directory.people if person.given_name == name)

    def _open(self) -> None:
        """The roster and an applied plan; nothing of it has reached Outlook yet."""
        for person in self.tenant.directory.people:
            person.time_zone, person.exchange, person.busy = "Europe/Zurich", True, ()
            person.working_days = ("monday", "tuesday", "wednesday", "thursday", "friday")
        lines = ["name,mail,time zone", *(f"{name},{self.mail(name)},Europe/Zurich" for name in (LEADER, *POD))]
        now = self.tools.clock.now()
        draft = ProgramDraft(
            name="Onboarding",
            outcome="New colleagues answer customers alone",
            metric="days to first call",
            baseline="60 days",
            starts_on=FIRST_WEEK,
            weeks=SESSIONS,
            pod_size=len(POD),
        )
        with self.tools.database.transaction() as session:
            import_roster(session, lines, now=now)
            program = create_program(session, draft, now=now)
            mails = [self.mail(name) for name in POD]
            add_members(session, program, session.scalars(select(Person).where(Person.mail.in_(mails))))
            add_leader(session, program, by_mail(session, self.mail(LEADER)), now=now)
            program_id = program.id
        plan_id = draft_plan(self.tools, program_id)
        with self.tools.database.transaction() as session:
            apply_plan(session, session.get_one(Plan, plan_id), now=now)
        begin(self.tools)

    def _answer_but_one(self) -> None:
        """All answer the question of the day but one, who is reminded."""
        now = self.tools.clock.now()
        with self.tools.database.transaction() as session:
            asked = select(FeedbackRequest).where(FeedbackRequest.asked_at > now - DAY)
            for request in session.scalars(asked):
                person = request.participant.person
                if person and person.mail != self.mail(POD[-1]):
                    record_answer(session, request, score=4, comment="", consent=False, at=now)

    def _at(self, instant: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (instant, next(self._order), act))

    def _until(self, chapter: str, end: datetime) -> None:
        """Play to an instant, stopping wherever something falls due."""
        self.executioner.chapter, gives_up_at = chapter, time.monotonic() + LONGEST_CHAPTER_SECONDS
        while True:
            self._wait_until_quiet(gives_up_at)
            instant = self._next_instant()
            if instant is None or instant > end:
                break
            self._move(instant)
            while self._agenda and self._agenda[0][0] <= instant:
                heapq.heappop(self._agenda)[2]()
        self._move(end)
        self._wait_until_quiet(gives_up_at)

    def _move(self, instant: datetime) -> None:
        if instant > self.tools.clock.now():
            self.outside.move_clock(instant)

    def _next_instant(self) -> datetime | None:
        instants = [self._agenda[0][0]] if self._agenda else []
        instants += [at for at in (self._due_at(), self.tenant.next_event_at()) if at is not None]
        return min(instants, default=None)

    def _due_at(self) -> datetime | None:
        watched = (duty.due.scalar_subquery() for duty in DUTIES if duty.name not in SWEEPS)
        with self.tools.database.reading() as session:
            dates = session.execute(select(*watched)).one()
        return min((at for at in dates if at is not None), default=None)

    def _wait_until_quiet(self, gives_up_at: float) -> None:
        self._ticked_at = 0.0
        while True:
            assert time.monotonic() < gives_up_at, f"no rest in {self.executioner.chapter}: {self.open_messages()}"
            assert self.executioner.worker.is_alive, "the worker ended by itself"
            self.executioner.judge()
            if time.monotonic() - self._ticked_at > TICK_SECONDS:
                tick(self.tools)
                self._ticked_at = time.monotonic()
                if self._is_quiet():
                    return
            time.sleep(LOOK_SECONDS)

    def _is_quiet(self) -> bool:
        if self.executioner.in_flight() or not is_quiet(self.tools):
            return False
        due_at = self._due_at()
        return due_at is None or due_at > self.tools.clock.now()

    def open_messages(self) -> list[tuple[object, ...]]:
        """What is not done: (task, subject, state, attempts, last error)."""
        columns = (Message.task, Message.subject, Message.state, Message.attempts, Message.last_error)
        with self.tools.database.reading() as session:
            return [tuple(row) for row in session.execute(select(*columns).where(Message.state != State.DONE))]

    def letters(self) -> Counter[tuple[str, str, str]]:
        """What left any mailbox, as the tenant knows it: (kind, name of the recipient, subject) -> number."""
        names = {person.mail: person.given_name for person in self.tenant.directory.people}
        return Counter(
            (_kind(letter), names[recipient], letter["subject"])
            for letter in self.outside.all_letters()
            for recipient in letter["recipients"]
        )

    def drafts(self) -> list[str]:
        """Subjects of what lies unsent in our own mailboxes."""
        ours = (*self.tenant.senders, *self.tenant.organizers)
        boxes = (self.tenant.mailboxes.of(person) for person in ours)
        return [message.subject for box in boxes for message in box.in_folder("drafts")]


def _kind(letter: dict[str, Any]) -> str:
    """Outlook's word for its own mails; what ours are is told by their subjects."""
    if letter["kind"] != "mail":
        return letter["kind"]
    return next(kind for kind, words in SUBJECTS.items() if any(each in letter["subject"] for each in words))


@contextmanager
def pilot_of_three(folder: Path, database_url: str, moment: Moment, verdict: Verdict) -> Iterator[Pilot]:
    """The tenant in this process, a database and a queue; the worker is a process of its own, started by the play.

    There is a sender for each of the pod, so that their mails leave at the same instant and die together.
    """
    data_dir, clock = folder / "var", MovableClock(STARTS_AT, file=folder / "clock")
    tenant, faults = build_tenant(people=4, organizers=1, senders=len(POD), clock=clock), Faults()
    app = create_simulator(tenant, faults=faults)
    with ExitStack() as closing:
        server = serve(app, "127.0.0.1", 0).start()
        closing.callback(server.stop)
        closing.callback(start_embedded_redis(data_dir).stop)
        environ = {
            **settings_of(tenant, server.url),
            "HOME": str(folder),
            "PATH": "/usr/bin:/bin",
            "DATA_DIR": str(data_dir),
            "DATABASE_URL": database_url,
            "CLOCK_FILE": str(folder / "clock"),
            "CLAIM_LEASE_SECONDS": "1",
            "WEBHOOKS": "off",
        }
        worker = Worker(environ, closing.enter_context((folder / "worker.txt").open("wb")))
        tools = Tools.from_settings(Settings.from_environment(environ))
        closing.callback(tools.close)
        outside = Outside(server.url)
        closing.callback(outside.close)
        closing.callback(lambda: worker.kill() if worker.is_alive else None)
        door = app.extensions["door"]
        executioner = Executioner(moment, tools, faults, worker, lambda: door.in_flight, verdict)
        yield Pilot(tenant, tools, outside, executioner)
