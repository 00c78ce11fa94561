"""Whose presence a record is: object id first, then any address, then a guest's home address.

A record that leads to nobody is not nobody: somebody was there. Such records are told apart by kind, because as long
as one is present, people who were not found may be behind it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from integration.attendance.intervals import Interval

PHONE = re.compile(r"^\+?[\d\s().\-/*#•xX]{5,}$")  # Teams shows the number, partly starred out
ROOM = re.compile(r"\b(room|boardroom|meeting space|raum|saal|sitzungszimmer|salle|sala|konferenz\w*)\b", re.I)
STARRED = re.compile(r"[*•xX]")
WHOLE_NUMBER = 7  # digits from which a telephone number leads to one person
GUEST_MARK = "#ext#"
SURENESS = ("account", "address", "recognised", "assigned", "declared")  # the surest first


@dataclass(frozen=True)
class Seen:
    """One identity of a report, as Teams tells it."""

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

    ``kind`` is "participant" (then ``participant_id`` is set, and ``by`` says what they were found by), "guest"
    (known not to be one of ours), or why nobody knows who it is: "phone", "anonymous", "masked", "room", "unknown".
    ``traces`` are pairs (kind, value) by which the same somebody may be recognised another time. ``told``: when they
    were there as somebody says, beside the intervals of the reports.
    """

    key: str
    kind: str
    participant_id: int | None = None
    name: str | None = None
    intervals: tuple[Interval, ...] = field(default=())
    by: str | None = None  # account | address | recognised | assigned | declared
    traces: tuple[tuple[str, str], ...] = ()
    told: tuple[Interval, ...] = ()

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
            found[presence.key] = presence if before is None else joined(before, presence)
    return tuple(found.values())


def joined(one: Presence, other: Presence) -> Presence:
    """Two stays of the same somebody as one; found by whatever is surer."""
    found_by = min((each.by for each in (one, other) if each.by), key=SURENESS.index, default=None)
    intervals, told = one.intervals + other.intervals, one.told + other.told
    return replace(one, name=one.name or other.name, intervals=intervals, told=told, by=found_by)


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
    object_id, addresses = object_id_of(seen), addresses_of(seen.address)
    keys = ((object_id,) if object_id else ()) + addresses
    if not roster.organizers.isdisjoint(keys):
        return None
    leading = next((key for key in keys if key in roster.participants), None)
    if leading is not None:
        participant, found_by = roster.participants[leading], "account" if leading == object_id else "address"
        return Presence(participant_key(participant), "participant", participant, None, seen.intervals, found_by)
    kind = _kind(seen, keys, roster)
    if keys:
        return Presence(
            keys[0], kind, None, seen.name, seen.intervals, traces=_traces(kind, object_id, addresses, None)
        )
    label = f"{kind}:{seen.name or ''}"
    namesakes[label] += 1
    traces = _traces(kind, None, (), seen.name)
    return Presence(f"{label}:{namesakes[label]}", kind, None, seen.name, seen.intervals, traces=traces)


def participant_key(participant_id: int) -> str:
    return f"participant:{participant_id}"


def object_id_of(seen: Seen) -> str | None:
    """In lower case; None where Teams tells none."""
    return (seen.object_id or "").strip().lower() or None


def _traces(
    kind: str, object_id: str | None, addresses: tuple[str, ...], name: str | None
) -> tuple[tuple[str, str], ...]:
    """What may be recognised another time: nothing of a room, which is whoever sits in it."""
    if kind in ("room", "masked", "guest"):
        return ()
    sure = ((("object id", object_id),) if object_id else ()) + tuple(("address", each) for each in addresses)
    if sure or not name or not name.strip():
        return sure
    digits = re.sub(r"\D", "", name)
    if kind == "phone" and len(digits) >= WHOLE_NUMBER and not STARRED.search(name):
        return (("phone", digits),)
    return (("name", " ".join(name.lower().split())),)  # a starred-out number is no more than a name


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
