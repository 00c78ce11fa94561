"""Access, for administrators: tokens of the API, receivers of webhooks, and the limits of coordinators.

A token or secret is shown on the answer to the form that made it, and never again.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, cast

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice  # pyright: ignore[reportAttributeAccessIssue] (newer than its stubs)

from integration.admin import audit
from integration.admin.access_forms import LimitForm, ReceiverForm, TokenForm
from integration.admin.door import needs, this_visitor
from integration.admin.models import CoordinatorLimit
from integration.admin.permissions import Permission, Thing
from integration.admin.tables import Column, page_of
from integration.announcing import receivers as receiving
from integration.announcing.announcements import retry_announcement
from integration.announcing.jobs import reach_of
from integration.announcing.models import Announcement, Receiver
from integration.api import tokens as api_tokens
from integration.api.models import ApiToken
from integration.clock import real_now
from integration.errors import Conflict, InputRefused, NotThere
from integration.language import Lazy, lazy
from integration.language import gettext as _
from integration.scheduling.models import Program
from integration.tools import Tools

blueprint = Blueprint("access", __name__, url_prefix="/admin/access")
STATES = {"waiting": "neutral", "delivered": "good", "failed": "bad"}


def _token(session: Session, token_id: int) -> Thing:
    return _known(session, ApiToken, token_id, lazy("token"))


def _receiver(session: Session, receiver_id: int) -> Thing:
    return _known(session, Receiver, receiver_id, lazy("receiver"))


def _announcement(session: Session, announcement_id: int) -> Thing:
    return _known(session, Announcement, announcement_id, lazy("announcement"))


def _limit(session: Session, limit_id: int) -> Thing:
    return _known(session, CoordinatorLimit, limit_id, lazy("limit"))


@blueprint.get("/")
@needs(Permission.ACCESS_CHANGE)
def index() -> ResponseReturnValue:
    return _tokens_page(_token_form())


@blueprint.post("/tokens")
@needs(Permission.ACCESS_CHANGE)
def make_token() -> ResponseReturnValue:
    form = _token_form()
    if not form.validate_on_submit():
        return _tokens_page(form), 400
    ends = datetime.combine(form.expires_on.data, time(), tzinfo=UTC) if form.expires_on.data else None
    try:
        with _tools().database.transaction() as session:
            token, text = api_tokens.grant(
                session,
                form.name.data or "",
                [Permission(each) for each in form.scopes.data or ()],
                by=this_visitor(),
                now=real_now(),
                expires_at=ends,
                program_ids=[int(each) for each in form.programs.data or ()] or None,
            )
    except (InputRefused, Conflict) as error:
        cast(list[str], form.name.errors).append(str(error))
        return _tokens_page(form), 400
    return _shown_once(_("Token %(name)s", name=token.name), text, url_for("access.index"))


@blueprint.route("/tokens/<int:token_id>/revoke", methods=["GET", "POST"])
@needs(Permission.ACCESS_CHANGE, about=_token)
def revoke_token(token_id: int) -> ResponseReturnValue:
    with _tools().database.transaction() as session:
        token = session.get_one(ApiToken, token_id)
        if request.method == "POST":
            api_tokens.revoke(session, token, by=this_visitor(), now=real_now())
            flash(_("Token %(name)s opens nothing any more.", name=token.name), "good")
            return redirect(url_for("access.index"), code=303)
    return _confirm(
        _("Revoke token %(name)s?", name=token.name),
        _("Whatever program uses it is refused from now on. This cannot be taken back."),
        _("Revoke"),
        url_for("access.index"),
    )


@blueprint.get("/receivers")
@needs(Permission.ACCESS_CHANGE)
def receivers() -> ResponseReturnValue:
    return _receivers_page(ReceiverForm())


@blueprint.post("/receivers")
@needs(Permission.ACCESS_CHANGE)
def add_receiver() -> ResponseReturnValue:
    form = ReceiverForm()
    if not form.validate_on_submit():
        return _receivers_page(form), 400
    tools = _tools()
    try:
        with tools.database.transaction() as session:
            receiver, secret = receiving.add_receiver(
                session,
                form.url.data or "",
                form.events.data or (),
                made_by=this_visitor().mail,
                now=real_now(),
                reach=reach_of(tools.settings),
                secret_key=tools.settings.secret_key,
            )
            _record(session, "receiver", receiver.id, after={"url": receiver.url, "events": receiver.events})
    except (InputRefused, Conflict) as error:
        cast(list[str], form.url.errors).append(str(error))
        return _receivers_page(form), 400
    return _shown_once(_("Secret of the new receiver"), secret, _log(receiver.id))


@blueprint.get("/receivers/<int:receiver_id>")
@needs(Permission.ACCESS_CHANGE, about=_receiver)
def show_receiver(receiver_id: int) -> ResponseReturnValue:
    columns = (
        Column("made_at", _("When"), Announcement.id),
        Column("event", _("Event"), Announcement.event),
        Column("state", _("State"), Announcement.state),
        Column("attempts", _("Attempts"), Announcement.attempts, is_number=True),
        Column("answered", _("Last answer"), Announcement.answered),
        Column("retry", _("Again")),
    )
    wanted = select(Announcement).where(Announcement.receiver_id == receiver_id)
    state = request.args.get("state", "")
    if state in STATES:
        wanted = wanted.where(Announcement.state == state)
    with _tools().database.reading() as session:
        receiver = session.get_one(Receiver, receiver_id)
        table = page_of(session, wanted, columns, request.args, sort="-made_at", filters=("state",))
        names = {"waiting": _("waiting"), "delivered": _("delivered"), "failed": _("failed")}
        return render_template(
            "access/receiver.html", receiver=receiver, table=table, kinds=STATES, names=names, state=state
        )


@blueprint.route("/receivers/<int:receiver_id>/stop", methods=["GET", "POST"])
@needs(Permission.ACCESS_CHANGE, about=_receiver)
def stop_receiver(receiver_id: int) -> ResponseReturnValue:
    if request.method == "GET":
        return _confirm(_("Stop this receiver?"), _("It is told of nothing any more."), _("Stop"), _log(receiver_id))
    with _tools().database.transaction() as session:
        receiver = session.get_one(Receiver, receiver_id)
        if receiver.stopped_at is None:
            receiving.stop_receiver(session, receiver_id, now=real_now())
            _record(session, "receiver", receiver_id, after={"stopped": True})
    flash(_("The receiver is stopped."), "good")
    return redirect(_log(receiver_id), code=303)


@blueprint.route("/receivers/<int:receiver_id>/secret", methods=["GET", "POST"])
@needs(Permission.ACCESS_CHANGE, about=_receiver)
def rotate_secret(receiver_id: int) -> ResponseReturnValue:
    if request.method == "GET":
        sentence = _("The old secret signs nothing from that moment on: the receiver needs the new one.")
        return _confirm(_("Make a new secret?"), sentence, _("Make a new secret"), _log(receiver_id))
    tools = _tools()
    with tools.database.transaction() as session:
        _row, secret = receiving.rotate_secret(session, receiver_id, secret_key=tools.settings.secret_key)
        _record(session, "receiver", receiver_id, after={"secret": "new"})
    return _shown_once(_("New secret"), secret, _log(receiver_id))


@blueprint.post("/announcements/<int:announcement_id>/retry")
@needs(Permission.ACCESS_CHANGE, about=_announcement)
def retry(announcement_id: int) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        receiver_id = session.get_one(Announcement, announcement_id).receiver_id
    try:
        with _tools().database.transaction() as session:
            retry_announcement(session, announcement_id)
            _record(session, "announcement", announcement_id, after={"retried": True})
        flash(_("It is sent again."), "good")
    except Conflict as error:
        flash(str(error), "warning")
    return redirect(_log(receiver_id), code=303)


@blueprint.get("/limits")
@needs(Permission.ACCESS_CHANGE)
def limits() -> ResponseReturnValue:
    return _limits_page(LimitForm())


@blueprint.post("/limits")
@needs(Permission.ACCESS_CHANGE)
def add_limit() -> ResponseReturnValue:
    form = LimitForm()
    form.program_id.choices = cast(Any, _programs())
    if not form.validate_on_submit():
        return _limits_page(form), 400
    mail, program_id = (form.mail.data or "").strip().lower(), int(form.program_id.data)
    with _tools().database.transaction() as session:
        known = select(CoordinatorLimit).filter_by(mail=mail, program_id=program_id)
        if session.scalar(known) is None:
            session.add(CoordinatorLimit(mail=mail, program_id=program_id))
            _record(session, "limit", None, after={"mail": mail, "program": program_id})
    flash(_("%(mail)s sees only the programs in the table.", mail=mail), "good")
    return redirect(url_for("access.limits"), code=303)


@blueprint.route("/limits/<int:limit_id>/remove", methods=["GET", "POST"])
@needs(Permission.ACCESS_CHANGE, about=_limit)
def remove_limit(limit_id: int) -> ResponseReturnValue:
    with _tools().database.transaction() as session:
        limit = session.get_one(CoordinatorLimit, limit_id)
        left = session.scalar(select(func.count()).select_from(CoordinatorLimit).filter_by(mail=limit.mail)) or 0
        if request.method == "POST":
            session.delete(limit)
            _record(session, "limit", limit_id, before={"mail": limit.mail, "program": limit.program_id})
            flash(_("The row is removed."), "good")
            return redirect(url_for("access.limits"), code=303)
    last = _("It is the last one: without any, they see every program.")
    rest = _("They no longer see this program.")
    title = _("Remove the row of %(mail)s?", mail=limit.mail)
    return _confirm(title, last if left == 1 else rest, _("Remove"), url_for("access.limits"))


def _tokens_page(form: TokenForm) -> str:
    with _tools().database.reading() as session:
        rows = session.scalars(select(ApiToken).order_by(ApiToken.name)).all()
        names = {row.id: row.name for row in session.execute(select(Program.id, Program.name))}
        return render_template("access/tokens.html", form=form, tokens=rows, now=real_now(), programs=names)


def _token_form() -> TokenForm:
    form = TokenForm()
    with _tools().database.reading() as session:
        rows = session.execute(select(Program.id, Program.name).order_by(Program.name))
        form.programs.choices = [SelectChoice(str(row.id), row.name) for row in rows]
    return form


def _receivers_page(form: ReceiverForm) -> str:
    since = real_now() - timedelta(days=7)
    counted = (
        select(Announcement.receiver_id, func.count())
        .where(Announcement.state == "failed", Announcement.made_at > since)
        .group_by(Announcement.receiver_id)
    )
    with _tools().database.reading() as session:
        rows = session.scalars(select(Receiver).order_by(Receiver.stopped_at.is_not(None), Receiver.id)).all()
        failed = {row[0]: row[1] for row in session.execute(counted)}
        return render_template("access/receivers.html", form=form, receivers=rows, failed=failed)


def _limits_page(form: LimitForm) -> str:
    form.program_id.choices = cast(Any, _programs())
    with _tools().database.reading() as session:
        rows = session.execute(
            select(CoordinatorLimit, Program.name)
            .join(Program, Program.id == CoordinatorLimit.program_id)
            .order_by(CoordinatorLimit.mail, Program.name)
        ).all()
        return render_template("access/limits.html", form=form, rows=rows)


def _programs() -> list[SelectChoice]:
    with _tools().database.reading() as session:
        rows = session.execute(select(Program.id, Program.name).order_by(Program.name)).all()
        return [SelectChoice(value=str(row[0]), label=row[1]) for row in rows]


def _shown_once(title: str, secret: str, back: str) -> ResponseReturnValue:
    return render_template("access/shown_once.html", title=title, secret=secret, back=back), 201


def _confirm(title: str, sentence: str, label: str, back: str) -> str:
    return render_template(
        "confirm.html", title=title, sentence=sentence, label=label, back=back, danger=True, mails=[]
    )


def _log(receiver_id: int) -> str:
    return url_for("access.show_receiver", receiver_id=receiver_id)


def _known(session: Session, kind: type[Any], key: int, what: Lazy) -> Thing:
    if key > 2**31 - 1 or session.get(kind, key) is None:
        raise NotThere(what, key)
    return Thing()


def _record(
    session: Session,
    thing: str,
    thing_id: int | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        this_visitor(),
        Permission.ACCESS_CHANGE,
        thing=thing,
        thing_id=thing_id,
        before=before,
        after=after,
    )


def _tools() -> Tools:
    return current_app.extensions["tools"]
