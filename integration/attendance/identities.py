"""Whose presence a record is: object id first, then any address, then a guest's home address.

A record that leads to nobody is not nobody: somebody was there. Such records are told apart by kind, because as long
as one is present, people who were not found may be behind it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from integration.attendance.intervals import Interval

PHONE = re.compile(r"^\+?[\d\s().\-/*#•xX]{5,}$")  # Teams shows the number, partly starred out
ROOM = re.compile(r"\b(room|boardroom|meeting space|raum|saal|sitzungszimmer|salle|sala|konferenz\w*)\b", re.I)
GUEST_MARK = "#ext#"


@dataclass(frozen=True)
class Seen:
    """One identity of a report, as Teams tells it."""

    record_id: str
    intervals: tuple[Interval, ...]
    object_id: str | None = None
    address: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Roster:
    """Whom we can recognise in the reports of one occurrence. Ids and addresses are in lower case.

    ``participants`` leads from object ids and addresses to participant ids. ``guests`` are addresses on an invitation
    that we did not invite (forwarded), ``rooms`` those of rooms. ``organizers`` is the account of the owner of the
    meeting, which is no person; ``domains`` are the company's own mail domains.
    """

    participants: Mapping[str, int]
    guests: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    organizers: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Presence:
    """One somebody who was there, over all their records.

    ``kind`` is "participant" (then ``participant_id`` is set), "guest" (known not to be one of ours), or why nobody
    knows who it is: "phone", "anonymous", "masked", "room", "unknown".
    """

    key: str
    kind: str
    participant_id: int | None = None
    name: str | None = None
    intervals: tuple[Interval, ...] = field(default=())

    @property
    def is_unmatched(self) -> bool:
        return self.kind not in ("participant", "guest")


def identify(reports: Iterable[Iterable[Seen]], roster: Roster) -> tuple[Presence, ...]:
    """Who was there, by the records of all reports; records of the same somebody are joined.

    The organizer's own account is left out. Unnamed records are told apart within a report and joined across reports
    by the order in which a name shows up: nothing better is known about them.
    """
    found: dict[str, Presence] = {}
    for records in reports:
        namesakes: Counter[str] = Counter()
        for seen in records:
            presence = _presence(seen, roster, namesakes)
            if presence is None:
                continue
            before = found.get(presence.key)
            found[presence.key] = presence if before is None else _joined(before, presence)
    return tuple(found.values())


def addresses_of(address: str | None) -> tuple[str, ...]:
    """The address in lower case and, for a guest's account name, the home address it was made from.

    ``grace_home.example#EXT#@tenant.example`` was made from ``grace@home.example``.
    """
    if not address:
        return ()
    lowered = address.strip().lower()
    local, mark, _ = lowered.partition(GUEST_MARK)
    if not mark:
        return (lowered,)
    name, _, domain = local.rpartition("_")
    return (lowered, f"{name}@{domain}") if name and domain else (lowered,)


def _presence(seen: Seen, roster: Roster, namesakes: Counter[str]) -> Presence | None:
    keys = _keys(seen)
    if not roster.organizers.isdisjoint(keys):
        return None
    participant = next((roster.participants[key] for key in keys if key in roster.participants), None)
    if participant is not None:
        return Presence(f"participant:{participant}", "participant", participant, seen.name, seen.intervals)
    kind = _kind(seen, keys, roster)
    if keys:
        return Presence(keys[0], kind, None, seen.name, seen.intervals)
    label = f"{kind}:{seen.name or ''}"
    namesakes[label] += 1
    return Presence(f"{label}:{namesakes[label]}", kind, None, seen.name, seen.intervals)


def _keys(seen: Seen) -> tuple[str, ...]:
    object_id = (seen.object_id.strip().lower(),) if seen.object_id and seen.object_id.strip() else ()
    return object_id + addresses_of(seen.address)


def _kind(seen: Seen, keys: tuple[str, ...], roster: Roster) -> str:
    name = (seen.name or "").strip()
    if not roster.rooms.isdisjoint(keys) or (keys and ROOM.search(name)):
        return "room"
    if not roster.guests.isdisjoint(keys):
        return "guest"
    if PHONE.match(name):
        return "phone"
    if not keys:
        return "anonymous" if name else "masked"
    # A colleague outside the roster is a stand-in. A stranger's address may be somebody's address at home.
    return "guest" if keys[-1].rpartition("@")[2] in roster.domains else "unknown"


def _joined(one: Presence, other: Presence) -> Presence:
    return Presence(one.key, one.kind, one.participant_id, one.name or other.name, one.intervals + other.intervals)
