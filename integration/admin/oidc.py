"""OpenID Connect with Entra ID: authorization code with PKCE, and nothing is asked of the issuer before somebody
signs in.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
"""

from __future__ import annotations

import base64
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from integration.admin.oidc_errors import IssuerUnreachable, refused_by_issuer
from integration.admin.oidc_identity import Identity, identity_of
from integration.admin.oidc_tokens import Keys, check_id_token, check_teams_token
from integration.config import Settings
from integration.errors import SettingRefused
from integration.language import lazy
from integration.setting_values import is_loopback

SCOPE = "openid profile email"
TIMEOUT_SECONDS = (3, 10)  # to connect, to answer
KEEP_SECONDS = 12 * 3600  # what the issuer says about itself


@dataclass(frozen=True)
class Begun:
    """A sign-in that was sent to the issuer; kept in the browser's session until it comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


class Issuer:
    """Our side of the sign-in. Made without asking anybody; safe to use from many threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._metadata: dict[str, str] = {}
        self._fetched_at = 0.0
        self._keys = Keys(lambda: self._get(self._told("jwks_uri")))

    def begin(self, *, redirect_uri: str) -> Begun:
        """Where to send the browser. Raises IssuerUnreachable, or SettingRefused when sign-in is set up wrongly."""
        verifier, nonce = generate_token(64), generate_token(32)
        with self._client(redirect_uri) as client:
            url, state = client.create_authorization_url(
                self._told("authorization_endpoint"), code_verifier=verifier, nonce=nonce, response_mode="query"
            )
        return Begun(url, state, nonce, verifier)

    def finish(self, *, code: str, nonce: str, verifier: str, redirect_uri: str) -> Identity:
        """Who came back with this code. Raises SignInRefused or IssuerUnreachable."""
        answer = self._redeem(code, verifier=verifier, redirect_uri=redirect_uri)
        claims = check_id_token(
            str(answer.get("id_token", "")),
            self._keys,
            issuer=self._told("issuer"),
            client_id=self._settings.required("CLIENT_ID"),
            tenant_id=self._settings.tenant_id,
            nonce=nonce,
            access_token=str(answer.get("access_token", "")),
        )
        return identity_of(claims)

    def identity_in_teams(self, token: str) -> Identity:
        """Who uses the tab that got this token from Teams. Raises SignInRefused or IssuerUnreachable."""
        audiences = [self._settings.required("APPLICATION_ID_URI"), self._settings.required("CLIENT_ID")]
        claims = check_teams_token(
            token,
            self._keys,
            issuer=self._told("issuer"),
            audiences=audiences,
            tenant_id=self._settings.tenant_id,
        )
        return identity_of(claims)

    def sign_out_url(self, *, after: str) -> str | None:
        """Where the issuer ends its own session, if it has told us; nobody waits for it to sign out."""
        endpoint = self._metadata.get("end_session_endpoint")
        return f"{endpoint}?{urlencode({'post_logout_redirect_uri': after})}" if endpoint else None

    @property
    def address(self) -> str:
        """OIDC_ISSUER, or for TENANT_ID the one of the cloud that GRAPH_BASE_URL is in; raises SettingRefused."""
        settings = self._settings
        if settings.oidc_issuer:
            return settings.oidc_issuer.rstrip("/")
        return f"{settings.authority}/{settings.required('TENANT_ID')}/v2.0"

    def _told(self, name: str) -> str:
        """Something from the issuer's description of itself (OpenID Connect Discovery 1.0)."""
        with self._lock:
            is_fresh = self._metadata and time.monotonic() - self._fetched_at < KEEP_SECONDS
            known = self._metadata if is_fresh else {}
        if not known:
            known = self._get(f"{self.address}/.well-known/openid-configuration")
            if known.get("issuer") != self.address:
                raise SettingRefused(
                    "OIDC_ISSUER" if self._settings.oidc_issuer else "TENANT_ID",
                    lazy("%(name)s leads to an issuer that gives itself another name."),
                    remedy=lazy(
                        "TENANT_ID is the directory id, not a domain; OIDC_ISSUER is the name the issuer uses."
                    ),
                )
            with self._lock:
                self._metadata, self._fetched_at = known, time.monotonic()
        if not isinstance(known.get(name), str):
            raise IssuerUnreachable
        return known[name]

    def _get(self, url: str) -> dict[str, Any]:
        try:
            with requests.Session() as asking:
                asking.trust_env = _may_need_environment(url)
                answer = asking.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
                answer.raise_for_status()
                told = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise IssuerUnreachable from error
        if not isinstance(told, dict):
            raise IssuerUnreachable
        return told

    def _redeem(self, code: str, *, verifier: str, redirect_uri: str) -> dict[str, Any]:
        endpoint = self._told("token_endpoint")
        # Beside a signed assertion Authlib leaves the client id out, which Entra asks for.
        named = {"client_id": self._settings.client_id} if self._settings.client_certificate_path else {}
        grant = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, **named}
        with self._client(redirect_uri) as client:
            try:
                return dict(client.fetch_token(endpoint, **grant))
            except OAuthError as error:
                raise refused_by_issuer(str(error.error), str(error.description)) from error
            except (requests.RequestException, ValueError) as error:
                raise IssuerUnreachable from error

    def _client(self, redirect_uri: str) -> Any:
        """An OAuth2Session, which is a requests.Session too; the published types of Authlib do not know that."""
        settings = self._settings
        certificate = settings.client_certificate_path
        pem = Path(certificate).read_bytes() if certificate else b""
        if not settings.client_secret and not pem:
            raise SettingRefused(
                "CLIENT_SECRET",
                lazy("%(name)s is not set, and signing in needs it."),
                remedy=lazy("Set CLIENT_CERTIFICATE_PATH or CLIENT_SECRET of the app registration."),
            )
        client: Any = OAuth2Session(
            settings.required("CLIENT_ID"),
            _private_key(pem) if pem else settings.client_secret,
            token_endpoint_auth_method="private_key_jwt" if pem else "client_secret_post",
            scope=SCOPE,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            default_timeout=TIMEOUT_SECONDS,
        )
        client.trust_env = _may_need_environment(self.address)
        if pem:
            client.register_client_auth_method(PrivateKeyJWT(headers=_thumbprint(pem), alg="PS256"))
        return client


def _may_need_environment(url: str) -> bool:
    """Whether proxies and certificates of the environment count: not for plain http to this machine."""
    return url.startswith("https://") or not is_loopback(url)


def _private_key(pem: bytes) -> bytes:
    """The key alone, of a file that holds the certificate too."""
    key = serialization.load_pem_private_key(pem, password=None)
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def _thumbprint(pem: bytes) -> dict[str, str]:
    """How Entra finds the certificate: https://learn.microsoft.com/entra/identity-platform/certificate-credentials"""
    digest = x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256())
    return {"x5t#S256": base64.urlsafe_b64encode(digest).decode().rstrip("=")}
