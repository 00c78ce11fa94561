"""messages/delta of a mail folder: what appeared, changed or left since the last round. Facts 6."""

import base64
import binascii
import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from urllib.parse import quote

from flask import Blueprint, Response, request

from ..tenant.mailboxes import FolderChange, Mailbox
from ..tenant.refusals import Refused
from .message_json import message_json, shown
from .odata import (
    GraphFault,
    Json,
    context_url,
    current_tenant,
    preferences,
    refuse_options,
    respond,
    select,
    writable_mailbox,
)
from .permissions import allowed

blueprint = Blueprint("message_delta", __name__)

_PATH = "/v1.0/users/<user>/mailFolders/<folder>/messages"
_PAGE = 10


@dataclass(frozen=True)
class Token:
    """Changes after `since` up to `until` (0: now), of which `skip` were shown.

    `select` and `received` (the instant of the only filter there is) stay for all rounds. Tokens of another
    `generation` are no longer known.
    """

    folder: str
    since: int = 0
    until: int = 0
    skip: int = 0
    select: str = ""
    generation: int = 1
    received: str = ""

    def text(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()


@blueprint.get(f"{_PATH}/delta")
@blueprint.get(f"{_PATH}/delta()")
@allowed("GET /users/{user-id}/mailFolders/{mailFolder-id}/messages/delta()")
def message_delta(user: str, folder: str) -> Response:
    """Pages with a nextLink, the last with a deltaLink. `changeType` keeps one kind of change."""
    person = writable_mailbox(user)
    box = current_tenant().mailboxes.of(person)
    refuse_options({"$filter", "$select", "$top", "$skiptoken", "$deltatoken"})
    token = _token(box.folder(folder))
    until = token.until or len(box.changes)
    changes = _last_changes(box, token, until=until)
    size = _page_size()
    page = changes[token.skip : token.skip + size]
    more = token.skip + size < len(changes)
    after = (
        replace(token, until=until, skip=token.skip + size) if more else replace(token, since=until, until=0, skip=0)
    )
    name = "$skiptoken" if more else "$deltatoken"
    link = f"{request.host_url.rstrip('/')}{quote(request.path, safe='/@()')}?{name}={after.text()}"
    return respond(
        {
            "@odata.context": context_url(f"users('{person.id}')/mailFolders('{folder}')/messages"),
            "@odata.nextLink" if more else "@odata.deltaLink": link,
            "value": [_item(box, change, token.select) for change in page],
        }
    )


def _token(folder: str) -> Token:
    text = request.args.get("$skiptoken") or request.args.get("$deltatoken")
    known = current_tenant().mailboxes.delta_generation
    if not text:
        return Token(folder, select=request.args.get("$select", ""), generation=known, received=_received_from())
    try:
        token = Token(**json.loads(base64.urlsafe_b64decode(text)))
    except (binascii.Error, ValueError, TypeError) as error:
        raise Refused(400, "syncStateInvalid", "Badly formed token.") from error
    if token.folder != folder:
        raise Refused(400, "syncStateInvalid", "The token is for another folder.")
    if token.generation != known or current_tenant().switches.message_delta_tokens_expired:
        raise _gone(token)
    return token


def _gone(token: Token) -> GraphFault:
    """410 with a fresh address, whose delta token is empty: a full round starts there (facts 6)."""
    chosen = f"$select={quote(token.select, safe=',')}&" if token.select else ""
    message = "The sync state generation is not found; start again from the address in Location."
    headers = {"Location": f"{request.base_url}?{chosen}$deltatoken="}
    return GraphFault(410, "SyncStateNotFound", message, headers=headers)


def _received_from() -> str:
    """The instant of `receivedDateTime ge ...`, the one filter that this delta takes (api/message-delta)."""
    text = request.args.get("$filter")
    if text is None:
        return ""
    found = re.fullmatch(r"receivedDateTime g[et] (\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))", text.strip())
    if found is None:
        raise Refused(400, "ErrorInvalidUrlQueryFilter", "Only receivedDateTime ge or gt can be filtered by here.")
    return found[1].replace("Z", "+00:00")


def _last_changes(box: Mailbox, token: Token, *, until: int) -> list[FolderChange]:
    """The last change of each message, oldest first; a first round tells nothing of what is gone already."""
    last: dict[str, FolderChange] = {}
    created: set[str] = set()
    for change in box.changes[token.since : until]:
        if change.folder == token.folder:
            last.pop(change.immutable_id, None)
            last[change.immutable_id] = change
            created |= {change.immutable_id} if change.change == "created" else set()
    kind = request.args.get("changeType")
    kept = [one for one in last.values() if token.since or one.change != "deleted"]
    kept = [one for one in kept if _is_late_enough(box, one, token.received)]
    return [one for one in kept if kind in (None, _kind(one, created))]


def _is_late_enough(box: Mailbox, change: FolderChange, received: str) -> bool:
    message = box.messages.get(change.immutable_id)
    if not received or message is None:
        return True
    return (message.received_at or message.created_at) >= datetime.fromisoformat(received)


def _kind(change: FolderChange, created: set[str]) -> str:
    return "created" if change.change != "deleted" and change.immutable_id in created else change.change


def _item(box: Mailbox, change: FolderChange, chosen: str) -> Json:
    immutable = preferences().get("idtype") == "ImmutableId"
    message = box.messages.get(change.immutable_id)
    if message is None or message.folder != change.folder:
        gone = change.immutable_id if immutable else change.rest_id
        return {"@odata.type": "#microsoft.graph.message", "id": gone, "@removed": {"reason": "deleted"}}
    item = select(shown(message_json(message, box)), type_name="message", known=("internetMessageHeaders",))
    names = {name.strip() for name in chosen.split(",") if name.strip()}
    return {key: value for key, value in item.items() if not names or key in names or key == "id" or "@" in key}


def _page_size() -> int:
    preferred = preferences().get("odata.maxpagesize", "")
    return int(preferred) if preferred.isdigit() and int(preferred) else _PAGE
