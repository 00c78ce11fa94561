"""People over HTTP: users, managers, licences, mailbox settings, the organization, delta rounds."""

import re
import uuid
from collections.abc import Sequence

from flask import Blueprint, Response, request

from ..tenant.directory import Person
from .odata import (
    GraphFault,
    Json,
    collection,
    context_url,
    current_tenant,
    refuse_options,
    respond,
    select,
    selected,
    user_or_404,
)
from .permissions import allowed

blueprint = Blueprint("users", __name__)

DEFAULT_PROPERTIES = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
FILTERS = {
    "accountEnabled": "eq ne in",
    "department": "eq ne in startswith",
    "displayName": "eq ne in startswith",
    "givenName": "eq ne in startswith",
    "id": "eq in",
    "jobTitle": "eq ne in startswith",
    "mail": "eq ne in startswith endswith",
    "otherMails": "any",
    "preferredLanguage": "eq ne in startswith",
    "surname": "eq ne in startswith",
    "userPrincipalName": "eq ne in startswith endswith",
    "userType": "eq ne in",
}
E365_SKU = "06ebc4ee-1bb5-47dd-8120-11324bc54e06"
EXCHANGE_PLAN = ("EXCHANGE_S_ENTERPRISE", "efb87545-963c-4e0d-99df-69c6916d9eb0")
TEAMS_PLAN = ("TEAMS1", "57ff2da0-773e-42df-b2af-ffb7a2317929")


@blueprint.get("/v1.0/users")
@allowed("GET /users")
def list_users() -> Response:
    advanced = _asks_for_advanced_query()
    return collection(
        [user_json(person) for person in current_tenant().directory.people],
        context=f"users{shape_of_select()}",
        type_name="user",
        default_page=100,
        max_page=999,
        filters=FILTERS,
        orders=("displayName", "userPrincipalName"),
        options=("$expand",),
        show=_shown,
        next_by="$skiptoken",
        counts=advanced,
    )


@blueprint.get("/v1.0/users/$count")
@allowed("GET /users/$count")
def count_users() -> Response:
    if request.headers.get("ConsistencyLevel", "").lower() != "eventual":
        message = "$count is not currently supported without the header ConsistencyLevel: eventual."
        raise GraphFault(400, "Request_BadRequest", message)
    return Response(str(len(current_tenant().directory.people)), content_type="text/plain")


@blueprint.get("/v1.0/users/<user>")
@allowed("GET /users/{user-id}")
def get_user(user: str) -> Response:
    refuse_options(("$select", "$expand"))
    shown = select(_shown(user_json(user_or_404(user))), type_name="user")
    return respond({"@odata.context": context_url(f"users{shape_of_select()}/$entity"), **shown})


@blueprint.get("/v1.0/users/<user>/manager")
@allowed("GET /users/{user-id}/manager")
def get_manager(user: str) -> Response:
    manager = current_tenant().directory.find(user_or_404(user).manager_id or "")
    if manager is None:
        message = (
            "Resource 'manager' does not exist or one of its queried reference-property objects are not present."
        )
        raise GraphFault(404, "Request_ResourceNotFound", message)
    shown = select(_defaults(user_json(manager)), type_name="user")
    return respond(
        {
            "@odata.context": context_url("directoryObjects/$entity"),
            "@odata.type": "#microsoft.graph.user",
            **shown,
        }
    )


@blueprint.get("/v1.0/users/<user>/directReports")
@allowed("GET /users/{user-id}/directReports")
def list_direct_reports(user: str) -> Response:
    manager = user_or_404(user)
    people = [one for one in current_tenant().directory.people if one.manager_id == manager.id]
    reports: list[Json] = [{"@odata.type": "#microsoft.graph.user", **user_json(one)} for one in people]
    return collection(
        reports, context="directoryObjects", type_name="user", default_page=100, show=_defaults, next_by="$skiptoken"
    )


@blueprint.get("/v1.0/users/<user>/licenseDetails")
@allowed("GET /users/{user-id}/licenseDetails")
def list_licenses(user: str) -> Response:
    person = user_or_404(user)
    plans = [EXCHANGE_PLAN] * person.exchange + [TEAMS_PLAN] * person.teams
    licenses: list[Json] = [_license(person, plans)] if plans else []
    return collection(licenses, context=f"users('{person.id}')/licenseDetails", type_name="licenseDetails")


@blueprint.get("/v1.0/organization")
@allowed("GET /organization")
def get_organization() -> Response:
    tenant = current_tenant()
    domain = {"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": True, "isInitial": False}
    organization: Json = {
        "id": tenant.id,
        "displayName": tenant.name,
        "countryLetterCode": "CH",
        "preferredLanguage": "en",
        "tenantType": "AAD",
        "verifiedDomains": [{**domain, "name": tenant.domain, "type": "Managed"}],
    }
    return collection([organization], context="organization", type_name="organization")


@blueprint.get("/v1.0/servicePrincipals")
@allowed("GET /servicePrincipals")
def list_service_principals() -> Response:
    tenant = current_tenant()
    principal: Json = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, tenant.app.id)),
        "appId": tenant.app.id,
        "accountEnabled": True,
        "appRoleAssignmentRequired": False,
        "displayName": "Learning Pods",
        "servicePrincipalType": "Application",
    }
    return collection(
        [principal], context="servicePrincipals", type_name="servicePrincipal", filters={"appId": "eq", "id": "eq"}
    )


def user_json(person: Person) -> Json:
    """Every property the simulated directory has of a user, in Graph's names."""
    return {
        "businessPhones": [],
        "displayName": person.name,
        "givenName": person.given_name,
        "jobTitle": person.job_title,
        "mail": person.mail,
        "mobilePhone": None,
        "officeLocation": person.city,
        "preferredLanguage": person.language,
        "surname": person.surname,
        "userPrincipalName": person.mail,
        "id": person.id,
        "accountEnabled": person.enabled,
        "department": person.department,
        "city": person.city,
        "country": person.country,
        "otherMails": list(person.other_mails),
        "proxyAddresses": [f"SMTP:{person.mail}", *(f"smtp:{one}" for one in person.other_mails)],
        "userType": "Member",
        "usageLocation": person.country,
        "employeeId": None,
        "companyName": current_tenant().name,
    }


def _license(person: Person, plans: Sequence[tuple[str, str]]) -> Json:
    shown = [
        {
            "servicePlanId": key,
            "servicePlanName": name,
            "provisioningStatus": "Success",
            "appliesTo": "User",
        }
        for name, key in plans
    ]
    key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"licence of {person.id}"))
    return {"id": key, "skuId": E365_SKU, "skuPartNumber": "SPE_E3", "servicePlans": shown}


def _asks_for_advanced_query() -> bool:
    """Advanced queries on directory objects need a header and `$count=true`; the count alone is ignored without.

    Source: the concept page about advanced query capabilities on directory objects.
    """
    eventual = request.headers.get("ConsistencyLevel", "").lower() == "eventual"
    if eventual and request.args.get("$count", "").lower() == "true":
        return True
    wanted = request.args.get("$filter", "")
    if re.search(r"\b(ne|not|endswith)\b", re.sub(r"'[^']*'", "", wanted)) or (wanted and "$orderby" in request.args):
        message = (
            "Operator is not supported because the required parameters might be missing. Try adding $count=true "
            "query parameter and ConsistencyLevel:eventual header."
        )
        raise GraphFault(400, "Request_UnsupportedQuery", message)
    return eventual


def _shown(user: Json) -> Json:
    """The properties of a user an answer starts from: the default set, or all of them for `$select` to choose."""
    shown = dict(user) if selected() else _defaults(user)
    expand = request.args.get("$expand")
    if not expand:
        return shown
    if expand.partition("(")[0] != "manager":
        raise GraphFault(400, "Request_BadRequest", f"The query specified in the URI is not valid: $expand={expand}.")
    person = current_tenant().directory.find(str(user["id"]))
    manager = current_tenant().directory.find(person.manager_id or "") if person else None
    if manager:
        shown["manager@odata.type"] = "#microsoft.graph.user"
        shown["manager"] = {"@odata.type": "#microsoft.graph.user", **_expanded(manager, expand)}
    return shown


def _expanded(manager: Person, expand: str) -> Json:
    user = user_json(manager)
    _, found, chosen = expand.partition("$select=")
    if not found:
        return _defaults(user)
    names = {name.strip() for name in chosen.rstrip(")").split(",")}
    return {key: value for key, value in user.items() if key in names or key == "id"}


def _defaults(user: Json) -> Json:
    if selected():
        return user
    return {key: value for key, value in user.items() if key in DEFAULT_PROPERTIES or key.startswith("@")}


def shape_of_select() -> str:
    names = selected()
    return f"({','.join(names)})" if names else ""
