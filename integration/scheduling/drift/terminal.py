"""What ``pods drift`` prints: differences as a table, who would be mailed, and what was decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import PodsError
from integration.formats import moment
from integration.language import gettext as _
from integration.language import ngettext
from integration.scheduling.drift import words
from integration.scheduling.drift.drifts import why_not
from integration.scheduling.drift.kinds import Kind, Policy, Repair, policies
from integration.scheduling.drift.lists import mailbox_troubles, waiting
from integration.scheduling.drift.models import Drift
from integration.scheduling.models import Occurrence, Pod, Series
from integration.scheduling.programs import find_program

if TYPE_CHECKING:
    from integration.tools import Tools

Ask = Callable[[int, list[str]], str]  # the number of a difference, and what may be answered
Decide = Callable[[Session, int, Repair], object]
LEFT = (0, 0, 0, 4)  # columns before what belongs to a head line


@dataclass(frozen=True)
class Compared:
    """The differences that nobody has decided, and how many series could not be compared."""

    undecided: list[int]
    refused: int


def print_drift(
    tools: Tools, program: str | None, console: Console, *, compare: Callable[[Tools, int], None]
) -> Compared:
    """Compare the living series of a program (its name or number; None: all) with Outlook, and print.

    A series that cannot be compared is named with the reason, and the others are compared.
    """
    with tools.database.reading() as session:
        program_id = find_program(session, program).id if program else None
        series = _living(session, program_id, now=tools.clock.now())
        subjects = {one.id: one.subject for one in series}
        mailboxes = sorted({one.organizer for one in series})
    with console.status(_("Comparing with Outlook")):
        refused = _compared(tools, list(subjects), compare)
    for series_id, error in refused.items():
        console.print(f"[red]{escape(subjects[series_id])}[/red]: {escape(_with_remedy(error))}")
    now, webhooks = tools.clock.now(), tools.settings.webhooks
    with tools.database.reading() as session:
        rows = _undecided(session, program_id, now=now)
        for row in rows:
            _print_difference(row, console, now=now)
        differing = {row.series_id for row in rows}
        console.print(_as_wanted(len(subjects.keys() - refused.keys() - differing)))
        for each in mailbox_troubles(session, now=now, webhooks=webhooks, mailboxes=mailboxes):
            console.print(f"[red]{escape(each.mailbox)}[/red]: {escape(each.words)} {escape(each.remedy)}")
        return Compared([row.id for row in rows], len(refused))


def repair_drift(
    tools: Tools,
    drift_ids: Sequence[int],
    console: Console,
    *,
    ask: Ask | None,
    confirm: Callable[[], bool],
    decide: Decide,
) -> int:
    """Have differences decided, all or none; returns how many. Without ``ask`` only what the policy proposes.

    Who will be mailed, and how many mails, is said before ``confirm`` is asked.
    """
    if not drift_ids:
        return 0
    with tools.database.reading() as session:
        chosen = _choose(session, tools, drift_ids, console, ask=ask)
        if chosen:
            _print_mails(session, chosen, console)
    if not chosen or not confirm():
        console.print(_("Nothing was changed."))
        return 0
    with tools.database.transaction() as session:
        for drift_id, repair in chosen.items():
            decide(session, drift_id, repair)
    said = ngettext("%(n)s difference is decided.", "%(n)s differences are decided.", len(chosen))
    console.print(f"{said} {_('The workers do the rest.')}")
    return len(chosen)


def _compared(tools: Tools, series_ids: list[int], compare: Callable[[Tools, int], None]) -> dict[int, PodsError]:
    """What kept series from being compared, by their ids."""
    refused: dict[int, PodsError] = {}
    for series_id in series_ids:
        try:
            compare(tools, series_id)
        except PodsError as error:
            refused[series_id] = error
    return refused


def _with_remedy(error: PodsError) -> str:
    return f"{error.message} {error.remedy or ''}".strip()


def _as_wanted(series: int) -> str:
    return ngettext("%(n)s series is as wanted.", "%(n)s series are as wanted.", series)


def _living(session: Session, program_id: int | None, *, now: datetime) -> list[Series]:
    wanted = (
        select(Series)
        .join(Series.pod)
        .where(
            Series.invited_at.is_not(None),
            Series.cancel_wanted_at.is_(None),
            Series.occurrences.any(Occurrence.ends_at > now),
        )
    )
    if program_id is not None:
        wanted = wanted.where(Pod.program_id == program_id)
    return list(session.scalars(wanted.order_by(Series.id)))


def _undecided(session: Session, program_id: int | None, *, now: datetime) -> list[Drift]:
    wanted = waiting(now=now)
    if program_id is not None:
        wanted = wanted.where(Pod.program_id == program_id)
    return list(session.scalars(wanted.order_by(Drift.id)).unique())


def _print_difference(row: Drift, console: Console, *, now: datetime) -> None:
    """A head line, what differs, and what each repair would do: readable in a terminal of 80 columns too."""
    possible = _possible(row, now=now)
    since = moment(row.first_seen_at, row.series.time_zone)
    head = {"number": row.id, "pod": row.series.pod.name, "what": words.name_of(row.kind), "since": since}
    console.print(f"[bold]{escape(_('No. %(number)s, %(pod)s: %(what)s, since %(since)s', **head))}[/bold]")
    console.print(Padding(escape(words.sentence(row, None)), LEFT, expand=False))
    for each in Repair:
        reason = why_not(row, each, now=now)
        if reason is not None:
            console.print(Padding(escape(reason), LEFT, expand=False))
    for each in possible:
        console.print(Padding(escape(f"{each}: {words.mails_words(row, each)}"), LEFT, expand=False))


def _choose(
    session: Session, tools: Tools, drift_ids: Sequence[int], console: Console, *, ask: Ask | None
) -> dict[int, Repair]:
    wanted = policies(tools.settings)
    chosen: dict[int, Repair] = {}
    for drift_id in drift_ids:
        row = session.get_one(Drift, drift_id)
        possible = _possible(row, now=tools.clock.now())
        if ask is None:
            is_proposed = wanted[Kind(row.kind)] is Policy.PUT_BACK and Repair.PUT_BACK in possible
            answer = str(Repair.PUT_BACK) if is_proposed else ""
        else:
            answer = ask(drift_id, [str(each) for each in possible])
        if answer in list(Repair):
            chosen[drift_id] = Repair(answer)
        elif ask is None:
            console.print(_("No. %(number)s needs a person.", number=drift_id))
    return chosen


def _possible(row: Drift, *, now: datetime) -> list[Repair]:
    return [each for each in Repair if why_not(row, each, now=now) is None]


def _print_mails(session: Session, chosen: dict[int, Repair], console: Console) -> None:
    mails: Counter[str] = Counter()
    for drift_id, repair in chosen.items():
        mails.update(words.proposed_mails(session.get_one(Drift, drift_id), repair))
    if not mails:
        console.print(_("Nobody is mailed."))
        return
    console.print(ngettext("%(n)s mail is sent:", "%(n)s mails are sent:", mails.total()))
    for address, count in sorted(mails.items()):
        console.print(f"    {escape(address)}: {count}")
