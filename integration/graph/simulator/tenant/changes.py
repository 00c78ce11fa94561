"""calendarView/delta: what changed in a window since a token was given."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from .directory import Person
from .events import Event, EventView

if TYPE_CHECKING:
    from .calendars import Calendars


FIRST_ROUND = -1
ROUNDS_KEPT = 500


class ExpiredToken(Exception):
    """The token is no longer known: a full round of the same window is due."""

    def __init__(self, window: tuple[str, str]) -> None:
        super().__init__("the delta token has expired")
        self.window = window


class BadToken(ValueError):
    """The text is no token of ours."""


@dataclass(frozen=True)
class Token:
    """Where a round begins: changes of the mailbox after `sequence`, in the window (ISO instants) it is bound to."""

    starts: str
    ends: str
    sequence: int
    generation: int

    def __str__(self) -> str:
        packed = json.dumps([self.starts, self.ends, self.sequence, self.generation]).encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @property
    def window(self) -> tuple[datetime, datetime]:
        return datetime.fromisoformat(self.starts), datetime.fromisoformat(self.ends)

    @classmethod
    def fresh(cls, window: tuple[datetime, datetime]) -> "Token":
        """Before the first round of a window."""
        return cls(window[0].isoformat(), window[1].isoformat(), 0, FIRST_ROUND)

    @classmethod
    def read(cls, text: str) -> "Token":
        """Raises BadToken."""
        try:
            return cls(*json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
        except (ValueError, TypeError, binascii.Error) as broken:
            raise BadToken(text) from broken


@dataclass(frozen=True)
class Entry:
    """One line of a round: an item as it is (`reduced` for an occurrence that leaves the rest to its master),
    or, with `view` None, the id of something that is no longer in the window.
    """

    key: str
    day: date | None
    view: EventView | None
    reduced: bool = False


@dataclass(frozen=True)
class Round:
    """A round, frozen when it began: what it tells, page by page, and the token of the next one."""

    key: str
    entries: list[Entry]
    next: Token


def next_round(calendars: "Calendars", person: Person, token: Token) -> Round:
    """Raises ExpiredToken when the tenant no longer knows the token."""
    expired = calendars.tenant.switches.delta_tokens_expired or token.generation != calendars.delta_generation
    if token.generation != FIRST_ROUND and expired:
        raise ExpiredToken((token.starts, token.ends))
    found = entries(calendars, person, window=token.window, since=token.sequence)
    sequence, generation = calendars.mailbox(person).sequence, calendars.delta_generation
    following = Token(token.starts, token.ends, sequence, generation)
    begun = Round(calendars.next_round_key(), found, following)
    calendars.rounds[begun.key] = begun
    while len(calendars.rounds) > ROUNDS_KEPT:
        calendars.rounds.pop(next(iter(calendars.rounds)))
    return begun


def page_of(begun: Round, *, offset: int, length: int) -> tuple[list[Entry], int | None]:
    """A page of a round, and where the next one begins, None after the last."""
    rest = offset + length
    return begun.entries[offset:rest], rest if rest < len(begun.entries) else None


def entries(calendars: "Calendars", person: Person, *, window: tuple[datetime, datetime], since: int) -> list[Entry]:
    """Everything in the window (`since` 0), or what changed after that count; removals and outsiders included."""
    mailbox = calendars.mailbox(person)
    reduces = calendars.tenant.switches.delta_reduces_occurrences
    found: list[Entry] = []
    for event in mailbox.events.values():
        if event.sequence > since:
            found += _of_event(event, window, since=since, reduces=reduces)
    if since:
        for event in mailbox.gone.values():
            if event.sequence > since:
                found += _of_gone(event, window)
    return found


def _of_event(event: Event, window: tuple[datetime, datetime], *, since: int, reduces: bool) -> Iterator[Entry]:
    inside = [view for view in event.views(until=window[1]) if _within(view, window)]
    whole = event.own_sequence > since
    shown = [view for view in inside if whole or _sequence(event, view.day) > since]
    if event.recurrence and inside:
        yield Entry(event.key, None, event.master())
    for view in shown:
        yield Entry(event.key, view.day, view, reduced=reduces and view.type == "occurrence")
    if not since:
        return
    if not inside:
        yield Entry(event.key, None, None)
    there = {view.day for view in inside}
    changed = {day for day, sequence in event.day_sequences.items() if sequence > since}
    if whole:
        changed |= event.former_days - {view.day for view in event.views(until=window[1])}
    for day in sorted(changed - there):
        yield Entry(event.key, day, None)


def _sequence(event: Event, day: date | None) -> int:
    return event.day_sequences.get(day, 0) if day else event.own_sequence


def _of_gone(event: Event, window: tuple[datetime, datetime]) -> Iterator[Entry]:
    yield Entry(event.key, None, None)
    for view in event.views(until=window[1]):
        if view.day is not None and _within(view, window):
            yield Entry(event.key, view.day, None)


def _within(view: EventView, window: tuple[datetime, datetime]) -> bool:
    return view.starts_at < window[1] and view.ends_at > window[0]
