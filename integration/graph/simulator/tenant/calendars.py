"""Calendars of the tenant: what is in each mailbox, found and looked at. Changes are made in `editing`."""

import base64
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from . import ids
from .changes import Round
from .directory import Person
from .events import Attendee, Content, Event, EventView, OnlineMeeting
from .refusals import duplicate_transaction, item_not_found
from .responses import Answer, reply
from .series import Recurrence
from .zones import to_local

if TYPE_CHECKING:
    from .tenant import Tenant

UID_PREFIX = "040000008200E00074C5B7101A82E008"
Happened = Literal["created", "updated", "deleted"]


@dataclass(frozen=True)
class Calendar:
    id: str
    name: str
    primary: bool = True


@dataclass(frozen=True)
class Transaction:
    """A create that carried a transactionId: the event it made and the body sent, as canonical JSON."""

    key: str
    sent: str


@dataclass
class CalendarMailbox:
    """The calendars of one mailbox. `copies` are events organized elsewhere, by iCalUId; `gone` keeps what was
    deleted, for delta rounds to tell; `sequence` counts changes.
    """

    owner: Person
    calendars: dict[str, Calendar]
    events: dict[str, Event] = field(default_factory=dict)
    copies: dict[str, list[Event]] = field(default_factory=dict)
    gone: dict[str, Event] = field(default_factory=dict)
    transactions: dict[str, Transaction] = field(default_factory=dict)
    sequence: int = 1

    @property
    def primary(self) -> Calendar:
        return next(iter(self.calendars.values()))


class Calendars:
    """Every caller that reads or changes more than one thing holds the tenant's lock."""

    def __init__(self, tenant: "Tenant") -> None:
        self.tenant = tenant
        self.delta_generation = 0
        self._rounds_begun = 0
        self.rounds: dict[str, Round] = {}
        self._mailboxes: dict[str, CalendarMailbox] = {}
        self._organized: dict[str, Event] = {}

    def mailbox(self, person: Person) -> CalendarMailbox:
        found = self._mailboxes.get(person.id)
        if found is None:
            first = Calendar(f"AQMkADAwAGVAAAJ{self._key()}AAAA==", "Calendar")
            found = self._mailboxes[person.id] = CalendarMailbox(person, {first.id: first})
        return found

    def add_calendar(self, person: Person, name: str) -> Calendar:
        added = Calendar(f"AQMkADAwAGVAAAJ{self._key()}AAAA==", name, primary=False)
        self.mailbox(person).calendars[added.id] = added
        return added

    def find(self, person: Person, event_id: str) -> EventView:
        """An item, series or occurrence by an id of either form; raises Refused 404 ErrorItemNotFound."""
        named = ids.parse_id(event_id)
        event = self.mailbox(person).events.get(named[0]) if named else None
        if named is None or event is None or event.hidden:
            raise item_not_found()
        view = event.master() if named[1] is None else event.occurrence(named[1])
        if view is None:
            raise item_not_found()
        return view

    def view(
        self, person: Person, starts_at: datetime, ends_at: datetime, *, calendar_id: str | None = None
    ) -> list[EventView]:
        """Singles, occurrences and exceptions that overlap the window, in order of start; attendees' copies too."""
        found = [
            view
            for event in self.mailbox(person).events.values()
            if calendar_id is None or event.calendar_id == calendar_id
            for view in event.views(until=ends_at)
            if view.starts_at < ends_at and (view.ends_at > starts_at or view.starts_at >= starts_at)
        ]
        found.sort(key=lambda view: view.starts_at)
        return found

    def items(self, person: Person, *, calendar_id: str | None = None) -> Iterator[EventView]:
        """Singles and series masters, as a list of events has them."""
        for event in self.mailbox(person).events.values():
            if not event.hidden and calendar_id in (None, event.calendar_id):
                yield event.master()

    def organized(self, uid: str) -> Event | None:
        """The organizer's own item with this iCalUId (of the series or of one occurrence), while it exists."""
        return self._organized.get(ids.series_uid(uid))

    def series_of(self, organizer: Person) -> list[Event]:
        """What this person organizes, singles included, oldest first."""
        return [event for event in self.mailbox(organizer).events.values() if event.is_organizer]

    def create(
        self,
        person: Person,
        content: Content,
        *,
        recurrence: Recurrence | None = None,
        calendar_id: str | None = None,
        extended: dict[str, str] | None = None,
    ) -> Event:
        """Puts an item the person organizes into the calendar. Nobody is told: `editing.schedule` does that."""
        now = self.tenant.clock.now()
        key, calendar_id = self._key(), calendar_id or self.mailbox(person).primary.id
        event = Event(key, person, person, self._uid(), content, now, now, calendar_id, recurrence)
        event.extended.update(extended or {})
        self._organized[event.uid] = event
        self.store(event)
        return event

    def copy(self, person: Person, of: Event, *, only: EventView | None = None) -> Event:
        """An attendee's copy of a series, or of one occurrence alone; not yet stored."""
        now, calendar_id = self.tenant.clock.now(), self.mailbox(person).primary.id
        content = only.content if only else of.content
        if only:
            content = replace(content, starts_local=only.starts_local, ends_local=only.ends_local)
        made = Event(self._key(), person, of.owner, of.uid, content, now, now, calendar_id)
        made.only_day = only.day if only else None
        made.response = "notResponded"
        return made

    def copies(self, person: Person, uid: str) -> list[Event]:
        """A person's copies of one meeting: the series, or occurrences that came alone."""
        return list(self.mailbox(person).copies.get(uid, ()))

    def store(self, event: Event) -> None:
        mailbox = self.mailbox(event.owner)
        mailbox.events[event.key] = event
        if not event.is_organizer:
            mailbox.copies.setdefault(event.uid, []).append(event)
        self.touch(event, happened="created")

    def touch(self, event: Event, *days: date, happened: Happened = "updated") -> None:
        """Versions the item after a change (of those days only, when named) and tells the subscribers."""
        mailbox = self.mailbox(event.owner)
        mailbox.sequence += 1
        event.sequence, event.modified_at = mailbox.sequence, self.tenant.clock.now()
        event.day_sequences.update(dict.fromkeys(days, mailbox.sequence))
        if not days:
            event.own_sequence = mailbox.sequence
        event.forget_views()
        one = days[0] if len(days) == 1 and self.tenant.switches.occurrence_changes_name_the_occurrence else None
        self._announce(event, one, happened)

    def remove(self, event: Event) -> None:
        """Takes the item off its calendar for good."""
        mailbox = self.mailbox(event.owner)
        mailbox.gone[event.key] = mailbox.events.pop(event.key)
        if event.is_organizer:
            self._organized.pop(event.uid, None)
        else:
            mailbox.copies[event.uid].remove(event)
        if self.tenant.switches.transaction_ids_are_freed_by_delete and event.transaction_id:
            mailbox.transactions.pop(event.transaction_id, None)
        self.touch(event, happened="deleted")

    def announce_again(self, event: Event, times: int) -> None:
        for _ in range(times):
            self._announce(event, None, "updated")

    def created_by(self, person: Person, transaction_id: str, sent: str) -> Event | None:
        """The event an earlier create with this transactionId and the same body made.

        Raises Refused ErrorDuplicateTransactionId when the body was another one, or the event is gone.
        """
        mailbox = self.mailbox(person)
        earlier = mailbox.transactions.get(transaction_id)
        if earlier is None:
            return None
        if earlier.sent == sent and earlier.key in mailbox.events:
            return mailbox.events[earlier.key]
        status = self.tenant.switches.duplicate_transaction_status
        raise duplicate_transaction(ids.rest_id(earlier.key), status=status)

    def remember(self, person: Person, transaction_id: str, event: Event, *, sent: str) -> None:
        self.mailbox(person).transactions[transaction_id] = Transaction(event.key, sent)
        event.transaction_id = transaction_id

    def next_round_key(self) -> str:
        self._rounds_begun += 1
        return f"R0usmc{self._rounds_begun:08x}"

    def reply(
        self,
        person: Person | str,
        *,
        uid: str,
        response: Answer,
        occurrence_start: datetime | None = None,
        comment: str = "",
        proposed: tuple[datetime, datetime] | None = None,
        send: bool = True,
    ) -> None:
        """An attendee answers the series or one occurrence; `person` is an address for somebody outside.

        Raises Refused 404 when there is no such meeting or occurrence, or the person is not invited to it.
        """
        with self.tenant.lock:
            reply(
                self,
                person,
                uid=uid,
                response=response,
                occurrence_start=occurrence_start,
                comment=comment,
                proposed=proposed,
                send=send,
            )

    def mint(self, organizer: Person, content: Content, recurrence: Recurrence | None) -> OnlineMeeting | None:
        """A Teams meeting for an event; None when the organizer has no Teams licence."""
        if not organizer.teams:
            return None
        starts_at, ends_at = content.starts_at, content.ends_at
        return self.tenant.teams.mint_meeting(
            organizer,
            subject=content.subject,
            starts_at=starts_at,
            ends_at=ends_at,
            recurring=recurrence is not None,
        )

    def update_meeting(self, content: Content, recurrence: Recurrence | None) -> None:
        """The Teams meeting of an event, if it has one, follows what the event says now."""
        if content.meeting is None:
            return
        self.tenant.teams.follow_event(
            content.meeting.join_url,
            subject=content.subject,
            starts_at=content.starts_at,
            ends_at=content.ends_at,
            recurring=recurrence is not None,
        )

    def person(self, attendee: Attendee, organizer: Person) -> Person | None:
        """The account behind an attendee that has a mailbox here and is not the organizer."""
        found = self.tenant.directory.by_address(attendee.address)
        return found if found and found.exchange and found is not organizer else None

    def local_now(self, zone: str) -> datetime:
        return to_local(self.tenant.clock.now(), zone)

    def _announce(self, event: Event, day: date | None, happened: Happened) -> None:
        self.tenant.subscriptions.changed(
            event.owner,
            collection="events",
            item_id=ids.rest_id(event.key, day),
            immutable_id=ids.immutable_id(event.key, day),
            change=happened,
            etag=event.master().etag,
        )

    def _key(self) -> str:
        drawn = uuid.UUID(self.tenant.new_guid()).bytes
        return base64.urlsafe_b64encode(drawn).decode().rstrip("=")

    def _uid(self) -> str:
        made = f"{int(self.tenant.clock.now().timestamp()):016X}"
        return f"{UID_PREFIX}00000000{made}000000000000000010000000{uuid.UUID(self.tenant.new_guid()).hex.upper()}"
