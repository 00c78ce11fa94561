"""When to look at the attendance reports of an occurrence, and when to stop. Pure.

Microsoft does not say when a report is ready. Minutes are usual, two hours are seen, and re-joining after the end
makes a further report; so the first looks come soon (people are asked for feedback right after) and the later ones
get rarer. They go on for a day even when all seems known: a call can be re-opened an hour after the end, its report
be two hours late, and where no notifications come nothing tells of it. Such a look costs one request per link.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from integration.scheduling.dues import COLLECT_AFTER

LAST_LOOK = timedelta(hours=24)  # a report that is not there after a day is not counted on any more
KEPT_FOR = timedelta(days=365)  # Teams keeps reports for a year from the meeting
FULL_LIST = 10  # reports listed from which older ones may be left out: 50 is documented, 10 was seen
LOOKS = (
    COLLECT_AFTER,
    timedelta(minutes=10),
    timedelta(minutes=20),
    timedelta(minutes=40),
    timedelta(hours=2),  # reports have been seen to take this long
    timedelta(hours=6),
    LAST_LOOK,
)
RARER_FROM = timedelta(hours=2)  # when all seems known, the looks before this are left out
NOT_YET_FROZEN = timedelta(minutes=10)  # how long to wait for the list of who was invited
SETTLES_AFTER = timedelta(minutes=2)  # a report that ended less than this ago may be the one of a running call
ENDS_EARLY = timedelta(minutes=5)  # a call that ended earlier than this before the planned end may go on


def next_look(ended_at: datetime, *, now: datetime, is_known: bool) -> datetime | None:
    """The first look after ``now``, a rarer one when all seems known; None when the last one has been."""
    wanted = (after for after in LOOKS if not is_known or after >= RARER_FROM)
    return next((ended_at + after for after in wanted if ended_at + after > now), None)


def is_last_look(ended_at: datetime, *, now: datetime) -> bool:
    return now >= ended_at + LAST_LOOK


def is_final(*, ends_at: datetime | None, participants: int, now: datetime) -> bool:
    """Whether a report can be believed: while a call runs, Teams may show one that is empty or ends just now."""
    return ends_at is not None and participants > 0 and ends_at <= now - SETTLES_AFTER


def may_go_on(latest_end_at: datetime, *, planned_end_at: datetime) -> bool:
    """Whether people who left may have come back: the last call ended well before the planned end."""
    return latest_end_at < planned_end_at - ENDS_EARLY
