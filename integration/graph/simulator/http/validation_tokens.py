"""The tokens by which notifications with resource data prove where they come from. Facts 5.5."""

import secrets
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .openid_state import SigningKeys, Wrong
from .signatures import signed

if TYPE_CHECKING:
    from ..tenant.tenant import Tenant

PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"
"""Microsoft Graph Change Tracking."""
TOKEN_SECONDS = 24 * 3600


class ValidationTokens:
    """Version 1.0 tokens by the tenant's keys; `exp` and `nbf` are real time, as in all its tokens."""

    def __init__(self, tenant: "Tenant", keys: SigningKeys) -> None:
        self._tenant = tenant
        self._keys = keys
        self._lock = threading.Lock()
        self._wrong: list[Wrong] = []

    def order(self, wrong: Wrong) -> None:
        """The next POSTs carry a token with other claims or another signature."""
        with self._lock:
            self._wrong.append(wrong)

    def forget_orders(self) -> None:
        with self._lock:
            self._wrong.clear()

    def issue(self, *, issuer_root: str) -> list[str] | None:
        """One for the app and tenant; None where the tenant cannot issue any (a switch)."""
        if self._tenant.switches.validation_tokens == "null":
            return None
        wrong = self._next_wrong()
        claims = self._claims(issuer_root, wrong.claims)
        return [signed(self._keys, claims, wrong.signature)]

    def issuer(self, issuer_root: str) -> str:
        root = issuer_root.rstrip("/") if self._tenant.switches.validation_token_issuer == "own" else STS
        return f"{root}/{self._tenant.id}/"

    def _claims(self, issuer_root: str, other: Mapping[str, object]) -> dict[str, object]:
        now, issuer = int(time.time()), self.issuer(issuer_root)
        claims: dict[str, object] = {
            "aud": self._tenant.app.id,
            "iss": issuer,
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_SECONDS,
            "aio": secrets.token_urlsafe(20),
            "appid": PUBLISHER,
            "appidacr": "2",
            "idp": issuer,
            "tid": self._tenant.id,
            "uti": secrets.token_urlsafe(16),
            "ver": "1.0",
            **other,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def _next_wrong(self) -> Wrong:
        with self._lock:
            if not self._wrong:
                return Wrong()
            found = self._wrong[0]
            found.times -= 1
            self._wrong = [one for one in self._wrong if one.times > 0]
            return found


STS = "https://sts.windows.net"
