"""Call records: what a call was, some time after it ended; kept for 30 days. Facts 4."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .calls import Call
from .refusals import Refused

if TYPE_CHECKING:
    from .resources import Change
    from .teams import OnlineMeeting
    from .tenant import Tenant

RETENTION = timedelta(days=30)


@dataclass
class CallRecord:
    """A call, and those by which it was opened again soon after. `version` rises with each."""

    id: str
    meeting: "OnlineMeeting"
    calls: list[Call] = field(default_factory=list)
    version: int = 1
    modified_at: datetime | None = None

    @property
    def started_at(self) -> datetime:
        return self.calls[0].started_at

    @property
    def ended_at(self) -> datetime:
        return max(one.ended_at or one.started_at for one in self.calls)


class CallRecords:
    def __init__(self, tenant: "Tenant") -> None:
        self._tenant = tenant
        self._kept: dict[str, CallRecord] = {}
        self._pending: list[tuple[datetime, OnlineMeeting, Call]] = []

    def ended(self, meeting: "OnlineMeeting", call: Call) -> None:
        """Its record, or the next version of one, appears after a while."""
        minutes = self._tenant.switches.call_record_delay_minutes
        if call.ended_at is None or minutes < 0:
            return
        self._pending.append((call.ended_at + timedelta(minutes=minutes), meeting, call))
        self._pending.sort(key=lambda one: one[0])

    def find(self, record_id: str) -> CallRecord:
        """Raises Refused (404) for a call that runs, has no record yet, or is older than 30 days."""
        record = self._kept.get(record_id)
        if record is None or record.ended_at + RETENTION <= self._tenant.clock.now():
            raise Refused(404, "NotFound", f"Call record {record_id} was not found.")
        return record

    def all(self) -> list[CallRecord]:
        """Newest first."""
        oldest = self._tenant.clock.now() - RETENTION
        kept = [one for one in self._kept.values() if one.ended_at > oldest]
        return sorted(kept, key=lambda one: one.started_at, reverse=True)

    def advance(self, now: datetime) -> None:
        while self._pending and self._pending[0][0] <= now:
            at, meeting, call = self._pending.pop(0)
            self._write(meeting, call, at=at)

    def next_event_at(self) -> datetime | None:
        """None while nobody is told of records: a demonstration need not stop where nothing is to be seen."""
        heard = self._tenant.subscriptions.watching("callRecords")
        return self._pending[0][0] if self._pending and heard else None

    def _write(self, meeting: "OnlineMeeting", call: Call, *, at: datetime) -> None:
        reopened = self._reopened(meeting, call)
        record = reopened or CallRecord(call.id, meeting)
        record.calls.append(call)
        record.modified_at = at
        self._kept[record.id] = record
        if reopened:
            record.version += 1
        else:
            self._tell(record, "created")
        if reopened or self._tenant.switches.call_record_creation_updates_too:
            self._tell(record, "updated")

    def _reopened(self, meeting: "OnlineMeeting", call: Call) -> CallRecord | None:
        """The record of the same meeting that this call continues."""
        within = timedelta(minutes=self._tenant.switches.call_record_reopened_within_minutes)
        earlier = [one for one in self._kept.values() if one.meeting is meeting and one.ended_at <= call.started_at]
        last = max(earlier, key=lambda one: one.ended_at, default=None)
        return last if last is not None and call.started_at - last.ended_at <= within else None

    def _tell(self, record: CallRecord, change: "Change") -> None:
        subscriptions = self._tenant.subscriptions
        for one in subscriptions.watching("callRecords"):
            if change in one.change_types:
                subscriptions.tell(one, item_id=record.id, change=change)
