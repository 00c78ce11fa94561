"""Mailbox settings over HTTP: time zone, language, working hours, automatic replies."""

from datetime import UTC, datetime

from flask import Blueprint, Response
from tzlocal.windows_tz import tz_win, win_tz

from ..tenant.directory import Person
from .odata import GraphFault, Json, context_url, mailbox_owner, respond
from .permissions import allowed

blueprint = Blueprint("mailbox_settings", __name__)


@blueprint.get("/v1.0/users/<user>/mailboxSettings")
@allowed("GET /users/{user-id}/mailboxSettings")
def get_mailbox_settings(user: str) -> Response:
    person = mailbox_owner(user)
    return respond(
        {"@odata.context": context_url(f"users('{person.id}')/mailboxSettings"), **mailbox_settings(person)}
    )


@blueprint.get("/v1.0/users/<user>/mailboxSettings/<any(automaticRepliesSetting, language, workingHours):name>")
@allowed("GET /users/{user-id}/mailboxSettings/workingHours")
def get_mailbox_setting(user: str, name: str) -> Response:
    person = mailbox_owner(user)
    part = mailbox_settings(person)[name]
    assert isinstance(part, dict)
    return respond({"@odata.context": context_url(f"users('{person.id}')/mailboxSettings/{name}"), **part})


@blueprint.get("/v1.0/users/<user>/mailboxSettings/<any(timeZone, userPurpose):name>")
@allowed("GET /users/{user-id}/mailboxSettings/timeZone")
def get_mailbox_property(user: str, name: str) -> Response:
    person = mailbox_owner(user)
    context = context_url(f"users('{person.id}')/mailboxSettings/{name}")
    return respond({"@odata.context": context, "value": mailbox_settings(person)[name]})


@blueprint.get("/v1.0/users/<user>/outlook/supportedTimeZones")
@blueprint.get("/v1.0/users/<user>/outlook/supportedTimeZones(TimeZoneStandard=<standard>)")
@allowed("GET /users/{user-id}/outlook/supportedTimeZones()")
def list_time_zones(user: str, standard: str = "Windows") -> Response:
    """The zones this mailbox takes, as Windows names unless IANA names are asked for."""
    mailbox_owner(user)
    wanted = standard.removeprefix("microsoft.graph.timeZoneStandard").strip("'").casefold()
    if wanted not in ("windows", "iana"):
        raise GraphFault(400, "BadRequest", f"'{standard}' is no timeZoneStandard.")
    names = sorted(win_tz) if wanted == "windows" else sorted(tz_win)
    value = [{"alias": name, "displayName": name} for name in names]
    return respond({"@odata.context": context_url("Collection(microsoft.graph.timeZoneInformation)"), "value": value})


def working_hours(person: Person) -> Json:
    """workingHours; the zone is the person's, as the Windows name Outlook keeps."""
    return {
        "daysOfWeek": list(person.working_days),
        "startTime": f"{person.work_starts:%H:%M:%S}.0000000",
        "endTime": f"{person.work_ends:%H:%M:%S}.0000000",
        "timeZone": {"name": _windows_name(person.time_zone)},
    }


def mailbox_settings(person: Person) -> Json:
    return {
        "archiveFolder": None,
        "timeZone": _windows_name(person.time_zone),
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "yyyy-MM-dd",
        "timeFormat": "HH:mm",
        "userPurpose": "room" if person.kind == "room" else "user",
        "automaticRepliesSetting": _automatic_replies(person),
        "language": {"locale": person.language, "displayName": person.language},
        "workingHours": working_hours(person),
    }


def _automatic_replies(person: Person) -> Json:
    away = person.out_of_office
    starts = away.starts_at if away else datetime(2000, 1, 1, tzinfo=UTC)
    ends = away.ends_at if away else datetime(2000, 1, 2, tzinfo=UTC)
    return {
        "status": "scheduled" if away else "disabled",
        "externalAudience": "all" if away else "none",
        "internalReplyMessage": away.message if away else "",
        "externalReplyMessage": away.message if away else "",
        "scheduledStartDateTime": {"dateTime": f"{starts:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"},
        "scheduledEndDateTime": {"dateTime": f"{ends:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"},
    }


def _windows_name(zone: str) -> str:
    return "UTC" if zone == "UTC" else tz_win[zone]
