"""How the client application signs in: Entra's answers, right and wrong."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

SCOPE = "https://graph.microsoft.com/.default"


@pytest.fixture
def sign_in(simulator):
    def asked(**changed: str | None) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": simulator.tenant.app.id,
            "client_secret": simulator.tenant.app.secret,
            "scope": SCOPE,
        } | changed
        sent = {key: value for key, value in form.items() if value is not None}
        return httpx.post(f"{simulator.url}/{simulator.tenant.id}/oauth2/v2.0/token", data=sent)

    return asked


def test_the_right_secret_brings_a_token_that_opens_graph(simulator, sign_in):
    token = sign_in().json()["access_token"]
    people = httpx.get(f"{simulator.graph_url}/users", headers={"Authorization": f"Bearer {token}"})
    assert people.status_code == 200


def test_a_token_says_who_where_and_what(simulator, sign_in):
    token = sign_in().json()["access_token"]
    published = httpx.get(f"{simulator.url}/{simulator.tenant.id}/discovery/v2.0/keys").json()
    claims = jwt.decode(token, KeySet.import_key_set(published), algorithms=["RS256"]).claims
    assert (claims["tid"], claims["appid"]) == (simulator.tenant.id, simulator.tenant.app.id)
    assert claims["aud"] == "https://graph.microsoft.com"
    assert set(claims["roles"]) == set(simulator.tenant.app.roles)
    assert claims["exp"] - time.time() == pytest.approx(3600, abs=5)


def test_a_wrong_secret_is_refused_in_entras_words(sign_in):
    refused = sign_in(client_secret="Mallory's guess")
    assert refused.status_code == 401
    assert refused.json()["error"] == "invalid_client"
    assert refused.json()["error_codes"] == [7000215]
    assert refused.json()["error_description"].startswith("AADSTS7000215: Invalid client secret provided.")


def test_an_unknown_application_is_refused(sign_in):
    refused = sign_in(client_id=str(uuid.uuid4()))
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    assert refused.json()["error_description"].startswith("AADSTS700016")


def test_discovery_names_the_token_endpoint_of_this_tenant(simulator):
    told = httpx.get(f"{simulator.url}/{simulator.tenant.id}/v2.0/.well-known/openid-configuration").json()
    assert told["token_endpoint"] == f"{simulator.url}/{simulator.tenant.id}/oauth2/v2.0/token"


def certificate_and_key() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pods")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def assertion(simulator, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> str:
    now = int(time.time())
    app_id = simulator.tenant.app.id
    audience = f"{simulator.url}/{simulator.tenant.id}/oauth2/v2.0/token"
    claims = {"aud": audience, "iss": app_id, "sub": app_id, "jti": "1", "nbf": now, "exp": now + 300}
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    header = {"alg": "RS256", "x5t#S256": certificate.fingerprint(hashes.SHA256()).hex()}
    return jwt.encode(header, claims, RSAKey.import_key(pem))


def test_a_registered_certificate_signs_in_and_any_other_does_not(simulator, sign_in, control):
    certificate, key = certificate_and_key()
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    signed = assertion(simulator, certificate, key)
    form = {"client_secret": None, "client_assertion_type": kind, "client_assertion": signed}
    assert sign_in(**form).json()["error_codes"] == [700027]
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    control.patch("/app", json={"certificates": [pem]})
    assert "access_token" in sign_in(**form).json()


def test_no_token_a_forged_one_and_an_expired_one_are_all_unauthorized(simulator, sign_in, control):
    assert httpx.get(f"{simulator.graph_url}/users").json()["error"]["code"] == "InvalidAuthenticationToken"
    control.post("/switches", json={"token_seconds": -1})
    expired = sign_in().json()["access_token"]
    forged = jwt.encode({"alg": "RS256"}, {"aud": SCOPE}, RSAKey.generate_key(2048, auto_kid=True))
    for token in (expired, forged, "Mallory"):
        refused = httpx.get(f"{simulator.graph_url}/users", headers={"Authorization": f"Bearer {token}"})
        assert refused.status_code == 401
        assert "WWW-Authenticate" in refused.headers


def test_signing_the_application_out_ends_its_tokens(graph, control):
    assert graph.get("/users").status_code == 200
    control.patch("/app", json={"sign_out": True})
    assert graph.get("/users").status_code == 401
