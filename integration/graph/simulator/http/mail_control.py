"""Control of mail and notifications: what people have in their mailboxes, and what goes wrong on the way."""

from dataclasses import asdict, fields
from datetime import datetime

from flask import Blueprint, Response, jsonify, request

from ..tenant.directory import Person
from ..tenant.messages import Message
from ..tenant.notifications import NotificationFaults
from ..tenant.refusals import Refused
from .odata import current_tenant

blueprint = Blueprint("mail_control", __name__)


@blueprint.get("/control/people/<mail>/inbox")
def list_inbox(mail: str) -> Response:
    return _folder(mail, "inbox")


@blueprint.get("/control/people/<mail>/sent")
def list_sent(mail: str) -> Response:
    return _folder(mail, "sentitems")


@blueprint.post("/control/people/<mail>/send")
def write_mail(mail: str) -> Response:
    """The person writes to somebody: `to`, `subject`, `body_html`."""
    sent, tenant = request.get_json(), current_tenant()
    with tenant.lock:
        tenant.mailboxes.deliver(
            str(sent["to"]),
            sender=_person(mail),
            subject=str(sent.get("subject", "")),
            body_html=str(sent.get("body_html", "")),
            kind="mail",
        )
    return jsonify({"sent": True})


@blueprint.get("/control/messages")
def list_messages() -> Response:
    """All that ever left a mailbox, oldest first, without the first `after`; calendar messages are one each."""
    tenant, after = current_tenant(), request.args.get("after", 0, type=int)
    with tenant.lock:
        letters = [
            {
                **asdict(one),
                "recipients": list(one.recipients),
                "sent_at": one.sent_at.isoformat(),
                "headers": [{"name": name, "value": value} for name, value in one.headers],
            }
            for one in tenant.mailboxes.transport.letters[after:]
        ]
    return jsonify(letters)


@blueprint.get("/control/notifications")
def list_notifications() -> Response:
    tenant = current_tenant()
    with tenant.lock:
        kept = tenant.subscriptions
        shown = {
            "undelivered": kept.undelivered,
            "waiting": [
                {"url": one.url, "due_at": one.due_at.isoformat(), "attempts": one.attempts, "item": one.item}
                for one in kept.waiting
            ],
            "delivered": len(kept.delivered),
            "discarded": kept.discarded,
            "faults": asdict(kept.faults),
        }
    return jsonify(shown)


@blueprint.post("/control/notifications")
def order_notification_faults() -> Response:
    """`delay_seconds`, `duplicates`, `reorder`, `drop`; what is not named goes back to no fault."""
    sent, tenant = request.get_json(), current_tenant()
    known = {field.name: type(field.default) for field in fields(NotificationFaults)}
    for name, value in sent.items():
        if name not in known or not isinstance(value, known[name]):
            raise Refused(400, "BadRequest", f"{name!r} is none of {', '.join(known)}, or {value!r} does not fit it.")
    with tenant.lock:
        tenant.subscriptions.faults = NotificationFaults(**sent)
    return jsonify(sent)


@blueprint.get("/control/subscriptions")
def list_subscriptions() -> Response:
    tenant = current_tenant()
    with tenant.lock:
        shown = [
            {"id": one.id, "resource": one.resource, "expires_at": one.expires_at.isoformat()}
            for one in tenant.subscriptions.all()
        ]
    return jsonify(shown)


@blueprint.post("/control/lifecycle")
def send_lifecycle() -> Response:
    """`event` (reauthorizationRequired, subscriptionRemoved, missed) to `subscription_id`, or to all that listen."""
    sent, tenant = request.get_json(), current_tenant()
    with tenant.lock:
        kept = tenant.subscriptions
        listening = [one for one in kept.all() if one.lifecycle_url]
        chosen = [kept.find(str(sent["subscription_id"]))] if sent.get("subscription_id") else listening
        for one in chosen:
            kept.send_lifecycle(one, str(sent.get("event", "")))
    return jsonify({"sent": len(chosen)})


def _person(mail: str) -> Person:
    person = current_tenant().directory.find(mail)
    if person is None:
        raise Refused(404, "NotFound", f"Nobody is called {mail!r}.")
    return person


def _folder(mail: str, folder: str) -> Response:
    tenant = current_tenant()
    with tenant.lock:
        messages = tenant.mailboxes.of(_person(mail)).in_folder(folder)
    return jsonify([_shown(one) for one in messages])


def _shown(message: Message) -> dict[str, object]:
    meeting = message.meeting
    return {
        "id": message.immutable_id,
        "sender": message.sender.address if message.sender else None,
        "recipients": [one.address for one in message.recipients],
        "reply_to": [one.address for one in message.reply_to],
        "subject": message.subject,
        "sent_at": _iso(message.sent_at),
        "received_at": _iso(message.received_at),
        "body_html": message.stored_html,
        "text": message.text,
        "headers": message.headers,
        "properties": message.properties,
        "attachments": [
            {"name": one.name, "content_id": one.content_id, "size": one.size} for one in message.attachments
        ],
        "kind": message.kind,
        "event_uid": meeting.event_uid if meeting else None,
        "response": meeting.response if meeting else None,
        "is_read": message.is_read,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
