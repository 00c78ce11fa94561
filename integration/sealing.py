"""Sealing what must not be readable in a copy of the database: Fernet, with a key drawn from SECRET_KEY. Pure.

Each purpose has a key of its own, so that what was sealed for one opens nothing elsewhere.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def sealed(text: str, *, purpose: str, secret_key: str) -> str:
    """The text, encrypted; each call gives another one."""
    return _fernet(purpose, secret_key).encrypt(text.encode()).decode("ascii")


def unsealed(seal: str, *, purpose: str, secret_key: str) -> str | None:
    """The text again; None when it was sealed with another SECRET_KEY, or is no seal at all."""
    try:
        return _fernet(purpose, secret_key).decrypt(seal.encode()).decode()
    except InvalidToken:
        return None


def _fernet(purpose: str, secret_key: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"learning-pods {purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(key.derive(secret_key.encode())))
