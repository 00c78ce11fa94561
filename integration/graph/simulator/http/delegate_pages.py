"""Pages on which a visitor changes what a person organizes, as their delegate does in Outlook, and their account."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import cast
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from ..tenant import editing
from ..tenant.body import stored
from ..tenant.correspondence import received, write_back
from ..tenant.directory import Person
from ..tenant.editing import Amendment, Link
from ..tenant.events import Attendee, Event, EventView, Overrides
from ..tenant.forwarding import forward
from ..tenant.refusals import Refused, invalid
from ..tenant.responses import day_of
from ..tenant.series import Recurrence
from ..tenant.zones import to_local
from .eventbody import read_amendment
from .odata import current_tenant
from .pages import ACCOUNT, refused, same_origin_only, seen, show, visited

blueprint = Blueprint("delegate", __name__)
blueprint.before_request(same_origin_only)
blueprint.register_error_handler(Refused, refused)

LINKS: tuple[Link, ...] = ("keep", "lose", "another", "off")
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@blueprint.get("/people/<mail>/meetings/<uid>")
def show_meeting(mail: str, uid: str) -> Response:
    """One occurrence (`at`: its planned start) of what this person organizes, with everything that can be changed."""
    tenant, person = current_tenant(), visited(mail)
    zone = ZoneInfo(person.time_zone)
    with tenant.lock:
        event = _organized(person, uid)
        view = _occurrence(event, request.args.get("at"))
        return show(
            "meeting.html",
            person=person,
            zone=zone,
            uid=uid,
            view=view,
            at=view.original_start_at,
            week=request.args.get("week", ""),
            starts=view.starts_at.astimezone(zone),
            ends=view.ends_at.astimezone(zone),
            is_series=event.recurrence is not None,
        )


@blueprint.post("/people/<mail>/meetings/<uid>/time")
def move(mail: str, uid: str) -> Response:
    """`starts` and `ends` in the visitor's zone; a series moves as far as the occurrence shown does."""
    tenant, person = current_tenant(), visited(mail)
    with tenant.lock:
        event = _organized(person, uid)
        shown, target = _occurrence(event, request.form.get("at")), _target(event)
        starts, ends = (_wall(name, person, target) for name in ("starts", "ends"))
        shift = starts - shown.shown_content.starts_local
        if target.day is None:
            starts = target.content.starts_local + shift
            ends = starts + (_wall("ends", person, target) - _wall("starts", person, target))
        zone = target.shown_content.start_zone_name
        sent = {"start": _time(starts, zone), "end": _time(ends, zone)}
        amendment = read_amendment(cast("dict[str, object]", sent), target.shown_content)
        days = starts.date() - target.shown_content.starts_local.date()
        if target.day is None and event.recurrence and days:
            amendment = replace(amendment, recurrence=_shifted(event.recurrence, days))
        editing.amend(tenant.calendars, target, amendment)
    return _back(person, "meeting moved")


@blueprint.post("/people/<mail>/meetings/<uid>/words")
def edit(mail: str, uid: str) -> Response:
    """Another subject, another place."""
    form = request.form
    sent = {"subject": form.get("subject", ""), "location": {"displayName": form.get("location", "")}}
    return _amended(mail, uid, cast("dict[str, object]", sent), note="meeting changed")


@blueprint.post("/people/<mail>/meetings/<uid>/body")
def write_body(mail: str, uid: str) -> Response:
    """Other words; `link`: the Teams block is kept, lost from the words, of another meeting, or switched off."""
    form = request.form
    link = form.get("link", "keep")
    if link not in LINKS:
        raise Refused(400, "BadRequest", f"link is one of {', '.join(LINKS)}.")
    tenant, person = current_tenant(), visited(mail)
    overrides: Overrides = {"body_html": stored(form.get("words", ""), is_html=False)}
    if link == "off":
        overrides["meeting"] = None
    with tenant.lock:
        target = _target(_organized(person, uid))
        editing.amend(tenant.calendars, target, Amendment(overrides, named=frozenset({"body"}), link=link))
    return _back(person, "meeting changed")


@blueprint.post("/people/<mail>/meetings/<uid>/attendees")
def change_attendees(mail: str, uid: str) -> Response:
    """Adds the address in `add`, or takes away the one in `remove`."""
    tenant, person, form = current_tenant(), visited(mail), request.form
    added, removed = form.get("add", "").strip(), form.get("remove", "").casefold()
    if added and "@" not in added:
        raise Refused(400, "ErrorInvalidRecipients", f"{added!r} is no address.")
    with tenant.lock:
        target = _target(_organized(person, uid))
        kept = tuple(one for one in target.attendees if one.address.casefold() != removed)
        known = tenant.directory.by_address(added) if added else None
        new = (Attendee(added, known.name if known else added),) if added else ()
        overrides: Overrides = {"attendees": (*kept, *new)}
        editing.amend(tenant.calendars, target, Amendment(overrides, named=frozenset({"attendees"})))
    return _back(person, "attendees changed")


@blueprint.post("/people/<mail>/meetings/<uid>/cancellation")
def cancel(mail: str, uid: str) -> Response:
    tenant, person = current_tenant(), visited(mail)
    with tenant.lock:
        target = _target(_organized(person, uid))
        editing.cancel(tenant.calendars, target, comment=request.form.get("comment", ""))
    return _back(person, "meeting cancelled")


@blueprint.post("/people/<mail>/forwards")
def hand_on(mail: str) -> Response:
    """Somebody invited, or the organizer, forwards the invitation."""
    tenant, person, form = current_tenant(), visited(mail), request.form
    at = form.get("at") if form.get("scope") != "series" else None
    with tenant.lock:
        forward(
            tenant.calendars,
            person,
            uid=form.get("uid", ""),
            to=form.get("to", "").strip(),
            occurrence_start=datetime.fromisoformat(at) if at else None,
            comment=form.get("comment", ""),
        )
    return _back(person, "forwarded")


@blueprint.post("/people/<mail>/mail/<message_id>/answers")
def answer_mail(mail: str, message_id: str) -> Response:
    """The person writes back to whoever wrote to them."""
    tenant, person = current_tenant(), visited(mail)
    words = "".join(f"<p>{escape(line)}</p>" for line in request.form.get("words", "").splitlines() if line.strip())
    with tenant.lock:
        write_back(tenant, person, received(tenant, person, message_id=message_id), body_html=words)
    return _back(person, "written back")


@blueprint.post("/people/<mail>/account")
def change_account(mail: str) -> Response:
    """Takes something from the account, or gives it back: `what`, `on` (yes or no)."""
    tenant, person, what = current_tenant(), visited(mail), request.form.get("what", "")
    if what not in ACCOUNT:
        raise Refused(400, "BadRequest", f"what is one of {', '.join(ACCOUNT)}.")
    with tenant.lock:
        setattr(person, what, request.form.get("on") == "yes")
        tenant.directory.touch(person)
        tenant.advance()
    return _back(person, "account changed")


def _amended(mail: str, uid: str, sent: dict[str, object], *, note: str) -> Response:
    tenant, person = current_tenant(), visited(mail)
    with tenant.lock:
        target = _target(_organized(person, uid))
        editing.amend(tenant.calendars, target, read_amendment(sent, target.shown_content))
    return _back(person, note)


def _organized(person: Person, uid: str) -> Event:
    event = current_tenant().calendars.organized(uid)
    if event is None or event.owner is not person:
        raise Refused(404, "NotFound", f"{person.name} organizes no such meeting.")
    return event


def _occurrence(event: Event, at: str | None) -> EventView:
    day = day_of(event, _instant(at)) if at else None
    view = event.occurrence(day) if day else event.master()
    if view is None:
        raise Refused(404, "NotFound", "This occurrence is not there any more.")
    return view


def _target(event: Event) -> EventView:
    """What the form is about: the occurrence `at`, or with `scope` series the whole of it."""
    return _occurrence(event, None if request.form.get("scope") == "series" else request.form.get("at"))


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace(" ", "+")).astimezone(UTC)
    except ValueError as wrong:
        raise Refused(400, "BadRequest", f"{text!r} is no instant.") from wrong


def _wall(name: str, person: Person, target: EventView) -> datetime:
    """A field of the form, from the visitor's zone into the meeting's."""
    try:
        told = datetime.fromisoformat(request.form.get(name, "")).replace(tzinfo=ZoneInfo(person.time_zone))
    except ValueError as wrong:
        raise Refused(400, "BadRequest", f"{name} is no date and time.") from wrong
    return to_local(told.astimezone(UTC), target.shown_content.time_zone)


def _time(at: datetime, zone: str) -> dict[str, str]:
    return {"dateTime": at.isoformat(), "timeZone": zone}


def _shifted(recurrence: Recurrence, by: timedelta) -> Recurrence:
    """The same pattern on other days of the week."""
    pattern, span = recurrence.pattern, recurrence.range
    if pattern.type != "weekly":
        raise invalid("Only a weekly series can be moved to another day here; change its pattern in Outlook.")
    days = tuple(_WEEK[(_WEEK.index(day) + by.days) % 7] for day in pattern.days_of_week)
    ends = span.end_date + by if span.end_date else None
    moved = replace(span, start_date=span.start_date + by, end_date=ends)
    return Recurrence(replace(pattern, days_of_week=days), moved)


def _back(person: Person, note: str) -> Response:
    return seen("pages.show_person", note=note, mail=person.mail, week=request.form.get("week") or None)
