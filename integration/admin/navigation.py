"""What stands in the bar at the top of every page: the pages that the visitor may see."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, request, url_for
from werkzeug.routing import BuildError

from integration.admin.door import known_visitor
from integration.admin.permissions import Permission, Role, Visitor, may
from integration.language import lazy

# label, endpoint, permission: in the order of the bar; a page whose view does not exist fails when the app starts
PAGES = (
    (lazy("Today"), "today.show", Permission.TODAY_SEE),
    (lazy("Programs"), "programs.index", Permission.PROGRAMS_SEE),
    (lazy("People"), "people.index", Permission.PEOPLE_SEE),
    (lazy("Health"), "health.show", Permission.HEALTH_SEE),
    (lazy("Audit"), "audit.index", Permission.AUDIT_SEE),
    (lazy("Access"), "access.index", Permission.ACCESS_CHANGE),
    (lazy("Summary"), "summary.index", Permission.SUMMARY_SEE),
    (lazy("My pods"), "portal.my_pods", Permission.MY_PODS_SEE),
)


# where somebody begins, by the strongest of their roles
FIRST_PAGES = (
    (frozenset({Role.ADMINISTRATOR, Role.COORDINATOR}), "today.show"),
    (frozenset({Role.LEADER}), "summary.index"),
    (frozenset({Role.EMPLOYEE}), "portal.my_pods"),
)


@dataclass(frozen=True)
class Link:
    """One link of the bar."""

    label: str
    address: str
    is_here: bool


def add_navigation(app: Flask) -> None:
    """Give every template ``navigation``, and ``address_of`` for links between parts."""

    @app.context_processor
    def give() -> dict[str, object]:
        return {"navigation": _links(app), "address_of": address_of}


def first_page(app: Flask, visitor: Visitor) -> str | None:
    """The address where this visitor begins; None while none of their pages exists."""
    pages = (page for roles, page in FIRST_PAGES if roles & visitor.roles and page in app.view_functions)
    return next((url_for(page) for page in pages), None)


def address_of(endpoint: str, **parts: object) -> str:
    """The address of a page of another part; empty when there is no such page."""
    try:
        return url_for(endpoint, **parts)  # type: ignore[arg-type]
    except BuildError:
        return ""


def _links(app: Flask) -> list[Link]:
    visitor = known_visitor()
    if visitor is None:
        return []
    here = (request.endpoint or "").partition(".")[0]
    return [
        Link(str(label), url_for(endpoint), is_here=endpoint.partition(".")[0] == here)
        for label, endpoint, permission in PAGES
        if may(visitor, permission) and endpoint in app.view_functions
    ]
