"""Attendance reports: one per call, for its organizer, some time after the call has ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .calls import Call, Connection, Participant
from .teams import OnlineMeeting, RunningReport

if TYPE_CHECKING:
    from .tenant import Tenant

RETENTION = timedelta(days=365)
"""Reports are kept for one year from the meeting. Facts 3.3."""


@dataclass(frozen=True)
class Record:
    """One line of a report: a participant, or one device of theirs."""

    id: str
    participant: Participant
    stays: tuple[Connection, ...]
    hidden: bool

    @property
    def seconds(self) -> int:
        """The sum over the stays: two devices at once count twice."""
        return sum(seconds_of(stay) for stay in self.stays)


@dataclass(frozen=True)
class Report:
    """`final` is False for the empty or partial one some tenants show while a call runs."""

    id: str
    starts_at: datetime
    ends_at: datetime
    participants: int
    records: tuple[Record, ...]
    final: bool = True


def reports_of(meeting: OnlineMeeting, *, tenant: "Tenant") -> list[Report]:
    """Every report that can be read now, newest first. The list shows fewer: see `report_list_length`."""
    if (meeting.organizer.engagement_report or tenant.switches.engagement_report) == "Disabled":
        return []
    shown = [report for call in meeting.calls if (report := _report(meeting, call, tenant=tenant))]
    return sorted(shown, key=lambda report: report.starts_at, reverse=True)


def seconds_of(stay: Connection) -> int:
    return int((stay.left_at - stay.joined_at).total_seconds()) if stay.left_at else 0


def _report(meeting: OnlineMeeting, call: Call, *, tenant: "Tenant") -> Report | None:
    now, switches = tenant.clock.now(), tenant.switches
    visible_at = tenant.teams.report_visible_at(meeting, call)
    if call.ended_at is not None and visible_at is not None and visible_at <= now:
        alone = len(call.participants) < 2 and not switches.report_for_one_participant
        if alone or now > call.ended_at + RETENTION:
            return None
        records = _records(meeting, call, tenant=tenant)
        return Report(call.id, call.started_at, call.ended_at, len(records), records)
    running = call.ended_at is None or visible_at is not None
    shown = _while_running(meeting, tenant=tenant)
    if shown == "none" or not running:
        return None
    records = _records(meeting, call, tenant=tenant) if shown == "partial" else ()
    return Report(call.id, call.started_at, call.ended_at or now, len(records), records, final=False)


def _while_running(meeting: OnlineMeeting, *, tenant: "Tenant") -> RunningReport:
    if meeting.running_report is not None:
        return meeting.running_report
    if not tenant.switches.report_while_running:
        return "none"
    return "partial" if tenant.switches.running_report_is_partial else "empty"


def _records(meeting: OnlineMeeting, call: Call, *, tenant: "Tenant") -> tuple[Record, ...]:
    hide_all, per_device = tenant.switches.report_masks_identities, meeting.record_per_device
    if per_device is None:
        per_device = tenant.switches.record_per_device
    records: list[Record] = []
    for one in call.participants.values():
        hidden = hide_all or one.kind == "masked"
        records += _per_device(one, hidden) if per_device else [Record(one.id, one, tuple(one.connections), hidden)]
    return tuple(records)


def _per_device(one: Participant, hidden: bool) -> list[Record]:
    devices = dict.fromkeys(stay.device for stay in one.connections)
    return [
        Record(
            id=one.id if at == 0 else f"{one.id[:-4]}{(int(one.id[-4:], 16) + at) % 0x10000:04x}",
            participant=one,
            stays=tuple(stay for stay in one.connections if stay.device == device),
            hidden=hidden,
        )
        for at, device in enumerate(devices)
    ]
