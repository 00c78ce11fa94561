"""What the issuer remembers: its signing keys, the codes it gave out, who has which role, and orders to go wrong."""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from joserfc.jwk import RSAKey

from ..tenant.directory import Person

CODE_SECONDS = 120
"""Entra's codes live ten minutes; ours must only outlive a redirect."""
KEPT_SECONDS = 24 * 3600
"""How long a rotated key is still published (real time), unless it is dropped at once."""
SEEDED = ("Leader", "Leader", None, "Coordinator", "Coordinator", "Administrator")
"""App roles of the first employees, in the order of the directory."""


@dataclass(frozen=True)
class AuthorizationRequest:
    """What came to the authorize address. `challenge` is PKCE's (S256), None without."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str
    nonce: str | None
    challenge: str | None


@dataclass(frozen=True)
class Grant:
    """A code's meaning, until it is redeemed."""

    request: AuthorizationRequest
    person: Person
    expires_at: float


@dataclass
class Wrong:
    """An order to go wrong, `times` sign-ins long: other claims or signature, or an error instead of a code."""

    claims: Mapping[str, object] = field(default_factory=dict)
    signature: str = "RS256"
    error: str | None = None
    error_description: str = ""
    times: int = 1


class SigningKeys:
    """The key that signs now, and those it replaced, while they are still published (RFC 7517)."""

    def __init__(self, first: Callable[[], RSAKey]) -> None:
        self._first = first
        self._lock = threading.Lock()
        self._keys: list[RSAKey] = []
        self._replaced_at: dict[str, float] = {}

    @property
    def current(self) -> RSAKey:
        return self._all()[-1]

    def published(self) -> list[RSAKey]:
        oldest = time.time() - KEPT_SECONDS
        return [key for key in self._all() if self._replaced_at.get(str(key.kid), oldest) >= oldest]

    def rotate(self, *, drop_old: bool = False) -> RSAKey:
        """Sign with a new key from now on."""
        kid = f"simulator-{secrets.token_hex(4)}"
        key = RSAKey.generate_key(2048, parameters={"kid": kid, "use": "sig", "alg": "RS256"})
        replaced_at = 0.0 if drop_old else time.time()
        for old in self._all():
            self._replaced_at[str(old.kid)] = min(replaced_at, self._replaced_at.get(str(old.kid), replaced_at))
        with self._lock:
            self._keys.append(key)
        return key

    def _all(self) -> list[RSAKey]:
        """The first key is made when somebody asks: it costs more than everything else at start."""
        with self._lock:
            if not self._keys:
                self._keys.append(self._first())
            return list(self._keys)


class OpenIdState:
    """One per simulator. Safe to use from many threads."""

    def __init__(self, first_key: Callable[[], RSAKey]) -> None:
        self.keys = SigningKeys(first_key)
        self.redirect_uris: tuple[str, ...] = ()  # empty: every address on loopback
        self.signed_out = 0
        self._roles: dict[str, tuple[str, ...]] = {}
        self._grants: dict[str, Grant] = {}
        self._redeemed: set[str] = set()
        self._wrong: list[Wrong] = []
        self._lock = threading.Lock()

    def roles_of(self, person: Person, people: list[Person]) -> tuple[str, ...]:
        """The app roles an administrator assigned, or those of the seed."""
        with self._lock:
            assigned = self._roles.get(person.id)
        return seeded_roles(person, people) if assigned is None else assigned

    def assign(self, person: Person, roles: tuple[str, ...]) -> None:
        with self._lock:
            self._roles[person.id] = roles

    def grant(self, request: AuthorizationRequest, person: Person) -> str:
        """A code for one redemption."""
        code = f"1.{secrets.token_urlsafe(48)}"
        with self._lock:
            self._grants[code] = Grant(request, person, time.time() + CODE_SECONDS)
        return code

    def redeem(self, code: str) -> Grant | None:
        """What the code was given for, once; None for one that is unknown or too old.

        Raises KeyError for a code that was redeemed before.
        """
        with self._lock:
            if code in self._redeemed:
                raise KeyError(code)
            grant = self._grants.pop(code, None)
            if grant is None or grant.expires_at < time.time():
                return None
            self._redeemed.add(code)
            return grant

    def order(self, wrong: Wrong) -> None:
        with self._lock:
            self._wrong.append(wrong)

    def forget_orders(self) -> None:
        with self._lock:
            self._wrong.clear()

    def next_wrong(self, *, is_error: bool) -> Wrong | None:
        """The first order of this kind, which counts as one of its times."""
        with self._lock:
            found = next((one for one in self._wrong if (one.error is not None) == is_error), None)
            if found is not None:
                found.times -= 1
                self._wrong = [one for one in self._wrong if one.times > 0]
            return found


def seeded_roles(person: Person, people: list[Person]) -> tuple[str, ...]:
    """Two leaders (heads of departments), two coordinators and an administrator, of those who are employed."""
    employees = [one for one in people if one.kind == "person"][: len(SEEDED)]
    place = next((at for at, one in enumerate(employees) if one.id == person.id), None)
    role = SEEDED[place] if place is not None else None
    return (role,) if role else ()


def challenge_of(verifier: str) -> str:
    """PKCE S256, RFC 7636 section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
