"""What came of an occurrence: who attended, whether it was held, for how long (docs: definitions). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from integration.attendance import intervals
from integration.attendance.identities import Presence, Seen
from integration.attendance.intervals import Interval

HELD_FROM = timedelta(minutes=5)  # two or more together for this long
TEST_CALL = timedelta(minutes=2)  # somebody alone for less than this tried out the link
WORDS = {
    "phone": ("by phone", "by phone"),
    "anonymous": ("without signing in", "without signing in"),
    "masked": ("with a hidden name", "with hidden names"),
    "room": ("as a room's device", "as rooms' devices"),
    "unknown": ("under an address nobody knows", "under addresses nobody knows"),
}


@dataclass(frozen=True)
class PersonOutcome:
    """What is known about one invited person; ``attended`` is None when nobody can say, for the ``reason`` given."""

    participant_id: int
    attended: bool | None
    present: timedelta
    reason: str | None = None


@dataclass(frozen=True)
class Unmatched:
    kind: str
    name: str | None
    present: timedelta


@dataclass(frozen=True)
class Outcome:
    """``together`` is how long two or more were there, unmatched people counted."""

    held: bool
    together: timedelta
    people: tuple[PersonOutcome, ...]
    guests: int
    unmatched: tuple[Unmatched, ...]

    @property
    def attended(self) -> frozenset[int]:
        return frozenset(person.participant_id for person in self.people if person.attended)


def is_test_call(records: Collection[Seen]) -> bool:
    """Whether a report is of a call that does not count: nobody there, or one alone for a moment."""
    if not records:
        return True
    return len(records) == 1 and all(intervals.length(one.intervals) < TEST_CALL for one in records)


def outcome(
    presences: Iterable[Presence], *, invited: Iterable[int], window: Interval, threshold: timedelta
) -> Outcome:
    """Apply the definitions to everybody who was seen; only presence within the window counts.

    Somebody invited whom no record leads to did not attend, unless unidentified people were there for the threshold
    or longer: then nobody can say.
    """
    there = [(one, clipped) for one in presences if (clipped := intervals.clip(one.intervals, window))]
    together = intervals.length(intervals.together(clipped for _, clipped in there))
    present = {one.participant_id: intervals.length(clipped) for one, clipped in there if one.participant_id}
    strangers = [(one, clipped) for one, clipped in there if one.is_unmatched]
    doubt = _doubt(strangers, threshold)
    wanted = tuple(dict.fromkeys(invited))
    return Outcome(
        held=together >= HELD_FROM,
        together=together,
        people=tuple(_person(each, present, threshold, doubt) for each in wanted),
        guests=sum(not one.is_unmatched and one.participant_id not in wanted for one, _ in there),
        unmatched=tuple(Unmatched(one.kind, one.name, intervals.length(clipped)) for one, clipped in strangers),
    )


def _doubt(strangers: list[tuple[Presence, tuple[Interval, ...]]], threshold: timedelta) -> str | None:
    """Why somebody who was not found may have been there all the same; None when that cannot be."""
    if not strangers or intervals.length(part for _, clipped in strangers for part in clipped) < threshold:
        return None
    counts = Counter(one.kind for one, _ in strangers)
    parts = [f"{count} {WORDS[kind][count > 1]}" for kind, count in counts.items()]
    return f"Not found, but somebody unidentified was there: {', '.join(parts)}."


def _person(
    participant_id: int, present: dict[int, timedelta], threshold: timedelta, doubt: str | None
) -> PersonOutcome:
    if participant_id in present:
        return PersonOutcome(
            participant_id, attended=present[participant_id] >= threshold, present=present[participant_id]
        )
    if doubt:
        return PersonOutcome(participant_id, attended=None, present=timedelta(), reason=doubt)
    return PersonOutcome(participant_id, attended=False, present=timedelta())
