"""Control of mail: what people have in their mailboxes, and what they write."""

from dataclasses import asdict
from datetime import datetime

from flask import Blueprint, Response, jsonify, request

from ..tenant.directory import Person
from ..tenant.messages import Message
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
