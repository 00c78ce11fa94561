"""Checking tokens: signed by a key of our issuer, for us, now, and in our tenant.

Sources: OpenID Connect Core 1.0 section 3.1.3.7, RFC 8725 (one algorithm, chosen by us), and
https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from authlib.oauth2.claims import JWTClaims
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import JWSRegistry

from integration.admin.oidc_errors import SignInRefused, refused_token
from integration.pace import Pace

ALGORITHM = "RS256"
LEEWAY_SECONDS = 60  # clocks differ a little
LONGEST_TOKEN = 32_768  # characters
KEEP_KEYS_SECONDS = 3600
TEAMS_SCOPE = "access_as_user"

Claims = dict[str, Any]


class Keys:
    """The issuer's keys, fetched when first needed, again when a token names one that we do not know, and each hour,
    so that a key that the issuer withdrew is not trusted for long.

    Anybody can name an unknown key, so that ``fetch`` is asked five times a minute for those at most.
    """

    def __init__(self, fetch: Callable[[], dict[str, Any]]) -> None:
        self._fetch = fetch
        self._known: dict[str, RSAKey] = {}
        self._fetched_at = 0.0  # of the monotonic clock
        self._pace = Pace(limit=5, seconds=60)

    def find(self, kid: str) -> RSAKey:
        """Raises SignInRefused when the issuer has no such key, IssuerUnreachable when it cannot be asked."""
        now = time.monotonic()
        is_old = not self._known or now - self._fetched_at > KEEP_KEYS_SECONDS
        if is_old or (kid not in self._known and self._pace.allows("unknown key", at=now)):
            self._known, self._fetched_at = _by_name(self._fetch()), now
        if kid not in self._known:
            raise refused_token("unknown key")
        return self._known[kid]


def check_id_token(
    token: str, keys: Keys, *, issuer: str, client_id: str, tenant_id: str | None, nonce: str, access_token: str
) -> Claims:
    """The claims of the token of a sign-in; raises SignInRefused for one that is not for this sign-in."""
    decoded = _decoded(token, keys)
    options = _options(issuer, [client_id], tenant_id)
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options,
        {"nonce": nonce, "client_id": client_id, "access_token": access_token},
    )
    return _valid(claims)


def check_teams_token(token: str, keys: Keys, *, issuer: str, audiences: list[str], tenant_id: str | None) -> Claims:
    """The claims of an access token that Teams asked for, for our application, in the name of whoever uses it.

    Raises SignInRefused; also for one that an application got for itself, which names no person.
    """
    decoded = _decoded(token, keys)
    claims = _valid(JWTClaims(decoded.claims, decoded.header, _options(issuer, audiences, tenant_id), {}))
    if TEAMS_SCOPE not in str(claims.get("scp", "")).split():
        raise refused_token("scope")
    return claims


def _decoded(token: str, keys: Keys) -> jwt.Token:
    header = _header(token)
    if header.get("alg") != ALGORITHM:
        raise refused_token("algorithm")
    registry = JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)
    key = keys.find(str(header.get("kid", "")))
    try:
        return jwt.decode(token, key, registry=registry)
    except (JoseError, ValueError) as error:
        raise refused_token("signature") from error


def _header(token: str) -> dict[str, Any]:
    """Read before anything is checked, to find the key."""
    if len(token) > LONGEST_TOKEN:
        raise refused_token("too long")
    try:
        return dict(jws.extract_compact(token.encode()).protected)
    except (JoseError, ValueError) as error:
        raise refused_token("no token") from error


def _options(issuer: str, audiences: list[str], tenant_id: str | None) -> dict[str, Any]:
    tenant = {"tid": {"essential": True, "value": tenant_id}} if tenant_id else {}
    return {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "values": audiences},
        "exp": {"essential": True},
        "sub": {"essential": True},
        **tenant,
    }


def _valid(claims: CodeIDToken | JWTClaims) -> Claims:
    try:
        claims.validate(now=int(time.time()), leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError) as error:
        raise _refusal(error) from error
    return dict(claims)


def _refusal(error: Exception) -> SignInRefused:
    claim = getattr(error, "claim", None)
    return refused_token(str(claim or getattr(error, "error", "") or "claims"))


def _by_name(key_set: dict[str, Any]) -> dict[str, RSAKey]:
    """Keys that sign with RSA; a set may hold others, which are none of ours."""
    usable = [key for key in key_set.get("keys", []) if key.get("kty") == "RSA" and key.get("use", "sig") == "sig"]
    return {str(key.kid): key for key in KeySet.import_key_set({"keys": usable}).keys if isinstance(key, RSAKey)}
