"""User accounts. https://learn.microsoft.com/graph/api/resources/user"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from integration.graph import operations
from integration.graph.errors import NotFound
from integration.graph.resources import User
from integration.graph.translate import Wire, WireUser, user_in
from integration.graph.transport import Page, Request, Transport, decoded, query, quoted

if TYPE_CHECKING:
    from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder

PROPERTIES = "id,displayName,mail,userPrincipalName,department,jobTitle,preferredLanguage,accountEnabled,otherMails"
PAGE_SIZE = 200
TEAMS_PLAN = "57ff2da0-773e-42df-b2af-ffb7a2317929"  # TEAMS1, part of every licence with Teams


class DirectoryCalls:
    """Accounts of the tenant. Every call raises GraphError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def user(self, key: str, *, licences: bool = False) -> User:
        """The account with this object id, sign-in name or address. ``licences`` asks for Teams, too.

        Raises NotFound.
        """
        wire = self._by_key(key)
        return user_in(wire, teams_licensed=self._has_teams(wire.id) if licences else None)

    def users(self) -> Iterator[User]:
        """Every account, guests and disabled ones included, page by page."""
        request = Request(
            operation=operations.LIST_USERS,
            builder=self._transport.root.users,
            query=query(select=PROPERTIES, top=PAGE_SIZE),
            prefer=(),
        )
        return (user_in(wire) for wire in self._transport.collect(request, Page[WireUser]))

    def _by_key(self, key: str) -> WireUser:
        request = Request(
            operation=operations.GET_USER, builder=self._account(key), query=query(select=PROPERTIES), prefer=()
        )
        try:
            return decoded(self._transport.send(request), WireUser, operation=request.operation)
        except NotFound:
            found = self._by_mail(key) if "@" in key else None
            if found is None:
                raise
            return found

    def _by_mail(self, address: str) -> WireUser | None:
        """Where sign-in names differ from addresses, Graph finds an account by its address only through a filter."""
        request = Request(
            operation=operations.LIST_USERS,
            builder=self._transport.root.users,
            query=query(select=PROPERTIES, filter=f"mail eq {quoted(address)}"),
            prefer=(),
        )
        return next(self._transport.collect(request, Page[WireUser]), None)

    def _has_teams(self, user_id: str) -> bool:
        request = Request(
            operation=operations.LIST_LICENCES, builder=self._account(user_id).license_details, prefer=()
        )
        plans = (plan for each in self._transport.collect(request, Page[_Licence]) for plan in each.service_plans)
        return any(plan.service_plan_id == TEAMS_PLAN and plan.provisioning_status == "Success" for plan in plans)

    def _account(self, key: str) -> UserItemRequestBuilder:
        return self._transport.root.users.by_user_id(key)


class _Plan(Wire):
    service_plan_id: str | None = None
    provisioning_status: str | None = None


class _Licence(Wire):
    service_plans: list[_Plan] = msgspec.field(default_factory=list)
