"""What stands in the body of an invitation (pure): readable without CSS, every name escaped, the zone named.

Outlook keeps its own block with the Teams link behind our part. Ours is one element with a mark of its own, so that
it can be exchanged without touching the rest: a body written over the block can cost the link.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape, unescape

from integration.formats import clock, table_day
from integration.language import gettext as _
from integration.language import ngettext, speaking, spoken

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
    language: str = "en"


def body_html(invitation: Invitation) -> str:
    """Our part of the body: one ``<div>``, in the invitation's language."""
    with speaking(invitation.language):
        return f'<div id="{MARK}">{"".join(_parts(invitation))}</div>'


def shared_language(languages: Iterable[str | None]) -> str:
    """The language of what all members of a pod read: theirs when all share one that we speak, else English."""
    spoken_here = {spoken(language) for language in languages}
    return spoken_here.pop() if len(spoken_here) == 1 else "en"


def points_of(agenda: str) -> list[str]:
    """The points of an agenda that was written one per line, with or without dashes and stars before them."""
    points = (line.strip(" -*\t") for line in agenda.splitlines())
    return [point for point in points if point]


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
    return _("%(city)s time (%(zone)s)", city=city, zone=time_zone)


def _parts(invitation: Invitation) -> Iterator[str]:
    zone, minutes = zone_name(invitation.time_zone), invitation.minutes
    note = ngettext(
        "(all times in %(zone)s, %(n)s minute each)",
        "(all times in %(zone)s, %(n)s minutes each)",
        minutes,
        zone=zone,
    )
    yield f"<p>{escape(invitation.purpose)}</p>"
    yield f"<p><b>{escape(_('Who:'))}</b> {escape(', '.join(invitation.members))}</p>"
    yield _agenda(points_of(invitation.agenda))
    yield f"<p><b>{escape(_('Who facilitates when'))}</b> {escape(note)}</p>"
    yield _table(invitation.turns)
    guide = _("The facilitator gets a short guide by mail the day before.")
    decline = _("If a date does not suit you, decline that one meeting only; the others stay.")
    yield f"<p>{escape(guide)} {escape(decline)}</p>"


def _agenda(points: Sequence[str]) -> str:
    if not points:
        return ""
    return (
        f"<p><b>{escape(_('Agenda'))}</b></p><ol>"
        + "".join(f"<li>{escape(point)}</li>" for point in points)
        + "</ol>"
    )


def _table(turns: Sequence[Turn]) -> str:
    rows = "".join(
        f"<tr><td>{number}.&nbsp;</td><td>{table_day(turn.starts_local)}, {clock(turn.starts_local)}&nbsp; </td>"
        f"<td>{escape(turn.facilitator or _('to be agreed'))}</td></tr>"
        for number, turn in enumerate(turns, 1)
    )
    date, facilitator = escape(_("Date")), escape(_("Facilitator"))
    return f'<table><tr><th></th><th align="left">{date}</th><th align="left">{facilitator}</th></tr>{rows}</table>'


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
