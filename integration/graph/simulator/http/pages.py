"""Pages for a visitor of the tenant: anybody's week, inbox and calls, and the clock. They are not Microsoft's."""

from datetime import UTC, date, datetime, timedelta
from typing import cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from ..clock import ClockMovedBackwards
from ..tenant.calls import JoinRequest
from ..tenant.directory import Person
from ..tenant.messages import Message
from ..tenant.refusals import Refused
from ..tenant.responses import Answer
from .odata import current_tenant
from .week import Day, week_of

blueprint = Blueprint(
    "pages", __name__, template_folder="templates", static_folder="static", static_url_path="/simulator-assets"
)

POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; "
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
)
ANSWERS = ("accept", "tentativelyAccept", "decline")
ACCOUNT = {
    "exchange": "mailbox",
    "teams": "Teams licence",
    "enabled": "sign-in",
    "access_policy": "application access policy",
}
"""What can be taken from an account and given back, and what a visitor calls it."""
NOTES = {
    "answered": "Your answer is on its way to the organizer.",
    "joined": "You are in the call.",
    "waiting": "You are waiting in the lobby: nobody has let you in yet.",
    "left": "You left the call.",
    "moved": "The clock was moved.",
    "meeting moved": "The meeting was moved.",
    "meeting changed": "The meeting was changed.",
    "meeting cancelled": "The meeting was cancelled.",
    "attendees changed": "The attendees were changed.",
    "forwarded": "The invitation was forwarded.",
    "written back": "Your answer was sent.",
    "account changed": "The account was changed.",
}


@blueprint.before_request
def same_origin_only() -> None:
    """Other sites cannot act for a visitor."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin and urlsplit(origin).netloc != request.host:
        raise Refused(403, "Forbidden", "This form belongs to another site.")


@blueprint.errorhandler(Refused)
def refused(refusal: Refused) -> Response:
    return show("refused.html", status=refusal.status, refusal=refusal)


@blueprint.get("/")
@blueprint.get("/people")
def list_people() -> Response:
    tenant = current_tenant()
    with tenant.lock:
        rows = [
            (person, sum(not one.is_read for one in tenant.mailboxes.of(person).in_folder("inbox")))
            for person in sorted(tenant.directory.people, key=lambda one: one.name)
        ]
        return show("people.html", rows=rows, next_event_at=tenant.next_event_at(), movable=tenant.clock.movable)


@blueprint.post("/clock")
def move_clock() -> Response:
    """Forward by `hours`, or to the next thing the tenant does by itself."""
    tenant = current_tenant()
    hours, now = request.form.get("hours", ""), tenant.clock.now()
    if hours == "next":
        to = tenant.next_event_at() or now
    elif hours.isdigit() and 0 < int(hours) <= 24 * 366:
        to = now + timedelta(hours=int(hours))
    else:
        raise Refused(400, "BadRequest", "Say by how many whole hours, one year at most.")
    try:
        tenant.clock.move_to(max(to, now))
    except (TypeError, ClockMovedBackwards) as error:
        raise Refused(409, "Conflict", str(error)) from error
    tenant.advance()
    return seen("pages.list_people", note="moved")


@blueprint.get("/people/<mail>")
def show_person(mail: str) -> Response:
    tenant, person = current_tenant(), visited(mail)
    zone = ZoneInfo(person.time_zone)
    monday = _monday(request.args.get("week"), zone)
    with tenant.lock:
        box = tenant.mailboxes.of(person)
        days: list[Day] = week_of(person, monday, tenant=tenant)
        return show(
            "person.html",
            person=person,
            zone=zone,
            days=days,
            monday=monday,
            week_before=monday - timedelta(days=7),
            week_after=monday + timedelta(days=7),
            inbox=box.in_folder("inbox")[:50],
            sent=box.in_folder("sentitems")[:50],
            account=[
                (name, words, getattr(person, name))
                for name, words in ACCOUNT.items()
                if name != "access_policy" or person.kind == "organizer"
            ],
        )


@blueprint.post("/people/<mail>/answers")
def answer(mail: str) -> Response:
    """Accept, decline, accept tentatively, or propose a new time: one occurrence, or the whole series."""
    tenant, person, form = current_tenant(), visited(mail), request.form
    response = form.get("response", "")
    if response not in ANSWERS:
        raise Refused(400, "BadRequest", f"An answer is one of {', '.join(ANSWERS)}.")
    occurrence = form.get("occurrence_start") if form.get("scope", "occurrence") == "occurrence" else None
    with tenant.lock:
        tenant.calendars.reply(
            person,
            uid=form.get("uid", ""),
            response=cast(Answer, response),
            occurrence_start=datetime.fromisoformat(occurrence) if occurrence else None,
            comment=form.get("comment", ""),
            proposed=_proposed(ZoneInfo(person.time_zone)),
        )
    return seen("pages.show_person", note="answered", mail=person.mail, week=form.get("week"))


@blueprint.post("/people/<mail>/calls")
def join_or_leave(mail: str) -> Response:
    tenant, person, form = current_tenant(), visited(mail), request.form
    meeting = tenant.teams.by_join_url(form.get("join_url", ""))
    if meeting is None:
        raise Refused(404, "NotFound", "This meeting has no call to join.")
    wanted = JoinRequest(at=tenant.clock.now(), kind="room" if person.kind == "room" else "member", person=person)
    with tenant.lock:
        if form.get("action") == "leave":
            tenant.teams.leave(meeting, wanted)
            note = "left"
        else:
            note = "joined" if tenant.teams.join(meeting, wanted) else "waiting"
    return seen("pages.show_person", note=note, mail=person.mail, week=form.get("week"))


@blueprint.get("/people/<mail>/mail/<message_id>")
def show_mail(mail: str, message_id: str) -> Response:
    tenant, person = current_tenant(), visited(mail)
    with tenant.lock:
        message = tenant.mailboxes.of(person).find(message_id)
        if not message.is_read:
            message.is_read = True
            tenant.mailboxes.changed(person, message)
        return show("mail.html", person=person, message=message, zone=ZoneInfo(person.time_zone))


@blueprint.get("/people/<mail>/mail/<message_id>/body")
def show_mail_body(mail: str, message_id: str) -> Response:
    """What the sender wrote, in a frame that can do nothing but open links."""
    tenant, person = current_tenant(), visited(mail)
    with tenant.lock:
        html = _with_pictures(tenant.mailboxes.of(person).find(message_id))
    answer = make_response(html.replace("<head>", '<head><base target="_blank">', 1))
    answer.headers["Content-Security-Policy"] = MAIL_POLICY
    return answer


def _with_pictures(message: Message) -> str:
    html = message.stored_html
    for one in message.attachments:
        if one.content_id:
            html = html.replace(f"cid:{one.content_id}", f"data:{one.content_type};base64,{one.content}")
    return html


def visited(mail: str) -> Person:
    person = current_tenant().directory.find(mail)
    if person is None:
        raise Refused(404, "NotFound", f"Nobody here is called {mail}.")
    return person


def _monday(text: str | None, zone: ZoneInfo) -> date:
    today = current_tenant().clock.now().astimezone(zone).date()
    try:
        chosen = date.fromisoformat(text) if text else today
    except ValueError:
        chosen = today
    return chosen - timedelta(days=chosen.weekday())


def _proposed(zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """In the visitor's own zone, as the form's fields give it."""
    starts, ends = request.form.get("proposed_starts"), request.form.get("proposed_ends")
    if not starts or not ends:
        return None
    try:
        times = [datetime.fromisoformat(one).replace(tzinfo=zone).astimezone(UTC) for one in (starts, ends)]
    except ValueError as error:
        raise Refused(400, "BadRequest", f"The proposed time is no date and time: {error}") from error
    if times[1] <= times[0]:
        raise Refused(400, "BadRequest", "The proposed end must come after the proposed start.")
    return times[0], times[1]


def seen(endpoint: str, *, note: str, mail: str | None = None, week: str | None = None) -> Response:
    return make_response(redirect(url_for(endpoint, note=note, mail=mail, week=week), 303))


def show(template: str, *, status: int = 200, **values: object) -> Response:
    now = current_tenant().clock.now()
    note = NOTES.get(request.args.get("note", ""))
    answer = make_response(render_template(f"simulator/{template}", now=now, note=note, **values), status)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "no-store"
    return answer
