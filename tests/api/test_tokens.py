from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from integration.admin.permissions import Permission, Role, Visitor
from integration.api import tokens
from integration.api.models import ApiToken
from integration.clock import real_now
from integration.errors import Conflict
from integration.pace import Pace

PROBLEM = "application/problem+json"


def test_without_a_token_or_with_a_wrong_one_the_api_says_how_to_sign_in(api):
    script = api.script()
    for wrong in ("", "pods_guess", script.token + "x", script.token.upper()):
        script.token = wrong
        answer = script.get("/people")

        assert (answer.status_code, answer.mimetype) == (401, PROBLEM)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_cookie_opens_nothing_under_api(api):
    ada = api.site.browser("ada@pods.example", Role.ADMINISTRATOR)

    assert ada.get("/api/v1/people").status_code == 401


def test_a_token_opens_no_page(api):
    script = api.script()

    answer = script.client.get("/auth/sessions", headers={"Authorization": f"Bearer {script.token}"})

    assert answer.status_code == 302


def test_a_token_does_what_its_scopes_say_and_no_more(api):
    script = api.script(scopes=[Permission.PEOPLE_SEE])

    assert script.get("/people").status_code == 200
    refused = script.get("/programs")
    assert (refused.status_code, refused.mimetype) == (403, PROBLEM)


def test_an_expired_or_revoked_token_opens_nothing(api):
    expiring, revoked = api.script("expiring", expires_at=real_now() + timedelta(hours=1)), api.script("revoked")
    assert [each.get("/people").status_code for each in (expiring, revoked)] == [200, 200]

    with api.site.tools.database.transaction() as session:
        long_ago = real_now() - timedelta(seconds=1)
        session.execute(update(ApiToken).where(ApiToken.name == "expiring").values(expires_at=long_ago))
        ada = Visitor("ada@pods.example", "Ada", frozenset({Role.ADMINISTRATOR}))
        assert tokens.revoke(session, session.scalars(_named("revoked")).one(), by=ada, now=real_now())
        assert not tokens.revoke(session, session.scalars(_named("revoked")).one(), by=ada, now=real_now())

    assert [each.get("/people").status_code for each in (expiring, revoked)] == [401, 401]


def test_only_a_hash_is_stored_and_the_use_is_noted(api):
    script = api.script()
    script.get("/people")

    with api.site.tools.database.reading() as session:
        token = session.scalars(_named("nightly import")).one()

    assert script.token.startswith("pods_")
    assert script.token not in str(vars(token))
    assert token.used_at is not None


def test_two_tokens_cannot_have_one_name(api):
    api.script("import")
    with pytest.raises(Conflict, match="import"):
        api.script("import")


def test_a_token_that_asks_too_often_is_told_when_to_come_back(api):
    api.site.app.extensions["pace"] = Pace(limit=2, seconds=60)
    script, other = api.script("hasty"), api.script("calm")

    answers = [script.get("/people") for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[2].mimetype == PROBLEM
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 30
    assert other.get("/people").status_code == 200


def test_what_the_api_does_not_know_is_a_problem_document_too(api):
    script = api.script()

    assert (script.get("/pears").status_code, script.get("/pears").mimetype) == (404, PROBLEM)
    wrong_method = script.post("/people")
    assert (wrong_method.status_code, wrong_method.mimetype) == (405, PROBLEM)
    assert "GET" in wrong_method.headers["Allow"]
    too_large = script.post("/people/import", data=b"x" * (9 * 1024 * 1024), content_type="text/csv")
    assert (too_large.status_code, too_large.mimetype) == (413, PROBLEM)
    no_csv = script.post("/people/import", json={})
    assert (no_csv.status_code, no_csv.mimetype) == (415, PROBLEM)
    reference = script.get("/people/4711").get_json()
    assert reference["status"] == 404
    assert reference["reference"]


def _named(name: str):
    return select(ApiToken).where(ApiToken.name == name)
