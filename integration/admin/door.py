"""The door: every request passes here, and no view can be registered without saying who may see it.

A view is marked with ``needs`` or ``public``. The check happens once, before the view runs, for the thing that the
view's address names; a thing out of reach looks like one that is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from flask import Flask, Request, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.admin.models import CoordinatorLimit
from integration.admin.permissions import Permission, Role, Thing, Visitor, may
from integration.admin.sessions import BrowserSession
from integration.people.models import Person
from integration.scheduling.models import ProgramLeader
from integration.tools import Tools

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
About = Callable[..., Thing]
# Here a token in the address is the key; a proxy can let through these and nothing else.
PUBLIC_BLUEPRINTS = frozenset({"feedback", "summaries", "proposals", "feeds", "check_in"})
SignIn = Callable[[Tools, Request], Visitor | None]


@dataclass(frozen=True)
class Rule:
    """Who may see a view: everybody without a permission; ``about`` finds the thing from session and address."""

    permission: Permission | None
    about: About | None = None


def needs(permission: Permission, about: About | None = None) -> Callable[[View], View]:
    """Mark a view: only visitors with this permission.

    ``about(session, **parts of the address)`` returns the Thing that the view is about, or raises NotThere.
    """
    return lambda view: _marked(view, Rule(permission, about))


def public(view: View) -> View:
    """Mark a view: for everybody, because it tells nothing or because a token in its address is the key."""
    return _marked(view, Rule(None))


def install(app: Flask, tools: Tools, sign_ins: Sequence[SignIn]) -> None:
    """Put the door in front of every view; ``sign_ins`` are the ways to be known, tried in order."""

    @app.before_request
    def check() -> ResponseReturnValue | None:
        rule = rule_of(app, request.endpoint)
        if rule is None or rule.permission is None:
            return None
        visitor = known_visitor()
        if visitor is None and cast(BrowserSession, session).is_unread:
            abort(503)
        if visitor is None:
            return _ask_to_sign_in()
        if not may(visitor, rule.permission):
            abort(403)
        if rule.about is not None:
            with tools.database.reading() as database:
                thing = rule.about(database, **(request.view_args or {}))
            if not may(visitor, rule.permission, thing):
                abort(404)
        return None

    app.extensions["sign_ins"] = tuple(sign_ins)
    app.context_processor(lambda: {"visitor": known_visitor(), "may": _may_here, "Permission": Permission})


def refuse_open_views(app: Flask) -> None:
    """Raises RuntimeError, naming the views that say nothing of who may see them."""
    open_views = sorted({each.endpoint for each in app.url_map.iter_rules() if rule_of(app, each.endpoint) is None})
    if open_views:
        raise RuntimeError(f"Who may see these views? Mark them with needs or public: {', '.join(open_views)}")


def rule_of(app: Flask, endpoint: str | None) -> Rule | None:
    """The rule of a view; None where there is no such view, or it has none."""
    if endpoint is None:
        return None
    if endpoint == "static" or endpoint.partition(".")[0] in PUBLIC_BLUEPRINTS:
        return Rule(None)
    return getattr(app.view_functions.get(endpoint), "rule", None)


def known_visitor() -> Visitor | None:
    """Who makes this request, asked for once; None: nobody we know."""
    if "visitor" not in g:
        tools: Tools = current_app.extensions["tools"]
        found = (sign_in(tools, request) for sign_in in current_app.extensions["sign_ins"])
        g.visitor = next((visitor for visitor in found if visitor is not None), None)
    return g.visitor


def this_visitor() -> Visitor:
    """Who makes this request, in a view that ``needs`` a permission."""
    visitor = known_visitor()
    assert visitor is not None
    return visitor


def visitor_by_session(tools: Tools, request: Request) -> Visitor | None:
    """Whoever signed in with this browser; a cookie opens nothing under /api/, where no form is protected."""
    signed_in = cast(BrowserSession, session)
    if signed_in.mail is None or request.path.startswith("/api/"):
        return None
    with tools.database.reading() as database:
        return visitor_of(database, signed_in.mail, name=signed_in.name, roles=signed_in.roles)


def visitor_of(database: Session, mail: str, *, name: str, roles: frozenset[Role]) -> Visitor:
    """The visitor behind an address, with what the tables know of them now."""
    person = database.scalar(select(Person).where(Person.mail == mail, Person.left_at.is_(None)))
    limits = frozenset(database.scalars(select(CoordinatorLimit.program_id).where(CoordinatorLimit.mail == mail)))
    leads = select(ProgramLeader.program_id).where(ProgramLeader.person_id == (person.id if person else None))
    led = frozenset(database.scalars(leads))
    return Visitor(
        mail=mail,
        name=name or mail,
        roles=roles | {Role.EMPLOYEE} | ({Role.LEADER} if led else set()),
        person_id=person.id if person else None,
        coordinates=limits or None,
        leads=led,
        language=(person.language if person else None) or "",
        time_zone=(person.time_zone if person else None) or "UTC",
    )


def _marked(view: View, rule: Rule) -> View:
    view.rule = rule  # type: ignore[attr-defined]
    return view


def _may_here(permission: Permission, thing: Thing | None = None) -> bool:
    visitor = known_visitor()
    return visitor is not None and may(visitor, permission, thing)


def _ask_to_sign_in() -> ResponseReturnValue:
    if request.path.startswith("/api/"):
        abort(401)
    wanted = request.full_path.removesuffix("?") if request.method == "GET" else "/"
    return redirect(url_for("auth.sign_in", next=wanted))
