"""The audit trail, for administrators."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from integration.admin.audit import Visit
from integration.admin.door import needs
from integration.admin.models import AuditEntry
from integration.admin.permissions import Permission
from integration.admin.tables import Column, page_of
from integration.language import gettext as _
from integration.tools import Tools

blueprint = Blueprint("audit", __name__, url_prefix="/admin/audit")


@blueprint.get("")
@needs(Permission.AUDIT_SEE)
def index() -> ResponseReturnValue:
    tools: Tools = current_app.extensions["tools"]
    actor, action = request.args.get("actor", "").strip(), request.args.get("action", "")
    wanted = select(AuditEntry)
    if actor:
        wanted = wanted.where(AuditEntry.actor.icontains(actor, autoescape=True))
    if action:
        wanted = wanted.where(AuditEntry.action == action)
    with tools.database.reading() as session:
        page = page_of(session, wanted, _columns(), request.args, sort="-at", filters=("actor", "action"))
        return render_template(
            "audit/index.html", page=page, actor=actor, action=action, actions=sorted((*Permission, *Visit))
        )


def _columns() -> list[Column]:
    return [
        Column("at", _("When"), AuditEntry.id),
        Column("actor", _("Who"), AuditEntry.actor),
        Column("action", _("Did"), AuditEntry.action),
        Column("thing", _("To what"), AuditEntry.thing),
        Column("before", _("Before")),
        Column("after", _("After")),
        Column("reference", _("Reference")),
    ]
