from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import select

from integration.admin.models import AuditEntry, CoordinatorLimit
from integration.admin.permissions import Role
from integration.announcing.announcements import Event, announce
from integration.announcing.models import Announcement, Receiver
from integration.api.models import ApiToken
from tests.attendance.build import build_person, build_series


@pytest.fixture
def ada(site):
    return site.browser("ada@pods.example", Role.ADMINISTRATOR)


def shown(answer) -> str:
    found = re.search(r'id="secret" value="([^"]+)"', answer.text)
    assert found
    return html.unescape(found.group(1))


def test_coordinators_do_not_come_in(site):
    grace = site.browser("grace@pods.example", Role.COORDINATOR)
    for page in ("", "receivers", "limits"):
        assert grace.get(f"/admin/access/{page}").status_code == 403


def test_a_token_is_made_shown_once_works_and_is_revoked(site, ada):
    wanted = {"name": "nightly", "scopes": ["people.see"], "expires_on": ""}

    made = ada.post("/admin/access/tokens", data=wanted)

    assert made.status_code == 201
    bearer = {"Authorization": f"Bearer {shown(made)}"}
    stranger = site.app.test_client()
    assert stranger.get("/api/v1/people", headers=bearer).status_code == 200
    again = ada.post("/admin/access/tokens", data=wanted)
    assert (again.status_code, "already" in again.text) == (400, True)
    assert shown(made) not in ada.get("/admin/access/").text
    assert "Revoke token nightly" in ada.get("/admin/access/tokens/1/revoke").text
    for _ in range(2):
        assert ada.post("/admin/access/tokens/1/revoke").status_code == 303
    assert stranger.get("/api/v1/people", headers=bearer).status_code == 401
    with site.tools.database.reading() as session:
        assert len(session.scalars(select(ApiToken)).all()) == 1
        trail = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [each.thing for each in trail] == ["token", "token"]
    assert shown(made) not in str([each.after for each in trail])


def test_a_token_without_name_or_scope_or_with_a_day_that_is_over_comes_back_with_what_was_typed(ada):
    answer = ada.post("/admin/access/tokens", data={"name": "kept", "expires_on": "2020-01-01"})

    assert answer.status_code == 400
    assert 'value="kept"' in answer.text
    assert "Choose one at least." in answer.text
    assert "Choose a day in the future." in answer.text


def test_a_receiver_is_added_told_rotated_and_stopped(site, ada):
    made = ada.post("/admin/access/receivers", data={"url": "https://hooks.example/pods", "events": ["plan.applied"]})
    assert made.status_code == 201
    assert shown(made).startswith("whsec_")
    twice = ada.post("/admin/access/receivers", data={"url": "https://hooks.example/pods"})
    assert (twice.status_code, "told already" in twice.text) == (400, True)
    with site.tools.database.transaction() as session:
        assert announce(session, Event.PLAN_APPLIED, {}, 1) == 1
        session.scalars(select(Announcement)).one().state = "failed"

    log = ada.get("/admin/access/receivers/1?state=failed")
    assert "plan.applied" in log.text
    assert ada.post("/admin/access/announcements/1/retry").status_code == 303
    assert "Nothing here" in ada.get("/admin/access/receivers/1?state=failed").text
    assert shown(ada.post("/admin/access/receivers/1/secret")) != shown(made)
    assert ada.post("/admin/access/receivers/1/stop").status_code == 303
    with site.tools.database.reading() as session:
        assert session.get_one(Receiver, 1).stopped_at is not None


def test_an_address_inside_is_refused_at_its_field(ada):
    answer = ada.post("/admin/access/receivers", data={"url": "https://169.254.169.254/latest"})

    assert answer.status_code == 400
    assert "is not public" in answer.text


def test_a_coordinator_is_limited_once_and_sees_everything_again_after_the_last_row_is_removed(site, ada):
    with site.tools.database.transaction() as session:
        program_id = build_series(session, [build_person(session, "Linus")]).pod.program_id
    for _ in range(2):
        answer = ada.post("/admin/access/limits", data={"mail": " Grace@pods.example", "program_id": program_id})
        assert answer.status_code == 303
    with site.tools.database.reading() as session:
        (limit,) = session.scalars(select(CoordinatorLimit)).all()
    assert limit.mail == "grace@pods.example"
    assert "grace@pods.example" in ada.get("/admin/access/limits").text
    assert "see every program" in ada.get(f"/admin/access/limits/{limit.id}/remove").text
    assert ada.post(f"/admin/access/limits/{limit.id}/remove").status_code == 303
    assert ada.post("/admin/access/limits", data={"mail": "nobody", "program_id": program_id}).status_code == 400
