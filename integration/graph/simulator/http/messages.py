"""/users/{id}/messages, mailFolders and sendMail. Facts 9 and 17."""

from flask import Blueprint, Response

from ..tenant.directory import Person
from ..tenant.mailboxes import FOLDERS, Mailbox
from ..tenant.messages import Message
from ..tenant.refusals import Refused
from . import message_delta
from .message_json import (
    WRITABLE,
    attachment_json,
    folder_json,
    message_json,
    read_attachment,
    shown,
    write_message,
)
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
    writable_mailbox,
)
from .permissions import allowed

blueprint = Blueprint("messages", __name__)
blueprint.register_blueprint(message_delta.blueprint)

_MANY = "/v1.0/users/<user>/messages"
_ONE = f"{_MANY}/<message_id>"
_FOLDER = "/v1.0/users/<user>/mailFolders/<folder>"
_FOLDER_ONE = f"{_FOLDER}/messages/<message_id>"
_COMPARE = "eq ne gt ge lt le"
_FILTERS = {
    **dict.fromkeys(("receivedDateTime", "sentDateTime", "createdDateTime", "lastModifiedDateTime"), _COMPARE),
    **dict.fromkeys(("isDraft", "isRead", "hasAttachments", "importance", "conversationId"), "eq ne"),
    **dict.fromkeys(("internetMessageId", "parentFolderId"), "eq"),
    **dict.fromkeys(("from/emailAddress/address", "sender/emailAddress/address"), "eq ne startswith"),
    "subject": "eq ne startswith contains",
    "categories": "any",
    "singleValueExtendedProperties": "any",
}
_ORDERS = (
    "receivedDateTime",
    "sentDateTime",
    "createdDateTime",
    "lastModifiedDateTime",
    "subject",
    "isRead",
    "from/emailAddress/address",
)
_LATER = ("internetMessageHeaders", "meetingMessageType", "responseType", "uniqueBody")


@blueprint.get(_MANY)
@allowed("GET /users/{user-id}/messages")
def list_messages(user: str) -> Response:
    return _page(writable_mailbox(user), folder=None)


@blueprint.get(f"{_FOLDER}/messages")
@allowed("GET /users/{user-id}/mailFolders/{mailFolder-id}/messages")
def list_folder_messages(user: str, folder: str) -> Response:
    return _page(writable_mailbox(user), folder=folder)


@blueprint.get("/v1.0/users/<user>/mailFolders")
@allowed("GET /users/{user-id}/mailFolders")
def list_folders(user: str) -> Response:
    person = writable_mailbox(user)
    box = _box(person)
    items = [folder_json(name, box) for name in FOLDERS]
    return collection(items, context=f"users('{person.id}')/mailFolders", type_name="mailFolder")


@blueprint.get(_FOLDER)
@allowed("GET /users/{user-id}/mailFolders/{mailFolder-id}")
def get_folder(user: str, folder: str) -> Response:
    person = writable_mailbox(user)
    box = _box(person)
    item = select(folder_json(box.folder(folder), box), type_name="mailFolder")
    return respond({"@odata.context": context_url(f"users('{person.id}')/mailFolders/$entity"), **item})


@blueprint.post(_MANY)
@allowed("POST /users/{user-id}/messages")
def create_draft(user: str) -> Response:
    person = writable_mailbox(user)
    message = _from_body(body(), folder="drafts")
    message.is_draft, message.is_read = True, True
    current_tenant().mailboxes.keep(person, message)
    return _entity(person, message, status=201)


@blueprint.get(_ONE)
@allowed("GET /users/{user-id}/messages/{message-id}")
def get_message(user: str, message_id: str) -> Response:
    person = writable_mailbox(user)
    return _entity(person, _box(person).find(message_id))


@blueprint.get(_FOLDER_ONE)
@allowed("GET /users/{user-id}/mailFolders/{mailFolder-id}/messages/{message-id}")
def get_folder_message(user: str, folder: str, message_id: str) -> Response:
    person = writable_mailbox(user)
    box = _box(person)
    message = box.find(message_id)
    if message.folder != box.folder(folder):
        raise Refused(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    return _entity(person, message)


@blueprint.patch(_ONE)
@allowed("PATCH /users/{user-id}/messages/{message-id}")
def update_message(user: str, message_id: str) -> Response:
    """What was sent or received can only be marked: subject, body and recipients belong to drafts."""
    person = writable_mailbox(user)
    message, sent = _box(person).find(message_id), body()
    known_properties(sent, WRITABLE - {"attachments", "internetMessageHeaders"}, "message")
    draft_only = {"subject", "body", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "from", "sender"}
    if not message.is_draft and draft_only & sent.keys():
        raise Refused(400, "ErrorInvalidPropertySet", "The property can be set on drafts only.")
    write_message(message, sent)
    current_tenant().mailboxes.changed(person, message)
    return _entity(person, message)


@blueprint.delete(_ONE)
@allowed("DELETE /users/{user-id}/messages/{message-id}")
def delete_message(user: str, message_id: str) -> Response:
    person = writable_mailbox(user)
    current_tenant().mailboxes.delete(person, _box(person).find(message_id))
    return respond(status=204)


@blueprint.post(f"{_ONE}/move")
@allowed("POST /users/{user-id}/messages/{message-id}/move")
def move_message(user: str, message_id: str) -> Response:
    person = writable_mailbox(user)
    box = _box(person)
    message = box.find(message_id)
    sent = body()
    current_tenant().mailboxes.move(person, message, box.folder(str(sent.get("destinationId", ""))))
    return _entity(person, message, status=201)


@blueprint.post(f"{_ONE}/send")
@allowed("POST /users/{user-id}/messages/{message-id}/send")
def send_message(user: str, message_id: str) -> Response:
    person = writable_mailbox(user)
    message = _box(person).find(message_id)
    _refuse_other_sender(person, message)
    current_tenant().mailboxes.send(person, message)
    return respond(status=202)


@blueprint.post("/v1.0/users/<user>/sendMail")
@allowed("POST /users/{user-id}/sendMail")
def send_mail(user: str) -> Response:
    person = writable_mailbox(user)
    sent = {name[:1].lower() + name[1:]: value for name, value in body().items()}
    known_properties(sent, {"message", "saveToSentItems"}, "sendMail")
    if not isinstance(sent.get("message"), dict):
        raise Refused(400, "RequestBodyRead", "The parameter Message is missing.")
    message = _from_body(sent["message"], folder="outbox")  # type: ignore[arg-type]
    _refuse_other_sender(person, message)
    message.folder, message.is_draft = "transit", True
    keep = str(sent.get("saveToSentItems", True)).lower() != "false"
    current_tenant().mailboxes.transport.send(person, message, keep=keep)
    return respond(status=202)


@blueprint.get(f"{_ONE}/attachments")
@allowed("GET /users/{user-id}/messages/{message-id}/attachments")
def list_attachments(user: str, message_id: str) -> Response:
    person = writable_mailbox(user)
    items = [attachment_json(one) for one in _box(person).find(message_id).attachments]
    context = f"users('{person.id}')/messages('{message_id}')/attachments"
    return collection(items, context=context, type_name="fileAttachment", default_page=100)


@blueprint.post(f"{_ONE}/attachments")
@allowed("POST /users/{user-id}/messages/{message-id}/attachments")
def add_attachment(user: str, message_id: str) -> Response:
    person = writable_mailbox(user)
    message = _box(person).find(message_id)
    attachment = read_attachment(body())
    message.attachments.append(attachment)
    current_tenant().mailboxes.changed(person, message)
    context = context_url(f"users('{person.id}')/messages('{message_id}')/attachments/$entity")
    return respond({"@odata.context": context, **attachment_json(attachment)}, 201)


def _box(person: Person) -> Mailbox:
    return current_tenant().mailboxes.of(person)


def _page(person: Person, *, folder: str | None) -> Response:
    box = _box(person)
    name = box.folder(folder) if folder else None
    within = f"/mailFolders('{folder}')/messages" if folder else "/messages"
    return collection(
        [message_json(one, box) for one in box.in_folder(name)],
        context=f"users('{person.id}'){within}",
        type_name="message",
        filters=_FILTERS,
        orders=_ORDERS,
        known=_LATER,
        options=("$expand",),
        show=shown,
    )


def _from_body(sent: Json, *, folder: str) -> Message:
    known_properties(sent, WRITABLE, "message")
    message = current_tenant().mailboxes.blank(folder=folder, subject="", body="")
    write_message(message, sent)
    return message


def _refuse_other_sender(person: Person, message: Message) -> None:
    ours = {address.casefold() for address in person.addresses}
    if message.is_draft and message.sender and message.sender.address.casefold() not in ours:
        raise Refused(
            403,
            "ErrorSendAsDenied",
            "The user account which was used to submit this request does not have "
            "the right to send mail on behalf of the specified sending account.",
        )


def _entity(person: Person, message: Message, *, status: int = 200) -> Response:
    refuse_options({"$select", "$expand"})
    context = context_url(f"users('{person.id}')/messages/$entity")
    item = select(shown(message_json(message, _box(person))), type_name="message", known=_LATER)
    wanted = preferences().get("outlook.body-content-type")
    applied = {"Preference-Applied": f'outlook.body-content-type="{wanted}"'} if wanted else {}
    return respond({"@odata.context": context, **item}, status, applied)
