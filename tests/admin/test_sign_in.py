"""Signing in with the simulated issuer: the whole way over HTTP, and every way to cheat on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from flask import Flask
from sqlalchemy import select

from integration.admin.models import WebSession
from integration.admin.views_auth import own_path
from integration.app import create_app
from integration.config import Settings
from integration.people.models import Participant, Person
from tests.admin.sign_in import ADA, LINUS, Trip, parameters

Start = Callable[[], Trip]


@pytest.fixture
def control(simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{simulator.url}/control", timeout=20) as client:
        yield client


@pytest.fixture
def app(environ: dict[str, str], simulator) -> Iterator[Flask]:
    app = create_app(Settings.from_environment(environ | simulator.settings | {"WEBHOOKS": "off"}))
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    app.extensions["tools"].close()


@pytest.fixture
def trip(app: Flask) -> Trip:
    return Trip(app, app.test_client())


def add_person(app: Flask, mail: str, *, object_id: str | None) -> None:
    with app.extensions["tools"].database.transaction() as session:
        session.add(Person(participant=Participant(), mail=mail, name="Ada", object_id=object_id))


def rows(app: Flask) -> list[WebSession]:
    with app.extensions["tools"].database.reading() as session:
        return list(session.scalars(select(WebSession).where(WebSession.mail.is_not(None))))


def test_a_coordinator_signs_in_and_comes_to_the_page_they_wanted(trip, app):
    asked = parameters(trip.begin())
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert {"state", "nonce", "code_challenge"} <= set(asked)

    answer = trip.sign_in(LINUS, "/auth/sessions?a=1")

    assert (answer.status_code, answer.location) == (303, "/auth/sessions?a=1")
    [row] = rows(app)
    assert (row.mail, row.name, row.roles) == (LINUS, "Linus Moreau", ["coordinator"])
    assert "This browser" in trip.browser.get("/auth/sessions").text


def test_signing_in_gives_a_new_key_so_that_one_planted_before_opens_nothing(trip, app):
    trip.begin()
    planted = trip.key()
    assert planted
    trip.sign_in(ADA)
    assert trip.key() != planted

    thief = app.test_client()
    thief.set_cookie(app.config["SESSION_COOKIE_NAME"], planted)
    assert thief.get("/auth/sessions").status_code == 302


def test_a_callback_works_once_and_only_in_the_browser_that_began(trip, app):
    back = trip.choose(trip.begin(), ADA)

    assert app.test_client().get(back).status_code == 400
    assert trip.browser.get(back).status_code == 303
    assert trip.browser.get(back).status_code == 400
    other = Trip(app, app.test_client())
    replayed = parameters(back)["code"]
    state = parameters(other.begin())["state"]
    answer = other.browser.get("/auth/callback", query_string={"code": replayed, "state": state})
    assert (answer.status_code, "AADSTS54005" in answer.text) == (403, True)
    assert len(rows(app)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"tid": "11111111-1111-1111-1111-111111111111"}},
        {"claims": {"iss": "https://login.microsoftonline.com/another/v2.0"}},
        {"claims": {"aud": "another application"}},
        {"claims": {"exp": 1_000_000_000}},
        {"claims": {"nbf": 4_000_000_000}},
        {"claims": {"exp": "soon"}},
        {"signature": "none"},
        {"signature": "HS256"},
        {"signature": "unknown"},
        {"signature": "forged"},
    ],
    ids=str,
)
def test_a_token_that_is_wrong_in_one_thing_signs_nobody_in(trip, control, app, fault):
    assert control.post("/sign-in/faults", json=fault).status_code == 200

    answer = trip.sign_in(ADA)

    assert (answer.status_code, rows(app)) == (400, [])
    assert "Try again" in answer.text
    assert trip.sign_in(ADA).status_code == 303


def test_a_key_that_the_issuer_has_rotated_to_is_fetched(trip, control):
    assert trip.sign_in(ADA).status_code == 303
    control.post("/keys/rotate", json={"drop_old": True})
    assert trip.sign_in(ADA).status_code == 303


def test_unknown_roles_are_ignored_and_known_ones_count_from_the_next_sign_in(trip, control, app):
    control.put(f"/people/{ADA}/roles", json={"roles": ["administrator", "Owner", 7]})
    trip.sign_in(ADA)
    assert [row.roles for row in rows(app)] == [["administrator"]]


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"preferred_username": None, "email": None}, "no mail address"),
        ({"idp": "https://sts.windows.net/another/"}, "Guests"),
        ({"acct": 1}, "Guests"),
        ({"preferred_username": "ada_gmail.com#EXT#@pods.example"}, "Guests"),
    ],
)
def test_guests_and_people_without_an_address_are_told_why_not(trip, control, claims, words):
    control.post("/sign-in/faults", json={"claims": claims})
    answer = trip.sign_in(ADA)
    assert (answer.status_code, words in answer.text) == (403, True)


def test_an_account_is_known_by_its_object_id_even_when_its_address_has_changed(trip, app, simulator):
    add_person(app, "ada.byron@pods.example", object_id=simulator.tenant.directory.find(ADA).id)
    trip.sign_in(ADA)
    assert [row.mail for row in rows(app)] == ["ada.byron@pods.example"]


def test_an_address_given_to_somebody_else_does_not_open_the_pages_of_its_former_owner(trip, app):
    add_person(app, ADA, object_id="22222222-2222-2222-2222-222222222222")
    answer = trip.sign_in(ADA)
    assert (answer.status_code, rows(app)) == (403, [])


@pytest.mark.parametrize(
    ("error", "description", "words"),
    [
        ("access_denied", "AADSTS50105: The signed in user is not assigned to a role", "has not been given access"),
        ("invalid_client", "AADSTS7000222: The provided client secret keys are expired.", "its secret has expired"),
        ("access_denied", "the user canceled the authentication", "did not finish"),
        ("server_error", "AADSTS99999999: <script>alert(1)</script>", "AADSTS99999999"),
    ],
)
def test_what_entra_refuses_is_said_in_plain_words_and_never_in_its_own(trip, control, error, description, words):
    control.post("/sign-in/faults", json={"error": error, "error_description": description})
    answer = trip.sign_in(ADA)
    assert words in answer.text
    assert "alert(1)" not in answer.text
    assert "reference" in answer.text


def test_a_wrong_secret_is_explained_to_the_administrator(trip, control):
    control.patch("/app", json={"secret": "changed in Entra"})
    answer = trip.sign_in(ADA)
    assert (answer.status_code, "CLIENT_SECRET" in answer.text) == (403, True)


def test_a_certificate_proves_the_application_as_well(environ, simulator, control, tmp_path: Path):
    from tests.simulator.test_sign_in import certificate_and_key, serialization

    certificate, key = certificate_and_key()
    public = certificate.public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file = tmp_path / "pods.pem"
    file.write_bytes(public + private)
    control.patch("/app", json={"certificates": [public.decode()]})
    settings = simulator.settings | {"CLIENT_CERTIFICATE_PATH": str(file), "CLIENT_SECRET": "", "WEBHOOKS": "off"}
    app = create_app(Settings.from_environment(environ | settings))
    assert Trip(app, app.test_client()).sign_in(ADA).status_code == 303
    app.extensions["tools"].close()


def test_without_the_issuer_pages_work_and_the_sign_in_says_so(site):
    site.app.extensions["issuer"]._settings = Settings.from_environment(
        {"DATA_DIR": str(site.tools.settings.data_dir), "GRAPH_BASE_URL": "http://127.0.0.1:9/v1.0"}
        | {"TENANT_ID": "t", "CLIENT_ID": "c", "CLIENT_SECRET": "a secret of some length"}
    )
    browser = site.browser()
    assert browser.get("/auth/sign-in").status_code == 200
    answer = browser.get("/auth/start?next=/auth/sessions")
    assert (answer.status_code, "cannot be reached" in answer.text) == (503, True)
    assert "/auth/start?next=/auth/sessions" in answer.text


def test_a_tenant_that_is_named_by_its_domain_is_refused_with_the_remedy(environ, simulator):
    wrong = simulator.settings | {"TENANT_ID": "pods.example", "WEBHOOKS": "off"}
    app = create_app(Settings.from_environment(environ | wrong))
    answer = app.test_client().get("/auth/start")
    assert (answer.status_code, "TENANT_ID is the directory id" in answer.text) == (503, True)
    app.extensions["tools"].close()


@pytest.mark.parametrize(
    "evil",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: a=b",
        "/a\x00",
        " /evil",
        "evil",
        "/auth/start",
        "/auth/sign-out",
        "/" + "a" * 3_000,
    ],
)
def test_nobody_is_led_to_another_site_or_past_the_end_of_a_header(evil):
    assert own_path(evil) == "/"


def test_a_page_of_ours_is_led_to():
    for page in ("/programs/7?q=a%20b&sort=-name", "/auth/sessions", "/people/Grüße"):
        assert own_path(page) == page


def test_an_evil_next_is_forgotten_on_the_whole_way(trip):
    answer = trip.sign_in(ADA, "//evil.example/")
    assert answer.location == "/"
    assert "evil" not in trip.browser.get("/auth/sign-in?next=https://evil.example").text


def test_ada_sees_her_browsers_and_signs_one_of_them_out_but_nobody_elses(trip, app):
    second, linus = Trip(app, app.test_client()), Trip(app, app.test_client())
    for each, mail in ((trip, ADA), (second, ADA), (linus, LINUS)):
        each.sign_in(mail)
    others = {row.mail: row.id for row in rows(app)}
    second_id = max(row.id for row in rows(app) if row.mail == ADA)

    assert trip.browser.post(f"/auth/sessions/{others[LINUS]}/sign-out").status_code == 404
    assert trip.browser.post(f"/auth/sessions/{second_id}/sign-out").status_code == 303

    seen = [each.browser.get("/auth/sessions").status_code for each in (trip, second, linus)]
    assert seen == [200, 302, 200]
    trip.browser.post("/auth/sessions/sign-out")
    assert trip.browser.get("/auth/sessions").status_code == 302


def test_signing_out_ends_our_session_and_leads_on_to_the_issuers(trip, simulator, control):
    trip.sign_in(ADA)
    answer = trip.browser.post("/auth/sign-out")
    assert (answer.status_code, trip.key()) == (303, None)

    page = trip.browser.get(answer.location).text

    assert f"{simulator.url}/{simulator.tenant.id}/oauth2/v2.0/logout?post_logout_redirect_uri=" in page


def test_whoever_signs_in_all_the_time_is_asked_to_wait(trip, app):
    app.extensions["sign_in_pace"].limit = 2
    assert [trip.browser.get("/auth/start").status_code for _ in range(3)] == [302, 302, 429]
