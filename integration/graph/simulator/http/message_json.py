"""Messages in Graph's shape, and what a body may say about one."""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from flask import request

from ..tenant.mailboxes import FOLDERS, Mailbox, change_key_of, etag_of
from ..tenant.messages import Address, Attachment, MeetingPart, Message
from ..tenant.refusals import Refused
from .odata import Json, current_tenant, preferences

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_ATTACHMENT = 3 * 1024 * 1024
WRITABLE = {
    "attachments",
    "bccRecipients",
    "body",
    "categories",
    "ccRecipients",
    "flag",
    "from",
    "importance",
    "internetMessageHeaders",
    "isDeliveryReceiptRequested",
    "isRead",
    "isReadReceiptRequested",
    "replyTo",
    "sender",
    "singleValueExtendedProperties",
    "subject",
    "toRecipients",
}
_TYPES = {
    "meetingRequest": "#microsoft.graph.eventMessageRequest",
    "meetingUpdate": "#microsoft.graph.eventMessageRequest",
    "meetingCancelled": "#microsoft.graph.eventMessage",
    "meetingResponse": "#microsoft.graph.eventMessageResponse",
    "meetingForwarded": "#microsoft.graph.eventMessage",
}
_GUID = r"\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?"
_PROPERTY = re.compile(
    r"^(String|Integer|Boolean|Short|Long|SystemTime|Double) "
    rf"(?:({_GUID}) (Name .+|Id 0x[0-9A-Fa-f]+)|0x[0-9A-Fa-f]+)$",
    re.I,
)
_PLAIN_BASE64 = str.maketrans("-_", "+/")
_HEADER_NAME = re.compile(r"^[xX]-[!-9;-~]+$")


def message_json(message: Message, box: Mailbox) -> Json:
    """Everything there is; what only some requests are shown stands last (see `shown`)."""
    wanted = preferences().get("outlook.body-content-type", "html").lower()
    content = message.text if wanted == "text" else message.stored_html
    received = message.received_at or message.created_at
    return {
        **({"@odata.type": _TYPES[message.kind]} if message.kind in _TYPES else {}),
        "@odata.etag": etag_of(message),
        "id": id_of(message),
        "createdDateTime": _z(message.created_at),
        "lastModifiedDateTime": _z(message.modified_at),
        "changeKey": change_key_of(message),
        "categories": message.categories,
        "receivedDateTime": _z(received),
        "sentDateTime": _z(message.sent_at or message.created_at),
        "hasAttachments": any(not one.is_inline for one in message.attachments),
        "internetMessageId": message.internet_message_id,
        "subject": message.subject,
        "bodyPreview": re.sub(r"\s+", " ", message.text)[:255],
        "importance": message.importance,
        "parentFolderId": box.folder_ids.get(message.folder),
        "conversationId": message.conversation_id,
        "isDeliveryReceiptRequested": False,
        "isReadReceiptRequested": False,
        "isRead": message.is_read,
        "isDraft": message.is_draft,
        "webLink": f"https://outlook.office365.com/owa/?ItemID={message.rest_id}&exvsurl=1&viewmodel=ReadMessageItem",
        "inferenceClassification": "focused",
        "body": {"contentType": "text" if wanted == "text" else "html", "content": content},
        "sender": _recipient(message.sender),
        "from": _recipient(message.sender),
        "toRecipients": [_recipient(one) for one in message.to],
        "ccRecipients": [_recipient(one) for one in message.cc],
        "bccRecipients": [_recipient(one) for one in message.bcc],
        "replyTo": [_recipient(one) for one in message.reply_to],
        "flag": {"flagStatus": "notFlagged"},
        **(_meeting_json(message.meeting) if message.meeting else {}),
        "internetMessageHeaders": message.headers,
        "attachments": [attachment_json(one) for one in message.attachments],
        "singleValueExtendedProperties": [{"id": key, "value": value} for key, value in message.properties.items()],
    }


def shown(item: Json) -> Json:
    """Headers only when selected, attachments and extended properties only when expanded."""
    expanded = expansions()
    kept = dict(item)
    if "internetMessageHeaders" not in request.args.get("$select", ""):
        del kept["internetMessageHeaders"]
    if "attachments" not in expanded:
        del kept["attachments"]
    held = cast("Sequence[dict[str, str]]", kept.pop("singleValueExtendedProperties"))
    wanted = expanded.get("singleValueExtendedProperties")
    if wanted is not None:
        found = [one for one in held if one["id"] in wanted]
        kept |= {"singleValueExtendedProperties": found} if found else {}
    return kept


def expansions() -> dict[str, list[str]]:
    """What `$expand` names; for extended properties with the ids its filter asks for. 400 for anything else."""
    text = request.args.get("$expand", "")
    found: dict[str, list[str]] = {}
    for part in re.split(r",(?![^()]*\))", text) if text else []:
        name, _, inner = part.strip().partition("(")
        if name == "singleValueExtendedProperties":
            ids = re.findall(r"id eq '((?:[^']|'')*)'", inner)
            if not ids:
                raise Refused(400, "ErrorInvalidUrlQuery", f"$expand={name} needs ($filter=id eq '...').")
            found[name] = [property_id(one.replace("''", "'")) for one in ids]
        elif name == "attachments":
            found[name] = []
        else:
            raise Refused(400, "BadRequest", f"Could not find a property named '{name}' to expand.")
    return found


def id_of(message: Message) -> str:
    return message.immutable_id if preferences().get("idtype") == "ImmutableId" else message.rest_id


def attachment_json(attachment: Attachment) -> Json:
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "@odata.mediaContentType": attachment.content_type,
        "id": attachment.id,
        "lastModifiedDateTime": _z(attachment.modified_at),
        "name": attachment.name,
        "contentType": attachment.content_type,
        "size": attachment.size,
        "isInline": attachment.is_inline,
        "contentId": attachment.content_id,
        "contentLocation": None,
        "contentBytes": attachment.content,
    }


def folder_json(name: str, box: Mailbox) -> Json:
    inside = box.in_folder(name)
    return {
        "id": box.folder_ids[name],
        "displayName": FOLDERS[name],
        "parentFolderId": f"{box.folder_ids['inbox'][:40]}root",
        "childFolderCount": 0,
        "unreadItemCount": sum(not one.is_read for one in inside),
        "totalItemCount": len(inside),
        "isHidden": False,
    }


def write_message(message: Message, sent: Json) -> None:
    """Applies a body to a message. Raises Refused (400); then nothing has changed."""
    body_type, content = _body(sent.get("body")) if "body" in sent else (message.body_type, message.body)
    lists = {
        name: _recipients(sent, name)
        for name in ("toRecipients", "ccRecipients", "bccRecipients", "replyTo")
        if name in sent
    }
    headers = _headers(sent) if "internetMessageHeaders" in sent else message.headers
    properties = _properties(sent) if "singleValueExtendedProperties" in sent else {}
    sender = _one_recipient(sent["from"], "from") if sent.get("from") else message.sender
    attachments = [read_attachment(one) for one in _objects(sent, "attachments")]
    if str(sent.get("importance", "normal")).lower() not in ("low", "normal", "high"):
        raise Refused(400, "RequestBodyRead", f"{sent['importance']!r} is no importance.")
    message.body_type, message.body, message.headers, message.sender = body_type, content, headers, sender  # type: ignore[assignment]
    message.subject = str(sent.get("subject", message.subject) or "")
    message.to, message.cc = lists.get("toRecipients", message.to), lists.get("ccRecipients", message.cc)
    message.bcc, message.reply_to = lists.get("bccRecipients", message.bcc), lists.get("replyTo", message.reply_to)
    message.properties |= properties
    message.attachments += attachments
    message.importance = str(sent.get("importance", message.importance)).lower()
    message.categories = [str(one) for one in cast(list[object], sent.get("categories", message.categories))]
    message.is_read = bool(sent.get("isRead", message.is_read))


def read_attachment(sent: Json) -> Attachment:
    """Raises Refused: 400 for other than a file, 413 from 3 MB on (an upload session is for those)."""
    if str(sent.get("@odata.type", "")).lstrip("#") != "microsoft.graph.fileAttachment":
        raise Refused(400, "ErrorInvalidRequest", "@odata.type must be #microsoft.graph.fileAttachment here.")
    if not sent.get("name"):
        raise Refused(400, "ErrorInvalidRequest", "An attachment needs a name.")
    content = str(sent.get("contentBytes") or "").translate(_PLAIN_BASE64)
    try:
        size = len(base64.b64decode(content, validate=True))
    except binascii.Error as error:
        raise Refused(400, "RequestBodyRead", "Cannot convert contentBytes: it is not base64.") from error
    if size >= LARGEST_ATTACHMENT:
        raise Refused(413, "RequestEntityTooLarge", "The attachment is 3 MB or more: use an upload session.")
    tenant, content_id = current_tenant(), sent.get("contentId")
    return Attachment(
        id=tenant.new_id("AAkAtt"),
        name=str(sent["name"]),
        content_type=str(sent.get("contentType") or "application/octet-stream"),
        content=content,
        size=size,
        is_inline=bool(sent.get("isInline", False)),
        content_id=None if content_id is None else str(content_id),
        modified_at=tenant.clock.now(),
    )


def property_id(text: str) -> str:
    """The spelling Graph answers with: type capitalised, GUID in lower case and braces. Raises Refused (400)."""
    found = _PROPERTY.match(text)
    if found is None:
        raise Refused(400, "ErrorInvalidExtendedProperty", f"The extended property id {text!r} is not valid.")
    type_name = next(one for one in _PROPERTY_TYPES if one.casefold() == found[1].casefold())
    if found[2] is None:
        return f"{type_name} {text.split(' ', 1)[1].lower()}"
    return f"{type_name} {{{found[2].strip('{}').lower()}}} {found[3]}"


_PROPERTY_TYPES = ("String", "Integer", "Boolean", "Short", "Long", "SystemTime", "Double")


def _meeting_json(part: MeetingPart) -> Json:
    answer: Json = {
        "meetingMessageType": part.message_type,
        "type": part.event_type,
        "isOutOfDate": False,
        "isAllDay": False,
        "isDelegated": False,
        "startDateTime": _zoned(part.starts_at) if part.starts_at else None,
        "endDateTime": _zoned(part.ends_at) if part.ends_at else None,
    }
    if part.response:
        answer["responseType"] = part.response
    if part.proposed:
        answer["proposedNewTime"] = {"start": _zoned(part.proposed[0]), "end": _zoned(part.proposed[1])}
    return answer


def _zoned(at: datetime) -> Json:
    return {"dateTime": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": "UTC"}


def _recipient(one: Address | None) -> Json | None:
    return {"emailAddress": {"name": one.name, "address": one.address}} if one else None


def _objects(sent: Json, name: str) -> list[Json]:
    value = sent.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Refused(400, "RequestBodyRead", f"{name} must be a list of objects.")
    return value


def _body(value: object) -> tuple[str, str]:
    if not isinstance(value, dict) or not set(value) <= {"contentType", "content", "@odata.type"}:
        raise Refused(400, "RequestBodyRead", "body takes contentType and content.")
    body_type = str(value.get("contentType", "text")).lower()
    if body_type not in ("html", "text"):
        raise Refused(400, "RequestBodyRead", f"body.contentType is html or text, not {body_type!r}.")
    return body_type, str(value.get("content") or "")


def _recipients(sent: Json, name: str) -> list[Address]:
    return [_one_recipient(one, name) for one in _objects(sent, name)]


def _one_recipient(value: object, name: str) -> Address:
    mail = value.get("emailAddress") if isinstance(value, dict) else None
    address = str(mail.get("address") or "") if isinstance(mail, dict) else ""
    if not isinstance(mail, dict) or "@" not in address:
        raise Refused(400, "ErrorInvalidRecipients", f"{name}: {address!r} isn't a valid address.")
    return Address(str(mail.get("name") or current_tenant().mailboxes.address(address).name), address)


def _headers(sent: Json) -> list[dict[str, str]]:
    headers = _objects(sent, "internetMessageHeaders")
    most = current_tenant().switches.most_internet_headers
    if len(headers) > most:
        message = f"Maximum number of headers in one message should be less than or equal to {most}."
        raise Refused(400, "InvalidInternetMessageHeaderCollection", message)
    for one in headers:
        if not _HEADER_NAME.match(str(one.get("name", ""))):
            message = f"The internet message header name '{one.get('name')}' should start with 'x-' or 'X-'."
            raise Refused(400, "InvalidInternetMessageHeader", message)
    return [{"name": str(one["name"]), "value": str(one.get("value") or "")} for one in headers]


def _properties(sent: Json) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in _objects(sent, "singleValueExtendedProperties"):
        key, value = property_id(str(one.get("id", ""))), str(one.get("value") or "")
        if key.startswith(("Integer", "Short", "Long")) and not re.fullmatch(r"-?\d+", value):
            raise Refused(400, "ErrorInvalidRequest", f"{key} takes a whole number, not {value!r}.")
        found[key] = value
    return found


def _z(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
