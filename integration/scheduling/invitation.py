"""What stands in the body of an invitation (pure): readable without CSS, every name escaped, the zone named.

Outlook keeps its own block with the Teams link behind our part. Ours is one element with a mark of its own, so that
it can be exchanged without touching the rest: a body written over the block can cost the link.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape, unescape

MARK = "pods-invitation"
OPENING = re.compile(rf'<div\b[^>]*\bid="?(?:x_)*{MARK}"?[^>]*>', re.IGNORECASE)
DIV = re.compile(r"<(/?)div\b[^>]*>", re.IGNORECASE)
TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Turn:
    """One row of the rotation table: a wall clock in the pod's zone, and who facilitates (None: open)."""

    starts_local: datetime
    facilitator: str | None


@dataclass(frozen=True)
class Invitation:
    pod: str
    purpose: str
    agenda: str  # one point per line
    minutes: int
    time_zone: str  # IANA
    members: tuple[str, ...]  # names
    turns: tuple[Turn, ...]


def body_html(invitation: Invitation) -> str:
    """Our part of the body: one ``<div>``."""
    points = [line.strip(" -*\t") for line in invitation.agenda.splitlines() if line.strip(" -*\t")]
    parts = [
        f"<p>{escape(invitation.purpose)}</p>",
        f"<p><b>Who:</b> {escape(', '.join(invitation.members))}</p>",
        _agenda(points),
        f"<p><b>Who facilitates when</b> (all times in {escape(zone_name(invitation.time_zone))},"
        f" {invitation.minutes} minutes each)</p>",
        _table(invitation.turns),
        "<p>The facilitator gets a short guide by mail the day before. If a date does not suit you, decline that one"
        " meeting only; the others stay.</p>",
    ]
    return f'<div id="{MARK}">{"".join(part for part in parts if part)}</div>'


def hash_of(html: str) -> str:
    """SHA-256 of our part, by which a change is noticed."""
    return hashlib.sha256(html.encode()).hexdigest()


def exchanged(page: str, ours: str) -> str | None:
    """Outlook's ``page`` with our part exchanged for ``ours``; None when our part is no longer to be found in it."""
    span = _span(page)
    return None if span is None else page[: span[0]] + ours + page[span[1] :]


def says_the_same(page: str, ours: str) -> bool:
    """Whether our part of Outlook's ``page`` reads as ``ours``, however Outlook has rewritten the markup."""
    span = _span(page)
    return span is not None and _words(page[slice(*span)]) == _words(ours)


def zone_name(time_zone: str) -> str:
    """An IANA zone as people read it: ``Zurich time (Europe/Zurich)``."""
    city = time_zone.rpartition("/")[2].replace("_", " ")
    return f"{city} time ({time_zone})"


def _agenda(points: Sequence[str]) -> str:
    if not points:
        return ""
    return "<p><b>Agenda</b></p><ol>" + "".join(f"<li>{escape(point)}</li>" for point in points) + "</ol>"


def _table(turns: Sequence[Turn]) -> str:
    rows = "".join(
        f"<tr><td>{number}.&nbsp;</td><td>{turn.starts_local:%a %d %b %Y, %H:%M}&nbsp; </td>"
        f"<td>{escape(turn.facilitator or 'to be agreed')}</td></tr>"
        for number, turn in enumerate(turns, 1)
    )
    return f'<table><tr><th></th><th align="left">Date</th><th align="left">Facilitator</th></tr>{rows}</table>'


def _span(page: str) -> tuple[int, int] | None:
    """Where our element begins and ends, nested ones counted; None when it is not there or never closed."""
    opening = OPENING.search(page)
    if opening is None:
        return None
    depth = 1
    for tag in DIV.finditer(page, opening.end()):
        depth += -1 if tag.group(1) else 1
        if depth == 0:
            return opening.start(), tag.end()
    return None


def _words(html: str) -> list[str]:
    return unescape(TAG.sub(" ", html)).split()
