"""Presences as they are stored with a report, and what people said about them since. Pure.

A stored presence is {"key", "kind", "participant", "by", "name", "traces": [[kind, value]], "intervals": [[from,
until]]}, instants in ISO 8601. A name and traces stand there only where a coordinator has to decide; of guests there
is a hash, by which the same one is found in the next report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from integration.attendance.identities import Presence, joined, participant_key
from integration.attendance.intervals import Interval, clip, union


@dataclass(frozen=True)
class Knowledge:
    """What is known beside the reports of an occurrence.

    ``verdicts`` leads from keys of its unmatched records to a participant id, or None (none of ours); ``recognised``
    from traces to participant ids. ``shared``: who shared the room, as ``facilitator`` said; None: was not told.
    """

    verdicts: Mapping[str, int | None] = field(default_factory=dict)
    recognised: Mapping[tuple[str, str], int] = field(default_factory=dict)
    shared: tuple[int, ...] | None = None
    facilitator: int | None = None


def stored(presences: Iterable[Presence], *, within: Interval) -> list[Any]:
    """What is kept of the presences of one report; nothing of those who were there only outside of the window."""
    return [_row(one, clipped) for one in presences if (clipped := clip(one.intervals, within))]


def restored(rows: Iterable[Mapping[str, Any]]) -> tuple[Presence, ...]:
    """The presences of a stored report."""
    return tuple(
        Presence(
            key=row["key"],
            kind=row["kind"],
            participant_id=row["participant"],
            name=row["name"],
            by=row["by"],
            traces=tuple((kind, value) for kind, value in row["traces"]),
            intervals=tuple(Interval(*map(datetime.fromisoformat, pair)) for pair in row["intervals"]),
        )
        for row in rows
    )


def united(presences: Iterable[Presence]) -> tuple[Presence, ...]:
    """One presence per somebody, over all reports and devices."""
    found: dict[str, Presence] = {}
    for one in presences:
        found[one.key] = joined(found[one.key], one) if one.key in found else one
    return tuple(found.values())


def informed(presences: Iterable[Presence], known: Knowledge) -> tuple[Presence, ...]:
    """The presences with everything applied that people have said about them; one per somebody."""
    named = united(_named(one, known) for one in presences)
    return named if known.shared is None else united(_with_room(named, known.shared, known.facilitator))


def _row(one: Presence, clipped: Collection[Interval]) -> dict[str, Any]:
    return {
        "key": f"guest:{hashlib.sha256(one.key.encode()).hexdigest()[:16]}" if one.kind == "guest" else one.key,
        "kind": one.kind,
        "participant": one.participant_id,
        "by": one.by,
        "name": one.name if one.is_unmatched else None,
        "traces": [list(each) for each in one.traces] if one.is_unmatched else [],
        "intervals": [[each.starts_at.isoformat(), each.ends_at.isoformat()] for each in union(clipped)],
    }


def _named(one: Presence, known: Knowledge) -> Presence:
    if not one.is_unmatched:
        return one
    if one.key in known.verdicts:
        participant = known.verdicts[one.key]
        return replace(one, kind="guest") if participant is None else _of(participant, one, by="assigned")
    leading = next((trace for trace in one.traces if trace in known.recognised), None)
    return one if leading is None else _of(known.recognised[leading], one, by="recognised")


def _of(participant_id: int, one: Presence, *, by: str) -> Presence:
    return Presence(participant_key(participant_id), "participant", participant_id, intervals=one.intervals, by=by)


def _with_room(
    presences: tuple[Presence, ...], shared: tuple[int, ...], facilitator: int | None
) -> Iterable[Presence]:
    """Everybody named was there as long as the room's device; without one, as long as the facilitator was.

    The device itself is nobody beside the people in front of it; when nobody is named it was others who sat there.
    """
    for one in presences:
        if one.kind != "room":
            yield one
        elif not shared:
            yield replace(one, kind="guest")
    device = _device(presences, facilitator)
    for participant_id in shared:
        yield Presence(participant_key(participant_id), "participant", participant_id, told=device, by="declared")


def _device(presences: tuple[Presence, ...], facilitator: int | None) -> tuple[Interval, ...]:
    rooms = [one for one in presences if one.kind == "room"]
    hosts = [one for one in presences if facilitator is not None and one.participant_id == facilitator]
    return tuple(part for one in (rooms or hosts or presences) for part in one.intervals)
