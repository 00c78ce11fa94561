"""Delta rounds over the directory: who came, changed or left since a link was given out."""

import base64
import json
from datetime import datetime, timedelta

from flask import Blueprint, Response, request

from .odata import (
    GraphFault,
    Json,
    context_url,
    current_tenant,
    link_with,
    refuse_options,
    respond,
    selected,
    service_root,
)
from .permissions import allowed
from .users import DEFAULT_PROPERTIES, shape_of_select, user_json

blueprint = Blueprint("user_delta", __name__)


@blueprint.get("/v1.0/users/delta")
@allowed("GET /users/delta()")
def users_delta() -> Response:
    """A directory delta round. Links older than seven days answer 410 with a fresh address to start from."""
    refuse_options(("$select", "$deltatoken", "$skiptoken", "$filter"))
    tenant = current_tenant()
    sent = request.args.get("$deltatoken") or None
    revision, names = 0, selected()
    if sent == "latest":
        return respond(_delta_page([], tenant.directory.revision, names))
    if sent is not None:
        revision, names = _read_token(sent)
    value = [
        _delta_item(key, gone=change.removed, names=names) for key, change in tenant.directory.changed_since(revision)
    ]
    if sent is None:
        value = [item for item in value if "@removed" not in item]
    return respond(_delta_page(value, tenant.directory.revision, names))


def _delta_item(key: str, *, gone: str | None, names: list[str] | None) -> Json:
    person = current_tenant().directory.find(key)
    if person is None or gone:
        return {"id": key, "@removed": {"reason": gone or "deleted"}}
    user = user_json(person)
    wanted = set(names or DEFAULT_PROPERTIES) | {"id"}
    unknown = wanted - set(user) - {"manager"}
    if unknown:
        message = f"Could not find a property named '{sorted(unknown)[0]}' on type 'microsoft.graph.user'."
        raise GraphFault(400, "BadRequest", message)
    item = {name: value for name, value in user.items() if name in wanted}
    if "manager" in wanted and person.manager_id:
        item["manager@delta"] = [{"@odata.type": "#microsoft.graph.user", "id": person.manager_id}]
    return item


def _delta_page(value: list[Json], revision: int, names: list[str] | None) -> Json:
    token = {"revision": revision, "at": current_tenant().clock.now().isoformat(), "select": names}
    sealed = base64.urlsafe_b64encode(json.dumps(token).encode()).decode().rstrip("=")
    link = link_with({"$deltatoken": sealed}, without=("$select", "$filter", "$skiptoken"))
    return {
        "@odata.context": context_url(f"users{shape_of_select()}"),
        "@odata.deltaLink": link,
        "value": value,
    }


def _read_token(sent: str) -> tuple[int, list[str] | None]:
    try:
        token = json.loads(base64.urlsafe_b64decode(sent + "=" * (-len(sent) % 4)))
        revision, at, names = int(token["revision"]), datetime.fromisoformat(token["at"]), token["select"]
    except (ValueError, KeyError, TypeError) as broken:
        raise GraphFault(400, "syncStateInvalid", "The sync state generation is not found.") from broken
    tenant = current_tenant()
    if tenant.clock.now() - at > timedelta(days=tenant.switches.user_delta_token_days):
        fresh = {"Location": f"{service_root()}/users/delta?$deltatoken="}
        raise GraphFault(410, "resyncRequired", "Resync required. The delta token is too old.", fresh)
    return revision, names
