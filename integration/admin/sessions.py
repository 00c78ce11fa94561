"""Sessions of browsers, kept in the database; the cookie is a random key, of which only the hash is stored.

They end when idle or too old, by the real clock, and whoever signs in gets a new key, so that a key that somebody
planted before opens nothing (https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.datastructures import CallbackDict

from integration.admin.models import WebSession
from integration.admin.office import record_sign_in
from integration.admin.permissions import Role
from integration.clock import real_now
from integration.db import Database

IDLE = timedelta(hours=1)
AT_MOST = timedelta(hours=12)
UNTIL_SIGNED_IN = timedelta(minutes=20)
SEEN_EVERY = timedelta(minutes=1)


class BrowserSession(CallbackDict[str, Any], SessionMixin):  # pyright: ignore[reportIncompatibleMethodOverride]
    """What Flask calls the session; ``mail`` is None until somebody has signed in."""

    def __init__(self, key: str | None = None, row: WebSession | None = None) -> None:
        super().__init__(dict(row.content) if row else {}, on_update=_note)
        self.key = key
        self.id = row.id if row else None
        self.new, self.modified, self.accessed = row is None, False, False
        self.mail = row.mail if row else None
        self.name = (row.name if row else None) or ""
        self.roles = frozenset(Role(each) for each in row.roles) if row else frozenset[Role]()
        self.is_unread = False  # there is a cookie, and the database cannot be reached
        self.in_teams = row.in_teams if row else False


class StoredSessions(SessionInterface):
    """Loads and stores sessions; a request that changes nothing writes nothing."""

    def __init__(self, database: Database, now: Callable[[], datetime] = real_now) -> None:
        self._database, self._now = database, now

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        """The session of the cookie, or an empty one that is stored once something is put into it."""
        key = request.cookies.get(self.get_cookie_name(app))
        if not key or request.endpoint == "static":
            return BrowserSession()
        now = self._now()
        try:
            with self._database.reading() as session:
                row = session.scalar(_open(now).where(WebSession.key_hash == _hash(key)))
        except OperationalError:  # an error page needs a session, too
            unread = BrowserSession()
            unread.is_unread = True
            return unread
        if row is None:
            return BrowserSession()
        if row.seen_at < now - SEEN_EVERY:
            with self._database.transaction() as session:
                session.execute(update(WebSession).where(WebSession.id == row.id).values(seen_at=now))
        return BrowserSession(key, row)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Store what changed, and give a new session its cookie."""
        assert isinstance(session, BrowserSession)
        if session.accessed:
            response.vary.add("Cookie")
        if not session.modified:
            return
        with self._database.transaction() as database:
            if session.key is None:
                session.key = open_session(database, now=self._now(), content=dict(session))
            else:
                changed = update(WebSession).where(WebSession.key_hash == _hash(session.key))
                database.execute(changed.values(content=dict(session)))
        self._give_cookie(app, session, response)

    def _give_cookie(self, app: Flask, session: BrowserSession, response: Response) -> None:
        response.set_cookie(
            self.get_cookie_name(app),
            session.key or "",
            httponly=True,
            secure=bool(app.config["SESSION_COOKIE_SECURE"]) or session.in_teams,
            samesite="None" if session.in_teams else "Lax",
            partitioned=session.in_teams,
            path="/",
        )


def open_session(
    session: Session,
    *,
    now: datetime,
    mail: str | None = None,
    name: str = "",
    roles: Iterable[Role] = (),
    content: dict[str, Any] | None = None,
    in_teams: bool = False,
) -> str:
    """Begin a session, of somebody who has proved who they are when ``mail`` is given; returns the cookie's value."""
    key, held = secrets.token_urlsafe(32), sorted(roles)
    if mail:
        record_sign_in(session, mail, held, now=now)
    session.add(
        WebSession(
            key_hash=_hash(key),
            content=content or {},
            mail=mail.lower() if mail else None,
            name=name,
            roles=held,
            begun_at=now,
            seen_at=now,
            ends_at=now + (AT_MOST if mail else UNTIL_SIGNED_IN),
            in_teams=in_teams,
        )
    )
    return key


def end_session(session: Session, key: str) -> None:
    """Sign this browser out; a session that has ended already is what was wanted."""
    session.execute(delete(WebSession).where(WebSession.key_hash == _hash(key)))


def end_sessions_of(session: Session, mail: str) -> int:
    """Sign somebody out everywhere; returns of how many browsers."""
    ended = session.scalars(delete(WebSession).where(WebSession.mail == mail.lower()).returning(WebSession.id))
    return len(ended.all())


def forget_ended(session: Session, *, now: datetime) -> None:
    """Delete what nobody can use any more."""
    session.execute(delete(WebSession).where(or_(WebSession.ends_at < now, WebSession.seen_at < now - IDLE)))


def _open(now: datetime) -> Any:
    return select(WebSession).where(WebSession.ends_at > now, WebSession.seen_at > now - IDLE)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _note(session: Any) -> None:
    session.modified = session.accessed = True
