"""Control of what lands in our inboxes: people and machines write back, mail returns, invitations are handed on."""

from datetime import datetime

from flask import Blueprint, Response, jsonify, request

from ..tenant.correspondence import received, reply_automatically, return_late, write_back
from ..tenant.directory import Person
from ..tenant.failures import FAILURES, OrderedFailure
from ..tenant.forwarding import forward
from ..tenant.refusals import Refused
from .eventbody import read_instant
from .odata import current_tenant

blueprint = Blueprint("inbox_control", __name__)


@blueprint.post("/control/people/<mail>/write-back")
def answer_by_hand(mail: str) -> Response:
    """A human reply to `message_id`, or to the newest mail or invitation about `subject`: `body_html`, and
    `new_subject` instead of "RE: ..."."""
    sent, tenant = request.get_json(), current_tenant()
    with tenant.lock:
        person = _person(mail)
        message = received(tenant, person, **_which(sent))
        words = str(sent.get("body_html", ""))
        write_back(tenant, person, message, body_html=words, subject=str(sent.get("new_subject", "")))
    return jsonify({"sent": True})


@blueprint.post("/control/people/<mail>/auto-reply")
def answer_by_machine(mail: str) -> Response:
    """An automatic reply to such a message; `sent` is false when the message asked for none."""
    sent, tenant = request.get_json(), current_tenant()
    with tenant.lock:
        person = _person(mail)
        message = received(tenant, person, **_which(sent))
        words, subject = str(sent.get("body_html", "")), str(sent.get("new_subject", ""))
        done = reply_automatically(tenant, person, message, body_html=words, subject=subject)
    return jsonify({"sent": done})


@blueprint.post("/control/people/<mail>/bounce")
def return_mail(mail: str) -> Response:
    """A failure (`kind`) comes back to this sender for the newest message to `recipient` about `subject`."""
    sent, tenant = request.get_json(), current_tenant()
    with tenant.lock:
        return_late(
            tenant,
            _person(mail),
            recipient=str(sent.get("recipient", "")),
            kind=str(sent.get("kind", "5.1.1")),
            subject=str(sent.get("subject", "")),
        )
    return jsonify({"returned": True})


@blueprint.get("/control/bounces")
def list_bounces() -> Response:
    tenant = current_tenant()
    with tenant.lock:
        orders = tenant.mailboxes.transport.failing
        return jsonify([{"address": one.address, "kind": one.kind, "times": one.times} for one in orders])


@blueprint.post("/control/bounces")
def order_bounces() -> Response:
    """Mail to `address` comes back as `kind` (5.1.1, 5.1.10, 5.2.2, 5.7.1, delayed), so many `times` or always."""
    sent, tenant = request.get_json(), current_tenant()
    kind, address, times = str(sent.get("kind", "5.1.1")), str(sent.get("address", "")), sent.get("times")
    if kind not in FAILURES or "@" not in address or not isinstance(times, int | None):
        kinds = ", ".join(FAILURES)
        raise Refused(400, "BadRequest", f"address, kind ({kinds}) and times (a whole number) can be ordered.")
    with tenant.lock:
        tenant.mailboxes.transport.failing.append(OrderedFailure(address, kind, times))
    return list_bounces()


@blueprint.delete("/control/bounces")
def forget_bounces() -> Response:
    tenant = current_tenant()
    with tenant.lock:
        tenant.mailboxes.transport.failing.clear()
    return list_bounces()


@blueprint.post("/control/people/<mail>/forward")
def hand_on(mail: str) -> Response:
    """The person forwards the invitation `uid` (one occurrence: `occurrence_start`) `to` somebody, with `comment`."""
    sent, tenant = request.get_json(), current_tenant()
    starts = sent.get("occurrence_start")
    at: datetime | None = read_instant(str(starts), "occurrence_start") if starts else None
    with tenant.lock:
        forward(
            tenant.calendars,
            _person(mail),
            uid=str(sent.get("uid", "")),
            to=str(sent.get("to", "")),
            occurrence_start=at,
            comment=str(sent.get("comment", "")),
        )
    return jsonify({"forwarded": True})


def _which(sent: dict[str, object]) -> dict[str, str]:
    return {name: str(sent.get(name, "")) for name in ("message_id", "subject")}


def _person(mail: str) -> Person:
    person = current_tenant().directory.find(mail)
    if person is None:
        raise Refused(404, "NotFound", f"Nobody is called {mail!r}.")
    return person
