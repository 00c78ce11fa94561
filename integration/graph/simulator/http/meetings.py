"""/users/{id}/onlineMeetings and their attendance reports. Facts 2, 3 and 18."""

import re
from datetime import datetime

from flask import Blueprint, Response, request

from ..tenant.directory import Person
from ..tenant.refusals import Refused
from ..tenant.reports import Record, Report, reports_of, seconds_of
from ..tenant.teams import WRITABLE, OnlineMeeting
from .odata import (
    Json,
    body,
    collection,
    context_url,
    current_tenant,
    known_properties,
    preferences,
    refuse_options,
    respond,
    select,
)
from .permissions import allowed

blueprint = Blueprint("meetings", __name__)

_ONE = "/v1.0/users/<user>/onlineMeetings/<meeting_id>"
_REPORT = f"{_ONE}/attendanceReports/<report_id>"
_FILTER = re.compile(
    r"^\s*(?P<name>JoinWebUrl|joinMeetingIdSettings/joinMeetingId)\s+eq\s+'(?P<value>(?:[^']|'')*)'\s*$", re.I
)
_READ_ONLY = {"id", "creationDateTime", "joinWebUrl", "chatInfo", "audioConferencing", "expiryDateTime"}


@blueprint.get("/v1.0/users/<user>/onlineMeetings")
@allowed("GET /users/{user-id}/onlineMeetings")
def find_meeting(user: str) -> Response:
    """A collection of one, by join link or meeting id; there is no list of all meetings of a user."""
    organizer = _organizer(user)
    refuse_options({"$filter", "$select"})
    found = _FILTER.match(request.args.get("$filter", ""))
    if found is None:
        raise Refused(
            400, "BadRequest", "Filter expression expected - JoinWebUrl or joinMeetingIdSettings/joinMeetingId."
        )
    meeting = _by_filter(organizer, found["name"].casefold(), found["value"].replace("''", "'"))
    items = [] if meeting is None else [select(_json(meeting), type_name="onlineMeeting")]
    return respond({"@odata.context": context_url(f"users('{organizer.id}')/onlineMeetings"), "value": items})


@blueprint.post("/v1.0/users/<user>/onlineMeetings")
@allowed("POST /users/{user-id}/onlineMeetings")
def create_meeting(user: str) -> Response:
    """A meeting without an event: no calendar has it and nobody is invited."""
    organizer, teams = _organizer(user), current_tenant().teams
    sent = body()
    known_properties(sent, WRITABLE, "onlineMeeting")
    now = current_tenant().clock.now()
    starts_at, ends_at = _instant(sent, "startDateTime") or now, _instant(sent, "endDateTime")
    meeting = teams.mint_meeting(
        organizer, subject=None, starts_at=starts_at, ends_at=ends_at or starts_at, recurring=False
    )
    try:
        teams.update(meeting, {name: value for name, value in sent.items() if "@" not in name})
    except Refused:
        teams.forget(meeting)
        raise
    return _entity(meeting, status=201)


@blueprint.get(_ONE)
@allowed("GET /users/{user-id}/onlineMeetings/{onlineMeeting-id}")
def get_meeting(user: str, meeting_id: str) -> Response:
    return _entity(_meeting(user, meeting_id))


@blueprint.patch(_ONE)
@allowed("PATCH /users/{user-id}/onlineMeetings/{onlineMeeting-id}")
def update_meeting(user: str, meeting_id: str) -> Response:
    meeting = _meeting(user, meeting_id)
    sent = body()
    for name in sorted(sent.keys() & _READ_ONLY):
        raise Refused(400, "BadRequest", f"{name} is read-only.")
    known_properties(sent, WRITABLE, "onlineMeeting")
    current_tenant().teams.update(meeting, {name: value for name, value in sent.items() if "@" not in name})
    return _entity(meeting)


@blueprint.delete(_ONE)
@allowed("DELETE /users/{user-id}/onlineMeetings/{onlineMeeting-id}")
def delete_meeting(user: str, meeting_id: str) -> Response:
    current_tenant().teams.forget(_meeting(user, meeting_id))
    return respond(status=204)


@blueprint.get(f"{_ONE}/attendanceReports")
@allowed("GET /users/{user-id}/onlineMeetings/{onlineMeeting-id}/attendanceReports")
def list_reports(user: str, meeting_id: str) -> Response:
    """The newest reports, each with an empty list of records."""
    tenant, meeting = current_tenant(), _meeting(user, meeting_id)
    newest = reports_of(meeting, tenant=tenant)[: tenant.switches.report_list_length]
    return collection(
        [_report_json(report, with_records=False) for report in newest],
        context=f"users('{meeting.organizer.id}')/onlineMeetings('{meeting.id}')/attendanceReports",
        type_name="meetingAttendanceReport",
        default_page=50,
        next_by="$skiptoken",
    )


@blueprint.get(_REPORT)
@allowed("GET /users/{user-id}/onlineMeetings/{onlineMeeting-id}/attendanceReports/{meetingAttendanceReport-id}")
def get_report(user: str, meeting_id: str, report_id: str) -> Response:
    """Records come only with `$expand=attendanceRecords`."""
    meeting = _meeting(user, meeting_id)
    report = _report(meeting, report_id)
    refuse_options({"$select", "$expand"})
    expand = request.args.get("$expand", "")
    if expand not in ("", "attendanceRecords"):
        raise Refused(400, "BadRequest", f"Could not expand {expand!r}; there is attendanceRecords.")
    context = f"users('{meeting.organizer.id}')/onlineMeetings('{meeting.id}')/attendanceReports('{report.id}')"
    item = _report_json(report, with_records=bool(expand))
    if not expand:
        del item["attendanceRecords"]
    return respond({"@odata.context": context_url(context), **select(item, type_name="meetingAttendanceReport")})


@blueprint.get(f"{_REPORT}/attendanceRecords")
@allowed(
    "GET /users/{user-id}/onlineMeetings/{onlineMeeting-id}/attendanceReports/{meetingAttendanceReport-id}"
    "/attendanceRecords"
)
def list_records(user: str, meeting_id: str, report_id: str) -> Response:
    meeting = _meeting(user, meeting_id)
    report = _report(meeting, report_id)
    return collection(
        [_record_json(record) for record in report.records],
        context=f"users('{meeting.organizer.id}')/onlineMeetings('{meeting.id}')"
        f"/attendanceReports('{report.id}')/attendanceRecords",
        type_name="attendanceRecord",
        default_page=100,
        next_by="$skiptoken",
    )


def _organizer(user: str) -> Person:
    """By object id only: Teams does not look people up by name here."""
    tenant = current_tenant()
    person = tenant.directory.find(user)
    if person is None or person.id.casefold() != user.casefold():
        raise Refused(404, "UnknownError", f"'{user}' is not the object id of a user.")
    tenant.teams.reachable(person)
    return person


def _meeting(user: str, meeting_id: str) -> OnlineMeeting:
    return current_tenant().teams.meeting_of(_organizer(user), meeting_id)


def _by_filter(organizer: Person, name: str, value: str) -> OnlineMeeting | None:
    teams = current_tenant().teams
    if name == "joinweburl":
        found = teams.by_join_url(value)
    else:
        digits = value.replace(" ", "")
        every = teams.meetings.values()
        found = next((one for one in every if one.join_meeting_id.replace(" ", "") == digits), None)
    return found if found and found.organizer is organizer and not teams.expired(found) else None


def _report(meeting: OnlineMeeting, report_id: str) -> Report:
    for report in reports_of(meeting, tenant=current_tenant()):
        if report.id == report_id:
            return report
    raise Refused(404, "NotFound", "Attendance report not found.")


def _instant(sent: Json, name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(str(sent[name])) if name in sent else None
    except ValueError as error:
        raise Refused(400, "BadRequest", f"{name} is no date-time: {error}") from error


def _entity(meeting: OnlineMeeting, *, status: int = 200) -> Response:
    refuse_options({"$select", "$expand"})
    context = context_url(f"users('{meeting.organizer.id}')/onlineMeetings/$entity")
    return respond({"@odata.context": context, **select(_json(meeting), type_name="onlineMeeting")}, status)


def _json(meeting: OnlineMeeting) -> Json:
    return {
        "id": meeting.id,
        "creationDateTime": _z(meeting.created_at),
        "startDateTime": _z(meeting.starts_at),
        "endDateTime": _z(meeting.ends_at),
        "expiryDateTime": _z(meeting.expires_at),
        "joinWebUrl": meeting.join_url,
        "subject": meeting.subject,
        "meetingType": "recurring" if meeting.recurring else "scheduled",
        "isBroadcast": False,
        "videoTeleconferenceId": None,
        **meeting.settings,
        "lobbyBypassSettings": {
            "scope": _scope(meeting.lobby_scope),
            "isDialInBypassEnabled": meeting.dial_in_bypasses_lobby,
        },
        "participants": {"organizer": _participant(meeting.organizer), "attendees": meeting.attendees},
        "chatInfo": {"threadId": meeting.thread_id, "messageId": "0", "replyChainMessageId": None},
        "audioConferencing": {
            "conferenceId": meeting.conference_id,
            "tollNumber": meeting.toll_number,
            "tollFreeNumber": None,
            "dialinUrl": f"https://dialin.teams.microsoft.com/{current_tenant().id}?id={meeting.conference_id}",
        },
        "joinMeetingIdSettings": {
            "isPasscodeRequired": True,
            "joinMeetingId": meeting.join_meeting_id,
            "passcode": meeting.passcode,
        },
    }


def _scope(scope: str) -> str:
    """Later members of the enumeration are shown only to those who ask for them."""
    later = scope in ("invited", "organizationExcludingGuests")
    return "unknownFutureValue" if later and "include-unknown-enum-members" not in preferences() else scope


def _participant(person: Person) -> Json:
    user = {
        "@odata.type": "#microsoft.graph.communicationsUserIdentity",
        "id": person.id,
        "displayName": None,
        "tenantId": current_tenant().id,
    }
    return {"upn": person.mail, "role": "presenter", "identity": {"user": user}}


def _report_json(report: Report, *, with_records: bool) -> Json:
    return {
        "id": report.id,
        "totalParticipantCount": report.participants,
        "meetingStartDateTime": _z(report.starts_at),
        "meetingEndDateTime": _z(report.ends_at),
        "attendanceRecords": [_record_json(record) for record in report.records] if with_records else [],
    }


def _record_json(record: Record) -> Json:
    """Only accounts have an id and an address; telephones, anonymous people and hidden ones have neither.

    Guests have an id, federated people an id of another tenant (a switch): nobody's address is told.
    """
    one = record.participant
    account = None if record.hidden else one.person
    other_id = one.id if one.kind == "guest" and not record.hidden else None
    home = one.elsewhere if current_tenant().switches.federated_people_have_ids and not record.hidden else None
    if home is not None:
        other_id = home[0]
    return {
        "id": record.id,
        "emailAddress": account.mail if account and one.shows_address else None,
        "totalAttendanceInSeconds": record.seconds,
        "role": one.role,
        "identity": {
            "id": account.id if account else other_id,
            "displayName": None if record.hidden else one.name,
            "tenantId": home[1] if home else None,
        },
        "attendanceIntervals": [
            {
                "joinDateTime": _z(stay.joined_at),
                "leaveDateTime": _z(stay.left_at or stay.joined_at),
                "durationInSeconds": seconds_of(stay),
            }
            for stay in record.stays
        ],
    }


def _z(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
