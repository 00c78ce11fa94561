"""Events in our organizers' calendars. https://learn.microsoft.com/graph/api/resources/event

Every call raises GraphError (Unavailable, Throttled, NotFound, Rejected, Forbidden). ``mailbox`` is an address or an
object id. Times that come back are aware and in UTC.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from integration.graph import operations, outgoing
from integration.graph.errors import DuplicateTransaction, GraphError, NotFound, Rejected, ZoneUnsupported, error_from
from integration.graph.resources import (
    Batched,
    CalendarEvent,
    EventChanges,
    EventDelta,
    EventDraft,
    RemovedEvent,
)
from integration.graph.translate import WireEvent, event_in
from integration.graph.transport import (
    IMMUTABLE_IDS,
    UTC_TIMES,
    Page,
    Request,
    Transport,
    decoded,
    mailbox_in,
    query,
    quoted,
    window,
)
from integration.graph.zones import windows_name
from integration.language import lazy

if TYPE_CHECKING:
    from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder

PAGE_SIZE = 100
DELTA_PAGE_SIZE = 50
TIMES = (IMMUTABLE_IDS, UTC_TIMES)
HEAD = (
    "id,type,subject,start,end,originalStartTimeZone,originalStart,iCalUId,changeKey,organizer,attendees,"
    "onlineMeeting,isCancelled,isOrganizer,seriesMasterId,transactionId,webLink,location"
)


class CalendarCalls:
    """Events of one mailbox: written only where we organize."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._zones: dict[str, frozenset[str]] = {}
        self._lock = threading.Lock()

    def create_event(self, mailbox: str, draft: EventDraft) -> CalendarEvent:
        """Create ``draft``, or return the event that an earlier try with its transaction id has made."""
        request = Request(
            operation=operations.CREATE_EVENT,
            builder=self._user(mailbox).events,
            mailbox=mailbox,
            body=outgoing.event_out(draft, windows_zone=self._zone(mailbox, draft.time_zone)),
            prefer=TIMES,
        )
        try:
            return self._event(request)
        except DuplicateTransaction as duplicate:
            return self._existing(mailbox, draft.tag, duplicate)

    def get_event(self, mailbox: str, event_id: str) -> CalendarEvent:
        """The event with its body; for an occurrence its id as ``instances`` gave it."""
        return self._event(self.part_to_get(mailbox, event_id))

    def find_event(self, mailbox: str, event_id: str) -> CalendarEvent | None:
        """As ``get_event``; None when the event is not there (any more)."""
        try:
            return self.get_event(mailbox, event_id)
        except NotFound:
            return None

    def update_event(self, mailbox: str, event_id: str, changes: EventChanges) -> CalendarEvent:
        """PATCH what is set in ``changes``; a start without length or zone keeps the event's own, read first."""
        request = Request(
            operation=operations.UPDATE_EVENT,
            builder=self._user(mailbox).events.by_event_id(event_id),
            mailbox=mailbox,
            body=self._changed(mailbox, event_id, changes),
            prefer=TIMES,
        )
        return self._event(request)

    def cancel_event(self, mailbox: str, event_id: str, comment: str = "") -> None:
        """Cancel a series, or one occurrence by its id: attendees get ``comment``. Already gone counts as done."""
        request = Request(
            operation=operations.CANCEL_EVENT,
            builder=self._user(mailbox).events.by_event_id(event_id).cancel,
            mailbox=mailbox,
            body={"Comment": comment},
        )
        self._unless_gone(request)

    def delete_event(self, mailbox: str, event_id: str) -> None:
        """Delete; where attendees were invited they get a cancellation without words. Already gone counts as done."""
        self._unless_gone(self.part_to_delete(mailbox, event_id))

    def instances(
        self, mailbox: str, master_id: str, starts_at: datetime, ends_at: datetime
    ) -> tuple[CalendarEvent, ...]:
        """Occurrences and exceptions of a series in a window, in order of time, without bodies."""
        request = Request(
            operation=operations.LIST_INSTANCES,
            builder=self._user(mailbox).events.by_event_id(master_id).instances,
            mailbox=mailbox,
            query=window(starts_at, ends_at) | query(select=HEAD, top=PAGE_SIZE),
            prefer=TIMES,
        )
        return self._in_order(request)

    def view(self, mailbox: str, starts_at: datetime, ends_at: datetime) -> tuple[CalendarEvent, ...]:
        """Everything in the primary calendar in a window, series expanded, in order of time, without bodies."""
        request = Request(
            operation=operations.VIEW_CALENDAR,
            builder=self._user(mailbox).calendar_view,
            mailbox=mailbox,
            query=window(starts_at, ends_at) | query(select=HEAD, top=PAGE_SIZE),
            prefer=TIMES,
        )
        return self._in_order(request)

    def cancelled_dates(self, mailbox: str, master_id: str) -> frozenset[date]:
        """The dates of a series whose occurrence was deleted or cancelled, on the wall of the series."""
        request = Request(
            operation=operations.GET_EVENT,
            builder=self._user(mailbox).events.by_event_id(master_id),
            mailbox=mailbox,
            query=query(select="id,cancelledOccurrences"),
            prefer=TIMES,
        )
        wire = decoded(self._transport.send(request), WireEvent, operation=request.operation)
        return frozenset(date.fromisoformat(one[-10:]) for one in wire.cancelled_occurrences or ())

    def find_by_tag(self, mailbox: str, tag: str) -> CalendarEvent | None:
        """The event or series that carries our tag."""
        prop = f"ep/id eq {quoted(outgoing.TAG_PROPERTY)} and ep/value eq {quoted(tag)}"
        request = Request(
            operation=operations.FIND_EVENTS,
            builder=self._user(mailbox).events,
            mailbox=mailbox,
            query=query(filter=f"singleValueExtendedProperties/any(ep: {prop})", top=2),
            prefer=TIMES,
        )
        found = next(self._transport.collect(request, Page[WireEvent]), None)
        return event_in(found) if found else None

    def delta(self, mailbox: str, starts_at: datetime, ends_at: datetime) -> EventDelta:
        """A full round over a window; its ``link`` starts the next one. The window of a link never moves."""
        request = Request(
            operation=operations.DELTA_CALENDAR,
            builder=self._user(mailbox).calendar_view.delta,
            mailbox=mailbox,
            query=window(starts_at, ends_at),
            prefer=(*TIMES, f"odata.maxpagesize={DELTA_PAGE_SIZE}"),
        )
        return self._round(request)

    def delta_from(self, link: str) -> EventDelta:
        """What changed since the round that gave ``link``. Raises SyncLost when a full round is needed."""
        request = Request(
            operation=operations.DELTA_CALENDAR,
            link=link,
            mailbox=mailbox_in(link),
            prefer=(*TIMES, f"odata.maxpagesize={DELTA_PAGE_SIZE}"),
        )
        return self._round(request)

    def supported_time_zones(self, mailbox: str) -> frozenset[str]:
        """Windows names of the zones that this mailbox takes; asked once per mailbox and process."""
        with self._lock:
            known = self._zones.get(mailbox.lower())
        if known is not None:
            return known
        request = Request(
            operation=operations.LIST_TIME_ZONES,
            builder=self._user(mailbox).outlook.supported_time_zones,
            mailbox=mailbox,
        )
        found = frozenset(zone.alias for zone in self._transport.collect(request, Page[_Zone]))
        with self._lock:
            self._zones[mailbox.lower()] = found
        return found

    def part_to_get(self, mailbox: str, event_id: str) -> Request:
        """The request of ``get_event``, to be put into a batch; ``event_of`` reads its answer."""
        builder = self._user(mailbox).events.by_event_id(event_id)
        return Request(operation=operations.GET_EVENT, builder=builder, mailbox=mailbox, prefer=TIMES)

    def part_to_delete(self, mailbox: str, event_id: str) -> Request:
        """The request of ``delete_event``, to be put into a batch."""
        builder = self._user(mailbox).events.by_event_id(event_id)
        return Request(operation=operations.DELETE_EVENT, builder=builder, mailbox=mailbox)

    def event_of(self, batched: Batched) -> CalendarEvent:
        """The event in a batch's answer to ``part_to_get``. Raises the GraphError of its status."""
        if batched.status != 200:
            body = msgspec.json.encode(batched.body)
            raise error_from(batched.status, body, operation=operations.GET_EVENT, request_id=None, retry_after=None)
        return event_in(msgspec.convert(batched.body, WireEvent))

    def _user(self, mailbox: str) -> UserItemRequestBuilder:
        return self._transport.root.users.by_user_id(mailbox)

    def _event(self, request: Request) -> CalendarEvent:
        return event_in(decoded(self._transport.send(request), WireEvent, operation=request.operation))

    def _existing(self, mailbox: str, tag: str, duplicate: DuplicateTransaction) -> CalendarEvent:
        if duplicate.existing_event_id:
            return self.get_event(mailbox, duplicate.existing_event_id)
        found = self.find_by_tag(mailbox, tag)
        if found is None:
            raise duplicate  # the id belongs to an event that is not ours, or deleted: a new generation is needed
        return found

    def _zone(self, mailbox: str, time_zone: str) -> str:
        name = windows_name(time_zone)
        if name == "UTC" or name in self.supported_time_zones(mailbox):
            return name
        raise ZoneUnsupported(
            lazy("The mailbox does not take the time zone %(zone)s.", zone=repr(time_zone)),
            remedy=lazy("Choose another zone of the same clock."),
        )

    def _changed(self, mailbox: str, event_id: str, changes: EventChanges) -> outgoing.OutEvent:
        if changes.starts_local is None and (changes.length or changes.time_zone or changes.weekly):
            raise ValueError("a new length, time zone or pattern needs starts_local")
        wanted = outgoing.OutEvent(
            subject=changes.subject,
            body=outgoing.html_out(changes.body_html) if changes.body_html is not None else None,
            attendees=outgoing.attendees_out(changes.attendees) if changes.attendees is not None else None,
            is_online_meeting=True if changes.online else None,
            online_meeting_provider=outgoing.TEAMS if changes.online else None,
        )
        if changes.starts_local is None:
            return wanted
        timed = changes if changes.length and changes.time_zone else self._completed(mailbox, event_id, changes)
        assert timed.starts_local
        assert timed.length
        assert timed.time_zone
        zone = self._zone(mailbox, timed.time_zone)
        wanted.start = outgoing.wall_out(timed.starts_local, zone)
        wanted.recurrence = outgoing.recurrence_out(changes.weekly, zone) if changes.weekly else None
        wanted.end = outgoing.wall_out(outgoing.end_local(timed.starts_local, timed.length, timed.time_zone), zone)
        return wanted

    def _completed(self, mailbox: str, event_id: str, changes: EventChanges) -> EventChanges:
        event = self.get_event(mailbox, event_id)
        zone = changes.time_zone or event.time_zone
        if zone is None:
            raise ZoneUnsupported(
                lazy("The event's own time zone has no known rules."), remedy=lazy("Give the time zone, too.")
            )
        return replace(changes, length=changes.length or event.ends_at - event.starts_at, time_zone=zone)

    def _unless_gone(self, request: Request) -> None:
        with suppress(NotFound):  # gone is what was wanted
            self._transport.send(request)

    def _in_order(self, request: Request) -> tuple[CalendarEvent, ...]:
        events = [event_in(wire) for wire in self._transport.collect(request, Page[WireEvent])]
        return tuple(sorted(events, key=lambda event: event.starts_at))

    def _round(self, request: Request) -> EventDelta:
        last: dict[str, WireEvent] = {}  # one id may come several times in a round: the last one holds
        link = None
        for page in self._transport.pages(request, Page[WireEvent]):
            for wire in page.value:
                last.pop(wire.id, None)
                last[wire.id] = wire
            link = page.delta_link
        if link is None:
            raise Rejected(lazy("The delta round ended without a delta link."), remedy=lazy("Start a full round."))
        removed = [RemovedEvent(wire.id) for wire in last.values() if wire.removed is not None]
        changed = self._whole(request.mailbox, [wire for wire in last.values() if wire.removed is None], removed)
        return EventDelta(tuple(changed), tuple(removed), link)

    def _whole(
        self, mailbox: str | None, wires: Iterable[WireEvent], removed: list[RemovedEvent]
    ) -> list[CalendarEvent]:
        """Occurrences may come without what their master carries, and masters without what did not change."""
        found = list(wires)
        masters = {wire.id: wire for wire in found if wire.type == "seriesMaster"}
        events: list[CalendarEvent] = []
        for wire in found:
            _inherit(wire, masters.get(wire.series_master_id or ""))
            if wire.start is not None and wire.end is not None:
                events.append(event_in(wire))
                continue
            if mailbox is None:
                raise GraphError(lazy("A delta item came without its times."), remedy=lazy("Start a full round."))
            try:
                events.append(self.get_event(mailbox, wire.id))
            except NotFound:
                removed.append(RemovedEvent(wire.id))
        return events


class _Zone(msgspec.Struct):
    alias: str


def _inherit(wire: WireEvent, master: WireEvent | None) -> None:
    # Not the UID: it differs per occurrence.
    if master is None:
        return
    for name in ("subject", "organizer", "attendees", "online_meeting", "original_start_time_zone"):
        if getattr(wire, name) is None:
            setattr(wire, name, getattr(master, name))
