"""Whatever people write into a text field, it is shown as they wrote it and never runs."""

from __future__ import annotations

from sqlalchemy import update

from integration.admin.door import rule_of
from integration.announcing.models import Announcement, Receiver
from integration.api.models import ApiToken
from integration.mail.models import Mail
from integration.outbox import Message
from integration.people.models import Person, RosterUpload
from integration.scheduling.models import Pod, Program, Series
from tests.admin.conftest import Site
from tests.admin.test_every_route import MADE_UP, NO_COOKIE_NEEDED
from tests.admin.world import (
    ADMINISTRATOR,
    COORDINATOR,
    EMPLOYEE,
    LEADER,
    address_of,
    build_belongings,
    build_world,
    routes,
)

SCRIPT = "\"><script>alert('{}')</script><img src=x onerror=alert(1)>{{{{7*7}}}}"
WORDS = {"name", "trouble", "subject", "last_error", "visitor"}
FIELDS = {
    Person: ("name", "role", "department", "directory_note"),
    Program: ("outcome", "metric", "baseline", "agenda"),
    Pod: ("name",),
    Series: ("subject", "trouble"),
    Mail: ("subject", "to_name", "text"),
    Message: ("last_error",),
    Receiver: ("url",),
    Announcement: ("trouble", "event"),
    ApiToken: ("made_by",),
    RosterUpload: ("file_name",),
}


def test_a_script_in_every_text_that_somebody_can_write_is_shown_and_never_runs(site: Site):
    with site.tools.database.transaction() as session:
        parts = build_world(session) | build_belongings(session, ADMINISTRATOR) | MADE_UP
        for row, columns in FIELDS.items():
            session.execute(update(row).values({column: SCRIPT.format(column) for column in columns}))
    shown = set()
    for who in (ADMINISTRATOR, COORDINATOR, LEADER, EMPLOYEE):
        browser = site.browser(who.mail, *who.roles, name=SCRIPT.format("visitor"))
        for route in routes(site.app):
            rule = rule_of(site.app, route.endpoint)
            if rule is None or rule.permission is None or route.endpoint.partition(".")[0] in NO_COOKIE_NEEDED:
                continue
            answer = browser.get(address_of(site.app, route, parts))
            text = answer.data.decode(errors="replace")  # a chart is no text
            assert "<script>alert" not in text, route.rule
            assert "<img src=x" not in text, route.rule
            shown |= {word for word in WORDS if escaped(word) in text}
    assert shown == WORDS


def test_a_script_that_is_searched_for_comes_back_inert(site: Site):
    with site.tools.database.transaction() as session:
        build_world(session)
    browser = site.browser(ADMINISTRATOR.mail, *ADMINISTRATOR.roles)
    for path in ("/admin/people/", "/admin/programs", "/admin/pods", "/admin/audit"):
        answer = browser.get(path, query_string={"q": SCRIPT, "sort": SCRIPT, "page": SCRIPT, "state": SCRIPT})
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path


def test_every_answer_forbids_inline_scripts_foreign_frames_and_guessing(site: Site):
    browser = site.browser(ADMINISTRATOR.mail, *ADMINISTRATOR.roles)
    for path in ("/", "/admin/", "/admin/people/", "/me/", "/nothing", "/api/v1/openapi.json", "/auth/sign-in"):
        headers = browser.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy, path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def escaped(word: str) -> str:
    return f"&lt;script&gt;alert(&#39;{word}&#39;)"
