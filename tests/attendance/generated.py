"""Sessions as they really go, from a seed, and what must come out of each: seconds of everybody, by counting them.

Nothing here is taken from the product: times are whole seconds after a session's planned start, presence is a set of
seconds, and the definitions are written out once more.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

LENGTH = 30 * 60
BEFORE, AFTER, THRESHOLD, HELD, TEST = 15 * 60, 60 * 60, 10 * 60, 5 * 60, 2 * 60
DAY = 24 * 60 * 60
MEMBERS: tuple[str, ...] = ("first", "second", "third", "fourth")  # the four who are invited to every session
STRANGERS = {"phone": "phone", "anonymous": "anonymous", "masked": "masked", "room": "room", "guest": "unknown"}


@dataclass(frozen=True)
class Stay:
    """Somebody in a call, from a second until just before another. ``who`` of a stranger is a name or a number."""

    who: str
    start: int
    end: int
    kind: str = "member"
    device: str = "computer"
    link: int = 0


@dataclass
class Session:
    """One planned session (its times in seconds) and what happened around it; ``delay`` is of its reports."""

    case: str
    stays: list[Stay]
    starts: int = 0
    neighbours: list[tuple[int, int]] = field(default_factory=list)  # other sessions under the same links
    delay: int | None = None  # minutes; -1: no report ever comes
    links: int = 1

    @property
    def window(self) -> range:
        first, last = self.starts - BEFORE, self.starts + LENGTH + AFTER
        for begins, ends in self.neighbours:
            if begins < self.starts:
                first = max(first, min(self.starts, ends + (self.starts - ends) // 2))
            else:
                own_end = self.starts + LENGTH
                last = min(last, max(own_end, own_end + (begins - own_end) // 2))
        return range(first, last)


@dataclass(frozen=True)
class Truth:
    """What must be found. ``people`` leads from a member to (attended, seconds); None: nobody can say."""

    people: dict[str, tuple[bool | None, int]]
    unmatched: list[tuple[str, int]]
    guests: int
    together: int
    held: bool


def truth(session: Session) -> Truth | None:
    """None when Teams has nothing to tell: then everybody is unknown."""
    if session.delay == -1:
        return None
    calls = [call for call in _calls(session) if not _is_test(call)]
    if not calls:
        return None
    present: dict[tuple[str, str], set[int]] = defaultdict(set)
    for stay in (each for call in calls for each in call):
        if stay.kind != "organizer":
            present[stay.kind, stay.who] |= set(range(stay.start, stay.end)) & set(session.window)
    seen = {key: seconds for key, seconds in present.items() if seconds}
    strange = {key: seconds for key, seconds in seen.items() if key[0] in STRANGERS}
    behind = set().union(*strange.values())
    counts: dict[int, int] = defaultdict(int)
    for seconds in seen.values():
        for second in seconds:
            counts[second] += 1
    together = sum(count >= 2 for count in counts.values())
    return Truth(
        people={who: _member(seen.get(("member", who), set()), behind) for who in MEMBERS},
        unmatched=sorted((STRANGERS[kind], len(seconds)) for (kind, _), seconds in strange.items()),
        guests=sum(kind == "colleague" for kind, _ in seen),
        together=together,
        held=together >= HELD,
    )


def generated(seed: int, count: int) -> list[Session]:
    """So many sessions: every awkward case once, then cases and mixtures of them by chance."""
    chance = random.Random(seed)
    makers = [CASES[name] for name in CASES] + [chance.choice([*CASES.values(), mixed, mixed]) for _ in range(count)]
    return [maker(chance) for maker in makers[:count]]


def _member(own: set[int], behind: set[int]) -> tuple[bool | None, int]:
    if len(own) >= THRESHOLD:
        return True, len(own)
    return (None if behind and len(own | behind) >= THRESHOLD else False), len(own)


def _calls(session: Session) -> Iterable[list[Stay]]:
    """A call lasts from the first in to the last out."""
    for link in range(session.links):
        call: list[Stay] = []
        for stay in sorted((each for each in session.stays if each.link == link), key=lambda each: each.start):
            if call and stay.start > max(each.end for each in call):
                yield call
                call = []
            call.append(stay)
        if call:
            yield call


def _is_test(call: list[Stay]) -> bool:
    alone = len({(each.kind, each.who, each.device) for each in call}) == 1
    return alone and len(set().union(*(range(each.start, each.end) for each in call))) < TEST


def crowd(chance: random.Random, who: Iterable[str] = MEMBERS, *, link: int = 0) -> list[Stay]:
    return [Stay(each, chance.randint(-119, 240), chance.randint(1500, 1900), link=link) for each in who]


def everybody(chance: random.Random) -> Session:
    return Session("everybody", crowd(chance))


def early_and_late(chance: random.Random) -> Session:
    early = Stay("third", chance.randint(-890, -400), chance.randint(300, 700))
    late = Stay("fourth", chance.randint(900, 1300), chance.randint(1801, 2200))
    return Session("early and late", [*crowd(chance, MEMBERS[:2]), early, late])


def came_back(chance: random.Random) -> Session:
    cuts = sorted(chance.sample(range(10, 1700), 6))
    stays = [Stay("third", cuts[at], cuts[at + 1]) for at in (0, 2, 4)]
    return Session("came back", [*crowd(chance, MEMBERS[:2]), *stays])


def two_devices(chance: random.Random) -> Session:
    phone = Stay("first", chance.randint(300, 900), chance.randint(1901, 2100), device="mobile")
    return Session("two devices", [*crowd(chance, MEMBERS[:3]), phone])


def second_call(chance: random.Random) -> Session:
    again = [Stay(who, chance.randint(1990, 2100), chance.randint(2600, 2900)) for who in ("second", "fourth")]
    return Session("second call after the end", crowd(chance, MEMBERS[:3]) + again)


def changed_link(chance: random.Random) -> Session:
    return Session("changed link", crowd(chance, MEMBERS[:2]) + crowd(chance, MEMBERS[2:], link=1), links=2)


def stranger(kind: str, name: str) -> Callable[[random.Random], Session]:
    def made(chance: random.Random) -> Session:
        other = Stay(f"{name}{chance.randint(10, 99)}", chance.randint(0, 500), chance.randint(1200, 1700), kind)
        seen_briefly = Stay("third", chance.randint(1, 60), chance.randint(100, 500))
        return Session(kind, [*crowd(chance, MEMBERS[:2]), seen_briefly, other])

    return made


def phone_for_a_moment(chance: random.Random) -> Session:
    return Session("phone for a moment", [*crowd(chance, MEMBERS[:3]), Stay("+41445550199", 5, 300, "phone")])


def colleague(chance: random.Random) -> Session:
    return Session("forwarded colleague", [*crowd(chance, MEMBERS[:2]), Stay("colleague", 10, 1500, "colleague")])


def known_by_address(name: str) -> Callable[[random.Random], Session]:
    return lambda chance: Session(name, crowd(chance, MEMBERS[:3]))


def organizer(chance: random.Random) -> Session:
    return Session("organizer's account", [*crowd(chance, MEMBERS[:1]), Stay("organizer", 3, 1700, "organizer")])


def tried_the_link(chance: random.Random) -> Session:
    return Session("test call", [Stay("fourth", -800, -800 + chance.randint(5, 110)), *crowd(chance, MEMBERS[:2])])


def only_tried_the_link(chance: random.Random) -> Session:
    return Session("only a test call", [Stay("fourth", 10, 10 + chance.randint(5, 110))])


def overrun(chance: random.Random) -> Session:
    return Session("overrun", [Stay(who, chance.randint(0, 60), chance.randint(3000, 5000)) for who in MEMBERS[:2]])


def moved(chance: random.Random) -> Session:
    there = [Stay(each.who, DAY + each.start, DAY + each.end) for each in crowd(chance, MEMBERS[:3])]
    return Session("moved, one came on the old day", [Stay("fourth", 5, 1600), *there], starts=DAY)


def neighbours(chance: random.Random) -> Session:
    gap = 60 * chance.randint(5, 50)  # sessions are planned to the minute
    across = Stay("first", chance.randint(0, 900), LENGTH + gap + 900)
    stays = [across, Stay("second", 0, LENGTH + gap // 2 + 100), Stay("third", LENGTH + gap + 10, LENGTH + gap + 800)]
    return Session("neighbour", stays, neighbours=[(LENGTH + gap, 2 * LENGTH + gap)])


def cut(chance: random.Random) -> Session:
    long = Stay("first", -3000 - chance.randint(0, 99), 9000)
    return Session("cut at the window", [long, Stay("second", -2000, -BEFORE), Stay("third", 5000, 8000)])


def nobody(chance: random.Random) -> Session:
    return Session("nobody", [])


def delayed(chance: random.Random) -> Session:
    return Session("report after two hours", crowd(chance, MEMBERS[:3]), delay=120)


def never(chance: random.Random) -> Session:
    return Session("report never", crowd(chance, MEMBERS[:3]), delay=-1)


def around_the_threshold(chance: random.Random) -> Session:
    stays = [
        Stay(who, 0, THRESHOLD + more) for who, more in zip(MEMBERS, (-1, 0, 1, chance.randint(-99, 99)), strict=True)
    ]
    return Session("around the threshold", stays)


def mixed(chance: random.Random) -> Session:
    stays = crowd(chance, chance.sample(MEMBERS, chance.randint(1, 4)))
    for _ in range(chance.randint(0, 3)):
        start = chance.randint(200, 1300)
        stays.append(Stay(chance.choice(MEMBERS), start, start + chance.randint(1, 900), device="tablet"))
    for kind in chance.sample(["phone", "anonymous", "masked", "colleague"], chance.randint(0, 2)):
        start = chance.randint(0, 1300)
        name = f"+4144555{chance.randint(1000, 9999)}" if kind == "phone" else f"{kind} visitor"
        stays.append(Stay(name, start, start + chance.randint(30, 1300), kind))
    return Session("mixed", _apart(stays))


def _apart(stays: list[Stay]) -> list[Stay]:
    """One device cannot join twice at once."""
    kept: list[Stay] = []
    for stay in stays:
        if not any(
            (each.who, each.device) == (stay.who, stay.device) and stay.start <= each.end and each.start <= stay.end
            for each in kept
        ):
            kept.append(stay)
    return kept


CASES: dict[str, Callable[[random.Random], Session]] = {
    "everybody": everybody,
    "early and late": early_and_late,
    "came back": came_back,
    "two devices": two_devices,
    "second call": second_call,
    "changed link": changed_link,
    "phone": stranger("phone", "+414455512"),
    "anonymous": stranger("anonymous", "Somebody "),
    "masked": stranger("masked", "Hidden "),
    "room": stranger("room", "Room "),
    "guest": stranger("guest", "Visitor "),
    "phone for a moment": phone_for_a_moment,
    "colleague": colleague,
    "other address": known_by_address("other address"),
    "guest's home address": known_by_address("guest's home address"),
    "organizer": organizer,
    "test call": tried_the_link,
    "only a test call": only_tried_the_link,
    "overrun": overrun,
    "moved": moved,
    "neighbours": neighbours,
    "cut": cut,
    "nobody": nobody,
    "delayed": delayed,
    "never": never,
    "around the threshold": around_the_threshold,
}
