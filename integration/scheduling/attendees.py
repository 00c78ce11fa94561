"""Whom an event's attendee list is to name (pure): ours as we want them, everybody else as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


class Addressed(Protocol):
    @property
    def address(self) -> str: ...


A = TypeVar("A", bound=Addressed)


@dataclass(frozen=True)
class Wish:
    """One of ours: wanted on the event or not; ``held`` people are not invited, nor taken off if they are on it."""

    address: str
    is_wanted: bool
    held: bool


def merged(present: Sequence[A], wishes: Iterable[Wish], *, new: dict[str, A]) -> tuple[A, ...]:
    """``present`` without those we no longer want and with those of ours who are missing (``new`` by lower address).

    People we do not know stay: somebody forwarded the invitation to them, or they are rooms and delegates. The order
    of those who stay is kept, so that an unchanged list compares equal.
    """
    by_address = {wish.address.lower(): wish for wish in wishes}
    here = {one.address.lower() for one in present}
    kept = [
        one for one in present if one.address.lower() not in by_address or by_address[one.address.lower()].is_wanted
    ]
    added = [
        new[address]
        for address, wish in by_address.items()
        if wish.is_wanted and not wish.held and address not in here
    ]
    return (*kept, *added)
