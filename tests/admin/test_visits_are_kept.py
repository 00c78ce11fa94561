"""Who came, who was refused and why, and who left: in the audit trail, without anything that opens a door."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from integration.admin.models import AuditEntry
from integration.admin.permissions import Role
from integration.admin.sessions import open_session
from integration.app import create_app
from integration.clock import real_now
from integration.config import Settings
from integration.pace import Pace
from tests.admin.conftest import Site
from tests.admin.sign_in import ADA, Trip
from tests.admin.test_sign_in import add_person, app, control, trip  # noqa: F401  fixtures

Told = tuple[str, str, dict[str, object]]


def told(app) -> list[Told]:  # noqa: F811
    with app.extensions["tools"].database.reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    return [(each.actor, each.action, each.after or {}) for each in entries]


def signed_in(app, mail: str, *roles: Role):  # noqa: F811
    """A browser in which somebody is signed in already."""
    browser = app.test_client()
    with app.extensions["tools"].database.transaction() as session:
        key = open_session(session, now=real_now(), mail=mail, roles=roles)
    browser.set_cookie(app.config["SESSION_COOKIE_NAME"], key)
    return browser


def test_coming_and_leaving_are_kept_without_a_token(trip, app):  # noqa: F811
    trip.sign_in(ADA)
    keys = [trip.key()]
    trip.browser.post("/auth/sign-out")
    trip.browser.post("/auth/sign-out")
    Trip(app, app.test_client()).sign_in(ADA)
    trip.sign_in(ADA)
    keys.append(trip.key())
    trip.browser.post("/auth/sessions/sign-out")

    assert [(actor, action) for actor, action, _after in told(app)] == [
        (ADA, "sign-in"), (ADA, "sign-out"), (ADA, "sign-in"), (ADA, "sign-in"), (ADA, "sign-out.everywhere"),
    ]  # fmt: skip
    assert told(app)[0][2]["in_teams"] is False
    assert told(app)[-1][2] == {"browsers": 2}
    assert not any(key in json.dumps(told(app)) for key in keys if key)


def test_a_refusal_is_kept_with_its_reason_and_whom_it_was_about_where_that_is_known(trip, control, app):  # noqa: F811
    control.post("/sign-in/faults", json={"claims": {"acct": 1}})
    trip.sign_in(ADA)
    add_person(app, ADA, object_id="22222222-2222-2222-2222-222222222222")
    trip.sign_in(ADA)

    about = [actor for actor, action, _after in told(app) if action == "sign-in.refused"]
    assert about == [ADA, ADA]
    browser = signed_in(app, "root@pods.example", Role.ADMINISTRATOR)
    german = browser.get("/admin/audit", headers={"Accept-Language": "de"}).text
    assert "Gäste können sich" in german
    assert "Guests cannot sign in" in browser.get("/admin/audit?action=sign-in.refused").text


def test_what_entra_refuses_is_kept_with_its_code_and_nobody_is_named(trip, control, app):  # noqa: F811
    control.post("/sign-in/faults", json={"error": "access_denied", "error_description": "AADSTS50105: not assigned"})
    trip.sign_in(ADA)

    [(actor, action, after)] = told(app)
    assert (actor, action, after["code"]) == ("", "sign-in.refused", "AADSTS50105")


def test_what_did_not_begin_here_is_no_refusal_and_a_flood_of_refusals_is_cut_off(trip, control, app):  # noqa: F811
    trip.browser.get("/auth/callback?state=made-up&code=x")
    assert told(app) == []

    app.extensions["refusal_pace"] = Pace(limit=2, seconds=60)
    for _ in range(4):
        control.post("/sign-in/faults", json={"error": "access_denied", "error_description": "AADSTS50105: no"})
        assert trip.sign_in(ADA).status_code == 403
    assert len(told(app)) == 2


@pytest.fixture
def proxied(environ: dict[str, str]):
    made = create_app(Settings.from_environment({**environ, "TRUSTED_PROXIES": "1"}))
    made.extensions["sign_in_pace"] = Pace(limit=2, seconds=60)
    yield made
    made.extensions["tools"].close()


def statuses(app, *forwarded: str) -> list[int]:  # noqa: F811
    browser = app.test_client()
    return [
        browser.get("/auth/callback?state=x", headers={"X-Forwarded-For": each}).status_code for each in forwarded
    ]


def test_without_proxies_nobodys_header_hides_who_signs_in_all_the_time(site: Site):
    site.app.extensions["sign_in_pace"] = Pace(limit=2, seconds=60)
    assert statuses(site.app, "10.0.0.1", "10.0.0.2", "10.0.0.3") == [400, 400, 429]


def test_behind_a_proxy_each_client_counts_for_itself_and_cannot_make_up_another(proxied):
    assert statuses(proxied, "10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2") == [400, 400, 429, 400]
    assert statuses(proxied, "1.1.1.1, 10.0.0.3", "2.2.2.2, 10.0.0.3", "3.3.3.3, 10.0.0.3") == [400, 400, 429]


def test_a_proxy_is_believed_about_the_address_and_about_nothing_else(proxied):
    answer = proxied.test_client().get(
        "/admin/people/",
        headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/x"},
    )
    assert "evil.example" not in answer.location
    assert answer.location.startswith("/auth/")


@pytest.mark.parametrize(
    ("forwarded", "answers"),
    [
        (("2001:db8:0:7::1", "2001:db8:0:7:ffff::2", "2001:db8:0:7::3"), [400, 400, 429]),
        (("2001:db8:0:7::1", "2001:db8:0:7::2", "2001:db8:0:8::1"), [400, 400, 400]),
        (("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"), [400, 400, 429]),
        (("::ffff:192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"), [400, 400, 400]),
    ],
    ids=["one subscriber", "two subscribers", "IPv4 in either writing", "two of IPv4 in one IPv6 network"],
)
def test_whoever_has_a_whole_ipv6_network_counts_once(proxied, forwarded: tuple[str, ...], answers: list[int]):
    assert statuses(proxied, *forwarded) == answers
