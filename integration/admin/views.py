"""Every page of sign-in and of the coordinators, by blueprint: the table of contents of what `app.py` registers."""

from __future__ import annotations

from flask import Blueprint

from integration.admin import views_access, views_audit, views_health, views_style, views_today
from integration.admin.views_attendance import attendance
from integration.admin.views_auth import auth
from integration.admin.views_auth_teams import teams
from integration.admin.views_drift import drift
from integration.admin.views_people import people
from integration.admin.views_plans import plans
from integration.admin.views_pods import pods
from integration.admin.views_programs import programs
from integration.admin.views_summary import summary
from integration.attendance import views_corrections, views_exports
from integration.portal.views_my import portal

BLUEPRINTS: tuple[Blueprint, ...] = (
    auth,
    teams,
    people,
    programs,
    plans,
    pods,
    attendance,
    drift,
    views_today.blueprint,
    views_health.blueprint,
    views_audit.blueprint,
    views_access.blueprint,
    views_style.blueprint,
    views_exports.blueprint,
    views_corrections.blueprint,
    portal,
    summary,
)
