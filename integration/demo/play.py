"""`pods demo`: a whole pilot in virtual time, through the real parts, from the roster to the last Monday's mail."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from integration import log
from integration.demo.behaviour import DECLINED_NUMBER, Roles, Stay, reply_of, roles_of, stays
from integration.demo.cast import Member, cast_of
from integration.demo.closing import Results, print_results, results, write_results
from integration.demo.director import Director
from integration.demo.letters import Readers
from integration.demo.opening import bring_roster, open_pilot
from integration.demo.outside import TenantState
from integration.demo.stage import Stage, stage
from integration.errors import PodsError
from integration.formats import moment
from integration.language import gettext as _
from integration.language import lazy
from integration.metrics.competency import load_library
from integration.people.people import by_mail
from integration.scheduling.membership import leave

OPENS_AT = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)  # a Monday; Europe's clocks change before week four begins
FIRST_WEEK = date(2026, 3, 9)
LAST_LOOK = timedelta(days=3, hours=16)  # after the last Friday: Monday's summary has left everywhere
PORTS = (8360, 8365)
FEWEST_PEOPLE, MOST_PEOPLE = 4, 200


def play(*, people: int, weeks: int, seed: int, out: Path, record: Path | None, serve: bool) -> None:
    """Play the pilot, write ``out``, print the closing table; with ``serve`` show the pages until Ctrl-C."""
    if not FEWEST_PEOPLE <= people <= MOST_PEOPLE or not 1 <= weeks <= 12:
        raise PodsError(
            lazy("%(people)s people for %(weeks)s weeks cannot be played.", people=people, weeks=weeks),
            remedy=lazy(
                "Take %(fewest)s to %(most)s people and 1 to 12 weeks.", fewest=FEWEST_PEOPLE, most=MOST_PEOPLE
            ),
        )
    log.configure(level="WARNING")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C does: everything on the stage is taken down
    console = Console()
    ports = PORTS if serve else None
    with played(people=people, weeks=weeks, seed=seed, record=record, ports=ports, console=console) as (on, found):
        write_results(on, found, out)
        print_results(found, console)
        console.print(
            _(
                "Written: %(file)s and one mail of each kind in %(folder)s.",
                file=out / "summary.json",
                folder=out / "mail",
            )
        )
        if serve:
            _serve(on, console)


@contextmanager
def played(
    *, people: int, weeks: int, seed: int, record: Path | None, ports: tuple[int, int] | None, console: Console
) -> Iterator[tuple[Stage, Results]]:
    """The stage after the pilot, and its results; when the block ends everything is taken down."""
    began = time.monotonic()
    threading.Thread(target=load_library, daemon=True).start()  # needed for the figures, when all has been played
    with stage(people=people, seed=seed, starts_at=OPENS_AT, record=record, ports=ports) as on:
        pilot = _Pilot(on, seed=seed, weeks=weeks, console=console)
        try:
            pilot.play()
        finally:
            pilot.readers.close()
        yield on, results(on, pilot.readers, awkward=pilot.awkward(), seconds=time.monotonic() - began)


class _Pilot:
    """The pilot as a play: what people do stands on the director's agenda, everything else the product does."""

    def __init__(self, on: Stage, *, seed: int, weeks: int, console: Console) -> None:
        self._on, self._seed, self._weeks, self._console = on, seed, weeks, console
        self._ends_at = (
            datetime.combine(FIRST_WEEK + timedelta(weeks=weeks - 1, days=4), wall_time(0), UTC) + LAST_LOOK
        )
        self._director = Director(on)
        self.readers = Readers(seed=seed, at=self._director.at, met=self._answers_met)
        self._director.after_each = self._read_letters
        self._seen_requests = -1
        self._roles: Roles | None = None
        self._denied: set[str] = set()
        self._shared_a_room = False

    def play(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        with Progress(*columns, TimeElapsedColumn(), console=self._console) as bar:
            span = (self._ends_at - OPENS_AT).total_seconds()
            task = bar.add_task(_("Importing the roster, planning the pods"), total=span)
            self._director.on_move = partial(_show, bar.update, task)
            cast = self._open()
            self._director.play_until(self._ends_at)
            bring_roster(self._on.tools, cast, known_until=self._ends_at.date())
            self._director.wait_until_quiet()

    def awkward(self) -> list[str]:
        """What occurred; a room is shared only where enough of a pod came."""
        words = self._roles.as_words() if self._roles else []
        return [word for word in words if word != "shares a room" or self._shared_a_room]

    def _open(self) -> tuple[Member, ...]:
        cast = cast_of(self._on.outside.people(), seed=self._seed, starts_on=FIRST_WEEK)
        open_pilot(self._on.tools, cast, starts_on=FIRST_WEEK, weeks=self._weeks)
        self._director.wait_until_quiet()
        series = self._on.outside.series()
        roles = roles_of([(each["subject"], [one["address"] for one in each["attendees"]]) for each in series])
        self._roles = roles.within(self._weeks)
        for each in series:
            self._plan_replies(each)
            self._plan_calls(each)
        self._plan_departure()
        return cast

    def _plan_replies(self, series: dict[str, Any]) -> None:
        for attendee in series["attendees"]:
            answer, after = reply_of(attendee["address"], seed=self._seed)
            if answer:
                act = partial(self._on.outside.reply, attendee["address"], uid=series["uid"], response=answer)
                self._director.at(OPENS_AT + after, act)
        mail = self._roles.declines_once if self._roles else None
        if mail in {one["address"] for one in series["attendees"]}:
            start = series["instances"][DECLINED_NUMBER - 1]["starts_at"]
            answer = {"uid": series["uid"], "response": "decline", "occurrence_start": start}
            act = partial(self._on.outside.reply, str(mail), **answer)
            self._director.at(datetime.fromisoformat(start) - timedelta(days=1), act)

    def _plan_calls(self, series: dict[str, Any]) -> None:
        """Who comes is decided shortly before each occurrence, from the attendees it has then."""
        for number, instance in enumerate(series["instances"], start=1):
            early = datetime.fromisoformat(instance["starts_at"]) - timedelta(minutes=10)
            self._director.at(early, partial(self._plan_call, series["uid"], number))

    def _plan_call(self, uid: str, number: int) -> None:
        series = next(each for each in self._on.outside.series() if each["uid"] == uid)
        assert self._roles is not None
        instance = series["instances"][number - 1]
        for stay in stays(series["subject"], number, instance, self._roles, seed=self._seed):
            link = instance["join_url"] or series["join_url"]
            self._shared_a_room |= stay.kind == "room"
            self._director.at(stay.joins_at, partial(self._enter, stay, link))
            self._director.at(stay.leaves_at, partial(self._exit, stay, link))

    def _enter(self, stay: Stay, link: str) -> None:
        self._on.outside.join(join_url=link, **stay.as_sent())

    def _exit(self, stay: Stay, link: str) -> None:
        self._on.outside.leave(join_url=link, **stay.as_sent())

    def _plan_departure(self) -> None:
        if self._roles and self._roles.leaves:
            at = datetime.combine(FIRST_WEEK + timedelta(weeks=2), wall_time(6), UTC)
            self._director.at(at, partial(self._depart, self._roles.leaves))

    def _depart(self, mail: str) -> None:
        self._on.outside.disable(mail)
        with self._on.tools.database.transaction() as session:
            leave(session, by_mail(session, mail), at=self._on.tools.clock.now())

    def _answers_met(self, subject: str) -> str | None:
        """The pod that meets in person says yes; the one that never meets says no twice, then nothing more."""
        if self._roles and _is_about(self._roles.meets_in_person, subject):
            return "yes"
        if self._roles and _is_about(self._roles.never_meets, subject) and len(self._denied) < 2:
            self._denied.add(subject)
            return "no"
        return None

    def _read_letters(self, state: TenantState) -> None:
        if state.graph_requests == self._seen_requests:
            return
        self._seen_requests = state.graph_requests
        for letter in self._on.outside.new_letters():
            self.readers.read(letter, now=state.now)


def _is_about(series: str | None, subject: str) -> bool:
    """Whether a mail ("Pod 03, 15 April: ...") is about a series ("Program: Pod 03")."""
    return series is not None and subject.startswith(series.rpartition(": ")[2] + ",")


def _show(update: Callable[..., None], task: int, at: datetime) -> None:
    week = (at.date() - FIRST_WEEK).days // 7 + 1
    words = _("Before the pilot") if week < 1 else _("Week %(n)s", n=week)
    update(task, completed=(at - OPENS_AT).total_seconds(), description=f"{words}, {moment(at, None)}")


def _serve(on: Stage, console: Console) -> None:
    console.print("\n" + _("The product: %(url)s", url=on.product_url))
    console.print(_("Everybody's Outlook: %(url)s", url=on.tenant_url))
    console.print(_("Ctrl-C ends both."))
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print(_("Ending."))
