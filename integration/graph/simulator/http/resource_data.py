"""What a notification with resource data says about its item: the properties its subscription selected. Facts 5.5."""

from datetime import UTC, datetime

from flask import Flask

from ..tenant.directory import Person
from ..tenant.mailboxes import Mailbox
from ..tenant.messages import Message
from ..tenant.refusals import Refused
from ..tenant.resources import Watched
from ..tenant.subscriptions import Subscription
from ..tenant.tenant import Tenant
from .eventbody import PROPERTIES
from .eventjson import Style, event_json
from .message_json import message_json
from .odata import GraphFault, Json

_INSTANTS = ("createdDateTime", "lastModifiedDateTime", "receivedDateTime", "sentDateTime")


def content_of(app: Flask, subscription: Subscription, item_id: str) -> Json | None:
    """None for an item that is gone, or on its way."""
    watched = subscription.watched
    tenant: Tenant = app.extensions["tenant"]
    headers = {"Prefer": 'IdType="ImmutableId"'} if subscription.immutable_ids else {}
    if watched.person is None:
        return None
    try:
        with app.test_request_context("/", headers=headers):
            item = _item(tenant, watched, watched.person, item_id, immutable=subscription.immutable_ids)
    except Refused:
        return None
    return _annotated({name: item[name] for name in _spelled(watched.select, item) if name in item})


def check_names(watched: Watched) -> None:
    """400 for a `$select` in the resource that names what the type does not have."""
    if watched.person is None or not watched.select:
        return
    known = PROPERTIES if watched.collection == "events" else _message_names(watched.person)
    by_name = {name.casefold() for name in known}
    for name in watched.select:
        if name.casefold() not in by_name:
            type_name = "event" if watched.collection == "events" else "message"
            message = f"Could not find a property named '{name}' on type 'microsoft.graph.{type_name}'."
            raise GraphFault(400, "BadRequest", message)


def _item(tenant: Tenant, watched: Watched, person: Person, item_id: str, *, immutable: bool) -> Json:
    if watched.collection == "events":
        return event_json(tenant.calendars.find(person, item_id), Style(immutable=immutable))
    box = tenant.mailboxes.of(person)
    return message_json(box.find(item_id), box)


def _spelled(selected: tuple[str, ...], item: Json) -> list[str]:
    """`$select` in whatever case it was sent (the samples do), the item's spelling in the answer."""
    spelling = {name.casefold(): name for name in item}
    return [spelling.get(name.casefold(), name) for name in selected]


def _annotated(item: Json) -> Json:
    annotated: Json = {}
    for name, value in item.items():
        if name in _INSTANTS:
            annotated[f"{name}@odata.type"] = "#DateTimeOffset"
        annotated[name] = value
    return annotated


def _message_names(owner: Person) -> set[str]:
    once = datetime.fromtimestamp(0, UTC)
    message = Message("", "", "inbox", "", "", "html", once, once, "", "")
    of_meetings = ("meetingMessageType", "startDateTime", "endDateTime")
    return {*message_json(message, Mailbox(owner, {})), *of_meetings}
