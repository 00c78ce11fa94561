"""Who gets mail: each change of a meeting as a list of letters, and what a letter does to its reader's calendar.

Rules: Outlook's calendar protocol (MS-OXOCAL 3.1.4.7), Graph's pages on creating and updating events.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from html import escape
from typing import TYPE_CHECKING, Literal

from ..switches import Switches
from .directory import Person
from .events import Attendee, Event, Exceptional
from .ids import series_uid

if TYPE_CHECKING:
    from .calendars import Calendars

Occasion = Literal["created", "attendees", "series", "pattern", "occurrence", "cancelled", "occurrence cancelled"]
Kind = Literal["meetingRequest", "meetingUpdate", "meetingCancelled"]
Attendees = tuple[Attendee, ...]


@dataclass(frozen=True)
class Letter:
    """One message to one attendee, about the series (`day` None) or one occurrence."""

    to: Attendee
    kind: Kind
    day: date | None = None
    comment: str = ""


@dataclass(frozen=True)
class Change:
    """What happened to a meeting. `invited_before` is the list of the series, or of the occurrence `day`.

    `exceptions_before` are the exceptions a new pattern swept away, with those who were invited to them.
    `asks_again`: the change was significant, answers given before no longer count.
    """

    event: Event
    occasion: Occasion
    now: datetime
    switches: Switches
    invited_before: Attendees = ()
    day: date | None = None
    exceptions_before: Mapping[date, Attendees] = field(default_factory=dict)
    comment: str = ""
    asks_again: bool = False

    @property
    def invited(self) -> Attendees:
        return self.event.at(self.day).attendees if self.day else self.event.content.attendees

    def future(self, day: date) -> bool:
        starts = self.event.planned_start(day)
        return starts is not None and starts > self.now


def letters(change: Change) -> Iterator[Letter]:
    """Everything Outlook sends because of a change, in the order sent."""
    for rule in RULES[change.occasion]:
        yield from rule(change)


def to_newcomers(change: Change) -> Iterator[Letter]:
    for attendee in _missing(change.invited, in_list=change.invited_before):
        yield Letter(attendee, "meetingRequest", change.day)
        if change.day is None and change.switches.invitation_repeats_cancelled_occurrences:
            yield from _cancelled_days(change, attendee)
        if change.day is None and change.switches.newcomers_are_told_of_exceptions:
            yield from (Letter(attendee, "meetingUpdate", day) for day in _exceptions(change))


def to_the_removed(change: Change) -> Iterator[Letter]:
    for attendee in _missing(change.invited_before, in_list=change.invited):
        yield Letter(attendee, "meetingCancelled", change.day)


def to_those_who_stay(change: Change) -> Iterator[Letter]:
    newcomers = _missing(change.invited, in_list=change.invited_before)
    for attendee in _missing(change.invited, in_list=newcomers):
        yield Letter(attendee, "meetingUpdate", change.day)


def to_those_who_stay_if_everybody_is_told(change: Change) -> Iterator[Letter]:
    if not change.switches.attendees_patch_tells_only_the_changed:
        yield from to_those_who_stay(change)


def of_future_exceptions(change: Change) -> Iterator[Letter]:
    if change.switches.series_update_repeats_exceptions:
        for day in _exceptions(change):
            yield from (Letter(attendee, "meetingUpdate", day) for attendee in change.event.at(day).attendees)


def of_future_cancelled_occurrences(change: Change) -> Iterator[Letter]:
    if change.switches.series_update_repeats_cancelled_occurrences:
        newcomers = _missing(change.invited, in_list=change.invited_before)
        for attendee in _missing(change.invited, in_list=newcomers):
            yield from _cancelled_days(change, attendee)


def of_exceptions_swept_away(change: Change) -> Iterator[Letter]:
    if change.switches.new_pattern_cancels_exceptions_by_mail:
        for day, invited in sorted(change.exceptions_before.items()):
            yield from (Letter(attendee, "meetingCancelled", day) for attendee in invited)


def cancellation(change: Change) -> Iterator[Letter]:
    everybody = list(change.invited)
    yield from (Letter(one, "meetingCancelled", change.day, change.comment) for one in everybody)
    if change.day is not None:
        return
    for day in _exceptions(change):
        for one in _missing(change.event.at(day).attendees, in_list=change.invited):
            yield Letter(one, "meetingCancelled", day, change.comment)


RULES: Mapping[Occasion, tuple[Callable[[Change], Iterator[Letter]], ...]] = {
    "created": (to_newcomers,),
    "attendees": (to_newcomers, to_the_removed, to_those_who_stay_if_everybody_is_told),
    "series": (
        to_the_removed,
        to_newcomers,
        to_those_who_stay,
        of_future_exceptions,
        of_future_cancelled_occurrences,
    ),
    "pattern": (
        of_exceptions_swept_away,
        to_the_removed,
        to_newcomers,
        to_those_who_stay,
        of_future_cancelled_occurrences,
    ),
    "occurrence": (to_the_removed, to_newcomers, to_those_who_stay),
    "cancelled": (cancellation,),
    "occurrence cancelled": (cancellation,),
}


def send(calendars: "Calendars", change: Change) -> None:
    """Delivers every letter of a change, each after it has changed its reader's calendar."""
    for letter in list(letters(change)):
        if calendars.tenant.directory.by_address(letter.to.address) is change.event.owner:
            continue
        reader = calendars.person(letter.to, change.event.owner)
        if reader is not None:
            _write_down(calendars, letter, change, _copies(calendars, letter, change.event.uid))
        _deliver(calendars, letter, change.event)


def invite_for(
    calendars: "Calendars", newcomer: Attendee, event: Event, *, day: date | None, sender: Person, comment: str
) -> None:
    """Somebody else hands the invitation on: it comes from `sender`, and lands in the newcomer's calendar."""
    letter = Letter(newcomer, "meetingRequest", day, comment)
    reader = calendars.person(newcomer, event.owner)
    if reader is not None:
        change = Change(event, "attendees", calendars.tenant.clock.now(), calendars.tenant.switches, day=day)
        _write_down(calendars, letter, change, _copies(calendars, letter, event.uid))
    _deliver(calendars, letter, event, sender=sender, opening="FW: ")


def _missing(attendees: Attendees, *, in_list: Attendees) -> Attendees:
    there = {attendee.address.casefold() for attendee in in_list}
    return tuple(attendee for attendee in attendees if attendee.address.casefold() not in there)


def _exceptions(change: Change) -> list[date]:
    counted = change.switches.reply_exceptions_multiply_mails
    found = change.event.exceptions.items()
    return sorted(
        day for day, one in found if change.future(day) and (counted or not one.by_reply) and not one.unmarked
    )


def _cancelled_days(change: Change, attendee: Attendee) -> Iterator[Letter]:
    for day in sorted(change.event.cancelled_days):
        if change.future(day):
            yield Letter(attendee, "meetingCancelled", day)


def _deliver(
    calendars: "Calendars", letter: Letter, event: Event, *, sender: Person | None = None, opening: str = ""
) -> None:
    view = (event.occurrence(letter.day) if letter.day else None) or event.master()
    content = view.content
    subject = f"Canceled: {content.subject}" if letter.kind == "meetingCancelled" else opening + content.subject
    comment = f"<p>{escape(letter.comment)}</p>" if letter.comment else ""
    calendars.tenant.mailboxes.deliver(
        letter.to.address,
        sender=sender or event.owner,
        subject=subject,
        body_html=comment + content.body_html,
        kind=letter.kind,
        event_uid=event.uid,
        occurrence_start=event.planned_start(letter.day) if letter.day else None,
        starts_at=view.starts_at,
        ends_at=view.ends_at,
        recurring=event.recurrence is not None,
    )


def _copies(calendars: "Calendars", letter: Letter, uid: str) -> list[Event]:
    reader = calendars.tenant.directory.by_address(letter.to.address)
    return calendars.copies(reader, series_uid(uid)) if reader else []


def _write_down(calendars: "Calendars", letter: Letter, change: Change, copies: list[Event]) -> None:
    series = next((copy for copy in copies if copy.only_day is None), None)
    if letter.kind == "meetingCancelled":
        _write_cancellation(calendars, letter, series, copies)
    elif letter.day is None:
        _write_series(calendars, letter, change, series)
    elif series is not None:
        _write_occurrence(calendars, letter.day, change, series)
    else:
        _write_single_day(calendars, letter, change, copies)


def _write_series(calendars: "Calendars", letter: Letter, change: Change, copy: Event | None) -> None:
    event = change.event
    reader = calendars.person(letter.to, event.owner)
    if reader is None:
        return
    written = copy or calendars.copy(reader, event)
    own_cancelled = {day for day in written.cancelled_days if not _invited_to(event, day, letter.to)}
    previous = written.exceptions
    written.content, written.recurrence = event.content, event.recurrence
    written.cancelled_days = event.cancelled_days | own_cancelled
    written.exceptions = {
        day: _own_answer(one, None if change.asks_again else previous.get(day))
        for day, one in event.exceptions.items()
        if not one.by_reply or day in previous
    }
    if change.asks_again or copy is None:
        written.response, written.responded_at, written.hidden = "notResponded", None, False
    if copy is None:
        calendars.store(written)
    else:
        calendars.touch(written)


def _invited_to(event: Event, day: date, attendee: Attendee) -> bool:
    return day not in event.exceptions or event.at(day).attendee(attendee.address) is not None


def _own_answer(one: Exceptional, held: Exceptional | None) -> Exceptional:
    if held is None:
        return replace(one, response=None, responded_at=None, hidden=False)
    return replace(one, response=held.response, responded_at=held.responded_at, hidden=held.hidden)


def _write_occurrence(calendars: "Calendars", day: date, change: Change, series: Event) -> None:
    held = None if change.asks_again else series.exceptions.get(day)
    told = change.event.exceptions.get(day) or Exceptional({})
    series.exceptions[day] = _own_answer(told, held)
    if change.asks_again and series.response not in ("notResponded", "none"):
        series.exceptions[day] = replace(series.exceptions[day], response="notResponded")
    series.cancelled_days.discard(day)
    calendars.touch(series, day)


def _write_single_day(calendars: "Calendars", letter: Letter, change: Change, copies: list[Event]) -> None:
    reader = calendars.person(letter.to, change.event.owner)
    view = change.event.occurrence(letter.day) if letter.day else None
    if reader is None or view is None:
        return
    for copy in copies:
        if copy.only_day == letter.day:
            calendars.remove(copy)
    calendars.store(calendars.copy(reader, change.event, only=view))


def _write_cancellation(calendars: "Calendars", letter: Letter, series: Event | None, copies: list[Event]) -> None:
    stays = calendars.tenant.switches.cancelled_meetings_stay_on_attendees_calendars
    if letter.day is not None and series is not None:
        if stays:
            held = series.exceptions.get(letter.day) or Exceptional({})
            series.exceptions[letter.day] = replace(held, cancelled=True)
        else:
            series.exceptions.pop(letter.day, None)
            series.cancelled_days.add(letter.day)
        calendars.touch(series, letter.day)
        return
    for copy in [one for one in copies if letter.day is None or one.only_day == letter.day]:
        copy.cancelled = True
        if stays:
            calendars.touch(copy)
        else:
            calendars.remove(copy)
