"""Which application roles each operation accepts, least first: a row per operation of the simulator.

Source: the permissions table of every method's page in the Graph reference. Roles in Exchange's own scoping
(RBAC for Applications) are not in tokens; the tenant checks those by mailbox.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Response

from .auth import Claims, claims_of_request
from .odata import GraphFault, current_tenant

P = ParamSpec("P")
Roles = tuple[str, ...]

READ_CALENDAR: Roles = ("Calendars.ReadBasic", "Calendars.Read", "Calendars.ReadWrite")
READ_CHANGES: Roles = ("Calendars.Read", "Calendars.ReadBasic", "Calendars.ReadWrite")
READ_CALENDAR_CONTENT: Roles = ("Calendars.Read", "Calendars.ReadWrite")
WRITE_CALENDAR: Roles = ("Calendars.ReadWrite",)
READ_MAIL_LIST: Roles = ("Mail.ReadBasic.All", "Mail.ReadBasic", "Mail.Read", "Mail.ReadWrite")
READ_MAIL: Roles = ("Mail.Read", "Mail.ReadBasic.All", "Mail.ReadBasic", "Mail.ReadWrite")
READ_MAIL_CONTENT: Roles = ("Mail.Read", "Mail.ReadWrite")
WRITE_MAIL: Roles = ("Mail.ReadWrite",)
SEND_MAIL: Roles = ("Mail.Send",)
READ_SETTINGS: Roles = ("MailboxSettings.Read", "MailboxSettings.ReadWrite")
READ_USERS: Roles = (
    "User.ReadBasic.All",
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
)
READ_WHOLE_USERS: Roles = ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
READ_MEETINGS: Roles = ("OnlineMeetings.Read.All", "OnlineMeetings.ReadWrite.All")
WRITE_MEETINGS: Roles = ("OnlineMeetings.ReadWrite.All",)
READ_ATTENDANCE: Roles = ("OnlineMeetingArtifact.Read.All",)
READ_RECORDINGS: Roles = ("OnlineMeetingRecording.Read.All",)
READ_TRANSCRIPTS: Roles = ("OnlineMeetingTranscript.Read.All",)
READ_CALL_RECORDS: Roles = ("CallRecords.Read.All",)
SIGNED_IN: Roles = ()
"""The token alone; what else is needed depends on the resource named in the body."""

_EVENTS = (
    "/users/{user-id}/events",
    "/users/{user-id}/calendar/events",
    "/users/{user-id}/calendars/{calendar-id}/events",
)
_VIEWS = (
    "/users/{user-id}/calendarView",
    "/users/{user-id}/calendar/calendarView",
    "/users/{user-id}/calendars/{calendar-id}/calendarView",
)
_MESSAGES = (
    "/users/{user-id}/messages",
    "/users/{user-id}/mailFolders/{mailFolder-id}/messages",
)
_MEETING = "/users/{user-id}/onlineMeetings/{onlineMeeting-id}"
_REPORT = f"{_MEETING}/attendanceReports/{{meetingAttendanceReport-id}}"


def _calendar_rows() -> dict[str, Roles]:
    rows: dict[str, Roles] = {}
    for events in _EVENTS:
        one = f"{events}/{{event-id}}"
        rows |= {f"GET {path}": READ_CALENDAR for path in (events, f"{events}/$count", one, f"{one}/instances")}
        rows |= {f"GET {events}/delta()": READ_CHANGES, f"GET {one}/attachments": READ_CALENDAR_CONTENT}
        rows |= {f"POST {path}": WRITE_CALENDAR for path in (events, f"{one}/attachments")}
        rows |= {f"{method} {one}": WRITE_CALENDAR for method in ("PATCH", "DELETE")}
        rows |= {
            f"POST {one}/{action}": WRITE_CALENDAR
            for action in (
                "accept",
                "cancel",
                "decline",
                "dismissReminder",
                "permanentDelete",
                "snoozeReminder",
                "tentativelyAccept",
            )
        }
        rows[f"POST {one}/forward"] = READ_CALENDAR_CONTENT
    for view in _VIEWS:
        rows |= {f"GET {view}": READ_CALENDAR, f"GET {view}/delta()": READ_CHANGES}
    for calendar in ("calendar", "calendars/{calendar-id}"):
        rows[f"GET /users/{{user-id}}/{calendar}"] = READ_CALENDAR
        rows[f"POST /users/{{user-id}}/{calendar}/getSchedule"] = READ_CALENDAR
    rows["GET /users/{user-id}/calendars"] = READ_CALENDAR
    rows["GET /users/{user-id}/calendars/$count"] = READ_CALENDAR
    rows["POST /users/{user-id}/calendars"] = WRITE_CALENDAR
    rows["DELETE /users/{user-id}/calendars/{calendar-id}"] = WRITE_CALENDAR
    return rows


def _mail_rows() -> dict[str, Roles]:
    rows: dict[str, Roles] = {"POST /users/{user-id}/sendMail": SEND_MAIL}
    for messages in _MESSAGES:
        one = f"{messages}/{{message-id}}"
        rows |= {f"GET {messages}": READ_MAIL_LIST, f"GET {messages}/$count": READ_MAIL_LIST}
        rows |= {f"GET {one}": READ_MAIL, f"GET {one}/attachments": READ_MAIL_CONTENT}
        rows[f"GET {messages}/delta()"] = READ_MAIL_LIST
        rows[f"GET {one}/$value"] = READ_MAIL_CONTENT
        rows |= {f"POST {path}": WRITE_MAIL for path in (messages, f"{one}/attachments")}
        rows |= {f"{method} {one}": WRITE_MAIL for method in ("PATCH", "DELETE")}
        rows |= {
            f"POST {one}/{action}": WRITE_MAIL
            for action in ("copy", "createForward", "createReply", "createReplyAll", "move", "permanentDelete")
        }
        rows |= {f"POST {one}/{action}": SEND_MAIL for action in ("forward", "reply", "replyAll")}
    rows["POST /users/{user-id}/messages/{message-id}/send"] = SEND_MAIL
    rows["POST /users/{user-id}/messages/{message-id}/attachments/createUploadSession"] = (
        "Calendars.ReadWrite",
        "Mail.ReadWrite",
    )
    folders = "/users/{user-id}/mailFolders"
    rows |= {f"GET {path}": READ_MAIL_LIST for path in (folders, f"{folders}/{{mailFolder-id}}")}
    return rows


def _directory_rows() -> dict[str, Roles]:
    user = "/users/{user-id}"
    zones = f"{user}/outlook/supportedTimeZones"
    return {
        "GET /users": READ_USERS,
        "GET /users/$count": READ_USERS,
        f"GET {user}": READ_USERS,
        "GET /users/delta()": READ_WHOLE_USERS,
        f"GET {user}/manager": READ_WHOLE_USERS,
        f"GET {user}/directReports": READ_WHOLE_USERS,
        f"GET {user}/licenseDetails": ("LicenseAssignment.Read.All", *READ_WHOLE_USERS),
        f"GET {user}/mailboxSettings": READ_SETTINGS,
        **{
            f"GET {user}/mailboxSettings/{name}": READ_SETTINGS
            for name in ("automaticRepliesSetting", "language", "timeZone", "userPurpose", "workingHours")
        },
        f"PATCH {user}/mailboxSettings": ("MailboxSettings.ReadWrite",),
        f"GET {user}/outlook/masterCategories": ("MailboxSettings.Read", "MailboxSettings.ReadWrite"),
        f"POST {user}/outlook/masterCategories": ("MailboxSettings.ReadWrite",),
        f"GET {zones}()": ("User.Read.All", "User.ReadBasic.All"),
        f"GET {zones}(TimeZoneStandard='{{TimeZoneStandard}}')": ("User.Read.All", "User.ReadBasic.All"),
        "GET /organization": ("Organization.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"),
        "GET /servicePrincipals": ("Application.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    }


def _teams_rows() -> dict[str, Roles]:
    meetings = "/users/{user-id}/onlineMeetings"
    return {
        f"GET {meetings}": READ_MEETINGS,
        f"GET {_MEETING}": READ_MEETINGS,
        f"POST {meetings}": WRITE_MEETINGS,
        f"POST {meetings}/createOrGet": WRITE_MEETINGS,
        f"PATCH {_MEETING}": WRITE_MEETINGS,
        f"DELETE {_MEETING}": WRITE_MEETINGS,
        f"GET {_MEETING}/attendanceReports": READ_ATTENDANCE,
        f"GET {_MEETING}/attendanceReports/$count": READ_ATTENDANCE,
        f"GET {_REPORT}": READ_ATTENDANCE,
        f"GET {_REPORT}/attendanceRecords": READ_ATTENDANCE,
        f"GET {_REPORT}/attendanceRecords/$count": READ_ATTENDANCE,
        f"GET {_MEETING}/recordings": READ_RECORDINGS,
        f"GET {_MEETING}/recordings/{{callRecording-id}}": READ_RECORDINGS,
        f"GET {_MEETING}/transcripts": READ_TRANSCRIPTS,
        f"GET {_MEETING}/transcripts/{{callTranscript-id}}": READ_TRANSCRIPTS,
    }


def _other_rows() -> dict[str, Roles]:
    records = "/communications/callRecords"
    return {
        f"GET {records}": READ_CALL_RECORDS,
        f"GET {records}/{{callRecord-id}}": READ_CALL_RECORDS,
        f"GET {records}/{{callRecord-id}}/sessions": READ_CALL_RECORDS,
        f"GET {records}/{{callRecord-id}}/participants_v2": READ_CALL_RECORDS,
        "POST /$batch": SIGNED_IN,
        "GET /subscriptions": SIGNED_IN,
        "POST /subscriptions": SIGNED_IN,
        "GET /subscriptions/{subscription-id}": SIGNED_IN,
        "PATCH /subscriptions/{subscription-id}": SIGNED_IN,
        "DELETE /subscriptions/{subscription-id}": SIGNED_IN,
        "POST /subscriptions/{subscription-id}/reauthorize": SIGNED_IN,
    }


OPERATIONS: dict[str, Roles] = {
    **_directory_rows(),
    **_calendar_rows(),
    **_mail_rows(),
    **_teams_rows(),
    **_other_rows(),
}


class UnknownOperation(KeyError):
    def __init__(self, operation: str) -> None:
        super().__init__(f"{operation!r} has no row in the permissions table; write it as the reference's template")


def allowed(operation: str, *, locked: bool = True) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Lets a view answer only tokens with a role the operation accepts: else 403.

    `operation` is method and template, "GET /users/{user-id}/events"; names in braces may differ. The view runs
    under the tenant's lock unless `locked` is False, for views that wait for somebody else's server.
    """
    roles = roles_for(operation)

    def decorate(view: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> Response:
            _check(claims_of_request(), roles, operation)
            if not locked:
                return view(*args, **kwargs)
            with current_tenant().lock:
                return view(*args, **kwargs)

        checked.operation = operation  # type: ignore[attr-defined]
        return checked

    return decorate


def roles_for(operation: str) -> Roles:
    """Raises UnknownOperation for a method and template without a row."""
    found = _BY_SHAPE.get(_shape(operation))
    if found is None:
        raise UnknownOperation(operation)
    return found


def has_role(*roles: str) -> bool:
    """Whether the token carries one of the roles, for rules finer than a row (a body needs Calendars.Read)."""
    return _carries(claims_of_request(), roles)


def _check(claims: Claims, roles: Roles, operation: str) -> None:
    if not roles or _carries(claims, roles):
        return
    if re.search(r"/(calendar|events|messages|mail|sendMail|outlook)", operation):
        raise GraphFault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    if "/onlineMeetings" in operation or "/callRecords" in operation:
        message = "Application does not have permission to perform this operation."
        raise GraphFault(403, "Forbidden", message)
    raise GraphFault(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _carries(claims: Claims, roles: Roles) -> bool:
    """Calendars.ReadBasic is called Calendars.ReadBasic.All among older application roles: either name counts."""
    granted = claims.roles | {role.removesuffix(".All") for role in claims.roles if "ReadBasic" in role}
    return not granted.isdisjoint(roles)


def _shape(operation: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", operation).replace("()", "").casefold()


_BY_SHAPE = {_shape(operation): roles for operation, roles in OPERATIONS.items()}
