"""Changing what a person organizes: scheduling, amending, cancelling, deleting, by Outlook's rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from .body import has_block, with_block
from .events import Attendee, Content, Event, EventView, Exceptional, Overrides, changed
from .invitations import Attendees, Change, Occasion, send
from .refusals import crossing_boundary, invalid, organizer_only
from .series import Recurrence

if TYPE_CHECKING:
    from .calendars import Calendars

OWN_PROPERTIES = {
    "categories",
    "isReminderOn",
    "reminderMinutesBeforeStart",
    "showAs",
    "singleValueExtendedProperties",
}
SIGNIFICANT = {"starts_local", "ends_local", "time_zone"}


Link = Literal["follow", "keep", "lose", "another", "off"]
"""What becomes of the Teams block when the body is replaced: as Graph does it (a switch), kept, lost from the words
while the meeting stays, of another meeting, or no online meeting at all."""


@dataclass(frozen=True)
class Amendment:
    """A PATCH, understood. `named` are the properties its body names; `recurrence` None leaves the pattern."""

    overrides: Overrides
    named: frozenset[str]
    recurrence: Recurrence | None = None
    online: bool = False
    extended: Mapping[str, str] = field(default_factory=dict)
    link: Link = "follow"


def schedule(
    calendars: "Calendars",
    event: Event,
    *,
    online: bool = False,
) -> None:
    """Completes a create: the Teams meeting when one is wanted, the invitations, the echo of notifications."""
    if online:
        event.content = _with_meeting(calendars, event, event.content)
    event.forget_views()
    _tell(calendars, event, "created")
    calendars.announce_again(event, calendars.tenant.switches.updates_after_create)


def amend(calendars: "Calendars", view: EventView, amendment: Amendment) -> None:
    """Applies a PATCH to an item or one occurrence; raises Refused when Outlook would not take it."""
    if view.day is None:
        _amend_item(calendars, view.event, amendment)
    else:
        _amend_occurrence(calendars, view, view.day, amendment)


def cancel(calendars: "Calendars", view: EventView, *, comment: str = "") -> None:
    """Cancels a meeting, or one occurrence; raises Refused on an attendee's copy."""
    if not view.is_organizer:
        raise organizer_only()
    delete(calendars, view, comment=comment)


def delete(calendars: "Calendars", view: EventView, *, comment: str = "") -> None:
    """Takes an item or an occurrence away. The organizer's attendees are told; an attendee's organizer is not."""
    event, day = view.event, view.day
    if day is not None:
        if event.is_organizer:
            _tell(calendars, event, "occurrence cancelled", day=day, comment=comment)
        event.exceptions.pop(day, None)
        event.cancelled_days.add(day)
        calendars.touch(event, day)
        return
    if event.is_organizer:
        _tell(calendars, event, "cancelled", comment=comment)
    calendars.remove(event)


def _amend_item(calendars: "Calendars", event: Event, amendment: Amendment) -> None:
    before = event.content
    after = _amended(calendars, event, before, amendment)
    pattern_changed = amendment.recurrence is not None and amendment.recurrence != event.recurrence
    _check_start(event, after, amendment)
    asks_again = pattern_changed or _significant(before, after, calendars)
    swept = _sweep_exceptions(calendars, event) if pattern_changed and event.recurrence else {}
    if asks_again:
        after = _asked_again(after)
        _ask_exceptions_again(calendars, event)
    event.content, event.recurrence = after, amendment.recurrence or event.recurrence
    if event.is_organizer and (pattern_changed or _is_another_meeting(before, after)):
        calendars.update_meeting(after, event.recurrence)
    event.extended.update(amendment.extended)
    calendars.touch(event)
    occasion: Occasion = "pattern" if pattern_changed else _occasion(amendment, "series")
    if event.is_organizer and not _silent(calendars, amendment):
        _tell(calendars, event, occasion, invited_before=before.attendees, swept=swept, asks_again=asks_again)


def _is_another_meeting(before: Content, after: Content) -> bool:
    return (before.subject, before.starts_at, before.ends_at) != (after.subject, after.starts_at, after.ends_at)


def _amend_occurrence(calendars: "Calendars", view: EventView, day: date, amendment: Amendment) -> None:
    if amendment.recurrence is not None:
        raise invalid("A recurrence cannot be set on an occurrence of a series.")
    event, before = view.event, view.shown_content
    after = _amended(calendars, event, before, amendment)
    _check_neighbours(view, after, amendment)
    asks_again = _significant(before, after, calendars)
    if asks_again:
        after = _asked_again(after)
    held = event.exceptions.get(day)
    own: Overrides = held.overrides if held else {}
    overrides: Overrides = {**own, **_differences(before, after, amendment)}
    overrides["attendees"] = after.attendees
    event.exceptions[day] = replace(held or Exceptional({}), overrides=overrides, by_reply=False, unmarked=False)
    calendars.touch(event, day)
    if event.is_organizer and not _silent(calendars, amendment):
        occasion = _occasion(amendment, "occurrence")
        _tell(calendars, event, occasion, day=day, invited_before=before.attendees, asks_again=asks_again)


def _amended(calendars: "Calendars", event: Event, content: Content, amendment: Amendment) -> Content:
    after = changed(content, amendment.overrides)
    if "attendees" in amendment.named:
        after = replace(after, attendees=_merged(calendars, content.attendees, after.attendees))
    if not event.is_organizer:
        return after
    if amendment.online and content.meeting is None:
        return _with_meeting(calendars, event, after)
    if amendment.link != "follow":
        return _with_link(calendars, event, after, amendment.link)
    if content.meeting and "body" in amendment.named and not has_block(after.body_html, content.meeting):
        return _with_lost_block(calendars, event, after)
    return after


def _with_link(calendars: "Calendars", event: Event, content: Content, link: Link) -> Content:
    """After a body that somebody wrote by hand."""
    if link == "another":
        return _with_meeting(calendars, event, content)
    if link == "keep" and content.meeting and not has_block(content.body_html, content.meeting):
        return replace(content, body_html=with_block(content.body_html, content.meeting))
    return content


def _merged(calendars: "Calendars", held: Attendees, wanted: Attendees) -> Attendees:
    """The list as sent; whoever stays keeps the answer given."""
    known = {one.address.casefold(): one for one in held}
    merged = {one.address.casefold(): _with_answer(one, known.get(one.address.casefold())) for one in wanted}
    if not calendars.tenant.switches.partial_attendee_list_uninvites:
        merged = {**known, **merged}
    return tuple(merged.values())


def _with_answer(wanted: Attendee, held: Attendee | None) -> Attendee:
    return replace(held, name=wanted.name or held.name, type=wanted.type) if held else wanted


def _with_meeting(calendars: "Calendars", event: Event, content: Content) -> Content:
    meeting = calendars.mint(event.owner, content, event.recurrence)
    if meeting is None:
        return content
    event.meetings.append(meeting)
    return replace(content, meeting=meeting, body_html=with_block(content.body_html, meeting))


def _with_lost_block(calendars: "Calendars", event: Event, content: Content) -> Content:
    if not calendars.tenant.switches.overwritten_body_mints_a_new_meeting:
        return content
    return _with_meeting(calendars, event, content)


def _check_start(event: Event, after: Content, amendment: Amendment) -> None:
    recurrence = amendment.recurrence or event.recurrence
    if after.ends_local <= after.starts_local and after.ends_at <= after.starts_at:
        raise invalid("The end of an event cannot be before its start.")
    if recurrence and recurrence.range.start_date != after.starts_local.date():
        raise invalid("The recurrence range's startDate must be the date of the event's start.")


def _check_neighbours(view: EventView, after: Content, amendment: Amendment) -> None:
    if after.ends_at <= after.starts_at:
        raise invalid("The end of an event cannot be before its start.")
    if not amendment.overrides.keys() & SIGNIFICANT:
        return
    siblings = view.event.views(until=max(view.ends_at, after.ends_at) + timedelta(days=366))
    at = next(place for place, one in enumerate(siblings) if one.day == view.day)
    day, last = after.starts_local.date(), (after.ends_local - timedelta(microseconds=1)).date()
    if at > 0 and day <= siblings[at - 1].starts_local.date():
        raise crossing_boundary()
    if at + 1 < len(siblings) and last >= siblings[at + 1].starts_local.date():
        raise crossing_boundary()


def _significant(before: Content, after: Content, calendars: "Calendars") -> bool:
    """A change of time or place: answers given before no longer count (MS-OXOCAL, Clearing Previous Responses)."""
    if not calendars.tenant.switches.significant_change_clears_replies:
        return False
    return (
        before.starts_at != after.starts_at
        or before.ends_at != after.ends_at
        or before.get("location") != after.get("location")
        or before.get("locations") != after.get("locations")
    )


def _asked_again(content: Content) -> Content:
    return replace(content, attendees=tuple(one.asked_again() for one in content.attendees))


def _ask_exceptions_again(calendars: "Calendars", event: Event) -> None:
    for day, one in event.exceptions.items():
        starts = event.planned_start(day)
        if starts is None or starts <= calendars.tenant.clock.now():
            continue
        invited = tuple(attendee.asked_again() for attendee in event.at(day).attendees)
        event.exceptions[day] = replace(one, overrides={**one.overrides, "attendees": invited})


def _sweep_exceptions(calendars: "Calendars", event: Event) -> dict[date, Attendees]:
    """Removes the exceptions a new pattern leaves no place for; future ones come back with their attendees."""
    switches, now = calendars.tenant.switches, calendars.tenant.clock.now()
    if not switches.new_pattern_removes_exceptions:
        return {}
    swept = {
        day: event.at(day).attendees
        for day, one in event.exceptions.items()
        if not one.unmarked and _after(event.planned_start(day), now)
    }
    event.exceptions.clear()
    if switches.new_pattern_restores_cancelled_occurrences:
        event.cancelled_days.clear()
    return swept


def _after(at: datetime | None, now: datetime) -> bool:
    return at is not None and at > now


def _differences(before: Content, after: Content, amendment: Amendment) -> Overrides:
    own: Overrides = {**amendment.overrides}
    if after.meeting is not before.meeting:
        own["meeting"] = after.meeting
    if after.body_html != before.body_html:
        own["body_html"] = after.body_html
    return own


def _occasion(amendment: Amendment, otherwise: Occasion) -> Occasion:
    return "attendees" if amendment.named == {"attendees"} else otherwise


def _silent(calendars: "Calendars", amendment: Amendment) -> bool:
    if not calendars.tenant.switches.private_changes_are_silent:
        return False
    return amendment.named <= OWN_PROPERTIES


def _tell(
    calendars: "Calendars",
    event: Event,
    occasion: Occasion,
    *,
    day: date | None = None,
    invited_before: Attendees = (),
    swept: Mapping[date, Attendees] | None = None,
    comment: str = "",
    asks_again: bool = False,
) -> None:
    now, switches = calendars.tenant.clock.now(), calendars.tenant.switches
    change = Change(event, occasion, now, switches, invited_before, day, swept or {}, comment, asks_again)
    send(calendars, change)
