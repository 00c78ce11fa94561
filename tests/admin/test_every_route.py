"""A walk over every address that the site has, as everybody who may come: what is let in is what the table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from integration.admin.door import rule_of
from integration.admin.permissions import PERMISSIONS, Permission, Role
from integration.api.tokens import SCOPES, make_token
from integration.clock import real_now
from tests.admin.conftest import Site
from tests.admin.world import (
    ADMINISTRATOR,
    COORDINATOR,
    EVERYBODY,
    LEADER,
    NOBODY,
    Visits,
    address_of,
    build_belongings,
    build_world,
    routes,
)

TABLE = Path(__file__).parents[2] / "docs" / "roles.md"
COLUMNS = tuple(Role)
# Parts of addresses that lead to nothing, so that a 404 is no answer to "may I?".
MADE_UP = {"token": "forged", "path": "nothing", "filename": "nothing.css"}


def test_the_documented_table_is_the_one_that_is_checked():
    written = documented()
    assert set(written) == {str(each) for each in Permission}
    for permission, cells in written.items():
        reaches = PERMISSIONS[Permission(permission)]
        true = [str(reaches.get(Role(column), reaches.get(Role.EMPLOYEE, "-"))) for column in COLUMNS]
        assert cells == true, permission


def test_every_address_stands_in_the_table_under_its_permission(site: Site):
    written = TABLE.read_text(encoding="utf-8")
    for method in ("GET", "POST"):
        for route in routes(site.app, method=method):
            rule = rule_of(site.app, route.endpoint)
            assert rule is not None
            line = f"| {method} | `{route.rule}` | {rule.permission or 'everybody'} |"
            assert line in written, f"docs/roles.md lacks: {line}"


@pytest.mark.parametrize("who", EVERYBODY, ids=lambda each: each.name)
def test_everybody_sees_what_the_table_says_and_nothing_else(site: Site, who: Visits):
    with site.tools.database.transaction() as session:
        parts = build_world(session) | build_belongings(session, who)
    wrong = []
    for method in ("GET", "POST"):
        for route in routes(site.app, method=method):
            rule = rule_of(site.app, route.endpoint)
            if rule is None or rule.permission is None:
                continue
            browser = site.browser(who.mail, *who.roles, name=who.name)
            path = address_of(site.app, route, parts | MADE_UP)
            answer = browser.open(path, method=method)
            by_cookie = route.endpoint.partition(".")[0] not in NO_COOKIE_NEEDED
            expected = verdict(who, rule.permission, about=rule.about) if by_cookie else "sign in"
            if not fits(answer, expected):
                wrong.append(f"{method} {path}: {answer.status_code}, but {expected}")
    assert wrong == []


def test_a_number_that_no_row_can_have_leads_nowhere_and_breaks_nothing(site: Site):
    browser = site.browser(ADMINISTRATOR.mail, *ADMINISTRATOR.roles, name=ADMINISTRATOR.name)
    numbered = [each for each in routes(site.app, method="GET") if "<int" in each.rule and "/api/" not in each.rule]
    answers = {}
    for route in numbered:
        path = re.sub(r"<int[^>]*>", str(10**20), route.rule)
        answers[route.rule] = browser.get(re.sub(r"<[^>]*>", "nothing", path)).status_code
    assert len(answers) > 20
    assert {rule: status for rule, status in answers.items() if status != 404} == {}


def test_a_token_opens_what_its_scope_names_and_nothing_else(site: Site):
    with site.tools.database.transaction() as session:
        parts = build_world(session)
        keys = {each: make_token(session, each, [each], made_by="ada", now=real_now())[1] for each in SCOPES}
    wrong = []
    for method in ("GET", "POST"):
        for route in (each for each in routes(site.app, method=method) if each.endpoint.startswith("api.")):
            rule = rule_of(site.app, route.endpoint)
            if rule is None or rule.permission is None:
                continue
            for scope in {rule.permission, Permission.PEOPLE_SEE, Permission.POD_SEE}:
                path = address_of(site.app, route, parts)
                bearer = {"Authorization": f"Bearer {keys[scope]}"}
                answer = site.app.test_client().open(path, method=method, headers=bearer)
                expected = "let in" if scope is rule.permission else "forbidden"
                if not fits(answer, expected):
                    wrong.append(f"{method} {path} with {scope}: {answer.status_code}, but {expected}")
    assert wrong == []


def test_no_post_of_somebody_signed_in_goes_through_without_the_token_of_its_form(
    environ: dict[str, str], site: Site
):
    with site.tools.database.transaction() as session:
        parts = build_world(session) | build_belongings(session, ADMINISTRATOR)
    site.app.config["WTF_CSRF_ENABLED"] = True
    for route in routes(site.app, method="POST"):
        rule = rule_of(site.app, route.endpoint)
        if rule is None or route.endpoint.partition(".")[0] in NO_COOKIE_NEEDED:
            continue
        if route.rule == "/auth/teams":  # the token of Teams that it takes is the proof
            continue
        is_own = route.rule.startswith("/me/")  # what only its owner can name
        browser = (
            site.browser("linus@pods.example") if is_own else site.browser(ADMINISTRATOR.mail, *ADMINISTRATOR.roles)
        )
        answer = browser.post(address_of(site.app, route, parts | MADE_UP))
        assert answer.status_code == 400, route.rule
        assert "CSRF" in answer.text or "expired" in answer.text.lower(), route.rule


def documented() -> dict[str, list[str]]:
    """The rows of the first table: permission -> what each role reaches."""
    rows = re.findall(r"^\| `([a-z-]+\.[a-z]+)` \|(.+)\|$", TABLE.read_text(encoding="utf-8"), flags=re.M)
    return {permission: [cell.strip() for cell in cells.split("|")[-4:]] for permission, cells in rows}


def verdict(who: Visits, permission: Permission, *, about: object) -> str:
    """sign in | forbidden | not found | let in, read from the documentation alone."""
    if who is NOBODY:
        return "sign in"
    cells = dict(zip(COLUMNS, documented()[permission], strict=True))
    roles = {"employee", *(str(role) for role in who.roles)}
    reaches = {cells[Role(role)] for role in roles}
    if reaches == {"-"}:
        return "forbidden"
    if "all" in reaches or about is None:
        return "let in"
    # Everything in the world is of the first program, and of Linus and Barbara, who are none of the visitors.
    if permission is Permission.MY_PODS_SEE:
        return "not found"
    owns = who is COORDINATOR or (who is LEADER and permission is Permission.SUMMARY_SEE)
    return "let in" if owns else "not found"


def fits(answer: TestResponse, expected: str) -> bool:
    if expected == "sign in":
        return answer.status_code == 401 or (answer.status_code == 302 and "/auth/sign-in" in answer.location)
    if expected == "forbidden":
        return answer.status_code == 403
    if expected == "not found":
        return answer.status_code == 404
    return answer.status_code not in (401, 403, 404, 405) and answer.status_code < 500


NO_COOKIE_NEEDED = {"webhooks", "feedback", "summaries", "proposals", "feeds", "check_in", "api"}
