"""How people sign in at the simulated issuer: Entra's answers, right and wrong."""

import time
from urllib.parse import parse_qs, urlsplit

import httpx
import msal
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from integration.graph.simulator.http.app import create_simulator
from integration.graph.simulator.http.openid_state import challenge_of
from integration.graph.simulator.http.server import serve

from .test_server import certificate_in

BACK = "http://localhost:8360/auth/callback"
ADA = "ada.keller@pods.example"
VERIFIER = "a-verifier-that-only-the-application-knows-0123456789"


class Application:
    """A stranger's OpenID Connect client, by hand."""

    def __init__(self, simulator) -> None:
        self.simulator = simulator
        self.root = f"{simulator.url}/{simulator.tenant.id}"

    def authorize(self, **changed: str | None) -> httpx.Response:
        asked = {
            "client_id": self.simulator.tenant.app.id,
            "response_type": "code",
            "redirect_uri": BACK,
            "scope": "openid profile email",
            "state": "some-state",
            "nonce": "some-nonce",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        } | changed
        params = {name: value for name, value in asked.items() if value is not None}
        return httpx.get(f"{self.root}/oauth2/v2.0/authorize", params=params)

    def code(self, **changed: str) -> str:
        return sent_back(self.authorize(person=ADA, **changed))["code"]

    def redeem(self, code: str, **changed: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "client_id": self.simulator.tenant.app.id,
            "client_secret": self.simulator.tenant.app.secret,
            "redirect_uri": BACK,
            "code": code,
            "code_verifier": VERIFIER,
        }
        return httpx.post(f"{self.root}/oauth2/v2.0/token", data=form | changed)

    def claims(self, token: str) -> dict[str, object]:
        published = httpx.get(f"{self.root}/discovery/v2.0/keys").json()
        return dict(jwt.decode(token, KeySet.import_key_set(published), algorithms=["RS256"]).claims)


@pytest.fixture
def application(simulator) -> Application:
    return Application(simulator)


def sent_back(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def test_ada_chooses_her_account_and_the_token_says_who_she_is(application, simulator):
    page = application.authorize()
    assert "Ada Keller" in page.text

    back = sent_back(application.authorize(person=ADA))
    token = application.redeem(back["code"]).json()["id_token"]

    claims = application.claims(token)
    assert back["state"] == "some-state"
    assert (claims["aud"], claims["tid"]) == (simulator.tenant.app.id, simulator.tenant.id)
    assert claims["iss"] == f"{application.root}/v2.0"
    assert (claims["preferred_username"], claims["email"], claims["nonce"]) == (ADA, ADA, "some-nonce")
    assert claims["oid"] == simulator.tenant.directory.find(ADA).id
    assert claims["roles"] == ["Leader"]
    assert claims["exp"] > time.time()


def test_the_search_finds_people_by_name_and_shows_their_roles(application):
    page = application.authorize(q="linus").text

    assert "Linus" in page
    assert "Coordinator" in page
    assert "Ada Keller" not in page


def test_a_code_is_for_one_redemption_and_for_whoever_has_the_verifier(application):
    assert application.redeem(application.code(), code_verifier="Mallory's guess").json()["error_codes"] == [501481]
    assert application.redeem("made-up").json()["error_codes"] == [70008]
    assert application.redeem(application.code(), redirect_uri="http://localhost/").json()["error_codes"] == [500112]
    assert application.redeem(application.code(), client_secret="wrong").json()["error_codes"] == [7000215]
    code = application.code()
    assert application.redeem(code).status_code == 200
    assert application.redeem(code).json()["error_codes"] == [54005]


def test_an_address_that_is_not_registered_is_refused_on_a_page_and_never_returned_to(application, control):
    for changed, code in (
        ({"redirect_uri": "https://mallory.example/callback"}, "AADSTS50011"),
        ({"client_id": "another"}, "AADSTS700016"),
        ({"code_challenge_method": "plain"}, "AADSTS501491"),
    ):
        answer = application.authorize(person=ADA, **changed)
        assert (answer.status_code, code in answer.text) == (400, True)
    control.patch("/sign-in", json={"redirect_uris": ["https://pods.example/auth/callback"]})
    assert application.authorize(person=ADA).status_code == 400


def test_roles_are_in_the_tokens_issued_after_they_were_assigned(application, control):
    control.put(f"/people/{ADA}/roles", json={"roles": ["Administrator", "Something else"]})

    token = application.redeem(application.code()).json()["id_token"]

    assert application.claims(token)["roles"] == ["Administrator", "Something else"]


def test_the_tenant_begins_with_an_administrator_two_coordinators_and_two_leaders(control):
    held = sorted(role for roles in control.get("/sign-in").json()["roles"].values() for role in roles)
    assert held == ["Administrator", "Coordinator", "Coordinator", "Leader", "Leader"]


def test_after_a_rotation_the_new_key_signs_and_the_old_one_verifies_until_it_is_dropped(application, control):
    before = application.redeem(application.code()).json()["id_token"]
    assert len(control.post("/keys/rotate", json={}).json()["keys"]) == 2
    after = application.redeem(application.code()).json()["id_token"]
    assert application.claims(before)["oid"] == application.claims(after)["oid"]

    assert len(control.post("/keys/rotate", json={"drop_old": True}).json()["keys"]) == 1


def test_faults_change_the_claims_or_bring_an_error_of_entra(application, control):
    control.post("/sign-in/faults", json={"claims": {"nonce": "another", "email": None}})
    claims = application.claims(application.redeem(application.code()).json()["id_token"])
    assert (claims["nonce"], "email" in claims) == ("another", False)

    fault = {"error": "access_denied", "error_description": "AADSTS50105: not assigned"}
    control.post("/sign-in/faults", json=fault)
    assert sent_back(application.authorize(person=ADA))["error_description"] == "AADSTS50105: not assigned"
    assert "code" in sent_back(application.authorize(person=ADA))
    assert control.post("/sign-in/faults", json={"nonsense": 1}).status_code == 400


def test_a_tab_in_teams_gets_a_token_for_the_application(application, control):
    token = control.post("/teams-token", json={"mail": ADA, "audience": "api://pods.example/1"}).json()["token"]

    claims = application.claims(token)
    assert (claims["aud"], claims["scp"], claims["preferred_username"]) == (
        "api://pods.example/1",
        "access_as_user",
        ADA,
    )


# it would like the answer by form_post, for which a cookie would have to be sent across sites
@pytest.mark.filterwarnings("ignore:response_mode:UserWarning")
def test_microsofts_own_library_signs_ada_in(tenant, tmp_path, monkeypatch):
    files = certificate_in(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files.certificate))
    server = serve(create_simulator(tenant), "127.0.0.1", 0, certificate=files).start()
    client = msal.ConfidentialClientApplication(
        tenant.app.id,
        client_credential=tenant.app.secret,
        authority=f"{server.url}/{tenant.id}",
        instance_discovery=False,
    )
    flow = client.initiate_auth_code_flow(["User.Read"], redirect_uri=BACK)
    with httpx.Client(verify=False) as browser:
        back = sent_back(browser.get(f"{flow['auth_uri']}&person={ADA}"))
    answer = client.acquire_token_by_auth_code_flow(flow, back)
    server.stop()

    assert answer["id_token_claims"]["preferred_username"] == ADA, answer
