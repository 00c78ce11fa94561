"""The control API: the clock, faults, switches and people of the tenant, for demonstrations and tests.

Loopback only, no token, never recorded. The calendar's and the calls' own controls stand with their addresses.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import cast

from flask import Blueprint, Response, abort, current_app, jsonify, request

from ..clock import ClockMovedBackwards
from ..delivery_faults import read_delivery_fault
from ..faults import BadFault, Faults, read_fault
from ..switches import UnknownSwitch
from ..tenant.directory import OutOfOffice, Person
from .door import Door
from .odata import current_tenant

blueprint = Blueprint("control", __name__)

FLAGS = ("enabled", "exchange", "teams", "access_policy")
TEXTS = ("name", "job_title", "department", "manager_id", "language", "time_zone", "engagement_report")


class Unusable(ValueError):
    """A control call that asks for something unknown; the message says what."""


@blueprint.before_app_request
def from_here_only() -> None:
    if request.path.startswith("/control/") and request.remote_addr not in ("127.0.0.1", "::1"):
        abort(403)


@blueprint.get("/control/clock")
def get_clock() -> Response:
    return jsonify({"now": current_tenant().clock.now().isoformat()})


@blueprint.post("/control/clock")
def move_clock() -> Response:
    """Moves the clock and lets the tenant do what became due."""
    tenant = current_tenant()
    try:
        tenant.clock.move_to(_instant(_sent().get("to")))
    except (ClockMovedBackwards, TypeError) as wrong:
        raise Unusable(str(wrong)) from wrong
    tenant.advance()
    return get_clock()


@blueprint.get("/control/state")
def get_state() -> Response:
    tenant = current_tenant()
    door: Door = current_app.extensions["door"]
    at = tenant.next_event_at()
    return jsonify(
        {
            "now": tenant.clock.now().isoformat(),
            "in_flight": door.in_flight,
            "undelivered_notifications": tenant.subscriptions.undelivered,
            "next_event_at": at.isoformat() if at else None,
            "graph_requests": door.graph_requests,
        }
    )


@blueprint.post("/control/faults")
def order_faults() -> Response:
    """Faults of exchanges (`do`), and of notifications on their way (`notifications`)."""
    sent = request.get_json()
    told = sent if isinstance(sent, list) else [sent]
    try:
        faults = [read_fault(one) for one in told if "notifications" not in one]
        late = [read_delivery_fault(one) for one in told if "notifications" in one]
    except (BadFault, TypeError) as wrong:
        raise Unusable(str(wrong)) from wrong
    for fault in faults:
        _faults().order(fault)
    with current_tenant().lock:
        current_tenant().subscriptions.deliveries.orders += late
    return jsonify({"ordered": len(told)})


@blueprint.delete("/control/faults")
def clear_faults() -> Response:
    _faults().clear()
    with current_tenant().lock:
        current_tenant().subscriptions.deliveries.orders.clear()
    return jsonify({"ordered": 0})


@blueprint.get("/control/held")
def list_held() -> Response:
    held = [{"id": one.id, "method": one.method, "path": one.path, "when": one.when} for one in _faults().held()]
    return jsonify(held)


@blueprint.post("/control/held/<held_id>/<any(release, drop):verdict>")
def decide_held(held_id: str, verdict: str) -> Response:
    if not _faults().decide(held_id, drop=verdict == "drop"):
        abort(404)
    return jsonify({"id": held_id, "decided": verdict})


@blueprint.get("/control/switches")
def list_switches() -> Response:
    return jsonify(current_tenant().switches.as_json())


@blueprint.post("/control/switches")
def set_switches() -> Response:
    for name, value in _sent().items():
        try:
            current_tenant().switches.set(name, value)
        except (UnknownSwitch, TypeError) as wrong:
            raise Unusable(str(wrong)) from wrong
    return list_switches()


@blueprint.get("/control/app")
def get_app() -> Response:
    app = current_tenant().app
    return jsonify({"id": app.id, "roles": list(app.roles), "certificates": len(app.certificates)})


@blueprint.patch("/control/app")
def change_app() -> Response:
    """`roles` counts for tokens issued from now on, as in Entra; `sign_out` refuses those issued before;
    `certificates` (PEM) may sign client assertions; `secret` replaces the client secret."""
    app, sent = current_tenant().app, _sent()
    _only(sent, ("roles", "secret", "certificates", "sign_out"))
    app.roles = tuple(cast("list[str]", sent.get("roles", app.roles)))
    app.secret = str(sent.get("secret", app.secret))
    app.certificates = list(cast("list[str]", sent.get("certificates", app.certificates)))
    if sent.get("sign_out"):
        app.signed_out_at = datetime.now(UTC).timestamp()
    current_tenant().advance()  # subscriptions notice what was revoked
    return get_app()


@blueprint.get("/control/people")
def list_people() -> Response:
    return jsonify([_shown(person) for person in current_tenant().directory.people])


@blueprint.post("/control/people")
def add_person() -> Response:
    """A new account: `mail`, `name` and whatever else a person can be changed to."""
    tenant, sent = current_tenant(), _sent()
    given, _, surname = str(sent["name"]).partition(" ")
    person = Person(
        id=tenant.new_guid(),
        mail=str(sent.pop("mail")),
        name=str(sent["name"]),
        given_name=given,
        surname=surname,
        job_title=None,
        department=None,
        manager_id=None,
        language="en-US",
        time_zone="Europe/Zurich",
        working_days=("monday", "tuesday", "wednesday", "thursday", "friday"),
        work_starts=time(9),
        work_ends=time(17),
    )
    with tenant.lock:
        _change(person, sent)
        tenant.directory.add(person)
    return jsonify(_shown(person))


@blueprint.patch("/control/people/<mail>")
def change_person(mail: str) -> Response:
    person = _person(mail)
    with current_tenant().lock:
        _change(person, _sent())
        current_tenant().directory.touch(person)
        current_tenant().advance()
    return jsonify(_shown(person))


@blueprint.delete("/control/people/<mail>")
def remove_person(mail: str) -> Response:
    """The account leaves the directory; delta rounds tell it as `@removed`."""
    person = _person(mail)
    with current_tenant().lock:
        current_tenant().directory.remove(person)
        current_tenant().advance()
    return jsonify({"removed": person.mail})


@blueprint.app_errorhandler(Unusable)
def unusable(wrong: Unusable) -> tuple[Response, int]:
    return jsonify({"error": str(wrong)}), 400


def _change(person: Person, sent: dict[str, object]) -> None:
    readers: dict[str, Callable[[object], object]] = {
        **dict.fromkeys(FLAGS, bool),
        **{name: lambda value: value for name in TEXTS},
        "work_starts": lambda value: time.fromisoformat(str(value)),
        "work_ends": lambda value: time.fromisoformat(str(value)),
        "working_days": lambda value: tuple(cast("list[str]", value)),
        "other_mails": lambda value: tuple(cast("list[str]", value)),
        "access_policy_effective_at": lambda value: _instant(value) if value else None,
        "out_of_office": _out_of_office,
    }
    _only(sent, readers)
    for name, value in sent.items():
        setattr(person, name, readers[name](value))


def _out_of_office(sent: object) -> OutOfOffice | None:
    if not sent:
        return None
    told = cast("dict[str, object]", sent)
    return OutOfOffice(_instant(told.get("starts")), _instant(told.get("ends")), str(told.get("message", "")))


def _shown(person: Person) -> dict[str, object]:
    away = person.out_of_office
    return {
        "id": person.id,
        "mail": person.mail,
        "name": person.name,
        "kind": person.kind,
        "job_title": person.job_title,
        "department": person.department,
        "manager_id": person.manager_id,
        "language": person.language,
        "time_zone": person.time_zone,
        "working_days": list(person.working_days),
        "work_starts": f"{person.work_starts:%H:%M}",
        "work_ends": f"{person.work_ends:%H:%M}",
        "other_mails": list(person.other_mails),
        **{name: getattr(person, name) for name in FLAGS},
        "out_of_office": {"starts": away.starts_at.isoformat(), "ends": away.ends_at.isoformat()} if away else None,
    }


def _person(mail: str) -> Person:
    person = current_tenant().directory.find(mail)
    if person is None:
        abort(404)
    return person


def _instant(sent: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(sent))
    except ValueError as wrong:
        raise Unusable(f"an ISO instant is expected, not {sent!r}") from wrong
    if at.tzinfo is None:
        raise Unusable(f"{sent!r} has no offset: write it as 2026-03-02T08:00:00+00:00")
    return at.astimezone(UTC)


def _sent() -> dict[str, object]:
    sent = request.get_json()
    if not isinstance(sent, dict):
        raise Unusable("a JSON object is expected")
    return sent


def _only(sent: dict[str, object], known: object) -> None:
    unknown = [name for name in sent if name not in cast("tuple[str, ...]", known)]
    if unknown:
        raise Unusable(f"nothing here is called {', '.join(unknown)}; there are: {', '.join(cast('dict', known))}")


def _faults() -> Faults:
    return cast(Faults, current_app.extensions["faults"])
