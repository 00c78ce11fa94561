"""Whether Outlook has somebody on a series: only who was once on it can be missing later."""

from __future__ import annotations

from datetime import datetime

from integration.scheduling.models import SeriesAttendee


def note_presence(attendee: SeriesAttendee, is_on_it: bool, *, now: datetime) -> None:
    """Note that Outlook has one of ours, or, of somebody who is no longer wanted, that it has them no more."""
    if is_on_it:
        attendee.invited_at = attendee.invited_at or now
    elif not attendee.is_wanted:
        attendee.invited_at = None
