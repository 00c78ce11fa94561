"""What was written to us, as the page Today shows it: to whom it went on, and what could not be delivered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, true
from sqlalchemy.orm import Session, joinedload

from integration.config import Settings
from integration.errors import NotThere
from integration.inbox.letters import excerpt_of
from integration.inbox.models import Letter
from integration.inbox.returned import Trouble
from integration.inbox.sorting import Kind
from integration.language import lazy
from integration.mail.models import SENT
from integration.people.models import Participant
from integration.scheduling.models import ProgramMember

MOST = 20  # of one kind on the page; the rest is counted
MOST_LOOKED_AT = 200
DONE_SHOWN = timedelta(days=7)
FAILURES_SHOWN = timedelta(days=7)
Programs = frozenset[int] | None  # None: every program


@dataclass(frozen=True)
class ShownLetter:
    """A message with what can be read of it. ``reader`` is whom it was passed on to, ``has_left`` whether it went."""

    letter: Letter
    writer: str
    excerpt: str
    reader: str
    has_left: bool


@dataclass(frozen=True)
class ShownFailure:
    """The latest report about a person's address that still says something."""

    letter: Letter
    name: str
    person_id: int
    trouble: Trouble


@dataclass(frozen=True)
class Letters:
    waiting: Sequence[ShownLetter]  # the oldest first: it has waited the longest
    waiting_total: int
    done: Sequence[ShownLetter]  # the latest first
    failures: Sequence[ShownFailure]

    @property
    def more(self) -> int:
        return self.waiting_total - len(self.waiting)


def letters_of_today(session: Session, settings: Settings, *, programs: Programs, now: datetime) -> Letters:
    """What waits, what was done of late and what could not be delivered, of the programs within reach; one query."""
    is_open = and_(Letter.kind == Kind.HUMAN, Letter.done_at.is_(None))
    was_done = and_(Letter.kind == Kind.HUMAN, Letter.done_at > now - DONE_SHOWN)
    failed = and_(
        Letter.kind == Kind.FAILURE, Letter.received_at > now - FAILURES_SHOWN, Letter.participant_id.is_not(None)
    )
    first = case((is_open, 0), (failed, 1), else_=2)
    wanted = _letters(programs, or_(is_open, was_done, failed))
    rows = session.scalars(wanted.order_by(first, Letter.received_at, Letter.id).limit(MOST_LOOKED_AT)).all()
    human = [each for each in rows if each.kind == Kind.HUMAN]
    waiting = [each for each in human if each.done_at is None]
    total = len(waiting)
    if len(rows) == MOST_LOOKED_AT:
        total = session.scalar(select(func.count()).select_from(_letters(programs, is_open).subquery())) or 0
    done = sorted((each for each in human if each.done_at is not None), key=_done_at, reverse=True)
    return Letters(
        [_shown(each, settings) for each in waiting[:MOST]],
        total,
        [_shown(each, settings) for each in done[:MOST]],
        _failures(each for each in rows if each.kind == Kind.FAILURE),
    )


def letter_within_reach(session: Session, letter_id: int, *, programs: Programs) -> Letter:
    """What a person wrote; raises NotThere, also for what is out of reach."""
    one = (Letter.id == letter_id, Letter.kind == Kind.HUMAN)
    letter = session.scalar(_letters(programs, *one).with_for_update(of=Letter))
    if letter is None:
        raise NotThere(lazy("letter"), letter_id)
    return letter


def _letters(programs: Programs, *conditions: ColumnElement[bool]) -> Select[Letter]:
    loaded = (
        joinedload(Letter.inbox),
        joinedload(Letter.participant).joinedload(Participant.person),
        joinedload(Letter.pod),
        joinedload(Letter.program),
        joinedload(Letter.mail),
        joinedload(Letter.forward),
    )
    return select(Letter).where(within_reach(programs), *conditions).options(*loaded)


def within_reach(programs: Programs) -> ColumnElement[bool]:
    """Of a program of ours, or written by a member of one; what nobody's program is about is the office's."""
    if programs is None:
        return true()
    member = exists().where(
        ProgramMember.participant_id == Letter.participant_id, ProgramMember.program_id.in_(programs)
    )
    return or_(Letter.program_id.in_(programs), Letter.program_id.is_(None) & member)


def _shown(letter: Letter, settings: Settings) -> ShownLetter:
    person = letter.participant.person if letter.participant else None
    writer = person.name if person else letter.sender_name or letter.sender
    forward = letter.forward
    reader = forward.to_name if forward else ""
    return ShownLetter(
        letter, writer, excerpt_of(letter, settings), reader, forward is not None and forward.state == SENT
    )


def _failures(letters: Iterable[Letter]) -> list[ShownFailure]:
    """Per person the latest; an address that was corrected since is none any more."""
    found: dict[int, ShownFailure] = {}
    for letter in letters:
        person = letter.participant.person if letter.participant else None
        if person is None or not person.is_here:
            continue
        if letter.mail is not None and letter.mail.to_address != person.mail:
            continue
        trouble = Trouble(letter.trouble)
        if trouble is not Trouble.GONE or person.unreachable_at is not None:
            found[person.id] = ShownFailure(letter, person.name, person.id, trouble)
    return list(found.values())[:MOST]


def _done_at(letter: Letter) -> datetime:
    assert letter.done_at is not None
    return letter.done_at
