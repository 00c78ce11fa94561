"""The pods of a plan as its page shows them, with dates on two walls (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integration import formats
from integration.language import gettext as _
from integration.wording import said


@dataclass(frozen=True)
class PodShown:
    """A pod of a plan. ``starts_local`` and ``dates`` are on the pod's wall; ``starts_at`` is the same instant."""

    name: str
    time_zone: str
    members: Sequence[tuple[str, str]]  # name, address
    starts_local: datetime | None
    starts_at: datetime | None
    minutes: int
    organizer: str
    turns: Sequence[tuple[datetime, str]]  # when, and the name of who facilitates
    problems: Sequence[str]
    compromises: Sequence[tuple[str, str, Sequence[str]]]  # weekday, time, who would be missing


def shown_pod(pod: Mapping[str, Any]) -> PodShown:
    """A pod of a plan's content."""
    names: Mapping[str, str] = pod["names"]
    dates = [datetime.fromisoformat(date) for date in pod["dates"]]
    facilitators = [names.get(mail, mail) for mail in pod["facilitators"]]
    return PodShown(
        name=pod["name"],
        time_zone=pod["time_zone"],
        members=[(names.get(mail, mail), mail) for mail in pod["members"]],
        starts_local=datetime.fromisoformat(pod["starts_local"]) if pod["starts_local"] else None,
        starts_at=datetime.fromisoformat(pod["starts_at"]) if pod["starts_at"] else None,
        minutes=pod["minutes"],
        organizer=pod["organizer"],
        turns=list(zip(dates, facilitators, strict=False)),
        problems=[str(said(each)) for each in pod["problems"]],
        compromises=[
            (_(slot["weekday"]), slot["time"], [names.get(mail, mail) for mail in slot["missing"]])
            for slot in pod["compromises"]
        ],
    )


def wall(local: datetime, time_zone: str) -> str:
    """A date and time as it stands on a wall, with the zone: "Tue 24 Nov 2026, 10:30 (Europe/Zurich)"."""
    return f"{formats.table_day(local)}, {formats.clock(local)} ({time_zone})"
