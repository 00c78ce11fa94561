"""The receiver's side of resource data, written from Microsoft's description and not from the simulator's code."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    id: str
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def sent(self) -> dict[str, object]:
        """What a subscription says about it."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return {
            "includeResourceData": True,
            "encryptionCertificate": base64.b64encode(der).decode(),
            "encryptionCertificateId": self.id,
        }

    @property
    def rotation(self) -> dict[str, object]:
        return {name: value for name, value in self.sent.items() if name != "includeResourceData"}

    def open(self, content: dict[str, str]) -> dict:
        """What was encrypted for this certificate; fails on a signature or a thumbprint that is not right."""
        assert content["encryptionCertificateId"] == self.id
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        assert content["encryptionCertificateThumbprint"] == hashlib.sha1(der).hexdigest().upper()
        oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
        symmetric = self.key.decrypt(base64.b64decode(content["dataKey"]), oaep)
        secret = base64.b64decode(content["data"])
        assert base64.b64decode(content["dataSignature"]) == hmac.digest(symmetric, secret, "sha256")
        decryptor = Cipher(algorithms.AES(symmetric), modes.CBC(symmetric[:16])).decryptor()
        padded = decryptor.update(secret) + decryptor.finalize()
        return json.loads(padded[: -padded[-1]])


def make_certificate(name: str, *, bits: int = 2048) -> Certificate:
    key = rsa.generate_private_key(65537, bits)
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return Certificate(name, key, made)
