"""The story: a pod of three people and two occurrences, from the roster to the last Monday's summary."""

import heapq
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import select

from integration.demo.outside import Outside
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
from integration.tools import Tools
from tests.journeys.once_only.killing import Gate, Worker

OPENS_AT = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)  # a Monday
FIRST_DAY = date(2026, 3, 9)
ENDS_AT = datetime(2026, 3, 23, 12, 0, tzinfo=UTC)  # a Monday, after the summary
MONDAYS = 3  # with a summary, until then
PATIENCE_SECONDS = 90.0  # for one instant
LOOK_AGAIN_SECONDS = 0.01
EACH_TEN_MINUTES = "sweep calendars"  # not worth an instant of its own: it happens at every instant we stop at


class Story:
    """Moves the clock from one due instant to the next, ticks, and starts a worker whenever one was killed."""

    def __init__(self, tools: Tools, tenant: Tenant, gate: Gate, worker: Worker, outside: Outside) -> None:
        self._tools, self._tenant, self._gate, self._worker, self._outside = tools, tenant, gate, worker, outside
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()

    def play(self, members: list[str], leader: str) -> None:
        self._open(members, leader)
        self._rest()
        (series,) = self._outside.series()
        for mail in members:
            self._at(
                OPENS_AT + timedelta(hours=3),
                partial(self._outside.reply, mail, uid=series["uid"], response="accept"),
            )
        for instance in series["instances"]:
            self._plan_call(series, instance, members)
        while (instant := self._next_instant()) is not None:
            self._outside.move_clock(instant)
            while self._agenda and self._agenda[0][0] <= instant:
                heapq.heappop(self._agenda)[2]()
            self._rest()

    def _open(self, members: list[str], leader: str) -> None:
        now = self._tools.clock.now()
        people = [self._settled(mail) for mail in (*members, leader)]
        with self._tools.database.transaction() as session:
            import_roster(session, ["name,mail,time zone", *people], now=now)
            program = create_program(
                session,
                ProgramDraft(
                    name="Onboarding",
                    outcome="New colleagues answer customers alone",
                    metric="days to first call",
                    baseline="60 days",
                    starts_on=FIRST_DAY,
                    weeks=2,
                    pod_size=3,
                ),
                now=now,
            )
            add_members(session, program, session.scalars(select(Person).where(Person.mail.in_(members))))
            add_leader(session, program, by_mail(session, leader), now=now)
            program_id = program.id
        begin(self._tools)
        plan_id = draft_plan(self._tools, program_id)
        with self._tools.database.transaction() as session:
            apply_plan(session, session.get_one(Plan, plan_id), now=now)

    def _settled(self, mail: str) -> str:
        """Give somebody an ordinary mailbox in Zurich; returns their line of the roster."""
        account = self._tenant.directory.find(mail)
        assert account is not None
        account.time_zone, account.exchange, account.busy = "Europe/Zurich", True, ()
        account.working_days = ("monday", "tuesday", "wednesday", "thursday", "friday")
        return f"{account.name},{mail},Europe/Zurich"

    def _plan_call(self, series: dict[str, Any], instance: dict[str, Any], members: list[str]) -> None:
        starts_at, ends_at = (datetime.fromisoformat(instance[each]) for each in ("starts_at", "ends_at"))
        for mail in members:
            seat = {"join_url": series["join_url"], "person": mail}
            self._at(starts_at, partial(self._outside.join, **seat))
            self._at(ends_at, partial(self._outside.leave, **seat))

    def _at(self, instant: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (instant, next(self._order), act))

    def _next_instant(self) -> datetime | None:
        instants = [at for at in (self._due_at(), self._tenant.next_event_at()) if at is not None]
        instants += [at for at, _, _ in self._agenda[:1]]
        following = max(min(instants, default=ENDS_AT), self._tenant.clock.now())
        return following if following <= ENDS_AT else None

    def _due_at(self) -> datetime | None:
        watched = [duty for duty in DUTIES if duty.name != EACH_TEN_MINUTES]
        with self._tools.database.reading() as session:
            dates = session.execute(select(*(duty.due.scalar_subquery() for duty in watched))).one()
        return min((at for at in dates if at is not None), default=None)

    def _rest(self) -> None:
        """Let worker after worker do what is due now, until nothing is left."""
        gives_up_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._revive()
            tick(self._tools)
            if is_quiet(self._tools) and self._nothing_is_due():
                self._assert_nothing_parked()
                return
            assert self._gate.killings.stuck is None, self._gate.killings.stuck
            assert time.monotonic() < gives_up_at, f"no rest at {self._tools.clock.now()}:\n{self._worker.log()}"
            time.sleep(LOOK_AGAIN_SECONDS)

    def _revive(self) -> None:
        if self._worker.life is not None:
            self._worker.keep_alive()
            return
        # Counts of requests in flight that died with the worker expire after 150 real seconds: here at once.
        for key in self._tools.doorbell.connection.keys("graph:in-flight:*"):  # type: ignore[union-attr]
            self._tools.doorbell.connection.delete(key)
        self._worker.keep_alive()

    def _assert_nothing_parked(self) -> None:
        with self._tools.database.reading() as session:
            parked = select(Message.task, Message.subject, Message.last_error).where(Message.state == State.PARKED)
            found = session.execute(parked).all()
        assert not found, f"{found}\n{self._worker.log()}"

    def _nothing_is_due(self) -> bool:
        due_at = self._due_at()
        return due_at is None or due_at > self._tools.clock.now()
