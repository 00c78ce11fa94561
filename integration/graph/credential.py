"""Tokens: Entra's for Microsoft's clouds, the simulator's own for loopback, and for no other host at all."""

from __future__ import annotations

import base64
import os
import ssl
import time
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import httpx
import msgspec
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from integration.config import LOGIN_HOSTS
from integration.errors import SettingRefused
from integration.language import lazy

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
RENEW_BEFORE_EXPIRY_SECONDS = 120


class CredentialSettings(Protocol):
    """What of the settings decides how we sign in."""

    @property
    def graph_base_url(self) -> str: ...
    @property
    def tenant_id(self) -> str | None: ...
    @property
    def client_id(self) -> str | None: ...
    @property
    def client_secret(self) -> str | None: ...
    @property
    def client_certificate_path(self) -> Any: ...  # str or Path


@dataclass(frozen=True)
class Cloud:
    """Where Graph is, and which host alone may see our token."""

    base_url: str
    host: str
    loopback: bool

    @property
    def scope(self) -> str:
        return "https://graph.microsoft.com/.default" if self.loopback else f"https://{self.host}/.default"


def cloud_of(base_url: str) -> Cloud:
    """The cloud of GRAPH_BASE_URL. Raises SettingRefused for hosts that are neither Microsoft's nor loopback."""
    url = urlsplit(base_url)
    host = (url.hostname or "").lower()
    if host in LOOPBACK and url.scheme in ("http", "https"):
        return Cloud(base_url.rstrip("/"), host, loopback=True)
    if host in LOGIN_HOSTS and url.scheme == "https":
        return Cloud(base_url.rstrip("/"), host, loopback=False)
    raise SettingRefused(
        "GRAPH_BASE_URL",
        lazy(
            "%(name)s leads to %(url)s, which is no Graph of Microsoft's.", url=f"{url.scheme or '?'}://{host or '?'}"
        ),
        remedy=lazy("Use https with one of %(hosts)s, or a simulator on 127.0.0.1.", hosts=", ".join(LOGIN_HOSTS)),
    )


def credential_for(settings: CredentialSettings) -> AsyncTokenCredential:
    """The credential that the settings ask for: certificate, secret, workload or managed identity.

    Raises SettingRefused when the settings do not make a whole one.
    """
    cloud = cloud_of(settings.graph_base_url)
    if cloud.loopback:
        return LoopbackCredential(
            cloud.base_url,
            tenant_id=settings.tenant_id or "common",
            client_id=settings.client_id or "learning-pods",
            client_secret=settings.client_secret or "loopback",
        )
    return _entra(settings, LOGIN_HOSTS[cloud.host])


class LoopbackCredential:
    """Client credentials at the simulator's own token endpoint, cached until shortly before they expire.

    Refuses every host but loopback: no secret leaves the machine over plain http.
    """

    def __init__(self, base_url: str, *, tenant_id: str, client_id: str, client_secret: str) -> None:
        if not cloud_of(base_url).loopback:
            raise SettingRefused(
                "GRAPH_BASE_URL", lazy("%(name)s is not loopback."), remedy=lazy("Sign in through Entra instead.")
            )
        self._url = f"{base_url.rstrip('/').removesuffix('/v1.0')}/{tenant_id}/oauth2/v2.0/token"
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self._token: AccessToken | None = None

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,
    ) -> AccessToken:
        # A token's life runs on real time even where the tenant's clock is moved.
        if self._token is not None and self._token.expires_on - RENEW_BEFORE_EXPIRY_SECONDS > time.time():
            return self._token
        self._token = await self._fetch(scopes)
        return self._token

    def forget(self) -> None:
        """Drop the cached token: the server has just refused it."""
        self._token = None

    async def close(self) -> None:
        self._token = None

    async def __aenter__(self) -> LoopbackCredential:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    async def _fetch(self, scopes: tuple[str, ...]) -> AccessToken:
        secure = self._url.startswith("https")
        async with httpx.AsyncClient(timeout=10, trust_env=secure, verify=trust(self._url)) as client:
            answer = await client.post(self._url, data=self._form | {"scope": " ".join(scopes)})
        if answer.status_code != 200:
            raise ClientAuthenticationError(message=_refusal(answer))
        granted = msgspec.json.decode(answer.content, type=_Granted)
        return AccessToken(granted.access_token, int(time.time()) + int(granted.expires_in))


def trust(url: str) -> ssl.SSLContext:
    """The certificates to trust. For plain http none: reading the machine's takes longer than the request."""
    return httpx.create_ssl_context() if url.startswith("https") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def roles_in(token: str) -> frozenset[str] | None:
    """The app roles in an access token; None when it is opaque. Only for showing: the signature is not checked."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), type=_Claims)
    except (ValueError, msgspec.MsgspecError):
        return None
    return frozenset(claims.roles)


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: int | str = 3600


class _Claims(msgspec.Struct):
    roles: list[str] = []


class _Refused(msgspec.Struct):
    error: str = ""
    error_description: str = ""


def _refusal(answer: httpx.Response) -> str:
    try:
        refused = msgspec.json.decode(answer.content, type=_Refused)
    except msgspec.MsgspecError:
        return f"the token endpoint answered {answer.status_code}"
    return refused.error_description or refused.error or f"the token endpoint answered {answer.status_code}"


def _entra(settings: CredentialSettings, login_host: str) -> AsyncTokenCredential:
    from azure.identity import aio  # 0.4 s to import: only real tenants pay for it

    if settings.client_certificate_path is not None:
        tenant_id, client_id = _app(settings)
        path = str(settings.client_certificate_path)
        return aio.CertificateCredential(tenant_id, client_id, path, authority=login_host)
    if settings.client_secret is not None:
        tenant_id, client_id = _app(settings)
        return aio.ClientSecretCredential(tenant_id, client_id, settings.client_secret, authority=login_host)
    if "AZURE_FEDERATED_TOKEN_FILE" in os.environ:
        return aio.WorkloadIdentityCredential(
            tenant_id=settings.tenant_id, client_id=settings.client_id, authority=login_host
        )
    return aio.ManagedIdentityCredential(client_id=settings.client_id)


def _app(settings: CredentialSettings) -> tuple[str, str]:
    if settings.tenant_id is None or settings.client_id is None:
        missing = "TENANT_ID" if settings.tenant_id is None else "CLIENT_ID"
        raise SettingRefused(
            missing,
            lazy("%(name)s is not set."),
            remedy=lazy("Both stand on the app registration's overview in Entra."),
        )
    return settings.tenant_id, settings.client_id
