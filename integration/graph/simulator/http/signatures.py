"""JSON Web Tokens by the keys of this tenant, and those that a careless verifier would take for one."""

import base64
import hmac
import json
from collections.abc import Mapping

from joserfc import jwt
from joserfc.jwk import RSAKey

from .openid_state import SigningKeys

SIGNATURES = ("RS256", "none", "HS256", "unknown", "forged")


def signed(keys: SigningKeys, claims: Mapping[str, object], signature: str = "RS256") -> str:
    """By the key that signs now; or wrongly: unsigned, by a shared secret, by an unknown key, by a false one."""
    if signature == "none":
        return f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': keys.current.kid})}.{_part(claims)}."
    if signature == "HS256":  # by the public key, which a careless verifier takes for a shared secret
        text = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': keys.current.kid})}.{_part(claims)}"
        return f"{text}.{_base64(hmac.digest(keys.current.as_pem(private=False), text.encode(), 'sha256'))}"
    if signature == "unknown":
        stranger = RSAKey.generate_key(2048, parameters={"kid": "stranger"})
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": "stranger"}, dict(claims), stranger)
    if signature == "forged":
        stranger = RSAKey.generate_key(2048)
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": keys.current.kid}, dict(claims), stranger)
    return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": keys.current.kid}, dict(claims), keys.current)


def _part(values: Mapping[str, object]) -> str:
    return _base64(json.dumps(values).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
