"""The kinds of drift, what may be done about each, and what is done when nobody decides (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from integration.config import Settings
from integration.language import lazy


class Kind(StrEnum):
    OCCURRENCE_MOVED = "occurrence moved"
    OCCURRENCE_DELETED = "occurrence deleted"
    OCCURRENCE_MISSING = "occurrence missing"
    OCCURRENCE_EXTRA = "occurrence extra"
    OCCURRENCE_EDITED = "occurrence edited"
    SERIES_MOVED = "series moved"
    SERIES_PROPOSED = "series proposed"  # somebody would rather meet at another time, every week
    SERIES_DELETED = "series deleted"
    SERIES_EDITED = "series edited"
    ZONE_DIFFERS = "zone differs"
    LINK_MISSING = "link missing"
    LINK_CHANGED = "link changed"
    ATTENDEE_MISSING = "attendee missing"
    ATTENDEE_EXTRA = "attendee extra"


class Repair(StrEnum):
    ADOPT = "adopt"  # what Outlook has is right
    PUT_BACK = "put back"  # what we wanted is right


class Policy(StrEnum):
    """What happens to a difference by itself. Nothing that mails anybody does."""

    ADOPT = "adopt"  # at once; it is said, and may be taken back where that is possible
    PUT_BACK = "put back"  # what is proposed: it waits for somebody who has seen who will be mailed
    ASK = "ask"


Policies = Mapping[Kind, Policy]


def policies(settings: Settings) -> Policies:
    """What DRIFT_POLICY wants for each kind; there a session is what is an occurrence here.

    A proposal is no setting: it is no fact, and a yes to it mails everybody.
    """
    named = {kind: kind.value.replace("occurrence", "session").replace(" ", "-") for kind in Kind}
    chosen = {kind: settings.drift_policy.get(name, Policy.ASK) for kind, name in named.items()}
    return {kind: Policy(policy.replace("-", " ")) for kind, policy in chosen.items()}


TAKEN_BACK = frozenset(  # adopted by policy, these can still be put back
    {
        Kind.OCCURRENCE_MOVED,
        Kind.OCCURRENCE_DELETED,
        Kind.OCCURRENCE_MISSING,
        Kind.OCCURRENCE_EDITED,
        Kind.SERIES_EDITED,
        Kind.ATTENDEE_EXTRA,
    }
)
NO_WAY = {  # why what is not among the repairs of a difference is not
    Kind.SERIES_PROPOSED: lazy(
        "The series cannot be moved there from here: another weekday is another pattern. Writing that would cancel"
        " by mail every session that was moved, edited or answered by itself."
    ),
    Kind.LINK_CHANGED: lazy(
        "Outlook gives no meeting a former link back. The old one still opens, and attendance is read from both."
    ),
    Kind.SERIES_MOVED: lazy(
        "Another weekday is another pattern. Writing that anew would cancel by mail every session that was moved,"
        " edited or answered by itself, and could bring back those that were deleted; so it is not done from here."
    ),
}
