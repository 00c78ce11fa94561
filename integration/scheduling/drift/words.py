"""A difference as people read it, in the language and on the wall of the reader (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from integration.formats import clock, listed, moment, table_day
from integration.language import gettext as _
from integration.language import lazy, ngettext
from integration.scheduling.drift.drifts import BY_POLICY
from integration.scheduling.drift.kinds import Kind, Repair
from integration.scheduling.drift.models import Drift

NAMES = {
    Kind.OCCURRENCE_MOVED: lazy("Session moved"),
    Kind.OCCURRENCE_DELETED: lazy("Session deleted"),
    Kind.OCCURRENCE_MISSING: lazy("Session missing"),
    Kind.OCCURRENCE_EXTRA: lazy("Session too many"),
    Kind.OCCURRENCE_EDITED: lazy("Session edited"),
    Kind.SERIES_MOVED: lazy("Series moved"),
    Kind.SERIES_PROPOSED: lazy("Another time proposed"),
    Kind.SERIES_DELETED: lazy("Series deleted"),
    Kind.SERIES_EDITED: lazy("Series edited"),
    Kind.ZONE_DIFFERS: lazy("Time zone differs"),
    Kind.LINK_MISSING: lazy("Teams link missing"),
    Kind.LINK_CHANGED: lazy("Teams link changed"),
    Kind.ATTENDEE_MISSING: lazy("Attendee missing"),
    Kind.ATTENDEE_EXTRA: lazy("Attendee added"),
}
EDITED = {"subject": lazy("subject"), "text": lazy("text"), "place": lazy("place")}


def name_of(kind: str) -> str:
    """A kind of difference in two words."""
    return str(NAMES[Kind(kind)])


def sentence(row: Drift, time_zone: str | None) -> str:
    """What Outlook has instead of what was wanted. Graph does not tell who changed a calendar, only in which one."""
    return SENTENCES[Kind(row.kind)](row, time_zone or row.series.time_zone)


def standing(row: Drift, time_zone: str | None) -> str:
    """What has become of a difference, and who decided it."""
    if row.decision is None:
        return _("It is there no more.") if row.closed_at else _("It waits for a decision.")
    when = moment(row.decided_at or row.last_seen_at, time_zone or row.series.time_zone)
    if row.decided_by == BY_POLICY:
        return _("Taken over by itself on %(when)s.", when=when)
    told = {"who": row.decided_by, "when": when}
    if row.kind == Kind.SERIES_PROPOSED:
        return _answered(row, told)
    if row.decision == Repair.ADOPT:
        return _("Taken over by %(who)s on %(when)s.", **told)
    if row.closed_at is None:
        return _("Being put back, as %(who)s decided on %(when)s.", **told)
    return _("Put back, as %(who)s decided on %(when)s.", **told)


def _answered(row: Drift, told: Mapping[str, Any]) -> str:
    if row.decision == Repair.PUT_BACK:
        return _("Left as it is, as %(who)s decided on %(when)s.", **told)
    if row.closed_at is None:
        return _("Being moved, as %(who)s decided on %(when)s.", **told)
    return _("Moved, as %(who)s decided on %(when)s.", **told)


def repair_words(row: Drift, repair: Repair) -> str:
    """What a repair does, on a button and above its confirmation."""
    kind = Kind(row.kind)
    special = REPAIRS.get((kind, repair))
    if special is not None:
        return str(special)
    return _("Keep what Outlook has") if repair is Repair.ADOPT else _("Put ours back")


def proposed_mails(row: Drift, repair: Repair) -> dict[str, int]:
    """Who gets how many mails from a repair, by address.

    Taking over what Outlook has tells nobody, but for somebody who is still on single sessions: they are taken off. A
    yes to a proposal moves the series, a no tells nobody.
    """
    if row.kind == Kind.SERIES_PROPOSED:
        return dict(row.mails) if repair is Repair.ADOPT else {}
    if repair is Repair.PUT_BACK:
        return {address: int(count) for address, count in row.mails.items()}
    still_on = row.found.get("still_on")
    return {row.address: int(still_on)} if row.address and still_on else {}


def mails_words(row: Drift, repair: Repair) -> str:
    """What a repair does and how many mails it costs whom, in a sentence."""
    mails, what = proposed_mails(row, repair), repair_words(row, repair)
    if not mails:
        return _("%(what)s: nobody is mailed.", what=what)
    total, who = sum(mails.values()), listed(sorted(mails))
    return ngettext(
        "%(what)s: %(n)s mail, to %(who)s.", "%(what)s: %(n)s mails, to %(who)s.", total, what=what, who=who
    )


def _moved(row: Drift, zone: str) -> str:
    return _(
        "Moved from %(from)s to %(to)s in the calendar of %(organizer)s.",
        **{"from": _at(row.wanted, zone), "to": _at(row.found, zone), "organizer": row.series.organizer},
    )


def _deleted(row: Drift, zone: str) -> str:
    when, organizer = _at(row.wanted, zone), row.series.organizer
    return _("The session of %(when)s was deleted in the calendar of %(organizer)s.", when=when, organizer=organizer)


def _missing(row: Drift, zone: str) -> str:
    when = _at(row.wanted, zone)
    return _(
        "The session of %(when)s is not in Outlook, and was not deleted there: the series ends early.", when=when
    )


def _extra(row: Drift, zone: str) -> str:
    return _("Outlook has a session on %(when)s that we do not want.", when=_at(row.found, zone))


def _edited(row: Drift, zone: str) -> str:
    what = listed([str(EDITED[each]) for each in EDITED if each in row.found])
    about = _("The series")
    if row.occurrence is not None:
        about = _("The session of %(when)s", when=moment(row.occurrence.starts_at, zone))
    told = _("%(about)s: changed in Outlook (%(what)s).", about=about, what=what)
    named = [row.found[each] for each in ("subject", "place") if each in row.found]
    return f"{told} {_('Now: %(words)s.', words=listed(named))}" if named else told


def _series_moved(row: Drift, _zone: str) -> str:
    return _(
        "The whole series was moved in the calendar of %(organizer)s: its first session was to be %(from)s, and is"
        " %(to)s.",
        **{"from": _wall(row.wanted), "to": _wall(row.found), "organizer": row.series.organizer},
    )


def _series_proposed(row: Drift, _zone: str) -> str:
    who = f"{row.found['name']} ({row.address})" if row.found.get("name") else row.address
    return _(
        "%(who)s would rather meet at another time every week: first %(to)s instead of %(from)s.",
        **{"who": who, "from": _wall(row.wanted), "to": _wall(row.found)},
    )


def _series_deleted(row: Drift, _zone: str) -> str:
    return _("The series was deleted in the calendar of %(organizer)s.", organizer=row.series.organizer)


def _zone_differs(row: Drift, zone: str) -> str:
    return _(
        "By the zone %(theirs)s Outlook has %(found)s where we have %(wanted)s by the zone %(ours)s. Sessions that"
        " differ: %(n)s.",
        n=row.found["meetings"],
        theirs=row.found["time_zone"],
        ours=row.wanted["time_zone"],
        wanted=_at(row.wanted, zone),
        found=_at(row.found, zone),
    )


def _link_missing(_row: Drift, _zone: str) -> str:
    return _("The event is no Teams meeting any more: nobody can join by it.")


def _link_changed(_row: Drift, _zone: str) -> str:
    return _("The event has another Teams link than before. Attendance is read from both.")


def _attendee_missing(row: Drift, zone: str) -> str:
    if row.occurrence is not None:
        when = moment(row.occurrence.starts_at, zone)
        return _("%(who)s was taken off the session of %(when)s in Outlook.", who=row.address, when=when)
    return _("%(who)s was taken off the series in Outlook.", who=row.address)


def _attendee_extra(row: Drift, zone: str) -> str:
    who = f"{row.found['name']} ({row.address})" if row.found.get("name") else row.address
    if row.occurrence is not None:
        when = moment(row.occurrence.starts_at, zone)
        return _("%(who)s was added to the session of %(when)s, and counts as a guest.", who=who, when=when)
    return _("%(who)s was added to the series or forwarded it, and counts as a guest.", who=who)


def _at(side: Mapping[str, Any], zone: str) -> str:
    return moment(datetime.fromisoformat(side["starts_at"]), zone)


def _wall(side: Mapping[str, Any]) -> str:
    local = datetime.fromisoformat(side["starts_local"])
    minutes = ngettext("%(n)s minute", "%(n)s minutes", side["minutes"])
    return f"{table_day(local)}, {clock(local)} ({side['time_zone']}), {minutes}"


SENTENCES: Mapping[Kind, Callable[[Drift, str], str]] = {
    Kind.OCCURRENCE_MOVED: _moved,
    Kind.OCCURRENCE_DELETED: _deleted,
    Kind.OCCURRENCE_MISSING: _missing,
    Kind.OCCURRENCE_EXTRA: _extra,
    Kind.OCCURRENCE_EDITED: _edited,
    Kind.SERIES_MOVED: _series_moved,
    Kind.SERIES_PROPOSED: _series_proposed,
    Kind.SERIES_DELETED: _series_deleted,
    Kind.SERIES_EDITED: _edited,
    Kind.ZONE_DIFFERS: _zone_differs,
    Kind.LINK_MISSING: _link_missing,
    Kind.LINK_CHANGED: _link_changed,
    Kind.ATTENDEE_MISSING: _attendee_missing,
    Kind.ATTENDEE_EXTRA: _attendee_extra,
}
REPAIRS = {
    (Kind.OCCURRENCE_MOVED, Repair.PUT_BACK): lazy("Move the session back"),
    (Kind.OCCURRENCE_DELETED, Repair.ADOPT): lazy("Do without it"),
    (Kind.OCCURRENCE_DELETED, Repair.PUT_BACK): lazy("Invite to a single session in its place"),
    (Kind.OCCURRENCE_MISSING, Repair.ADOPT): lazy("Do without it"),
    (Kind.OCCURRENCE_MISSING, Repair.PUT_BACK): lazy("Invite to a single session in its place"),
    (Kind.OCCURRENCE_EXTRA, Repair.ADOPT): lazy("Count it as a session of the pod"),
    (Kind.OCCURRENCE_EXTRA, Repair.PUT_BACK): lazy("Cancel this session"),
    (Kind.SERIES_MOVED, Repair.PUT_BACK): lazy("Move the series back"),
    (Kind.SERIES_PROPOSED, Repair.ADOPT): lazy("Yes, move the whole series"),
    (Kind.SERIES_PROPOSED, Repair.PUT_BACK): lazy("No, leave the series as it is"),
    (Kind.SERIES_DELETED, Repair.ADOPT): lazy("Let the series go"),
    (Kind.SERIES_DELETED, Repair.PUT_BACK): lazy("Create the series again and invite everybody"),
    (Kind.LINK_MISSING, Repair.ADOPT): lazy("Meet without Teams"),
    (Kind.LINK_MISSING, Repair.PUT_BACK): lazy("Make it a Teams meeting again"),
    (Kind.ATTENDEE_MISSING, Repair.ADOPT): lazy("Let them go"),
    (Kind.ATTENDEE_MISSING, Repair.PUT_BACK): lazy("Invite them again"),
    (Kind.ATTENDEE_EXTRA, Repair.PUT_BACK): lazy("Take them off"),
}
