"""Links that are keys: a few values in an address, signed for one purpose.

Anybody can read the values and nobody can forge them; whether they still open something is for their row to decide.
"""

from __future__ import annotations

from collections.abc import Sequence

from itsdangerous import BadSignature, URLSafeSerializer

LONGEST = 200  # characters; ours have about sixty


def signed(values: Sequence[int | str], *, purpose: str, secret_key: str) -> str:
    """URL-safe characters; the same values always give the same ones, so that a link in an old mail lasts."""
    text = URLSafeSerializer(secret_key, salt=purpose).dumps(list(values))
    return text if isinstance(text, str) else text.decode()


def read_signed(text: str, *, purpose: str, secret_key: str) -> list[int | str] | None:
    """The values, or None when we have not signed this, or for another purpose."""
    if len(text) > LONGEST:
        return None
    try:
        return URLSafeSerializer(secret_key, salt=purpose).loads(text)
    except BadSignature:
        return None
