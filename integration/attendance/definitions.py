"""What came of an occurrence: who attended, whether it was held, for how long (docs: definitions). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from integration.attendance import intervals
from integration.attendance.identities import Presence, Seen
from integration.attendance.intervals import Interval
from integration.language import Wording, joined, lazy

HELD_FROM = timedelta(minutes=5)  # two or more together for this long
TEST_CALL = timedelta(minutes=2)  # somebody alone for less than this tried out the link
WORDS = {
    "phone": (lazy("%(n)s by phone"), lazy("%(n)s by phone")),
    "anonymous": (lazy("%(n)s without signing in"), lazy("%(n)s without signing in")),
    "masked": (lazy("%(n)s with a hidden name"), lazy("%(n)s with hidden names")),
    "room": (lazy("%(n)s as a room's device"), lazy("%(n)s as rooms' devices")),
    "unknown": (lazy("%(n)s under an address nobody knows"), lazy("%(n)s under addresses nobody knows")),
}


@dataclass(frozen=True)
class PersonOutcome:
    """What is known about one invited person; ``attended`` is None when nobody can say, for the ``reason`` given.

    ``by``: what they were found by. ``is_declared``: it rests on what a facilitator said, not on Teams alone.
    """

    participant_id: int
    attended: bool | None
    present: timedelta
    reason: Wording | None = None
    by: str | None = None
    is_declared: bool = False


@dataclass(frozen=True)
class Unmatched:
    kind: str
    name: str | None
    present: timedelta
    key: str | None = None
    traces: tuple[tuple[str, str], ...] = ()


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
    presences: Iterable[Presence],
    *,
    invited: Iterable[int],
    window: Interval,
    threshold: timedelta,
    was_declared: bool = False,
) -> Outcome:
    """Apply the definitions to everybody who was seen; only presence within the window counts.

    Somebody invited whom the records do not show for the threshold did not attend, unless unidentified people were
    there for so long that, taken together with what was seen of the person, the threshold is reached: then nobody can
    say. ``was_declared``: a facilitator has told who shared the room, and those who were not named did not.
    """
    seen = ((one, intervals.clip((*one.intervals, *one.told), window)) for one in presences)
    there = [(one, clipped) for one, clipped in seen if clipped]
    by_person = {one.participant_id: (one, clipped) for one, clipped in there if one.participant_id}
    strangers = [(one, clipped) for one, clipped in there if one.is_unmatched]
    wanted = tuple(dict.fromkeys(invited))
    together = intervals.length(intervals.together(clipped for _, clipped in there))
    asked = _Question(threshold, window, strangers, was_declared)
    return Outcome(
        held=together >= HELD_FROM,
        together=together,
        people=tuple(_person(each, by_person.get(each), asked) for each in wanted),
        guests=sum(not one.is_unmatched and one.participant_id not in wanted for one, _ in there),
        unmatched=tuple(
            Unmatched(one.kind, one.name, intervals.length(clipped), one.key, one.traces)
            for one, clipped in strangers
        ),
    )


@dataclass(frozen=True)
class _Question:
    """What decides about somebody beside their own presence."""

    threshold: timedelta
    window: Interval
    strangers: list[tuple[Presence, tuple[Interval, ...]]]
    was_declared: bool


def _person(
    participant_id: int, found: tuple[Presence, tuple[Interval, ...]] | None, asked: _Question
) -> PersonOutcome:
    one, own = found if found else (None, ())
    present = intervals.length(own)
    measured = intervals.length(intervals.clip(one.intervals, asked.window)) if one else timedelta()
    is_declared = asked.was_declared and measured < asked.threshold
    by = "declared" if one and one.told and is_declared else one.by if one else None
    if present >= asked.threshold and one:
        return PersonOutcome(participant_id, attended=True, present=present, by=by, is_declared=is_declared)
    theirs = [part for _, clipped in asked.strangers for part in clipped]
    if theirs and intervals.length((*own, *theirs)) >= asked.threshold:
        reason = _doubt(asked.strangers, was_seen=one is not None)
        return PersonOutcome(participant_id, attended=None, present=present, reason=reason, by=by)
    return PersonOutcome(participant_id, attended=False, present=present, by=by, is_declared=is_declared)


def _doubt(strangers: list[tuple[Presence, tuple[Interval, ...]]], *, was_seen: bool) -> Wording:
    """Why somebody who was not found (for long enough) may have been there all the same."""
    counts = Counter(one.kind for one, _ in strangers)
    parts = [lazy(WORDS[kind][count > 1].message, n=count) for kind, count in counts.items()]
    who = joined(*parts, between=", ")
    if was_seen:
        return lazy("Seen for less than the threshold, but somebody unidentified was there: %(who)s.", who=who)
    return lazy("Not found, but somebody unidentified was there: %(who)s.", who=who)
