"""Call records of the tenant. https://learn.microsoft.com/graph/api/resources/callrecords-callrecord"""

from __future__ import annotations

from datetime import datetime

from integration.graph import operations
from integration.graph.resources import CallRecord
from integration.graph.translate import Wire
from integration.graph.transport import Request, Transport, decoded


class WireCallRecord(Wire):
    id: str
    join_web_url: str | None = None
    start_date_time: datetime | None = None
    end_date_time: datetime | None = None


class CallCalls:
    """What is known of calls that have ended. Every call raises GraphError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def record(self, call_id: str) -> CallRecord:
        """When a call was, and the meeting it belonged to. Raises NotFound while it is too new, and after 30 days."""
        request = Request(
            operation=operations.GET_CALL_RECORD,
            builder=self._transport.root.communications.call_records.by_call_record_id(call_id),
        )
        wire = decoded(self._transport.send(request), WireCallRecord, operation=request.operation)
        return CallRecord(wire.id, wire.join_web_url, wire.start_date_time, wire.end_date_time)
