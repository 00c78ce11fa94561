"""Opening rich notifications: our key pairs, kept sealed and rotated with overlap, and Graph's scheme of encryption.

https://learn.microsoft.com/graph/change-notifications-with-resource-data
"""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.x509.oid import NameOID
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.clock import real_now
from integration.config import Settings
from integration.sealing import sealed, unsealed
from integration.webhooks.models import EncryptionKey, Subscription

PURPOSE = "private key for notifications"
KEY_BITS = 3072
IN_USE_FOR = timedelta(days=90)  # then a new one is handed out, at each subscription's next renewal
KEPT_FOR = timedelta(days=2)  # after the last subscription named it: a delivery is repeated for four hours
VALID_FOR = timedelta(days=730)
SYMMETRIC_BYTES = 32
# RFC 8017: what Graph encrypts the symmetric key with; SHA-1 is its choice, and safe in this place.
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)


@dataclass(frozen=True)
class Envelope:
    """The parts of ``encryptedContent``, as they came."""

    data: str
    data_key: str
    data_signature: str


class NotOpened(Exception):
    """The content is not what its sender would have made; ``reason`` is one of ours, never the content's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def current_key(session: Session, settings: Settings, *, now: datetime) -> EncryptionKey:
    """The key pair to hand out; a new one when there is none, it is old, or SECRET_KEY has changed since.

    Two workers at once may make two: both open what was encrypted for them.
    """
    newest = select(EncryptionKey).where(EncryptionKey.replaced_at.is_(None)).order_by(EncryptionKey.id.desc())
    key = session.scalars(newest.limit(1)).first()
    if key is not None and key.made_at > now - IN_USE_FOR and _private_text(key, settings) is not None:
        return key
    for old in session.scalars(newest):
        old.replaced_at = now
    key = _new_key(settings, now=now)
    session.add(key)
    session.flush()
    return key


def forget_old_keys(session: Session, *, now: datetime) -> None:
    """Delete private keys that no subscription names any more and nothing under way can need."""
    named = select(Subscription.certificate_id).where(Subscription.certificate_id.is_not(None))
    old = select(EncryptionKey).where(
        EncryptionKey.replaced_at < now - KEPT_FOR, EncryptionKey.certificate_id.not_in(named)
    )
    for key in session.scalars(old):
        session.delete(key)


def private_key_of(key: EncryptionKey, settings: Settings) -> rsa.RSAPrivateKey | None:
    """None when SECRET_KEY has changed since it was made."""
    text = _private_text(key, settings)
    if text is None:
        return None
    private = serialization.load_pem_private_key(text.encode(), password=None)
    return private if isinstance(private, rsa.RSAPrivateKey) else None


def opened(envelope: Envelope, private: rsa.RSAPrivateKey) -> bytes:
    """What was encrypted, usually JSON; the signature is checked before anything is decrypted. Raises NotOpened."""
    try:
        data = base64.b64decode(envelope.data, validate=True)
        signature = base64.b64decode(envelope.data_signature, validate=True)
        symmetric = private.decrypt(base64.b64decode(envelope.data_key, validate=True), OAEP)
    except (binascii.Error, ValueError) as error:
        raise NotOpened("broken envelope") from error
    if len(symmetric) != SYMMETRIC_BYTES:
        raise NotOpened("broken envelope")
    if not hmac.compare_digest(hmac.digest(symmetric, data, "sha256"), signature):
        raise NotOpened("broken signature")
    return _decrypted(data, symmetric)


def _decrypted(data: bytes, symmetric: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(symmetric), modes.CBC(symmetric[:16])).decryptor()
    unpadder = PKCS7(128).unpadder()
    try:
        padded = decryptor.update(data) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise NotOpened("broken envelope") from error


def _new_key(settings: Settings, *, now: datetime) -> EncryptionKey:
    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    text = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")
    return EncryptionKey(
        certificate_id=str(uuid.uuid4()),
        certificate=base64.b64encode(_certificate(private)).decode("ascii"),
        private_key=sealed(text, purpose=PURPOSE, secret_key=settings.secret_key),
        made_at=now,
    )


def _certificate(private: rsa.RSAPrivateKey) -> bytes:
    """Signed by itself, which Graph allows: it is a way to hand over a public key. Valid on the real clock."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Learning Pods notifications")])
    begins = real_now() - timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    made = builder.not_valid_before(begins).not_valid_after(begins + VALID_FOR).sign(private, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def _private_text(key: EncryptionKey, settings: Settings) -> str | None:
    return unsealed(key.private_key, purpose=PURPOSE, secret_key=settings.secret_key)
