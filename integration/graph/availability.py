"""Free/busy and working hours. https://learn.microsoft.com/graph/api/calendar-getschedule"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from integration.graph import operations, outgoing
from integration.graph.resources import Schedule
from integration.graph.translate import WireSchedule, schedule_in
from integration.graph.transport import UTC_TIMES, Page, Request, Transport, chunks, decoded

ADDRESSES_A_CALL = 20
LONGEST_WINDOW = timedelta(days=14)
VIEW_MINUTES = 60  # the coarsest view that is of any use; we read the items, not the view


class AvailabilityCalls:
    """What people's calendars show to a mailbox of ours."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def schedules(
        self, viewer_mailbox: str, addresses: Sequence[str], starts_at: datetime, ends_at: datetime
    ) -> dict[str, Schedule]:
        """Free/busy of ``addresses`` by lower-case address, as ``viewer_mailbox`` may see it.

        Who has no readable calendar is there with ``error``. A window of any length is asked for in pieces; an error
        in one piece stands for the whole. Raises GraphError.
        """
        wanted = list(dict.fromkeys(address.lower() for address in addresses))
        found: dict[str, Schedule] = {}
        for group in chunks(wanted, ADDRESSES_A_CALL):
            for since, until in _windows(starts_at, ends_at):
                for schedule in self._ask(viewer_mailbox, group, since, until):
                    found[schedule.address] = _joined(found.get(schedule.address), schedule)
        missing = {address: Schedule(address, error="not answered") for address in wanted if address not in found}
        return found | missing

    def _ask(self, viewer: str, group: Sequence[str], since: datetime, until: datetime) -> Iterator[Schedule]:
        request = Request(
            operation=operations.GET_SCHEDULE,
            builder=self._transport.root.users.by_user_id(viewer).calendar.get_schedule,
            mailbox=viewer,
            body={
                "schedules": list(group),
                "startTime": outgoing.utc_out(since),
                "endTime": outgoing.utc_out(until),
                "availabilityViewInterval": VIEW_MINUTES,
            },
            prefer=(UTC_TIMES,),
        )
        page = decoded(self._transport.send(request), Page[WireSchedule], operation=request.operation)
        return (schedule_in(wire) for wire in page.value)


def _windows(starts_at: datetime, ends_at: datetime) -> Iterator[tuple[datetime, datetime]]:
    since = starts_at
    while since < ends_at:
        until = min(since + LONGEST_WINDOW, ends_at)
        yield since, until
        since = until


def _joined(before: Schedule | None, later: Schedule) -> Schedule:
    if before is None or later.error is not None:
        return later
    if before.error is not None:
        return before
    blocks = sorted({*before.busy, *later.busy}, key=lambda block: (block.starts_at, block.ends_at))
    return Schedule(later.address, busy=tuple(blocks), working_hours=later.working_hours or before.working_hours)
