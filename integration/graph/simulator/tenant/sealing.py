"""Resource data on its way: encrypted for the holder of a certificate's private key. Facts 5.5."""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from .refusals import Refused

KEY_BYTES = 32
IV_BYTES = 16
SMALLEST_KEY, LARGEST_KEY = 2048, 4096
ID_LENGTH = 128


@dataclass(frozen=True)
class Recipient:
    """A certificate data is encrypted for. `certificate` is what was sent: base64 of its DER (or of its PEM)."""

    certificate: str
    certificate_id: str

    @property
    def thumbprint(self) -> str:
        return _read(self.certificate).fingerprint(hashes.SHA1()).hex().upper()


def recipient(certificate: object, certificate_id: object) -> Recipient:
    """Raises Refused (400) unless both are there and the certificate has an RSA key of 2048 to 4096 bits."""
    if (
        not isinstance(certificate, str)
        or not certificate
        or not isinstance(certificate_id, str)
        or not certificate_id
    ):
        raise _invalid("encryptionCertificate and encryptionCertificateId are required with includeResourceData.")
    if len(certificate_id) > ID_LENGTH:
        raise _invalid(f"encryptionCertificateId is longer than {ID_LENGTH} characters.")
    try:
        key = _read(certificate).public_key()
    except (ValueError, binascii.Error) as broken:
        raise _invalid("encryptionCertificate is not the base64 of an X.509 certificate.") from broken
    if not isinstance(key, RSAPublicKey) or not SMALLEST_KEY <= key.key_size <= LARGEST_KEY:
        raise _invalid("encryptionCertificate must have an RSA key of 2048 to 4096 bits.")
    return Recipient(certificate, certificate_id)


def seal(content: Mapping[str, object], to: Recipient) -> dict[str, str]:
    """`encryptedContent` of one item, by a key of its own: AES-256-CBC whose IV is the key's first half,
    HMAC-SHA256 over the result, and the key itself by RSA-OAEP with SHA-1."""
    key = os.urandom(KEY_BYTES)
    padder = PKCS7(128).padder()
    plain = padder.update(json.dumps(content, ensure_ascii=False).encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES256(key), modes.CBC(key[:IV_BYTES])).encryptor()
    secret = encryptor.update(plain) + encryptor.finalize()
    signature = hmac.HMAC(key, hashes.SHA256())
    signature.update(secret)
    public = _read(to.certificate).public_key()
    assert isinstance(public, RSAPublicKey)  # checked when the subscription was made
    sha1 = hashes.SHA1()
    return {
        "data": _text(secret),
        "dataKey": _text(public.encrypt(key, OAEP(MGF1(sha1), sha1, None))),
        "dataSignature": _text(signature.finalize()),
        "encryptionCertificateId": to.certificate_id,
        "encryptionCertificateThumbprint": to.thumbprint,
    }


@lru_cache(maxsize=32)
def _read(certificate: str) -> x509.Certificate:
    raw = base64.b64decode("".join(certificate.split()), validate=True)
    return x509.load_pem_x509_certificate(raw) if raw.startswith(b"-----") else x509.load_der_x509_certificate(raw)


def _invalid(message: str) -> Refused:
    return Refused(400, "ValidationError", message)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
