"""What was wanted beside what Outlook has: every difference of a series, looking forward (pure).

Who gets how many mails when ours is put back is counted by Outlook's rules: a change of a series is one mail to each
attendee, one more per exception and per deleted meeting to come; a change of one meeting is one
(https://learn.microsoft.com/graph/api/event-update).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from integration.graph.resources import CalendarEvent
from integration.graph.zones import same_zone
from integration.scheduling.drift.kinds import Kind, Repair
from integration.scheduling.drift.matching import pattern_start, week_of
from integration.scheduling.drift.people import differences_of_people
from integration.scheduling.drift.values import Comparison, Difference, Found, Wanted, WantedOccurrence
from integration.scheduling.invitation import exchanged, hash_of, says_the_same
from integration.scheduling.recurrence import instant

BOTH = (Repair.ADOPT, Repair.PUT_BACK)
ONLY_ADOPT = (Repair.ADOPT,)
NO_PLACE = ("", "Microsoft Teams Meeting", "Microsoft Teams-Besprechung")  # what Outlook writes by itself


def compare(wanted: Wanted, found: Found, *, now: datetime) -> list[Difference]:
    """Every difference; of meetings that have ended there are none, for they are history."""
    if found.event is None or found.event.is_cancelled:
        return [_series_deleted(wanted)]
    both = Comparison.of(wanted, found, now=now)
    return [
        *_link(both),
        *_times(both),
        *_not_there(both),
        *_extra(both),
        *differences_of_people(both),
        *_edited_series(both),
        *_edited_occurrences(both),
    ]


def _series_deleted(wanted: Wanted) -> Difference:
    return Difference(Kind.SERIES_DELETED, repairs=BOTH, mails=wanted.mails_of_invitation)


def _link(both: Comparison) -> Iterator[Difference]:
    ours, theirs = both.wanted.join_url, both.event.join_url
    if ours is None or ours == theirs:
        return
    if theirs is None:
        mails = both.mails_of_series_change()
        yield Difference(Kind.LINK_MISSING, wanted={"join_url": ours}, repairs=BOTH, mails=mails)
        return
    yield Difference(Kind.LINK_CHANGED, wanted={"join_url": ours}, found={"join_url": theirs})


def _times(both: Comparison) -> Iterator[Difference]:
    """Single meetings that were moved, and the series when its own time or what it makes of a zone is another."""
    off_pattern: list[tuple[WantedOccurrence, CalendarEvent]] = []
    for ours in _to_come(both):
        theirs = both.pairs.get(ours.id)
        if theirs is None or (theirs.starts_at, theirs.ends_at) == (ours.starts_at, ours.ends_at):
            continue
        if _was_moved_alone(ours, theirs):
            yield _moved(both, ours, theirs)
        else:
            off_pattern.append((ours, theirs))
    yield from _series_proposed(both)
    if _master_moved(both):
        yield _series_moved(both)
    elif off_pattern:
        yield _zone_differs(both, off_pattern)


def _was_moved_alone(ours: WantedOccurrence, theirs: CalendarEvent) -> bool:
    if theirs.starts_at == ours.by_rule_at:  # back to where the rule has it, or only longer or shorter
        return True
    return theirs.type == "exception" and theirs.starts_at != pattern_start(theirs)


def _moved(both: Comparison, ours: WantedOccurrence, theirs: CalendarEvent) -> Difference:
    zone = both.wanted.time_zone
    in_its_week = week_of(ours.by_rule_at, zone) == week_of(theirs.starts_at, zone)
    return Difference(
        Kind.OCCURRENCE_MOVED,
        occurrence_id=ours.id,
        wanted=_span(ours.starts_at, ours.ends_at),
        found=_span(theirs.starts_at, theirs.ends_at),
        repairs=BOTH if ours.starts_at > both.now else ONLY_ADOPT,
        mails={one.address: 1 for one in theirs.attendees},
        asks=not in_its_week,
    )


def _master_moved(both: Comparison) -> bool:
    wanted, event = both.wanted, both.event
    starts_at = instant(wanted.starts_local, wanted.time_zone)
    return (event.starts_at, event.ends_at - event.starts_at) != (starts_at, wanted.length)


def _series_moved(both: Comparison) -> Difference:
    wanted, event = both.wanted, both.event
    zone = event.time_zone or wanted.time_zone
    local = event.starts_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    same_day = event.starts_at.astimezone(ZoneInfo(wanted.time_zone)).date() == wanted.starts_local.date()
    return Difference(
        Kind.SERIES_MOVED,
        wanted=_wall(wanted.starts_local, wanted.time_zone, _minutes(wanted.length)),
        found=_wall(local, zone, _minutes(event.ends_at - event.starts_at)),
        repairs=BOTH if same_day or both.pattern_may_be_written else ONLY_ADOPT,
        mails=both.mails_of_series_change(),
    )


def _series_proposed(both: Comparison) -> Iterator[Difference]:
    """Another time for every week, which an attendee proposed with their answer to the series.

    What is proposed is one instant: its clock and its weekday are what the series would have.
    """
    wanted = both.wanted
    for one in both.event.attendees:
        if one.proposed is None:
            continue
        starts_at, ends_at = one.proposed
        local = starts_at.astimezone(ZoneInfo(wanted.time_zone)).replace(tzinfo=None)
        days = timedelta(days=local.weekday() - wanted.starts_local.weekday())
        first = datetime.combine(wanted.starts_local.date() + days, local.time())
        if (first, ends_at - starts_at) == (wanted.starts_local, wanted.length):
            continue
        is_possible = not days or both.pattern_may_be_written
        yield Difference(
            Kind.SERIES_PROPOSED,
            address=one.address.lower(),
            wanted=_wall(wanted.starts_local, wanted.time_zone, _minutes(wanted.length)),
            found={
                "name": one.name,
                "proposed_at": starts_at.isoformat(),
                **_wall(first, wanted.time_zone, _minutes(ends_at - starts_at)),
            },
            repairs=BOTH if is_possible else (Repair.PUT_BACK,),
            mails=both.mails_of_series_change(),
        )


def _zone_differs(both: Comparison, off: list[tuple[WantedOccurrence, CalendarEvent]]) -> Difference:
    ours, theirs = off[0]
    zone = both.event.time_zone or both.wanted.time_zone
    return Difference(
        Kind.ZONE_DIFFERS,
        wanted={"starts_at": ours.starts_at.isoformat(), "time_zone": both.wanted.time_zone},
        found={"starts_at": theirs.starts_at.isoformat(), "time_zone": zone, "meetings": len(off)},
        repairs=ONLY_ADOPT if same_zone(zone, both.wanted.time_zone) else BOTH,
        mails=both.mails_of_series_change(),
    )


def _not_there(both: Comparison) -> Iterator[Difference]:
    zone = ZoneInfo(both.wanted.time_zone)
    for ours in _to_come(both):
        if ours.id in both.pairs:
            continue
        deleted = ours.by_rule_at.astimezone(zone).date() in both.cancelled_on
        yield Difference(
            Kind.OCCURRENCE_DELETED if deleted else Kind.OCCURRENCE_MISSING,
            occurrence_id=ours.id,
            wanted=_span(ours.starts_at, ours.ends_at),
            repairs=BOTH if ours.starts_at > both.now else ONLY_ADOPT,
            mails=both.wanted.mails_of_invitation,
        )


def _extra(both: Comparison) -> Iterator[Difference]:
    ours_by_event = {event.id: key for key, event in both.pairs.items()}
    off = {one.id for one in both.wanted.occurrences if not one.takes_place}
    for theirs in both.instances:
        occurrence_id = ours_by_event.get(theirs.id)
        if theirs.is_cancelled or theirs.ends_at <= both.now:
            continue
        if occurrence_id is not None and occurrence_id not in off:
            continue
        yield Difference(
            Kind.OCCURRENCE_EXTRA,
            occurrence_id=occurrence_id,
            found={**_span(theirs.starts_at, theirs.ends_at), "event_id": theirs.id},
            repairs=BOTH,
            mails={one.address: 1 for one in theirs.attendees},
        )


def _edited_series(both: Comparison) -> Iterator[Difference]:
    wanted, event = both.wanted, both.event
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    can_put_back = False
    if event.subject != wanted.subject:
        ours["subject"], theirs["subject"] = wanted.subject, event.subject
        can_put_back = True
    if wanted.invitation_html is not None and not says_the_same(event.body_html, wanted.invitation_html):
        theirs["text"] = hash_of(event.body_html)
        can_put_back = can_put_back or exchanged(event.body_html, wanted.invitation_html) is not None
    if event.location not in NO_PLACE:
        theirs["place"] = event.location
    if theirs:
        repairs = BOTH if can_put_back else ONLY_ADOPT
        mails = both.mails_of_series_change()
        yield Difference(Kind.SERIES_EDITED, wanted=ours, found=theirs, repairs=repairs, mails=mails)


def _edited_occurrences(both: Comparison) -> Iterator[Difference]:
    """Subject and place of exceptions beside those of the series; their texts are not read."""
    for ours in _to_come(both):
        theirs = both.pairs.get(ours.id)
        if theirs is None or theirs.type != "exception":
            continue
        told: dict[str, Any] = {}
        if theirs.subject != both.event.subject:
            told["subject"] = theirs.subject
        if theirs.location not in (*NO_PLACE, both.event.location):
            told["place"] = theirs.location
        if told:
            yield Difference(
                Kind.OCCURRENCE_EDITED,
                occurrence_id=ours.id,
                wanted={"subject": both.event.subject} if "subject" in told else {},
                found=told,
                repairs=BOTH if "subject" in told else ONLY_ADOPT,
                mails={one.address: 1 for one in theirs.attendees},
            )


def _to_come(both: Comparison) -> list[WantedOccurrence]:
    return [one for one in both.wanted.occurrences if one.takes_place and not one.is_over]


def _span(starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
    return {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}


def _minutes(length: timedelta) -> int:
    return round(length.total_seconds() / 60)


def _wall(starts_local: datetime, time_zone: str, minutes: int) -> dict[str, Any]:
    return {"starts_local": starts_local.isoformat(), "time_zone": time_zone, "minutes": minutes}
