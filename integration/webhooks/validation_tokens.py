"""Validation tokens: by them rich notifications prove that Graph published them, for our application, in our tenant.

https://learn.microsoft.com/graph/change-notifications-with-resource-data#validating-the-authenticity-of-notifications
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import requests
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import JWSRegistry

from integration.config import Settings
from integration.errors import PodsError
from integration.language import lazy
from integration.pace import Pace
from integration.setting_values import is_loopback

PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"  # Microsoft Graph Change Tracking
ALGORITHM = "RS256"
LEEWAY_SECONDS = 300  # as Microsoft's own libraries
LONGEST_TOKEN = 16_384
KEEP_KEYS_SECONDS = 3600
TIMEOUT_SECONDS = (3, 10)  # to connect, to answer
DESCRIPTIONS = ("common", "common/v2.0")  # where an authority tells issuer and keys of both versions of tokens
TENANT = "{tenantid}"  # stands in an issuer that serves every tenant

Claims = dict[str, Any]


class KeysUnreachable(PodsError):
    """The publisher's keys cannot be fetched at the moment."""

    passes_by_itself = True


class NotTrusted(Exception):
    """A token proves nothing; the text names the claim or step that failed, nothing of the token."""


class Validator:
    """Checks tokens with the publisher's keys, fetched when first needed and kept; safe to use from many threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._keys: dict[str, RSAKey] = {}
        self._issuers: frozenset[str] = frozenset()
        self._fetched_at = 0.0
        self._pace = Pace(limit=5, seconds=60)  # anybody can name an unknown key

    def check(self, tokens: Iterable[object], *, tenant_id: str | None) -> None:
        """Raises NotTrusted unless one of the tokens proves a notification for this tenant, and none is forged.

        Raises KeysUnreachable when the keys cannot be fetched.
        """
        ours = self._settings.required("TENANT_ID")
        if tenant_id is not None and tenant_id.casefold() != ours.casefold():
            raise NotTrusted("tenant")
        given = list(tokens)
        if not given:
            raise NotTrusted("no token")
        claims = [self._claims(token) for token in given]
        if not any(str(each.get("tid", "")).casefold() == ours.casefold() for each in claims):
            raise NotTrusted("tid")

    def _claims(self, token: object) -> Claims:
        """The claims of a token that its publisher signed; of another tenant's too, as one post may serve several."""
        if not isinstance(token, str) or len(token) > LONGEST_TOKEN:
            raise NotTrusted("no token")
        claims = self._decoded(token)
        now = time.time()
        if not _is_number(claims.get("exp")) or claims["exp"] + LEEWAY_SECONDS < now:
            raise NotTrusted("exp")
        if "nbf" in claims and (not _is_number(claims["nbf"]) or claims["nbf"] - LEEWAY_SECONDS > now):
            raise NotTrusted("nbf")
        if claims.get("aud") != self._settings.required("CLIENT_ID"):
            raise NotTrusted("aud")
        if (claims.get("appid") or claims.get("azp")) != PUBLISHER:
            raise NotTrusted("appid")
        tid = str(claims.get("tid", ""))
        if claims.get("iss") not in {issuer.replace(TENANT, tid) for issuer in self._issuers}:
            raise NotTrusted("iss")
        return claims

    def _decoded(self, token: str) -> Claims:
        try:
            header = dict(jws.extract_compact(token.encode()).protected)
        except (JoseError, ValueError) as error:
            raise NotTrusted("no token") from error
        if header.get("alg") != ALGORITHM:
            raise NotTrusted("algorithm")
        registry = JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)
        try:
            claims = jwt.decode(token, self._key(str(header.get("kid", ""))), registry=registry).claims
        except (JoseError, ValueError) as error:
            raise NotTrusted("signature") from error
        return dict(claims)

    def _key(self, kid: str) -> RSAKey:
        with self._lock:
            now = time.monotonic()
            is_old = not self._keys or now - self._fetched_at > KEEP_KEYS_SECONDS
            if is_old or (kid not in self._keys and self._pace.allows("unknown key", at=now)):
                self._keys, self._issuers = self._fetched()
                self._fetched_at = now
            if kid not in self._keys:
                raise NotTrusted("unknown key")
            return self._keys[kid]

    def _fetched(self) -> tuple[dict[str, RSAKey], frozenset[str]]:
        """Keys and issuers, as the authority of our cloud tells them: national clouds have issuers of their own."""
        keys: dict[str, RSAKey] = {}
        issuers = set[str]()
        for name in DESCRIPTIONS:
            told = _got(f"{self._settings.authority}/{name}/.well-known/openid-configuration")
            address, issuer = told.get("jwks_uri"), told.get("issuer")
            if not isinstance(address, str) or not isinstance(issuer, str) or not _is_safe(address):
                raise KeysUnreachable(lazy("The publisher of notifications does not say where its keys are."))
            issuers.add(issuer)
            keys |= _keys_at(address)
        return keys, frozenset(issuers)


def _keys_at(address: str) -> dict[str, RSAKey]:
    found = _got(address).get("keys", [])
    usable = [key for key in found if key.get("kty") == "RSA" and key.get("use", "sig") == "sig"]
    return {str(key.kid): key for key in KeySet.import_key_set({"keys": usable}).keys if isinstance(key, RSAKey)}


def _got(url: str) -> Claims:
    try:
        with requests.Session() as asking:
            asking.trust_env = not is_loopback(url)
            answer = asking.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
            answer.raise_for_status()
            told = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise KeysUnreachable(lazy("The keys of the publisher of notifications cannot be fetched.")) from error
    if not isinstance(told, dict):
        raise KeysUnreachable(lazy("The keys of the publisher of notifications cannot be fetched."))
    return told


def _is_safe(url: str) -> bool:
    return urlsplit(url).scheme == "https" or is_loopback(url)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
