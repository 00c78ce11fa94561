"""Sign-in of the client application as Entra does it: token endpoint, OpenID discovery, keys, bearer checks."""

import functools
import hashlib
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from flask import Blueprint, Response, current_app, jsonify, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from ..tenant.tenant import Tenant
from .odata import GraphFault, current_tenant

blueprint = Blueprint("auth", __name__)

GRAPH_AUDIENCES = ("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Claims:
    """What a checked token says. `expires_at` and `issued_at` are seconds since 1970, real time."""

    app_id: str
    roles: frozenset[str]
    issued_at: float
    expires_at: float


class EntraFault(Exception):
    """An error answer of the token endpoint. `code` is the number of the AADSTS message."""

    def __init__(self, code: int, error: str, text: str, *, status: int = 401) -> None:
        super().__init__(f"AADSTS{code}: {text}")
        self.code = code
        self.error = error
        self.text = text
        self.status = status


MAKING_KEY = threading.Lock()


def signing_key() -> RSAKey:
    """The key of this process. Threads that ask at once get the same one: a cache alone would make one for each."""
    with MAKING_KEY:
        return _made_key()


@functools.cache
def _made_key() -> RSAKey:
    """One key per process: making one costs more than everything else at start."""
    return RSAKey.generate_key(2048, parameters={"kid": "simulator", "use": "sig", "alg": "RS256"})


def sign(claims: dict[str, object]) -> str:
    """A JWT by the tenant's key, which `/discovery/v2.0/keys` publishes."""
    return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": "simulator"}, claims, signing_key())


def claims_of_request() -> Claims:
    """The token's claims; 401 InvalidAuthenticationToken without a bearer, or with one that does not hold."""
    kept = request.environ.get("simulator.claims")
    if kept is None:
        kept = request.environ["simulator.claims"] = _check_bearer(request.headers.get("Authorization", ""))
    return cast(Claims, kept)


@blueprint.post("/<tenant_id>/oauth2/v2.0/token")
def token(tenant_id: str) -> Response:
    """Every grant by its name; the application proves itself with a secret or a signed assertion."""
    tenant = current_tenant()
    check_tenant(tenant, tenant_id)
    grant = GRANTS.get(request.form.get("grant_type", ""))
    if grant is None:
        raise EntraFault(70003, "unsupported_grant_type", "The app requested an unsupported grant type.", status=400)
    app_id = request.form.get("client_id", "")
    if app_id != tenant.app.id:
        text = (
            f"Application with identifier '{app_id}' was not found in the directory '{tenant.name}'. This can happen "
            "if the application has not been installed by the administrator of the tenant."
        )
        raise EntraFault(700016, "unauthorized_client", text, status=400)
    return grant()


def grant_to_application() -> Response:
    """The client-credentials grant (OAuth 2.0, RFC 6749 section 4.4)."""
    tenant = current_tenant()
    if not request.form.get("scope", "").endswith("/.default"):
        text = "The provided value for the input parameter 'scope' is not valid. It must end with '/.default'."
        raise EntraFault(1002012, "invalid_scope", text, status=400)
    check_credential(tenant)
    seconds = tenant.switches.token_seconds
    answer = {
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": access_token(tenant, issuer_root=request.host_url),
    }
    return jsonify(answer)


GRANTS: dict[str, Callable[[], Response]] = {"client_credentials": grant_to_application}
"""Answers of the token endpoint; `openid` adds the one by which people sign in."""


def access_token(tenant: Tenant, *, issuer_root: str = "https://login.microsoftonline.com/") -> str:
    """A token for Graph with the roles granted at this moment, as the token endpoint answers it."""
    now = time.time()
    roles = tuple(sorted(tenant.app.roles))
    return _signed(
        current_key(tenant), roles, int(now), tenant.switches.token_seconds, f"{issuer_root}{tenant.id}/v2.0"
    )


def current_key(tenant: Tenant) -> tuple[str, str]:
    return tenant.id, tenant.app.id


@functools.lru_cache(maxsize=256)
def _signed(who: tuple[str, str], roles: tuple[str, ...], issued_at: int, seconds: int, issuer: str) -> str:
    tenant_id, app_id = who
    return sign(
        {
            "aud": GRAPH_AUDIENCES[0],
            "iss": issuer,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + seconds,
            "appid": app_id,
            "azp": app_id,
            "idtyp": "app",
            "oid": str(uuid.uuid5(uuid.NAMESPACE_OID, app_id)),
            "sub": str(uuid.uuid5(uuid.NAMESPACE_OID, app_id)),
            "roles": list(roles),
            "tid": tenant_id,
            "uti": uuid.uuid4().hex,
            "ver": "1.0",
        }
    )


@blueprint.get("/<tenant_id>/v2.0/.well-known/openid-configuration")
@blueprint.get("/<tenant_id>/.well-known/openid-configuration")
def discovery(tenant_id: str) -> Response:
    """OpenID Connect Discovery 1.0; without `v2.0` the issuer of version 1.0 tokens, as notifications carry them."""
    check_tenant(current_tenant(), tenant_id)
    root, issuer = f"{request.host_url}{tenant_id}", f"{request.host_url}{current_tenant().id}/v2.0"
    keys_at = "discovery/v2.0/keys"
    if "/v2.0/" not in request.path:
        issuer = current_app.extensions["validation_tokens"].issuer(request.host_url)
        issuer = issuer.replace(current_tenant().id, "{tenantid}") if tenant_id == "common" else issuer
        keys_at = "discovery/keys"
    return jsonify(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "token_endpoint": f"{root}/oauth2/v2.0/token",
            "end_session_endpoint": f"{root}/oauth2/v2.0/logout",
            "jwks_uri": f"{root}/{keys_at}",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code", "id_token"],
            "response_modes_supported": ["query", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "code_challenge_methods_supported": ["S256"],
            "tenant_region_scope": "EU",
            "msgraph_host": request.host,
        }
    )


@blueprint.get("/<tenant_id>/discovery/v2.0/keys")
@blueprint.get("/<tenant_id>/discovery/keys")
def keys(tenant_id: str) -> Response:
    """JSON Web Key Set, RFC 7517; public parts only."""
    check_tenant(current_tenant(), tenant_id)
    published = current_app.extensions["openid"].keys.published()
    return jsonify({"keys": [key.as_dict(private=False) for key in published]})


@blueprint.errorhandler(EntraFault)
def refused(fault: EntraFault) -> tuple[Response, int]:
    at = datetime.now(UTC)
    trace, correlation = str(uuid.uuid4()), request.headers.get("client-request-id") or str(uuid.uuid4())
    stamp = at.strftime("%Y-%m-%d %H:%M:%SZ")
    text = f"AADSTS{fault.code}: {fault.text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
    answer = {
        "error": fault.error,
        "error_description": text,
        "error_codes": [fault.code],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={fault.code}",
    }
    return jsonify(answer), fault.status


def check_tenant(tenant: Tenant, tenant_id: str) -> None:
    if tenant_id.casefold() not in (tenant.id, tenant.domain.casefold(), "common", "organizations"):
        text = f"Tenant '{tenant_id}' not found. Check to make sure you have the correct tenant ID."
        raise EntraFault(90002, "invalid_request", text, status=400)


def check_credential(tenant: Tenant) -> None:
    if request.form.get("client_assertion_type") == ASSERTION_TYPE:
        _check_assertion(tenant, request.form.get("client_assertion", ""))
        return
    secret = request.form.get("client_secret")
    if secret is None:
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise EntraFault(7000218, "invalid_client", text)
    if secret != tenant.app.secret:
        text = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{tenant.app.id}'."
        )
        raise EntraFault(7000215, "invalid_client", text)


def _check_assertion(tenant: Tenant, assertion: str) -> None:
    """RFC 7523 section 3, by a certificate registered for the app (`PATCH /control/app`)."""
    for pem in tenant.app.certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        if _signed_by(certificate, assertion, tenant):
            return
    text = "Client assertion contains an invalid signature. The key was not found, or the assertion is not valid."
    raise EntraFault(700027, "invalid_client", text)


def _signed_by(certificate: x509.Certificate, assertion: str, tenant: Tenant) -> bool:
    public = certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    try:
        decoded = jwt.decode(assertion, RSAKey.import_key(public), algorithms=["RS256", "PS256"])
    except (JoseError, ValueError):
        return False
    claims = decoded.claims
    print_256 = certificate.fingerprint(hashes.SHA256())
    if not {"x5t", "x5t#S256"} & decoded.header.keys() or not print_256:
        return False
    audience = str(claims.get("aud", ""))
    named = claims.get("iss") == claims.get("sub") == tenant.app.id
    return named and audience.endswith("/oauth2/v2.0/token") and float(claims.get("exp", 0)) > time.time()


def _check_bearer(header: str) -> Claims:
    scheme, _, sent = header.partition(" ")
    if scheme.casefold() != "bearer" or not sent.strip():
        raise _unauthorized("Access token is empty.")
    seen: dict[str, Claims] = current_app.extensions["tokens"]
    key = hashlib.sha256(sent.encode()).hexdigest()
    claims = seen.get(key) or _read_token(sent.strip())
    seen[key] = claims
    if claims.expires_at <= time.time():
        raise _unauthorized("Lifetime validation failed, the token is expired.")
    if claims.issued_at < current_tenant().app.signed_out_at:
        raise _unauthorized("Continuous access evaluation resulted in challenge with result: InteractionRequired.")
    return claims


def _read_token(sent: str) -> Claims:
    try:
        claims = jwt.decode(sent, signing_key(), algorithms=["RS256"]).claims
    except (JoseError, ValueError) as broken:
        raise _unauthorized("CompactToken parsing failed with error code: 80049217") from broken
    if claims.get("aud") not in GRAPH_AUDIENCES:
        raise _unauthorized("Access token validation failure. Invalid audience.")
    if claims.get("tid") != current_tenant().id:
        raise _unauthorized("Invalid tenant.")
    return Claims(
        app_id=str(claims["appid"]),
        roles=frozenset(claims.get("roles", [])),
        issued_at=float(claims["iat"]),
        expires_at=float(claims["exp"]),
    )


def _unauthorized(message: str) -> GraphFault:
    challenge = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'
    return GraphFault(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})
