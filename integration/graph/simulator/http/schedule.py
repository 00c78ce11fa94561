"""`calendar: getSchedule`: free and busy times of up to twenty people at a time."""

from datetime import datetime, timedelta
from typing import cast

from flask import Blueprint, Response

from ..tenant.availability import Schedule, ScheduleItem, Window, schedule_of
from ..tenant.directory import Person
from ..tenant.zones import iana, to_local, to_utc
from .mailbox_settings import working_hours
from .odata import (
    GraphFault,
    Json,
    body,
    context_url,
    current_tenant,
    known_properties,
    mailbox_owner,
    preferences,
    respond,
)
from .permissions import allowed

blueprint = Blueprint("schedule", __name__)

FIELDS = ("schedules", "startTime", "endTime", "availabilityViewInterval")
GET_SCHEDULE = "POST /users/{user-id}/calendar/getSchedule"


@blueprint.post("/v1.0/users/<user>/calendar/getSchedule")
@blueprint.post("/v1.0/users/<user>/calendars/<calendar_id>/getSchedule")
@allowed(GET_SCHEDULE)
def get_schedule(user: str, calendar_id: str | None = None) -> Response:
    asked_as = mailbox_owner(user)
    sent = {key[:1].lower() + key[1:]: value for key, value in body().items()}
    known_properties(sent, FIELDS, "getScheduleRequestBody")
    addresses = _addresses(sent)
    window = _window(sent)
    zone = _answer_zone()
    schedules = [schedule_of(current_tenant(), one, window=window, asked_as=asked_as) for one in addresses]
    answer = [_shown(schedule, zone=zone) for schedule in schedules]
    return respond(
        {"@odata.context": context_url("Collection(microsoft.graph.scheduleInformation)"), "value": answer}
    )


def _addresses(sent: Json) -> list[str]:
    addresses = sent.get("schedules")
    if not isinstance(addresses, list) or not addresses or not all(isinstance(one, str) for one in addresses):
        raise GraphFault(400, "ErrorInvalidRequest", "The parameter 'Schedules' must name at least one address.")
    most = current_tenant().switches.schedule_addresses_per_call
    if len(addresses) > most:
        message = f"The number of addresses {len(addresses)} exceeds the limit of {most}."
        raise GraphFault(400, "ErrorInvalidParameter", message)
    return cast("list[str]", addresses)


def _window(sent: Json) -> Window:
    starts_at, ends_at = _instant(sent, "startTime"), _instant(sent, "endTime")
    if ends_at <= starts_at:
        raise GraphFault(400, "ErrorInvalidTimeInterval", "The end of the time window must be after its start.")
    days = current_tenant().switches.schedule_days_per_call
    if ends_at - starts_at > timedelta(days=days):
        message = f"The requested time duration specified for FreeBusyViewOptions.TimeWindow is over {days} days."
        raise GraphFault(400, "ErrorTimeIntervalTooBig", message)
    minutes = sent.get("availabilityViewInterval", 30)
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 5 <= minutes <= 1440:
        message = "The merged free/busy interval must be between 5 and 1440 minutes."
        raise GraphFault(400, "ErrorInvalidMergedFreeBusyInterval", message)
    return Window(starts_at, ends_at, timedelta(minutes=minutes))


def _instant(sent: Json, name: str) -> datetime:
    given = sent.get(name)
    if not isinstance(given, dict) or not isinstance(given.get("dateTime"), str):
        raise GraphFault(400, "ErrorInvalidRequest", f"The parameter '{name}' is missing or is no dateTimeTimeZone.")
    zone = iana(str(given.get("timeZone") or "UTC"))
    if zone is None:
        raise _no_such_zone(str(given["timeZone"]))
    try:
        at = datetime.fromisoformat(given["dateTime"].replace("Z", "+00:00")[:26])
    except ValueError as wrong:
        raise GraphFault(400, "ErrorInvalidRequest", f"'{given['dateTime']}' is no date and time.") from wrong
    return at if at.tzinfo else to_utc(at, zone)


def _answer_zone() -> tuple[str, str]:
    """The zone asked for by `Prefer: outlook.timezone`, under the name it was asked by, and as IANA."""
    name = preferences().get("outlook.timezone", "UTC")
    zone = iana(name)
    if zone is None:
        message = (
            f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."
        )
        raise GraphFault(400, "TimeZoneNotSupportedException", message)
    return name, zone


def _no_such_zone(name: str) -> GraphFault:
    message = f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."
    return GraphFault(400, "TimeZoneNotSupportedException", message)


def _shown(schedule: Schedule, *, zone: tuple[str, str]) -> Json:
    if schedule.unreadable:
        error = {"message": schedule.unreadable.message, "responseCode": schedule.unreadable.code}
        return {"scheduleId": schedule.address, "availabilityView": "", "scheduleItems": [], "error": error}
    return {
        "scheduleId": schedule.address,
        "availabilityView": schedule.view,
        "scheduleItems": [_item(item, zone) for item in schedule.items],
        "workingHours": working_hours(cast(Person, schedule.person)),
    }


def _item(item: ScheduleItem, zone: tuple[str, str]) -> Json:
    shown: Json = {"status": item.shows_as}
    if item.subject is not None:
        shown |= {"isPrivate": item.private, "subject": item.subject, "location": item.location or ""}
    return shown | {"start": _wall_clock(item.starts_at, zone), "end": _wall_clock(item.ends_at, zone)}


def _wall_clock(at: datetime, zone: tuple[str, str]) -> Json:
    name, iana_name = zone
    return {"dateTime": f"{to_local(at, iana_name):%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": name}
