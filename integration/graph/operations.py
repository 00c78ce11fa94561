"""Every request this package makes of Graph, with the least application permission it needs.

The paths are the templates of Graph's own permissions table; docs/permissions.md lists the same ones with reasons.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """One request of Graph. ``reads`` is true for a POST that changes nothing, too (getSchedule)."""

    method: str
    path: str
    permission: str | None
    reads: bool = False
    is_delta: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _get(path: str, permission: str | None, *, is_delta: bool = False) -> Operation:
    return Operation("GET", path, permission, reads=True, is_delta=is_delta)


_EVENT = "/users/{user-id}/events/{event-id}"
_MESSAGE = "/users/{user-id}/messages/{message-id}"
_REPORTS = "/users/{user-id}/onlineMeetings/{onlineMeeting-id}/attendanceReports"

CREATE_EVENT = Operation("POST", "/users/{user-id}/events", "Calendars.ReadWrite")
FIND_EVENTS = _get("/users/{user-id}/events", "Calendars.ReadBasic")
GET_EVENT = _get(_EVENT, "Calendars.ReadBasic")
UPDATE_EVENT = Operation("PATCH", _EVENT, "Calendars.ReadWrite")
CANCEL_EVENT = Operation("POST", f"{_EVENT}/cancel", "Calendars.ReadWrite")
DELETE_EVENT = Operation("DELETE", _EVENT, "Calendars.ReadWrite")
LIST_INSTANCES = _get(f"{_EVENT}/instances", "Calendars.ReadBasic")
VIEW_CALENDAR = _get("/users/{user-id}/calendarView", "Calendars.ReadBasic")
DELTA_CALENDAR = _get("/users/{user-id}/calendarView/delta()", "Calendars.Read", is_delta=True)
LIST_TIME_ZONES = _get("/users/{user-id}/outlook/supportedTimeZones()", "User.Read.All")

GET_SCHEDULE = Operation("POST", "/users/{user-id}/calendar/getSchedule", "Calendars.ReadBasic", reads=True)

FIND_MEETING = _get("/users/{user-id}/onlineMeetings", "OnlineMeetings.Read.All")
LIST_REPORTS = _get(_REPORTS, "OnlineMeetingArtifact.Read.All")
GET_REPORT = _get(f"{_REPORTS}/{{meetingAttendanceReport-id}}", "OnlineMeetingArtifact.Read.All")

CREATE_DRAFT = Operation("POST", "/users/{user-id}/messages", "Mail.ReadWrite")
FIND_MESSAGES = _get("/users/{user-id}/messages", "Mail.ReadBasic.All")
GET_MESSAGE = _get(_MESSAGE, "Mail.Read")
SEND_DRAFT = Operation("POST", f"{_MESSAGE}/send", "Mail.Send")
DELETE_MESSAGE = Operation("DELETE", _MESSAGE, "Mail.ReadWrite")
LIST_INBOX = _get("/users/{user-id}/mailFolders/{mailFolder-id}/messages", "Mail.ReadBasic.All")
DELTA_INBOX = _get(
    "/users/{user-id}/mailFolders/{mailFolder-id}/messages/delta()", "Mail.ReadBasic.All", is_delta=True
)

GET_USER = _get("/users/{user-id}", "User.ReadBasic.All")
LIST_USERS = _get("/users", "User.ReadBasic.All")
LIST_LICENCES = _get("/users/{user-id}/licenseDetails", "LicenseAssignment.Read.All")

GET_CALL_RECORD = _get("/communications/callRecords/{callRecord-id}", "CallRecords.Read.All")

# Subscribing needs the permission to read what is subscribed to, and nothing of its own.
CREATE_SUBSCRIPTION = Operation("POST", "/subscriptions", None)
LIST_SUBSCRIPTIONS = _get("/subscriptions", None)
RENEW_SUBSCRIPTION = Operation("PATCH", "/subscriptions/{subscription-id}", None)
DELETE_SUBSCRIPTION = Operation("DELETE", "/subscriptions/{subscription-id}", None)

# Each part of a batch is judged by its own permission.
BATCH = Operation("POST", "/$batch", None)

OPERATIONS: tuple[Operation, ...] = tuple(found for found in globals().values() if isinstance(found, Operation))
