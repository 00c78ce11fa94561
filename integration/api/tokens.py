"""Tokens of programs that use the API: made, found and revoked; only the SHA-256 of a token is stored.

A token has 256 bits of chance, so one round of a quick hash is enough: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from integration.admin.audit import record
from integration.admin.permissions import PERMISSIONS, Permission, Role, Visitor
from integration.api.models import ApiToken
from integration.errors import Conflict, InputRefused, NotThere
from integration.language import Wording, lazy

PREFIX = "pods_"  # by which scanners of leaked secrets know them
SEEN_EVERY = timedelta(minutes=1)
SCOPES: Mapping[Permission, Wording] = {
    Permission.PEOPLE_SEE: lazy("see the roster and each person"),
    Permission.PEOPLE_IMPORT: lazy("bring a roster"),
    Permission.PERSON_CORRECT: lazy("correct somebody's address: invitations move"),
    Permission.PROGRAMS_SEE: lazy("see the list of programs"),
    Permission.PROGRAM_CREATE: lazy("create programs"),
    Permission.PROGRAM_SEE: lazy("see a program and its plans"),
    Permission.PROGRAM_PLAN: lazy("change a program, ask for a plan"),
    Permission.PROGRAM_APPLY: lazy("apply a plan: invitations leave"),
    Permission.PROGRAM_UNDO: lazy("undo a plan: cancellations leave"),
    Permission.POD_SEE: lazy("see a pod, its sessions and replies"),
    Permission.HEALTH_SEE: lazy("see the outbox and the checks"),
    Permission.MESSAGE_RETRY: lazy("try what is parked again"),
    Permission.MESSAGE_DISCARD: lazy("give up what is parked"),
}


def make_token(
    session: Session,
    name: str,
    scopes: Iterable[Permission],
    *,
    made_by: str,
    now: datetime,
    expires_at: datetime | None = None,
    program_ids: Iterable[int] | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its text, which nobody can read again. ``now`` is of the real clock.

    With ``program_ids`` it may do no more than a coordinator who is limited to these programs.

    Raises InputRefused without a name or scope, and for a scope that no coordinator has; Conflict for a name that is
    taken, also by a revoked token: the audit trail tells them apart by it.
    """
    wanted = sorted(set(scopes))
    if not name.strip():
        raise InputRefused(lazy("The token has no name."), remedy=lazy("Name it after the program that uses it."))
    if not wanted or not set(wanted) <= set(SCOPES):
        raise InputRefused(
            lazy("The token may do nothing."), remedy=lazy("Choose from %(names)s.", names=", ".join(SCOPES))
        )
    limits = None if program_ids is None else sorted(set(program_ids))
    beyond = [each for each in wanted if limits is not None and Role.COORDINATOR not in PERMISSIONS[each]]
    if beyond:
        raise InputRefused(
            lazy("A token that is limited to programs cannot have %(names)s.", names=", ".join(beyond)),
            remedy=lazy("Leave that out, or do not limit the token."),
        )
    if expires_at is not None and expires_at <= now:
        raise InputRefused(lazy("The token would have expired already."), remedy=lazy("Choose a later date."))
    if session.scalar(select(ApiToken.id).where(ApiToken.name == name.strip())):
        raise Conflict(
            lazy("There is a token %(name)s already.", name=repr(name.strip())), remedy=lazy("Choose another name.")
        )
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        name=name.strip(),
        key_hash=_hash(text),
        scopes=[str(scope) for scope in wanted],
        program_ids=limits,
        made_by=made_by,
        made_at=now,
        expires_at=expires_at,
    )
    session.add(token)
    session.flush()
    return token, text


def grant(
    session: Session,
    name: str,
    scopes: Iterable[Permission],
    *,
    by: Visitor,
    now: datetime,
    expires_at: datetime | None = None,
    program_ids: Iterable[int] | None = None,
) -> tuple[ApiToken, str]:
    """Make a token for a person, and note in the audit trail who did. Raises as ``make_token``."""
    token, text = make_token(
        session, name, scopes, made_by=by.mail, now=now, expires_at=expires_at, program_ids=program_ids
    )
    after = {"name": token.name, "scopes": token.scopes, "programs": token.program_ids or "all"}
    record(session, by, Permission.ACCESS_CHANGE, thing="token", thing_id=token.id, after=after)
    return token, text


def revoke(session: Session, token: ApiToken, *, by: Visitor, now: datetime) -> bool:
    """Let a token open nothing from now on, and note who did; False: that was so already."""
    revoked = update(ApiToken).where(ApiToken.id == token.id, ApiToken.revoked_at.is_(None)).values(revoked_at=now)
    if session.scalar(revoked.returning(ApiToken.id)) is None:
        return False
    after = {"name": token.name, "revoked": True}
    record(session, by, Permission.ACCESS_CHANGE, thing="token", thing_id=token.id, after=after)
    return True


def scopes_named(names: Iterable[str]) -> list[Permission]:
    """The scopes of these names; raises InputRefused for the first that is none."""
    known = {str(scope): scope for scope in SCOPES}
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise InputRefused(
            lazy("%(name)s is nothing that a token may do.", name=unknown),
            remedy=lazy("Choose from %(names)s.", names=", ".join(SCOPES)),
        )
    return [known[name] for name in names]


def token_named(session: Session, name: str) -> ApiToken:
    """The token of this name or number; raises NotThere."""
    token = session.scalar(select(ApiToken).where(ApiToken.name == name))
    if token is None and name.isdecimal():
        token = session.get(ApiToken, int(name))
    if token is None:
        raise NotThere(lazy("token"), name)
    return token


def state_of(token: ApiToken, *, now: datetime) -> str:
    """ "valid", "expired" or "revoked"."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now else "valid"


def find_token(session: Session, text: str, *, now: datetime) -> ApiToken | None:
    """The token with this text; None when there is none, or it was revoked or has expired."""
    if not text.startswith(PREFIX):
        return None
    return session.scalar(
        select(ApiToken).where(
            ApiToken.key_hash == _hash(text),
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
        )
    )


def record_use(session: Session, token_id: int, *, now: datetime) -> None:
    """Note when a token was last used."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=now))


def is_use_due(token: ApiToken, *, now: datetime) -> bool:
    """Whether the use should be noted: at most once a minute."""
    return token.used_at is None or token.used_at < now - SEEN_EVERY


def visitor_of(token: ApiToken) -> Visitor:
    """Who a token stands for: the office, or a coordinator of some programs, limited to the token's scopes."""
    limits = None if token.program_ids is None else frozenset(token.program_ids)
    return Visitor(
        mail=f"token:{token.name}",
        name=token.name,
        roles=frozenset({Role.ADMINISTRATOR if limits is None else Role.COORDINATOR}),
        coordinates=limits,
        scopes=frozenset(Permission(scope) for scope in token.scopes),
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
