"""The closing: what came out, as files and as a short table."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.demo.letters import Readers, Said
from integration.demo.stage import Stage
from integration.formats import number, percent
from integration.language import gettext as _
from integration.language import lazy, ngettext
from integration.mail.eml import eml_of
from integration.mail.mails import content_of
from integration.mail.models import SENT, Mail
from integration.metrics.export import programs_as_json
from integration.outbox import Message, State

OUTLOOK_MAILS = {"meetingRequest": "invitation", "meetingUpdate": "update", "meetingCancelled": "cancellation"}
VERDICTS = {"met": lazy("met"), "not met": lazy("not met"), "undecided": lazy("undecided")}
NOT_BUILT_YET = ("offered", "booked", "completed", "cancelled", "no_show", "waiting")


@dataclass(frozen=True)
class Results:
    """What summary.json holds (docs: definitions), how many messages a person has to look at, and the answers that
    people have posted, as they know them themselves: scores, and whether they met."""

    summary: dict[str, Any]
    parked: int
    scores: tuple[int, ...]
    said: tuple[Said, ...]


def results(stage: Stage, readers: Readers, *, awkward: list[str], seconds: float) -> Results:
    """The figures as the product knows them now, what it cost, and what ``readers`` say they answered."""
    tools = stage.tools
    with tools.database.reading() as session:
        summary = {
            "programs": programs_as_json(session, at=tools.clock.now()),
            "mails": _mails(session, stage),
            "shadow_shifts": dict.fromkeys(NOT_BUILT_YET),  # null: unknown is never nought
            "people": awkward,
            "graph_requests": stage.outside.state().graph_requests,
            "seconds": round(seconds, 1),
        }
        parked = session.scalar(select(func.count()).where(Message.state == State.PARKED)) or 0
    return Results(summary, parked, tuple(readers.scores), tuple(readers.said))


def write_results(stage: Stage, found: Results, folder: Path) -> None:
    """summary.json, and one mail of each kind as .eml and .html."""
    letters = folder / "mail"
    letters.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(found.summary, indent=2) + "\n", encoding="utf-8")
    with stage.tools.database.reading() as session:
        latest = select(func.max(Mail.id)).where(Mail.state == SENT).group_by(Mail.kind)
        for mail in session.scalars(select(Mail).where(Mail.id.in_(latest))):
            _write_mail(mail, letters)


def print_results(found: Results, console: Console) -> None:
    """The closing table: one line per pod, one for the program."""
    for program in found.summary["programs"]:
        table = Table(title=program["name"], title_justify="left")
        table.add_column(_("Pod"))
        for heading in (_("Sessions held"), _("Attended"), _("Participation"), _("Unknown")):
            table.add_column(heading, justify="right")
        for pod in program["pods"]:
            table.add_row(pod["name"], str(pod["held"]), *_rate(pod["participation"]))
        table.add_section()
        table.add_row(_("All pods"), str(program["held"]), *_rate(program["participation"]), style="bold")
        console.print(table)
        console.print(_sentences(program))
    mails = ", ".join(f"{count} {kind}" for kind, count in found.summary["mails"].items())
    console.print(_("Mails: %(mails)s.", mails=mails))
    requests, seconds = found.summary["graph_requests"], number(found.summary["seconds"])
    console.print(_("%(requests)s requests to Graph in %(seconds)s seconds.", requests=requests, seconds=seconds))
    if found.parked:
        parked = ngettext(
            "%(n)s message is parked: a person must look at it.",
            "%(n)s messages are parked: a person must look at them.",
            found.parked,
        )
        console.print(parked, style="bold red")


def _mails(session: Session, stage: Stage) -> dict[str, int]:
    ours = session.execute(select(Mail.kind, func.count()).where(Mail.state == SENT).group_by(Mail.kind))
    outlook = Counter(OUTLOOK_MAILS.get(letter["kind"]) for letter in stage.outside.all_letters())
    return dict(sorted(ours)) | {kind: outlook[kind] for kind in OUTLOOK_MAILS.values() if outlook[kind]}


def _write_mail(mail: Mail, folder: Path) -> None:
    content = content_of(mail)
    if mail.sender is None or mail.sent_at is None:
        return
    eml = eml_of(
        content,
        sender=mail.sender,
        to_address=mail.to_address,
        to_name=mail.to_name,
        sent_at=mail.sent_at,
        tag=mail.tag,
    )
    (folder / f"{mail.kind}.eml").write_bytes(eml)
    (folder / f"{mail.kind}.html").write_text(content.html, encoding="utf-8")


def _rate(rate: dict[str, Any]) -> tuple[str, str, str]:
    value = "-" if rate["value"] is None else percent(rate["value"])
    if rate["high"] is not None and rate["high"] != rate["value"]:
        value = _("%(low)s to %(high)s", low=value, high=percent(rate["high"]))
    return f"{rate['attended']}/{rate['invited']}", value, str(rate["unknown_occurrences"] or "")


def _sentences(program: dict[str, Any]) -> str:
    onboarding, satisfaction = program["time_to_competency"], program["satisfaction"]
    frequency, minutes, score = (
        program["frequency_per_28_days"],
        program["mean_duration_minutes"],
        satisfaction["value"],
    )
    said = [
        _("no session yet")
        if frequency is None
        else _("%(n)s sessions per pod in four weeks", n=number(frequency, 1)),
        _("no duration known") if minutes is None else _("%(n)s minutes on average", n=number(minutes, 0)),
        _("no answers yet")
        if score is None
        else _("satisfaction %(score)s of 5 (answers: %(n)s)", score=number(score, 1), n=satisfaction["n"]),
        _(
            "days to competency: %(before)s before, %(now)s in the pilot (%(verdict)s)",
            before=_days(onboarding["baseline"]),
            now=_days(onboarding["pilot"]),
            verdict=VERDICTS[onboarding["verdict"]],
        ),
    ]
    return "; ".join(said) + "."


def _days(cohort: dict[str, Any]) -> str:
    return _("not reached") if cohort["median_days"] is None else number(cohort["median_days"], 0)
